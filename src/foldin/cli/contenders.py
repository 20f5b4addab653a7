"""Which models a comparison is of, and with which settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.models.protocols import Estimator

__all__ = ["Contenders", "contenders_from"]


@dataclass(frozen=True)
class Contenders:
    """Estimators by the name of the contender, and which of their fields are not to be chosen."""

    estimators: Mapping[str, Estimator]
    fixed: Mapping[str, Sequence[str]]


def contenders_from(models: str, settings: Sequence[str]) -> Contenders:
    """The models "a,b,c" with settings such as "edlae.l2=100"; a field that is set to several values makes a contender
    of each, named by it.

    Raises:
        ConfigurationError: a model is none or named twice, or a setting is of no model that is compared, not of the
            form MODEL.FIELD=VALUE, or does not fit its field.
    """
    from foldin.models.zoo import estimator_named

    names = [name.strip() for name in models.split(",") if name.strip()]
    _check(names)
    given = _values(settings, names)
    estimators: dict[str, Estimator] = {}
    fixed: dict[str, Sequence[str]] = {}
    for model in names:
        values = given.get(model, {})
        for chosen in product(*values.values()):
            fields = dict(zip(values, chosen, strict=True))
            name = _name(model, {field: value for field, value in fields.items() if len(values[field]) > 1})
            estimators[name], fixed[name] = estimator_named(model, fields), list(fields)
    return Contenders(estimators, fixed)


def _check(names: Sequence[str]) -> None:
    if not names:
        raise ConfigurationError("--models names no model; write it as a,b,c")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigurationError(
            f"--models names {twice[0]} twice; to compare settings of a model, give several values of a field: "
            f"--set {twice[0]}.FIELD=VALUE --set {twice[0]}.FIELD=OTHER"
        )


def _values(settings: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """The values of each field of each model, in their order."""
    given: dict[str, dict[str, list[str]]] = {}
    for setting in settings:
        target, equals, value = setting.partition("=")
        model, dot, field = (part.strip() for part in target.partition("."))
        if not (equals and dot and model and field):
            raise ConfigurationError(f"--set '{setting}' is not of the form MODEL.FIELD=VALUE, as edlae.l2=100")
        if model not in names:
            raise ConfigurationError(f"--set {setting}: {model} is not compared; --models has {', '.join(names)}")
        values = given.setdefault(model, {}).setdefault(field, [])
        if value.strip() not in values:
            values.append(value.strip())
    return given


def _name(model: str, varied: Mapping[str, str]) -> str:
    return " ".join([model, *(f"{field}={value}" for field, value in varied.items())])
