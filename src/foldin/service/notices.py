"""What of a profile that is sent along says nothing to the live model; each value is looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from foldin.coldstart.notices import Known, Says, cells_of, profile_notices
from foldin.data.profiles import Profile
from foldin.service.live import Live
from foldin.service.offload import check_cancelled, offload

__all__ = ["Notices"]

MOST_LOOKED_AT = 100
"""New values of one request that are looked at, whole ones first; of others nothing is claimed."""

MANY = 200
"""Values that are looked through at once; more of them keep the event loop for milliseconds."""

MOST_KEPT = 10_000
"""Values of which is remembered whether they say anything."""


class Notices:
    """Tells of what is mistyped. To find out whether a value says anything takes about as long as to rank by it, so
    that this is remembered as long as a model is live."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._said: dict[tuple[str, str], bool] = {}

    async def of(self, live: Live, profiles: Sequence[Profile], *, most: int = MOST_LOOKED_AT) -> list[list[str]]:
        """What somebody should hear of each of the profiles of a request; as `profile_notices`.

        At most `most` values are looked at for the first time.
        """
        if not any(profiles):
            return [[] for _ in profiles]
        cells = cells_of(profiles)
        says = await self.says(live, cells, most=most)
        # to find what was meant by a value that says nothing takes milliseconds
        long = len(cells) > MANY or any(says(*cell) is False for cell in cells)
        return await offload(partial(_notices, profiles, live.recommender.attributes, says), long=long)

    async def says(self, live: Live, cells: Sequence[tuple[str, str]], *, most: int = MOST_LOOKED_AT) -> Says:
        """Whether attributes' values say anything; None of those that are not in `cells`, or too many to look at."""
        if live is not self._live or len(self._said) > MOST_KEPT:
            self._live, self._said = live, {}
        said = self._said  # another one's, should another model go live meanwhile
        # one after the other, so that what others do aside has its turn in between
        for cell in [cell for cell in cells if cell not in said][:most]:
            said[cell] = await offload(partial(live.recommender.says, *cell), long=True)
        return lambda *cell: said.get(cell)


def _notices(profiles: Sequence[Profile], known: Known, says: Says) -> list[list[str]]:
    notices = []
    for profile in profiles:
        check_cancelled()
        notices.append(profile_notices(profile, known, says))
    return notices
