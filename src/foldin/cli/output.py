"""What commands print: tables for people, JSON for programs, progress on standard error for a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = [
    "print_error",
    "print_json",
    "print_line",
    "print_note",
    "print_table",
    "print_warning",
    "progress",
]

NARROWEST = 80


def print_json(value: object) -> None:
    """One JSON document on standard output; what is no number becomes null before, never NaN."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def print_line(text: str = "") -> None:
    """One line on standard output, as it is: ids may look like markup."""
    _console().print(_plain(text), soft_wrap=True)


def print_note(text: str) -> None:
    """One line on standard error: what a person should know and a program need not."""
    _say(f"note: {text}", "yellow")


def print_error(text: str) -> None:
    """The line on standard error that a command ends with."""
    _say(f"error: {text}", "red")


def print_warning(text: str) -> None:
    """A line of a list of warnings, on standard output."""
    _console().print(Text("! ", style="bold yellow") + _plain(text), soft_wrap=True)


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()
) -> None:
    """A table; the columns named in `numbers` are aligned to the right and never broken."""
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        number = column in numbers
        table.add_column(_plain(column), justify="right" if number else "left", overflow="fold", no_wrap=number)
    for row in rows:
        table.add_row(*(_plain(cell) for cell in row))
    console = _console()
    # a title inside the table would be folded to the table's width
    console.print(_plain(title), style="bold", soft_wrap=True)
    console.print(table)
    console.print()


@contextmanager
def progress(text: str, *, lines: bool = False) -> Iterator[Callable[[str], None]]:
    """Shows that something is going on, and what (the function it gives changes the text).

    Where there is no terminal it is silent, or, if wanted, writes lines for a log.
    """
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        tell = _log_line if lines else _nothing
        tell(text)
        yield tell
        return
    with console.status(_plain(text)) as status:
        before = _SHOWING.set(console)
        try:
            yield lambda new: status.update(_plain(new))
        finally:
            _SHOWING.reset(before)


_SHOWING: ContextVar[Console | None] = ContextVar("showing", default=None)
"""The console on which progress is shown just now: what else goes to the terminal must go through it."""


def _log_line(text: str) -> None:
    typer.echo(_plain(text).plain, err=True)


def _nothing(_: str) -> None:
    return None


def _console() -> Console:
    console = Console(highlight=False)
    if console.is_terminal:
        return _SHOWING.get() or console
    # a pipe has no width; what is written to a file should not be folded at a guess
    return Console(highlight=False, width=max(NARROWEST, 120))


def _say(text: str, color: str) -> None:
    typer.secho(_plain(text).plain, fg=color, err=True)


def _plain(text: str) -> Text:
    # a title from a file may hold what would command the terminal
    return Text("".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text))
