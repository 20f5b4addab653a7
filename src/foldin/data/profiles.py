"""Profiles: what is known of the users apart from what they did."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from foldin.data.catalog import NOTHING, Attributes
from foldin.data.interactions import Ids
from foldin.errors import DataError, NotFoundError

__all__ = ["Profiles"]


@dataclass(frozen=True, eq=False)
class Profiles:
    """Users and their attributes, one column each (age, role, interests, ...).

    Raises:
        DataError: an id stands twice, or an attribute's length is not the number of users.
    """

    user_ids: Ids
    attributes: Attributes = field(default_factory=lambda: NOTHING)

    def __post_init__(self) -> None:
        if len(self._positions) != len(self.user_ids):
            raise DataError("a user id stands twice in the profiles", field="user")
        for name, column in self.attributes.items():
            if len(column) != len(self.user_ids):
                raise DataError(f"{len(column)} cells for {len(self.user_ids)} users", field=name)

    def __len__(self) -> int:
        return len(self.user_ids)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {user_id: row for row, user_id in enumerate(self.user_ids)}

    def profile(self, user_id: str) -> dict[str, str]:
        """What is known of one user.

        Raises:
            NotFoundError: there is no profile of that user.
        """
        if user_id not in self._positions:
            raise NotFoundError(f"no profile of user '{user_id}'")
        row = self._positions[user_id]
        return {name: column[row] for name, column in self.attributes.items() if column[row] is not None}
