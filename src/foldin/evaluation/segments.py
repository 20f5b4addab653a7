"""Held-out users in groups that share an attribute of their profiles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.cells import Separator, number_of, pieces_of
from foldin.data.columns import recognise
from foldin.data.interactions import Ids
from foldin.data.profiles import Profiles
from foldin.errors import ConfigurationError

__all__ = ["Segments", "check_attribute", "segments_of"]

FEWEST_USERS = 10  # in a segment of its own; of fewer, a mean says next to nothing
MOST_BINS = 5
OTHER, UNKNOWN = "other", "unknown"

_Labels: TypeAlias = Sequence[tuple[str, ...]]
"""The segments of each user."""


@dataclass(frozen=True, eq=False)
class Segments:
    """An attribute's segments in the order they are shown in, and those of each user by row of the matrix."""

    attribute: str
    names: tuple[str, ...]
    of_rows: Mapping[int, tuple[str, ...]]

    def members(self, rows: NDArray[np.intp], name: str) -> NDArray[np.bool_]:
        """Which of the users, by row, are of that segment."""
        return np.array([name in self.of_rows.get(int(row), ()) for row in rows], dtype=np.bool_)


def segments_of(profiles: Profiles, attribute: str, user_ids: Ids, rows: NDArray[np.intp]) -> Segments:
    """Groups the users in `rows` of a matrix whose users are `user_ids` by what their profiles say.

    Each value is a segment, most users first; who has several values, as in `storage|networking`, is in the segment of
    each. Numbers of more than 5 different values become up to 5 bins of about equally many users. Values of fewer than
    10 users are pooled as "other"; who has no value is "unknown".

    Raises:
        ConfigurationError: the profiles have no such attribute.
    """
    check_attribute(profiles, attribute)
    value_of = dict(zip(profiles.user_ids, profiles.attributes[attribute], strict=True))
    values: list[str | None] = [value_of.get(user_id) for user_id in user_ids[rows]]
    if _numeric(values):
        labels, names = _bins(values)
    else:
        separator = recognise(profiles.attributes[attribute], rarest=FEWEST_USERS).separator
        labels, names = _values([_parts(value, separator) for value in values])
    return Segments(attribute, _those_of(labels, names), dict(zip(rows.tolist(), labels, strict=True)))


def check_attribute(profiles: Profiles, attribute: str) -> None:
    """Passes if the profiles have the attribute.

    Raises:
        ConfigurationError: they do not; those they have are named.
    """
    if attribute not in profiles.attributes:
        known = ", ".join(profiles.attributes) or "none"
        raise ConfigurationError(f"no attribute '{attribute}' in the profiles; there are: {known}")


def _numeric(values: Sequence[str | None]) -> bool:
    distinct = {value for value in values if value is not None}
    return len(distinct) > MOST_BINS and all(number_of(value) is not None for value in distinct)


def _parts(value: str | None, separator: Separator | None) -> list[str]:
    if value is None or separator is None:
        return [] if value is None else [value]
    return pieces_of(value, separator)


def _values(values: Sequence[Sequence[str]]) -> tuple[_Labels, Sequence[str]]:
    sizes = Counter(value for several in values for value in several)
    large = {value for value, size in sizes.items() if size >= FEWEST_USERS}
    names = sorted(large - {OTHER, UNKNOWN}, key=lambda value: (-sizes[value], value))
    return [_labels(several, large) for several in values], names


def _labels(values: Sequence[str], large: Set[str]) -> tuple[str, ...]:
    if not values:
        return (UNKNOWN,)
    return tuple(dict.fromkeys(value if value in large else OTHER for value in values))


def _bins(values: Sequence[str | None]) -> tuple[_Labels, Sequence[str]]:
    known = np.array([float(value) for value in values if value is not None])
    bins = max(1, min(MOST_BINS, len(known) // FEWEST_USERS))
    # a bin begins at its edge, so that equal numbers are never parted
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins, method="higher"))
    places = np.searchsorted(edges, known, side="right")
    names = {int(place): _range(known[places == place]) for place in np.unique(places)}
    of_known = iter(places.tolist())
    return [(UNKNOWN if value is None else names[next(of_known)],) for value in values], list(names.values())


def _range(numbers: NDArray[np.float64]) -> str:
    low, high = numbers.min(), numbers.max()
    return f"{low:.12g}" if low == high else f"{low:.12g} to {high:.12g}"


def _those_of(labels: _Labels, names: Sequence[str]) -> tuple[str, ...]:
    given = {name for several in labels for name in several}
    return tuple(name for name in (*names, OTHER, UNKNOWN) if name in given)
