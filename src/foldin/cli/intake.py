"""What `foldin ingest` does: read all files and answers of databases, then store all of it, or change nothing."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from foldin.cli.losses import losses
from foldin.cli.rejects import in_the_way, rejects_written
from foldin.cli.repeats import repeats
from foldin.errors import ConfigurationError, DataError, DataWarning, NoRowsError, RowError
from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import Interactions
    from foldin.data.profiles import Profiles
    from foldin.data.readers import Reading, Rejected
    from foldin.data.readers.tables import SetAside
    from foldin.data.readers.text import TextFormat
    from foldin.store.contract import Batch, Ingested, Store, Summary
    from foldin.workspace import Workspace

__all__ = ["Database", "Intake", "Part", "Stored", "TableIds", "read_intake", "store_intake"]

T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """A database to read from: its URL, and the queries for events, catalogue and profiles.

    `since`: what `:since` stands for in the query for events. `cursor`: the column that tells how far it was read.
    `name`: what its events are filed under. `reached`: how far it had been read when this reading began.
    """

    url: str
    query: str | None = None
    items_query: str | None = None
    users_query: str | None = None
    since: str | None = None
    cursor: str | None = None
    name: str = ""
    reached: str | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """One log that was read, and what its events are filed under.

    Of a database also from where it was asked for (`since`), how far it was read (`cursor`), and how far it had been
    read before (`reached`).
    """

    name: str
    reading: Reading
    since: str | None = None
    cursor: str | None = None
    reached: str | None = None


@dataclass(frozen=True, eq=False)
class Intake:
    """What was read: logs, catalogue and profiles, and what is to be said about it."""

    parts: Sequence[Part]
    catalog: Catalog | None
    profiles: Profiles | None
    notes: Sequence[str]
    of_tables: Sequence[Rejected] = ()

    @property
    def rejected(self) -> Sequence[Rejected]:
        """The rows set aside, of all logs, then `of_tables`, which are catalogue and profiles."""
        return [*(row for part in self.parts for row in part.reading.rejected), *self.of_tables]


@dataclass(frozen=True)
class Stored:
    """What became of it: what is new, what the store holds now, and the file of the rows set aside.

    `new`: how many events each source brought. `notes`: what the store lost by it, in sentences.
    """

    added: Ingested
    summary: Summary
    rejected: Path | None
    new: Mapping[str, int]
    notes: Sequence[str] = ()


def read_intake(
    files: Sequence[str],
    items: Path | None,
    users: Path | None,
    database: Database | None,
    columns: Mapping[str, str | None],
    form: TextFormat,
    *,
    source: str | None,
    skip_bad: bool,
    tell: Callable[[str], None],
    ids: TableIds | None = None,
) -> Intake:
    """Reads logs, catalogue and profiles; `columns` are those of `read_events`, `source` the name of all files.

    `form`: how the files are written; its header is that of the logs, or, where there are none, of the one table.
    `ids`: the id columns of catalogue and profiles, where they are called otherwise than in the logs.

    Raises:
        DataError: a row cannot be taken; with `skip_bad`, none can.
        ConfigurationError: there is no such time zone, a file is given twice, or a driver is missing.
    """
    from foldin.data.readers.remote import shown

    parts: list[Part] = []
    of_tables: list[Rejected] = []
    set_aside = of_tables.append if skip_bad else None
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", DataWarning)
        logs = _distinct(_matching(files))
        for file in logs:
            tell(f"reading {shown(file)}")
            with _passing_over_parts_without_rows(file, several=len(logs) > 1):
                parts.append(Part(source or _name(file), _read(file, columns, form, skip_bad)))
        if logs and not parts:
            raise NoRowsError(f"there are no rows in any of {counted(len(logs), 'file')}")
        answered = [] if database is None else _answered(database, columns, skip_bad, tell)
        with _with_the_way_out(skip_bad):
            of_items, of_users = (ids or TableIds()).beside(columns)
            written = _of_tables(form, files, (items, users))
            catalog = _catalog(items, database, of_items, written, set_aside)
            profiles = _profiles(users, database, of_users, written, set_aside)
    notes = [note for part in (*parts, *answered) for note in (*part.reading.notes, *_left_alone(part))]
    notes += [str(one.message) for one in noted]
    if database is not None and database.query is not None and not answered:
        notes.append(f"{database.name}: nothing new since {database.since}")
    return Intake([*parts, *answered], catalog, profiles, list(dict.fromkeys(notes)), of_tables)


@contextmanager
def _passing_over_parts_without_rows(file: str, *, several: bool) -> Iterator[None]:
    try:
        yield
    except NoRowsError:
        if not several:
            raise
        warnings.warn(f"{_name(file)}: no rows", DataWarning, stacklevel=2)


def _left_alone(part: Part) -> list[str]:
    return [f"{part.name}: {note}" for note in part.reading.unused]


def store_intake(workspace: Workspace, intake: Intake, rejected_file: Path | None, *, again: bool = False) -> Stored:
    """Stores everything, and writes the rows set aside, if any; both or neither.

    `again`: store events without an id though they are there already.

    Raises:
        StoreError: the store cannot be written.
        ConfigurationError: the file of rejected rows is there already or cannot be written.
    """
    if rejected_file is not None and rejected_file.exists():
        raise in_the_way(rejected_file)
    batches = [_batch(part, again) for part in intake.parts]
    with (
        rejects_written(intake.rejected, workspace.folder, rejected_file) as file,
        workspace.store(create=True) as store,
    ):
        before, lost = store.sources(), losses(store, intake.catalog, intake.profiles)
        unmatched = _unmatched(store, intake)
        added = store.ingest(batches, catalog=intake.catalog, profiles=intake.profiles)
        new = {name: count - before.get(name, 0) for name, count in store.sources().items()}
        return Stored(added, store.summary(), file, new, [*lost, *repeats(intake.parts, added), *unmatched])


def _unmatched(store: Store, intake: Intake) -> list[str]:
    """Notes on users and items whose ids match none of the logs, nor, of users, any that the store had before."""
    from foldin.data.unmatched_ids import unmatched_ids_note

    logs, notes = [part.reading.log for part in intake.parts], list[str]()
    if intake.profiles is not None:
        users = {*store.user_ids(), *chain.from_iterable(log.user_ids for log in logs)}
        notes += unmatched_ids_note(intake.profiles.user_ids, users, "user", "the profiles")
    if intake.catalog is not None:
        items = {*chain.from_iterable(log.item_ids for log in logs)}
        notes += unmatched_ids_note(intake.catalog.item_ids, items, "item", "the catalogue")
    return notes


def _batch(part: Part, again: bool) -> Batch:
    from foldin.store.contract import Batch

    event_ids = part.reading.event_ids
    return Batch(
        part.reading.log,
        part.name,
        event_ids=None if event_ids is None else event_ids.tolist(),
        digest=None if again or event_ids is not None or _is_timed(part.reading.log) else _digest(part),
        cursor=part.cursor,
        cursor_before=part.reached,
        only_new=not again,
    )


def _is_timed(log: Interactions) -> bool:
    """Whether every event has a time: such events are known one by one, others only as a whole log."""
    from foldin.data.interactions import NO_TIME

    return log.times is not None and not bool((log.times == NO_TIME).any())


def _digest(part: Part) -> str:
    from foldin.data.catalog import Catalog, ids_of
    from foldin.data.profiles import Profiles
    from foldin.store.fingerprint import fingerprint

    # of the events, not of the file: packed, sorted or through a pipe, it is the same log
    events = fingerprint(part.reading.log, Catalog(ids_of(()), {}), Profiles(ids_of(()), {}))
    # the same events further on in a database are not the same log: they have happened again
    place = part.since if part.cursor is None else part.cursor
    return events if place is None else f"{events} {place}"


@dataclass(frozen=True)
class IdColumn:
    """The column of ids of a catalogue or of profiles: the one `named` for it, else the logs' one, else the usual."""

    named: str | None = None
    of_logs: str | None = None

    def read(self, read: Callable[[str | None], T]) -> T:
        """Reads by that column.

        Raises:
            DataError: there is no such column, or a row cannot be taken.
        """
        if self.named is not None or self.of_logs is None:
            return read(self.named)
        try:
            return read(self.of_logs)
        except DataError as error:
            if error.row is not None or error.field not in ("item", "user"):
                raise
            return read(None)


@dataclass(frozen=True)
class TableIds:
    """The id columns that were named for catalogue and profiles."""

    items: str | None = None
    users: str | None = None

    def beside(self, columns: Mapping[str, str | None]) -> tuple[IdColumn, IdColumn]:
        """Those of catalogue and profiles beside logs with these columns."""
        return IdColumn(self.items, columns["item"]), IdColumn(self.users, columns["user"])


def _matching(files: Sequence[str]) -> Iterator[str]:
    # a glob the shell left alone; what matches nothing is for the reader to refuse
    for file in files:
        path = Path(file).expanduser()
        found = [] if path.exists() else sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207
        yield from found or [file]


def _distinct(files: Iterable[str]) -> Sequence[str]:
    from foldin.data.readers.remote import is_url, shown

    known: dict[str | Path, str] = {}
    for file in files:
        place = file if is_url(file) else Path(file).resolve()
        if place in known:
            raise ConfigurationError(f"{shown(file)} is given twice; its interactions would count twice")
        known[place] = file
    return list(known.values())


def _name(file: str) -> str:
    from foldin.data.readers.remote import is_url
    from foldin.data.readers.spooling import STDIN

    place = urlsplit(file).path if is_url(file) else file
    return "stdin" if place == STDIN else Path(place).name


def _read(file: str, columns: Mapping[str, str | None], form: TextFormat, skip_bad: bool) -> Reading:
    from foldin.data.readers import read_events

    with _with_the_way_out(skip_bad):
        return _some(read_events(file, **columns, encoding=form.encoding, header=form.header, skip_bad=skip_bad))


def _answered(
    database: Database, columns: Mapping[str, str | None], skip_bad: bool, tell: Callable[[str], None]
) -> list[Part]:
    from foldin.sources import read_sql

    if database.query is None:
        return []
    tell(f"reading {database.name}")
    how_far = {"since": database.since, "cursor": database.cursor}
    with _with_the_way_out(skip_bad):
        answered = read_sql(database.url, database.query, **how_far, **columns, skip_bad=skip_bad)
    if answered.reading is None:
        return []
    # of what is new, all may be bad: those rows are set aside, and the next run goes on behind them
    reading = _some(answered.reading) if database.since is None else answered.reading
    return [Part(database.name, reading, database.since, answered.cursor, database.reached)]


def _of_tables(form: TextFormat, files: Sequence[str], tables: Sequence[Path | None]) -> TextFormat:
    if form.header is None or files:
        return replace(form, header=None)
    if None not in tables:
        raise ConfigurationError("--header names the columns of one file: take in catalogue and profiles one by one")
    return form


def _catalog(
    items: Path | None, database: Database | None, ids: IdColumn, form: TextFormat, set_aside: SetAside | None
) -> Catalog | None:
    from foldin.data.readers import read_catalog
    from foldin.sources import read_sql_catalog

    if items is not None:
        read = partial(read_catalog, items, encoding=form.encoding, header=form.header, set_aside=set_aside)
        return ids.read(lambda item: read(item=item))
    if database is None or database.items_query is None:
        return None
    url, query = database.url, database.items_query
    return ids.read(lambda item: read_sql_catalog(url, query, item=item, set_aside=set_aside))


def _profiles(
    users: Path | None, database: Database | None, ids: IdColumn, form: TextFormat, set_aside: SetAside | None
) -> Profiles | None:
    from foldin.data.readers import read_profiles
    from foldin.sources import read_sql_profiles

    if users is not None:
        read = partial(read_profiles, users, encoding=form.encoding, header=form.header, set_aside=set_aside)
        return ids.read(lambda user: read(user=user))
    if database is None or database.users_query is None:
        return None
    url, query = database.url, database.users_query
    return ids.read(lambda user: read_sql_profiles(url, query, user=user, set_aside=set_aside))


def _some(reading: Reading) -> Reading:
    if len(reading.log) or not reading.rejected:
        return reading
    first = reading.rejected[0].error()
    raise DataError(f"{counted(len(reading.rejected), 'row')}, and none can be taken; the first: {first}")


@contextmanager
def _with_the_way_out(skip_bad: bool) -> Iterator[None]:
    try:
        yield
    except RowError as error:
        from foldin.data.readers.times import WITHOUT_ZONE_REASON

        # rows without a time zone are refused with --skip-bad, too: only the option that names it helps
        if skip_bad or error.problem.startswith(WITHOUT_ZONE_REASON):
            raise
        problem = f"{error.problem} (--skip-bad takes the good rows and sets the others aside)"
        raise RowError(problem, file=error.file, row=error.row, field=error.field) from None
