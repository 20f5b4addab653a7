"""From what was typed to what the library takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldin.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from foldin.data.feedback import Feedback, Form, Strength
    from foldin.data.interactions import Interactions
    from foldin.data.readers.text import TextFormat
    from foldin.store.contract import Store

__all__ = ["check_sources", "cleaned", "days", "feedback_from", "pairs_from", "seconds", "text_format"]

SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def pairs_from(assignments: Sequence[str], what: str) -> dict[str, str]:
    """["l2=100", "dropout=.3"] as a dictionary.

    Raises:
        ConfigurationError: one of them is not of the form name=value, or a name stands twice.
    """
    pairs: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise ConfigurationError(f"'{assignment}' is not of the form name=value, as {what} wants it")
        if name.strip() in pairs:
            raise ConfigurationError(f"{what} says twice what {name.strip()} is: give one value")
        pairs[name.strip()] = value.strip()
    return pairs


def feedback_from(
    form: Form | None,
    positive_from: float | None,
    weights: str | None,
    strength: Strength | None,
    half_life: str | None,
    *,
    amounts_as_ratings: bool,
) -> Feedback:
    """The feedback that the options describe.

    Raises:
        ConfigurationError: an option is not understood, or two of them exclude each other.
    """
    from foldin.data.feedback import Feedback

    return Feedback(
        form=form or "implicit",
        positive_from=positive_from,
        weights=_weights(weights),
        strength=strength,
        half_life=days(half_life, "--half-life"),
        amounts_as_ratings=amounts_as_ratings,
    )


def text_format(encoding: str | None, header: str | None) -> TextFormat:
    """How files are written, with the columns typed as user,item,time.

    Raises:
        ConfigurationError: there is no such encoding, or two columns have one name.
    """
    from foldin.data.readers.text import TextFormat

    return TextFormat.given(encoding, None if header is None else [name.strip() for name in header.split(",")])


def days(text: str | None, option: str) -> float | None:
    """A number of days, typed as 90d or 90.

    Raises:
        ConfigurationError: it is no number.
    """
    return None if text is None else _number(text.strip().removesuffix("d"), f"{option} (days, as 90d)")


def seconds(text: str, option: str) -> float:
    """An interval, typed as 45s, 30m, 6h or 1d, in seconds.

    Raises:
        ConfigurationError: it is none, or not above 0.
    """
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit not in SECONDS:
        raise ConfigurationError(f"{option} is '{text}': write a number with its unit, as 30m, 6h or 1d")
    interval = SECONDS[unit] * _number(number, f"{option} (as 30m, 6h or 1d)")
    if not 0 < interval < float("inf"):
        raise ConfigurationError(f"{option} is '{text}'; it must be above 0")
    return interval


def check_sources(store: Store, named: Sequence[str]) -> None:
    """Refuses sources that have brought nothing.

    Raises:
        NotFoundError: the store does not know one of them.
    """
    known = store.sources()
    unknown = [source for source in named if source not in known]
    if unknown:
        raise NotFoundError(f"no source '{unknown[0]}' in the store; there are: {', '.join(known) or 'none'}")


def cleaned(log: Interactions, per_user: int, per_item: int, core: int) -> Interactions:
    """The log without users and items that have too few interactions."""
    from foldin.data.cleaning import k_core, with_minimum

    if per_user > 1 or per_item > 1:
        log = with_minimum(log, per_user=per_user, per_item=per_item)
    return k_core(log, core) if core > 1 else log


def _weights(text: str | None) -> dict[str, float]:
    pairs = pairs_from(text.split(","), "--weights") if text else {}
    return {kind: _number(value, f"the weight of kind '{kind}'") for kind, value in pairs.items()}


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError(f"{what} is '{text}', which is no number") from None
