"""Profiles: what is known of the users apart from what they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np

from foldin.data.catalog import NOTHING, Attributes, ids_of
from foldin.data.identifiers import are_texts, checked_id, checked_ids
from foldin.data.interactions import Ids
from foldin.errors import ConfigurationError, DataError, NotFoundError
from foldin.wording import counted

__all__ = ["Profile", "Profiles", "attributes_of"]

Profile: TypeAlias = Mapping[str, str]
"""What is known of one user, by attribute; several values of one attribute are parted by `|`."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """Users and their attributes, one column each (age, role, interests, ...).

    Raises:
        DataError: an id cannot be one or stands twice, or an attribute's length is not the number of users.
    """

    user_ids: Ids
    attributes: Attributes = field(default_factory=lambda: NOTHING)

    def __post_init__(self) -> None:
        if not are_texts(self.user_ids, np.ndarray):
            object.__setattr__(self, "user_ids", ids_of(checked_ids(self.user_ids, "user")))
        if len(self._positions) != len(self.user_ids):
            raise DataError("a user id stands twice in the profiles", field="user")
        for name, column in self.attributes.items():
            if len(column) != len(self.user_ids):
                raise DataError(f"{counted(len(column), 'cell')} for {counted(len(self.user_ids), 'user')}", field=name)

    def __len__(self) -> int:
        return len(self.user_ids)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {user_id: row for row, user_id in enumerate(self.user_ids)}

    def profile(self, user_id: str) -> dict[str, str]:
        """What is known of one user.

        Raises:
            NotFoundError: there is no profile of that user.
            DataError: no user can have such an id.
        """
        user_id = checked_id(user_id, "user")
        if user_id not in self._positions:
            raise NotFoundError(f"no profile of user '{user_id}'")
        row = self._positions[user_id]
        return {name: column[row] for name, column in self.attributes.items() if column[row] is not None}

    def of(self, user_ids: Ids) -> Attributes:
        """The attributes of users, one cell for each in their order; None where there is no profile of them."""
        rows = np.fromiter((self._positions.get(user_id, -1) for user_id in user_ids), np.intp, len(user_ids))
        # one cell more than there are users: the last is None, which is what the row -1 finds
        return {name: np.append(column, [None])[rows] for name, column in self.attributes.items()}

    def laid_over(self, below: Profiles) -> Profiles:
        """The same users, of whom `below` says what these profiles do not."""
        known = below.of(self.user_ids)
        nothing = np.full(len(self), None, dtype=np.object_)
        columns: dict[str, Ids] = {}
        for name in dict.fromkeys((*known, *self.attributes)):
            above, under = self.attributes.get(name, nothing), known.get(name, nothing)
            columns[name] = ids_of(one if one is not None else other for one, other in zip(above, under, strict=True))
        return Profiles(self.user_ids, columns)


def attributes_of(profiles: Sequence[Profile | None]) -> dict[str, Ids]:
    """Profiles as columns, one cell for each in their order; None where one lacks the attribute.

    Raises:
        ConfigurationError: a profile is no mapping of texts to texts.
    """
    names = dict.fromkeys(name for profile in profiles for name in _checked(profile))
    return {name: ids_of((profile or {}).get(name) for profile in profiles) for name in names}


def _checked(profile: Profile | None) -> Profile:
    if profile is None:
        return {}
    if not isinstance(profile, Mapping):
        raise ConfigurationError(f"a profile is a mapping such as {{'role': 'admin'}}, not {profile!r}")
    for name, value in profile.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"a profile holds texts, as {{'age': '31'}}; {name!r}: {value!r} is no such pair")
    return profile
