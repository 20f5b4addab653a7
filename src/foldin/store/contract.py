"""What every store can do, whichever database is behind it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Catalog
from foldin.data.interactions import History, Ids, Interactions
from foldin.data.profiles import Profiles
from foldin.errors import FoldinError

__all__ = [
    "Batch",
    "ClickThrough",
    "Forgotten",
    "Impression",
    "Ingested",
    "Shown",
    "Snapshot",
    "Store",
    "Summary",
]


@dataclass(frozen=True, eq=False)
class Batch:
    """Events that come together, and where from.

    `event_ids`: one per event, None where an event has none; an event whose id is stored already is left out, so that
    a batch can be sent again. `digest`: of the whole content, for batches without event ids: a batch whose digest
    is stored already from the same source adds nothing. `cursor`: how far the source has been read once this batch
    is stored; `cursor_before`: how far it had been read when this batch was asked for, None where it never was. A batch
    with a cursor is refused where another has moved it in the meantime. `recommendation_ids`: one per event, the
    recommendation it came from (`Impression.recommendation_id`), None where it came from none. `times_filled`: one per
    event, whether it came without a time and whoever took it in filled in the present, None where none did; the time of
    such an event says nothing of whether it is the one that is stored under its id. Only the mark of the event that
    comes again counts, none is stored: where it brings a time, that is the stored one's or it is another event.
    `only_new`: whether events without an id are left out, too, where the store has them: the same user, item, kind,
    value and time. Where such an event comes k times and the store has it m times, it then has it max(k, m) times.
    Without a time an event cannot be told from another like it, and is stored.
    """

    log: Interactions
    source: str
    event_ids: Sequence[str | None] | Ids | None = None
    digest: str | None = None
    cursor: str | None = None
    cursor_before: str | None = None
    recommendation_ids: Sequence[str | None] | None = None
    times_filled: Sequence[bool] | NDArray[np.bool_] | None = None
    only_new: bool = False


@dataclass(frozen=True)
class Ingested:
    """What one call did: events stored, left out since they were known, left out since their user is forgotten;
    and users and items the store had never heard of.

    Of batches with `only_new`: `repeated`, of the known ones those that have no id; and `alike`, of the stored ones
    those without a time, where the store had one of the same user, item, kind and value for each.
    """

    events: int
    known: int
    forgotten: int
    new_users: int
    new_items: int
    repeated: int = 0
    alike: int = 0


@dataclass(frozen=True)
class Forgotten:
    """What was erased with a user."""

    events: int
    profile: bool
    impressions: int = 0


@dataclass(frozen=True)
class Impression:
    """What somebody was shown: the items, best first, by which model, and when (microseconds since the epoch).

    `user_id`: None where nobody was named. `recommendation_id`: at most 256 characters.
    """

    recommendation_id: str
    user_id: str | None
    model: str
    time: int
    item_ids: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """An impression, and which of its items were clicked: those that an event came from, in the order of ranks."""

    impression: Impression
    clicked: tuple[str, ...]


@dataclass(frozen=True)
class ClickThrough:
    """How often a model showed an item at a rank, counted from 1, and how often it was clicked."""

    model: str
    rank: int
    shown: int
    clicked: int

    @property
    def share(self) -> float:
        """Clicked, of what was shown."""
        return self.clicked / self.shown


@dataclass(frozen=True)
class Summary:
    """Counts of what a store holds; times are microseconds since the epoch, None where no event has one.

    `users` are those with events or a profile, `items` those of the catalogue or of an event. `forgotten`: users
    erased, whose events and profiles are refused. `position`: the arrival number that the next event will get.
    """

    users: int
    items: int
    events: int
    sources: int
    first_time: int | None
    last_time: int | None
    forgotten: int
    position: int


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a model learns from, all of it of one moment; `position` says which (`Summary.position`)."""

    interactions: Interactions
    catalog: Catalog
    profiles: Profiles
    position: int


class Store(Protocol):
    """Events, profiles and catalogue in a database. Every call is atomic, and every reading is of one moment.

    Ids are any text but NUL and lone surrogates; that they are also well-formed is the readers' affair.
    One store object belongs to one thread at a time; as many as wanted may be open on the same database, in as many
    processes. What a call has stored stays stored, whatever becomes of the process or the machine.

    Raises, from every method:
        StoreError: the database cannot be read or written; what it held is untouched.
    """

    def ingest(
        self,
        batches: Sequence[Batch],
        *,
        catalog: Catalog | None = None,
        profiles: Profiles | None = None,
    ) -> Ingested:
        """Stores batches, catalogue and profiles together, or nothing of them; forgotten users are left out.

        Raises:
            DataError: an id, name or attribute cannot be stored, or there are not as many event ids as events.
            ConflictError: an event id is stored with another event, or a source's cursor is not where a batch began.
        """
        ...

    def append(self, batches: Sequence[Batch]) -> list[Ingested | FoldinError]:
        """Stores many small batches in one commit, each for itself all or nothing: what each did, or why it could not.

        One refused batch (DataError, ConflictError) leaves the others alone.
        """
        ...

    def show(self, impressions: Sequence[Impression]) -> None:
        """Stores what was shown, for 90 days, and counts it; users are not entered by it, and forgotten ones left out.

        An event that cites a recommendation makes the item a click, once per recommendation, whether event or
        impression is stored first. One that cites a recommendation of another user, without its item or of which
        nothing is stored, counts nothing. An impression that is stored already is left out.

        Raises:
            DataError: an id or name cannot be stored; then nothing is.
        """
        ...

    def shown_to(self, user_id: str) -> list[Shown]:
        """What a user was shown, oldest first.

        Raises:
            DataError: no user can have such an id.
        """
        ...

    def click_through(self) -> list[ClickThrough]:
        """Shown and clicked by model, in the order of their first impressions, and rank; what is erased stays
        counted."""
        ...

    def forget(self, user_id: str) -> Forgotten:
        """Erases a user's events, profile and impressions, and leaves a tombstone (a keyed hash, not the id): what
        comes later of that user is left out. Forgetting twice, or a user never seen, is no error.

        An erasure of events takes an arrival number of its own, so that every reading is before it or after it.

        Raises:
            DataError: no user can have such an id.
            StoreError: as everywhere, or the user is forgotten, as the message then says, and what was erased has
                still to be overwritten: forgetting again does it.
        """
        ...

    def readmit(self, user_id: str) -> bool:
        """Lifts a user's tombstone; whether there was one. What was erased stays erased."""
        ...

    def forgotten_since(self, position: int) -> int:
        """How many users were forgotten after that position who had events before it: a model trained on the events
        before it learned from them."""
        ...

    def cursor(self, source: str) -> str | None:
        """How far a source has been read, as its last batch said; None where it never did."""
        ...

    def put_catalog(self, catalog: Catalog) -> None:
        """Stores items: the attributes of one the catalogue has are replaced, new ones follow after the present.

        Raises:
            DataError: an id or attribute cannot be stored.
        """
        ...

    def alter_item(self, item_id: str, change: Callable[[dict[str, str] | None], Mapping[str, str]]) -> None:
        """Replaces what the catalogue says of one item by what `change` makes of it, and nobody writes in between.

        `change` gets the item's attributes, or None where the catalogue lacks it, as `put_catalog` would then add it;
        it may be asked more than once.

        Raises:
            DataError: the id or an attribute cannot be stored.
            Whatever `change` raises; then nothing is stored.
        """
        ...

    def put_profiles(self, profiles: Profiles) -> None:
        """Stores users' attributes; those of a user who has a profile are replaced.

        Raises:
            DataError: an id or attribute cannot be stored.
        """
        ...

    def interactions(self, *, since: int | None = None) -> Interactions:
        """All events, sorted by user, item, time, kind and value, so that the order of arrival plays no part.

        `since`: a `Summary.position`; only the events that arrived from there on.
        Kinds, values and times are None where no event has one.
        """
        ...

    def snapshot(self, *, without: Collection[str] = ()) -> Snapshot:
        """Events, catalogue, profiles and position as they are at one moment.

        `without`: sources whose events are left out; one that the store does not know leaves nothing out. Catalogue and
        profiles have no source.

        Raises:
            DataError: no source can have such a name.
        """
        ...

    def history(self, user_id: str) -> History:
        """All events of one user, oldest first (those without a time before all others), then by item id.

        Raises:
            NotFoundError: the user has neither events nor a profile.
            DataError: no user can have such an id (NUL, a lone surrogate).
        """
        ...

    def catalog(self) -> Catalog:
        """The catalogue, in its order; items known only from events are not in it."""
        ...

    def catalog_version(self) -> int:
        """A number that grows with every writing of the catalogue, and with nothing else: whoever sees a new one sees
        the new catalogue from then on. It costs next to nothing, however large the catalogue is."""
        ...

    def profiles(self) -> Profiles:
        """The profiles, sorted by user id."""
        ...

    def profile(self, user_id: str) -> dict[str, str]:
        """What is known of one user; empty for one without a profile.

        Raises:
            DataError: no user can have such an id.
        """
        ...

    def user_ids(self) -> list[str]:
        """The users with events or a profile, sorted."""
        ...

    def sources(self) -> Mapping[str, int]:
        """How many events came from each source, by name."""
        ...

    def summary(self) -> Summary:
        """How much there is of everything."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of the content (events, catalogue, profiles) in hexadecimal; the order of arrival plays no part."""
        ...

    def check_writable(self) -> None:
        """Writes a few bytes and waits for the disk, which changes nothing; raises StoreError where that fails."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
