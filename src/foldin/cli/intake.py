"""Taking files into a workspace's store: read all of them, then store all of it, or leave everything as it was."""

from __future__ import annotations

import csv
import glob
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from foldin.errors import ConfigurationError, DataError, DataWarning

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import Interactions
    from foldin.data.profiles import Profiles
    from foldin.data.readers import Rejected
    from foldin.store.contract import Ingested, Summary
    from foldin.workspace import Workspace

__all__ = ["Intake", "Stored", "read_intake", "store_intake"]

T = TypeVar("T")

REJECTED_COLUMNS = ("file", "row", "field", "reason", "text")


@dataclass(frozen=True, eq=False)
class Intake:
    """What was read: logs by the names of their files, the rows set aside, and what was changed on the way."""

    logs: Sequence[tuple[str, Interactions]]
    catalog: Catalog | None
    profiles: Profiles | None
    rejected: Sequence[Rejected]
    notes: Sequence[str]


@dataclass(frozen=True)
class Stored:
    """What became of it: what is new, what the store holds now, and the file of the rows set aside.

    `again`: files of whose names the store already had some interactions.
    """

    added: Ingested
    summary: Summary
    rejected: Path | None
    again: Sequence[str]


def read_intake(
    files: Sequence[Path],
    items: Path | None,
    users: Path | None,
    columns: Mapping[str, str | None],
    *,
    skip_bad: bool,
    tell: Callable[[str], None],
) -> Intake:
    """Reads logs, catalogue and profiles; `columns` are those of `read`.

    Raises:
        DataError: a row cannot be taken; with `skip_bad`, none can.
        ConfigurationError: there is no such time zone, or a file is given twice.
    """
    from foldin.data.readers import read_catalog, read_profiles

    readings = []
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", DataWarning)
        for file in _distinct(_matching(files)):
            tell(f"reading {file}")
            readings.append((file.name, *_read(file, columns, skip_bad)))
        catalog = None if items is None else _by(columns["item"], lambda item: read_catalog(items, item=item))
        profiles = None if users is None else _by(columns["user"], lambda user: read_profiles(users, user=user))
    notes = [note for _, _, _, of_log in readings for note in of_log] + [str(one.message) for one in noted]
    rejected = [row for _, _, of_log, _ in readings for row in of_log]
    return Intake(
        [(name, log) for name, log, _, _ in readings], catalog, profiles, rejected, list(dict.fromkeys(notes))
    )


def store_intake(workspace: Workspace, intake: Intake, rejected_file: Path | None) -> Stored:
    """Stores everything, and writes the rows set aside, if any; both or neither.

    Raises:
        StoreError: the store cannot be written.
        ConfigurationError: the file of rejected rows is there already or cannot be written.
    """
    from foldin.store.contract import Batch

    if rejected_file is not None and rejected_file.exists():
        raise ConfigurationError(f"{rejected_file} is there already: name another file for the rows set aside")
    file = (rejected_file or _free_name(workspace.folder)) if intake.rejected else None
    with _rejects_written(intake.rejected, file), workspace.store(create=True) as store:
        known = store.sources()
        batches = [Batch(log, name) for name, log in intake.logs]
        added = store.ingest(batches, catalog=intake.catalog, profiles=intake.profiles)
        return Stored(added, store.summary(), file, [name for name, _ in intake.logs if name in known])


def _matching(files: Sequence[Path]) -> Iterator[Path]:
    # a glob the shell left alone; what matches nothing is for the reader to refuse
    for file in files:
        found = [] if file.exists() else sorted(glob.glob(str(file.expanduser()), recursive=True))  # noqa: PTH207
        yield from map(Path, found) if found else [file]


def _distinct(files: Iterable[Path]) -> Sequence[Path]:
    known: dict[Path, Path] = {}
    for file in files:
        if known.setdefault(file.resolve(), file) is not file:
            raise ConfigurationError(f"{file} is given twice; its interactions would count twice")
    return list(known.values())


def _read(
    file: Path, columns: Mapping[str, str | None], skip_bad: bool
) -> tuple[Interactions, Sequence[Rejected], Sequence[str]]:
    from foldin.data.readers import read, read_skipping

    if not skip_bad:
        try:
            return read(file, **columns), (), ()
        except DataError as error:
            raise _with_the_way_out(error) from None
    reading = read_skipping(file, **columns)
    if not len(reading.log) and reading.rejected:
        first = reading.rejected[0].error()
        raise DataError(f"none of the {len(reading.rejected):,} rows can be taken; the first: {first}")
    return reading.log, reading.rejected, reading.notes


def _with_the_way_out(error: DataError) -> DataError:
    if error.row is None:
        return error
    problem = f"{error.problem} (--skip-bad takes the good rows and sets the others aside)"
    return DataError(problem, file=error.file, row=error.row, field=error.field)


def _by(column: str | None, read: Callable[[str | None], T]) -> T:
    """Reads items or users by the id column that was named for the logs, or, where they lack it, by the usual."""
    try:
        return read(column)
    except DataError as error:
        if column is None or error.row is not None:
            raise
        return read(None)


@contextmanager
def _rejects_written(rejected: Sequence[Rejected], file: Path | None) -> Iterator[None]:
    from foldin.data.files import replaced

    try:
        with nullcontext() if file is None else replaced(file) as draft:
            if draft is not None:
                _write(rejected, draft)
            yield
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror or error}") from error


def _write(rejected: Sequence[Rejected], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(REJECTED_COLUMNS)
        writer.writerows((row.file, row.row, row.field, row.reason, row.text) for row in rejected)


def _free_name(folder: Path) -> Path:
    number = 1
    while (folder / f"rejected-{number}.csv").exists():
        number += 1
    return folder / f"rejected-{number}.csv"
