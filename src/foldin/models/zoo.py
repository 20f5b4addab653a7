"""Every estimator by its name, and from its fields as text or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from foldin.errors import ConfigurationError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator

__all__ = [
    "DEFAULT",
    "ESTIMATORS",
    "Settings",
    "estimator_named",
    "name_of",
    "settings_of",
    "suited_to_ratings",
    "with_field",
]

Settings: TypeAlias = Mapping[str, object]
"""Fields by name, each as its type, as JSON has it, or as text."""

ESTIMATORS: dict[str, type[Popularity] | type[EASE] | type[EDLAE] | type[AutoEncoder]] = {
    "popularity": Popularity,
    "ease": EASE,
    "edlae": EDLAE,
    "autoencoder": AutoEncoder,
}
DEFAULT = "edlae"


def estimator_named(name: str, settings: Settings | None = None) -> Estimator:
    """An estimator with some of its fields set, each as its type or as text: {"l2": "0.01", "hidden": "256,128"}.

    Raises:
        ConfigurationError: there is no such estimator or field, or the value does not fit; the right ones are listed.
    """
    if name not in ESTIMATORS:
        raise ConfigurationError(f"no model '{name}'; there are: {', '.join(ESTIMATORS)}")
    kind = ESTIMATORS[name]
    known = {field.name: str(field.type) for field in fields(kind)}
    given = dict(settings or {})
    for field in given:
        if field not in known:
            raise ConfigurationError(f"{name} has no field '{field}'; it has: {', '.join(known) or 'none'}")
    values = {field: _listed(value) if known[field].startswith("tuple[") else value for field, value in given.items()}
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigurationError(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def name_of(estimator: Estimator) -> str:
    """The name an estimator is known by; the class's own, in lower case, for one that is not among ours."""
    return next(
        (name for name, kind in ESTIMATORS.items() if type(estimator) is kind), type(estimator).__name__.lower()
    )


def settings_of(estimator: Estimator) -> Settings:
    """An estimator's fields, from which `estimator_named` makes it again."""
    values = {field.name: getattr(estimator, field.name) for field in fields(ESTIMATORS[name_of(estimator)])}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def with_field(estimator: Estimator, field: str, value: object) -> Estimator:
    """The same estimator but for one field."""
    return estimator_named(name_of(estimator), {**settings_of(estimator), field: value})


def suited_to_ratings(estimator: Estimator) -> Estimator:
    """The estimator for explicit feedback: unless set, unobserved cells count nothing."""
    if isinstance(estimator, AutoEncoder) and estimator.unobserved is None:
        return replace(estimator, unobserved=0.0)
    return estimator


def _listed(value: object) -> object:
    return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
