"""`foldin ingest`: files into the workspace's store."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import (
    DEFAULT_FOLDER,
    ItemColumn,
    Json,
    KindColumn,
    TimeColumn,
    TimeZone,
    UserColumn,
    ValueColumn,
    WorkspaceFolder,
)
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.cli.intake import Intake, Stored
    from foldin.data.catalog import Attributes
    from foldin.data.interactions import Interactions

__all__ = ["ingest"]


def ingest(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="Logs: CSV, TSV, Parquet or JSON lines, or globs.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="The catalogue: an item per row, with its attributes.")] = None,
    users: Annotated[Path | None, typer.Option(help="The profiles: a user per row, with their attributes.")] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    user: UserColumn = None,
    item: ItemColumn = None,
    kind: KindColumn = None,
    value: ValueColumn = None,
    time: TimeColumn = None,
    timezone: TimeZone = None,
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
    from foldin.cli.intake import read_intake, store_intake
    from foldin.cli.output import print_note, progress
    from foldin.workspace import create_workspace

    if not (files or items or users):
        raise ConfigurationError("say what to take in: one or more logs, --items FILE or --users FILE")
    if rejected and not skip_bad:
        raise ConfigurationError("--rejected goes with --skip-bad")
    columns = {"user": user, "item": item, "kind": kind, "value": value, "time": time, "timezone": timezone}
    with progress("reading") as tell:
        intake = read_intake(files or [], items, users, columns, skip_bad=skip_bad, tell=tell)
        tell("storing")
        stored = store_intake(create_workspace(workspace), intake, rejected)
    for note in (*intake.notes, *map(_again, stored.again)):
        print_note(note)
    _print(workspace, intake, stored, as_json=json)


def _again(name: str) -> str:
    return f"a file called {name} was taken in before; if it was this one, its interactions are now there twice"


def _print(workspace: Path, intake: Intake, stored: Stored, *, as_json: bool) -> None:
    from foldin.cli.output import print_json

    if as_json:
        print_json(_as_json(intake, stored))
    else:
        _print_tables(workspace, intake, stored)


def _print_tables(workspace: Path, intake: Intake, stored: Stored) -> None:
    from foldin.cli.output import counted, print_line, print_table

    added, summary = stored.added, stored.summary
    numbers = ["interactions", "users", "items", "repeated pairs"]
    rows = [
        [name, f"{len(log):,}", f"{len(log.user_ids):,}", f"{len(log.item_ids):,}", f"{_repeated(log):,}", _with(log)]
        for name, log in intake.logs
    ]
    if rows:
        print_table(f"Taken into {workspace}", ["file", *numbers, "with"], rows, numbers=numbers)
    if intake.catalog is not None:
        print_line(f"Catalogue: {counted(len(intake.catalog), 'item')} with {_names(intake.catalog.attributes)}")
    if intake.profiles is not None:
        print_line(f"Profiles: {counted(len(intake.profiles), 'user')} with {_names(intake.profiles.attributes)}")
    if any(_repeated(log) for _, log in intake.logs):
        print_line("Repeated pairs of user and item are all kept, and merged in training.")
    print_line(f"New: {counted(added.new_users, 'user')} and {counted(added.new_items, 'item')}")
    held = [(summary.events, "interaction"), (summary.users, "user"), (summary.items, "item")]
    print_line(f"The store now holds {', '.join(counted(number, noun) for number, noun in held)}")
    if stored.rejected is not None:
        print_line(f"Refused: {counted(len(intake.rejected), 'row')}, kept with the reasons in {stored.rejected}")
    values = any(log.values is not None for _, log in intake.logs)
    if values:
        print_line(
            "Training must know what values are: --feedback explicit --positive-from 4, or --strength log for amounts"
        )
    print_line(f"Next: {_next(workspace, values)}")


def _as_json(intake: Intake, stored: Stored) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "files": [
            {
                "file": name,
                "interactions": len(log),
                "users": len(log.user_ids),
                "items": len(log.item_ids),
                "repeated_pairs": _repeated(log),
            }
            for name, log in intake.logs
        ],
        "catalog_items": None if intake.catalog is None else len(intake.catalog),
        "profiles": None if intake.profiles is None else len(intake.profiles),
        "new_users": stored.added.new_users,
        "new_items": stored.added.new_items,
        "again": list(stored.again),
        "rejected_rows": len(intake.rejected),
        "rejected_file": None if stored.rejected is None else str(stored.rejected),
        "notes": list(intake.notes),
        "store": asdict(stored.summary),
    }


def _repeated(log: Interactions) -> int:
    """Interactions beyond the first of the same user and item."""
    import numpy as np

    pairs = log.user_codes.astype(np.int64) * max(1, len(log.item_ids)) + log.item_codes
    return len(pairs) - len(np.unique(pairs))


def _with(log: Interactions) -> str:
    columns = {"kinds": log.kind_names, "values": log.values, "times": log.times}
    return ", ".join(name for name, column in columns.items() if column is not None)


def _names(attributes: Attributes) -> str:
    return ", ".join(attributes) or "no attributes"


def _next(workspace: Path, values: bool) -> str:
    where = "" if workspace == DEFAULT_FOLDER else f" -w {shlex.quote(str(workspace))}"
    return f"foldin train{where}{' --feedback explicit --positive-from 4' if values else ''}"
