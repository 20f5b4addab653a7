"""Ids of profiles or of a catalogue that (nearly) never match those of a log: two files that write them differently."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence

from foldin.data.catalog import Catalog
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.wording import counted

__all__ = ["unmatched_ids_note", "unmatched_ids_notes"]

MIN_IDS = 3
"""On both sides: of fewer, it may well be right that none matches."""

MAX_SHARE = 0.05
"""Of the smaller side that matches, where nearly none does."""


def unmatched_ids_notes(log: Interactions, catalog: Catalog | None, profiles: Profiles | None) -> Iterator[str]:
    """Notes on a catalogue and on profiles whose ids (nearly) never match those of the log."""
    if profiles is not None:
        yield from unmatched_ids_note(profiles.user_ids, log.user_ids, "user", "the profiles")
    if catalog is not None:
        yield from unmatched_ids_note(catalog.item_ids, log.item_ids, "item", "the catalogue")


def unmatched_ids_note(described: Collection[str], in_log: Collection[str], noun: str, source: str) -> Iterator[str]:
    """The note on ids of a source, with an example of both sides; nothing where enough of them match."""
    smaller = min(len(described), len(in_log))
    if smaller < MIN_IDS:
        return
    known = set(in_log)
    unmatched = sorted(one for one in described if one not in known)
    matching = len(described) - len(unmatched)
    if matching > MAX_SHARE * smaller or not unmatched:
        return
    share = f"only {matching:,}" if matching else "none"
    nearest = _nearest(unmatched[0], sorted(known))
    yield (
        f"{share} of the {counted(len(described), noun)} of {source} is in the log, for example not '{unmatched[0]}' "
        f"(the log has '{nearest}'): write ids alike in both, or what is known of the {noun}s is not used"
    )


def _nearest(given: str, ids: Sequence[str]) -> str:
    """The id that follows in sorted order, as 17850.0 follows 17850."""
    return ids[min(bisect_left(ids, given), len(ids) - 1)]
