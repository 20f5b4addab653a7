"""What of a profile that is sent along says nothing to the live model; each value is looked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from foldin.coldstart.notices import cells_of, profile_notices
from foldin.data.profiles import Profile
from foldin.service.live import Live

__all__ = ["Notices"]

MOST_KEPT = 10_000
"""Values of which is remembered whether they say anything."""


class Notices:
    """Tells of what is mistyped. To find out whether a value says anything takes about as long as to rank by it, so
    that this is remembered as long as a model is live."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._said: dict[tuple[str, str], bool] = {}

    async def of(self, live: Live, profile: Profile, *, words: Collection[str] = ()) -> list[str]:
        """What somebody should hear of a profile; as `profile_notices`."""
        if not profile:
            return []
        if live is not self._live or len(self._said) > MOST_KEPT:
            self._live, self._said = live, {}
        said = self._said  # another one's, should another model go live meanwhile
        unknown = [cell for cell in dict.fromkeys(cells_of(profile)) if cell not in said]
        if unknown:
            said.update(await asyncio.to_thread(_looked_at, live, unknown))
        return profile_notices(profile, live.recommender.attributes, lambda name, value: said[name, value], words=words)


def _looked_at(live: Live, cells: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bool]:
    return {cell: live.recommender.says(*cell) for cell in cells}
