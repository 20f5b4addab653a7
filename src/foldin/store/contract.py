"""What every store can do, whichever database is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from foldin.data.catalog import Catalog
from foldin.data.interactions import History, Interactions
from foldin.data.profiles import Profiles

__all__ = ["Ingested", "Store", "Summary"]


@dataclass(frozen=True)
class Ingested:
    """What one call added: events stored, and users and items the store had never heard of."""

    events: int
    new_users: int
    new_items: int


@dataclass(frozen=True)
class Summary:
    """Counts of what a store holds; times are microseconds since the epoch, None where no event has one.

    `users` are those with events or a profile, `items` those of the catalogue or of an event.
    """

    users: int
    items: int
    events: int
    sources: int
    first_time: int | None
    last_time: int | None


class Store(Protocol):
    """Events, profiles and catalogue in a database. Every call is atomic, and every reading is of one moment.

    Ids are any text but NUL and lone surrogates; that they are also well-formed is the readers' affair.
    One store object belongs to one thread at a time; as many as wanted may be open on the same database.

    Raises, from every method:
        StoreError: the database cannot be read or written; what it held is untouched.
    """

    def ingest(
        self,
        logs: Sequence[tuple[str, Interactions]],
        *,
        catalog: Catalog | None = None,
        profiles: Profiles | None = None,
    ) -> Ingested:
        """Stores logs (each with the name of its source), catalogue and profiles together, or nothing of them.

        Raises:
            DataError: an id, name or attribute cannot be stored.
        """
        ...

    def append(self, log: Interactions, *, source: str, event_ids: Sequence[str | None] | None = None) -> int:
        """Stores the events of a log, and says how many were new.

        `event_ids`: one per event; an event whose id is stored already with the same user, item, kind, value and
        time is left out, so that a batch can be sent again.

        Raises:
            DataError: an id or name cannot be stored, or there are not as many event ids as events.
            StoreError: an event id is stored with another event; nothing of the log was stored.
        """
        ...

    def put_catalog(self, catalog: Catalog) -> None:
        """Stores items: the attributes of one the catalogue has are replaced, new ones follow after the present.

        Raises:
            DataError: an id or attribute cannot be stored.
        """
        ...

    def put_profiles(self, profiles: Profiles) -> None:
        """Stores users' attributes; those of a user who has a profile are replaced.

        Raises:
            DataError: an id or attribute cannot be stored.
        """
        ...

    def interactions(self) -> Interactions:
        """All events, sorted by user, item, time, kind and value, so that the order of arrival plays no part.

        Kinds, values and times are None where no event has one.
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

    def profiles(self) -> Profiles:
        """The profiles, sorted by user id."""
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

    def close(self) -> None:
        """Ends the connection."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
