"""What is to be said of an import whose events the store had already, or may have had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.cli.intake import Part
    from foldin.data.readers import Reading
    from foldin.store.contract import Ingested

__all__ = ["repeats"]

MANY = 0.5
"""The share of events without a time, each like one in the store, from which on the log may be an older one, grown."""


def repeats(parts: Iterable[Part], added: Ingested) -> list[str]:
    """Sentences about the events that are there already, and about those that may be; none where all were new."""
    readings = [part.reading for part in parts]
    timed, timeless = (sum(_nameless(reading, timed=timed) for reading in readings) for timed in (True, False))
    return [*_known(added, timed, timeless), *_alike(added, timeless)]


def _known(added: Ingested, timed: int, timeless: int) -> list[str]:
    # of a log that was taken in before as a whole, that is said
    if not added.repeated or not added.events:
        return []
    known = f"{added.repeated:,} of {counted(timed + timeless, 'event')} {_are(added.repeated)} in the store already"
    new = f"{added.events:,} {_are(added.events)} new"
    return [f"{known} (the same user, item, kind, value and time); {new} (--again stores all)"]


def _alike(added: Ingested, timeless: int) -> list[str]:
    if not added.alike or added.alike < MANY * timeless:
        return []
    have = "has" if added.alike == 1 else "have"
    alike = f"{added.alike:,} of {counted(timeless, 'event')} without a time {have} the user, item, kind and value"
    remedy = "take the whole log into a new workspace, or with times (--time) or event ids (--event)"
    return [f"{alike} of one in the store; all were stored, and count twice if they are the same: then {remedy}"]


def _nameless(reading: Reading, *, timed: bool) -> int:
    """How many events have no id, of those with a time or of those without."""
    import numpy as np

    from foldin.data.interactions import NO_TIME

    log, event_ids = reading.log, reading.event_ids
    ids = [None] * len(log) if event_ids is None else event_ids.tolist()
    nameless = np.fromiter((event_id is None for event_id in ids), dtype=np.bool_, count=len(log))
    has_time = np.zeros(len(log), dtype=np.bool_) if log.times is None else log.times != NO_TIME
    return int(np.count_nonzero(nameless & (has_time == timed)))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
