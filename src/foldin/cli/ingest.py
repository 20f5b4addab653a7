"""`foldin ingest`: files and answers of databases into the workspace's store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import (
    DEFAULT_FOLDER,
    DecimalMark,
    Encoding,
    Header,
    ItemColumn,
    ItemsId,
    Json,
    KindColumn,
    TimeColumn,
    TimeFormat,
    TimeZone,
    UserColumn,
    UsersId,
    ValueColumn,
    WorkspaceFolder,
)
from foldin.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from foldin.cli.intake import Intake, Part, Stored
    from foldin.cli.next_step import NextStep
    from foldin.data.catalog import Attributes
    from foldin.data.interactions import Interactions

__all__ = ["ingest"]

LAST = "last"
"""The value of --since that stands for what the store knows."""


def ingest(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Logs: CSV, TSV, Parquet, JSON lines, globs, URLs, or - for a pipe."),
    ] = None,
    items: Annotated[Path | None, typer.Option(help="The catalogue: an item per row, with its attributes.")] = None,
    users: Annotated[Path | None, typer.Option(help="The profiles: a user per row, with their attributes.")] = None,
    items_id: ItemsId = None,
    users_id: UsersId = None,
    database: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="A database: postgresql://, sqlite:///, duckdb:///, ...")
    ] = None,
    query: Annotated[str | None, typer.Option(metavar="SQL", help="The SELECT that answers with events.")] = None,
    items_query: Annotated[str | None, typer.Option(metavar="SQL", help="The SELECT of the catalogue.")] = None,
    users_query: Annotated[str | None, typer.Option(metavar="SQL", help="The SELECT of the profiles.")] = None,
    since: Annotated[
        str | None, typer.Option(help="What :since in the query stands for; last: up to where it was read before.")
    ] = None,
    cursor: Annotated[
        str | None, typer.Option(help="The column that tells how far the query was read; the times, if not said.")
    ] = None,
    source: Annotated[str | None, typer.Option(metavar="NAME", help="What the events are filed under.")] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    user: UserColumn = None,
    item: ItemColumn = None,
    kind: KindColumn = None,
    value: ValueColumn = None,
    time: TimeColumn = None,
    event: Annotated[
        str | None, typer.Option(help="The column of event ids; an id that is stored already is left out.")
    ] = None,
    timezone: TimeZone = None,
    decimal: DecimalMark = None,
    time_format: TimeFormat = None,
    encoding: Encoding = None,
    header: Header = None,
    again: Annotated[
        bool, typer.Option("--again", help="Store events without ids though they are stored already.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good rows, and write the others with the reason to a file.")
    ] = False,
    rejected: Annotated[
        Path | None, typer.Option(help="That file; rejected-<n>.csv in the workspace, if not said.")
    ] = None,
    json: Json = False,
) -> None:
    """Take logs, catalogue and profiles into the workspace's store: all of them, or nothing.

    Example: foldin ingest events.csv --items items.csv --users users.csv
    """
    from foldin.cli.intake import Database, TableIds, read_intake, store_intake
    from foldin.cli.next_step import find_next_step
    from foldin.cli.output import print_json, print_line, print_note, progress
    from foldin.cli.settings import text_format
    from foldin.workspace import create_workspace

    told = {"--query": query, "--items-query": items_query, "--users-query": users_query}
    for option, column, table in (("items", items_id, items or items_query), ("users", users_id, users or users_query)):
        if column is not None and table is None:
            raise ConfigurationError(f"--{option}-id goes with --{option} or --{option}-query")
    _check(files or [], items, users, database, told, since=since, cursor=cursor)
    if rejected and not skip_bad:
        raise ConfigurationError("--rejected goes with --skip-bad")
    columns = {"user": user, "item": item, "kind": kind, "value": value, "time": time, "event": event}
    asked = None
    if database is not None:
        name = source or _source_name(database, query)
        reached = _reached(workspace, name)
        bound = _last(name, reached) if since == LAST else since
        asked = Database(database, query, items_query, users_query, bound, cursor, name, reached)
    with progress("reading") as tell:
        columns |= {"timezone": timezone, "decimal": decimal, "time_format": time_format}
        intake = read_intake(
            files or [],
            items,
            users,
            asked,
            columns,
            text_format(encoding, header),
            source=source,
            skip_bad=skip_bad,
            tell=tell,
            ids=TableIds(items_id, users_id),
        )
        tell("storing")
        opened = create_workspace(workspace)
        stored = store_intake(opened, intake, rejected, again=again)
        following = find_next_step(opened, intake, stored)
    for note in (*intake.notes, *stored.notes, *map(_known, _taken_before(intake, stored))):
        print_note(note)
    if json:
        print_json(_as_json(intake, stored, following))
    else:
        _print_tables(workspace, intake, stored)
        if following.reason:
            print_line(following.reason)
        print_line(f"Next: {following.command}")


def _check(
    files: Sequence[str],
    items: Path | None,
    users: Path | None,
    database: str | None,
    queries: Mapping[str, str | None],
    *,
    since: str | None,
    cursor: str | None,
) -> None:
    told = [option for option, query in queries.items() if query is not None]
    if database is None and (told or since or cursor):
        first = [*told, "--since" if since else "--cursor"][0]
        raise ConfigurationError(f"{first} goes with --from URL")
    if not (files or items or users or database):
        raise ConfigurationError("say what to take in: logs, --items FILE, --users FILE, or --from URL")
    if database is not None and not told:
        raise ConfigurationError("--from needs a --query, --items-query or --users-query")
    if (since or cursor) and queries["--query"] is None:
        raise ConfigurationError("--since and --cursor go with --query")
    if (items and queries["--items-query"]) or (users and queries["--users-query"]):
        raise ConfigurationError("say once where catalogue and profiles come from: a file or a query")


def _source_name(url: str, query: str | None) -> str:
    from foldin.sources import source_name

    return source_name(url, query or "")


def _reached(folder: Path, name: str) -> str | None:
    """How far a source was read, as the store knows it."""
    from foldin.workspace import open_workspace

    try:
        with open_workspace(folder).store() as store:
            return store.cursor(name)
    except NotFoundError:
        return None


def _last(name: str, reached: str | None) -> str:
    if reached is None:
        problem = f"{name} was not read before, or had nothing to tell how far: say --since VALUE this first time"
        raise ConfigurationError(f"{problem} (a source is known by --source, or else by URL and query)")
    return reached


def _taken_before(intake: Intake, stored: Stored) -> list[str]:
    if stored.added.known == 0:
        return []
    # with event ids single events are known, else whole logs
    whole = (part for part in intake.parts if part.reading.event_ids is None)
    return [
        part.name
        for part in whole
        if not stored.new.get(part.name) and stored.added.known + stored.added.forgotten >= len(part.reading.log)
    ]


def _known(name: str) -> str:
    return f"{name}: taken in before, nothing added (--again takes it in once more)"


def _print_tables(workspace: Path, intake: Intake, stored: Stored) -> None:
    from foldin.cli.output import print_line, print_table
    from foldin.wording import counted

    added, summary, logs = stored.added, stored.summary, [part.reading.log for part in intake.parts]
    numbers = ["interactions", "new", "users", "items", "repeated pairs", "refused"]
    if intake.parts:
        columns, rows = ["source", *numbers], [_row(part, _new(part, intake, stored)) for part in intake.parts]
        if any(extras := [_with(part) for part in intake.parts]):
            columns, rows = [*columns, "with"], [[*row, extra] for row, extra in zip(rows, extras, strict=True)]
        print_table(f"Taken into {workspace}", columns, rows, numbers=numbers)
    if intake.catalog is not None:
        print_line(f"Catalogue: {counted(len(intake.catalog), 'item')} with {_names(intake.catalog.attributes)}")
    if intake.profiles is not None:
        print_line(f"Profiles: {counted(len(intake.profiles), 'user')} with {_names(intake.profiles.attributes)}")
    if any(_repeated(log) for log in logs):
        print_line("Repeated pairs of user and item are all kept, and merged in training.")
    if added.known or added.forgotten:
        print_line(f"Left out: {added.known:,} known already, {added.forgotten:,} of forgotten users")
    print_line(f"New: {counted(added.new_users, 'user')} and {counted(added.new_items, 'item')}")
    held = [(summary.events, "interaction"), (summary.users, "user"), (summary.items, "item")]
    print_line(f"The store now holds {', '.join(counted(number, noun) for number, noun in held)}")
    if stored.rejected is not None:
        print_line(f"Refused: {counted(len(intake.rejected), 'row')}, kept with the reasons in {stored.rejected}")


def _row(part: Part, new: int | None) -> list[str]:
    log, rejected = part.reading.log, part.reading.rejected
    numbers = [len(log), new, len(log.user_ids), len(log.item_ids), _repeated(log), len(rejected)]
    return [part.name, *("" if number is None else f"{number:,}" for number in numbers)]


def _new(part: Part, intake: Intake, stored: Stored) -> int | None:
    """How many of its events were stored; unknown where several files share a name."""
    alone = [other.name for other in intake.parts].count(part.name) == 1
    return stored.new.get(part.name, 0) if alone else None


def _as_json(intake: Intake, stored: Stored, following: NextStep) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "files": [_part_as_json(part, _new(part, intake, stored)) for part in intake.parts],
        "catalog_items": None if intake.catalog is None else len(intake.catalog),
        "profiles": None if intake.profiles is None else len(intake.profiles),
        "added": stored.added.events,
        "known": stored.added.known,
        "forgotten": stored.added.forgotten,
        "new_users": stored.added.new_users,
        "new_items": stored.added.new_items,
        "taken_before": _taken_before(intake, stored),
        "rejected_rows": len(intake.rejected),
        "rejected_file": None if stored.rejected is None else str(stored.rejected),
        "notes": [*intake.notes, *stored.notes],
        "store": asdict(stored.summary),
        "next": asdict(following),
    }


def _part_as_json(part: Part, new: int | None) -> dict[str, object]:
    log = part.reading.log
    return {
        "file": part.name,
        "rows": len(log) + len(part.reading.rejected),
        "interactions": len(log),
        "added": new,
        "users": len(log.user_ids),
        "items": len(log.item_ids),
        "repeated_pairs": _repeated(log),
        "event_ids": part.reading.event_ids is not None,
        "rejected_rows": len(part.reading.rejected),
        "cursor": part.cursor,
    }


def _repeated(log: Interactions) -> int:
    """Interactions beyond the first of the same user and item."""
    import numpy as np

    # sorted, not `unique`: that hashes, which takes a hundred times as long for millions
    pairs = np.sort(log.user_codes.astype(np.int64) * max(1, len(log.item_ids)) + log.item_codes)
    return int(np.count_nonzero(pairs[1:] == pairs[:-1]))


def _with(part: Part) -> str:
    log = part.reading.log
    columns = {
        "kinds": log.kind_names,
        "values": log.values,
        "times": log.times,
        "event ids": part.reading.event_ids,
    }
    return ", ".join(name for name, column in columns.items() if column is not None)


def _names(attributes: Attributes) -> str:
    return ", ".join(attributes) or "no attributes"
