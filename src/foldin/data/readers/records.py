"""Records: the rows of delimited text, line by line, each with what is wrong with it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from foldin.data.readers.text import is_decoded, undecoded
from foldin.wording import counted

__all__ = ["Record", "ends_whole", "records"]

MAX_RECORD = 2_000_000
"""Characters of a row, with all its lines; DuckDB takes no longer ones."""

QUOTED = re.compile(r' *"(?:[^"]|"")*+("?) *')
REST_OF_QUOTED = re.compile(r'(?:[^"]|"")*+("?) *')

OPEN_QUOTE = "a quotation mark is not closed, or a cell goes on behind it"


@dataclass(frozen=True)
class Record:
    """A row: the line on which it begins (from 1), its text, and why it cannot be parsed, if so.

    `swallowed`: how many further lines, which look like rows themselves, stand inside its quotation marks.
    """

    line: int
    text: str
    fault: str | None = None
    swallowed: int = 0


class State(Enum):
    """Where a line ends: behind a whole cell, inside a quoted one, or behind a quotation mark that fits nowhere."""

    WHOLE = 0
    INSIDE = 1
    BROKEN = 2


def records(lines: Iterable[str], *, delimiter: str, quoted: bool, width: int, first_line: int = 1) -> Iterator[Record]:
    """The rows of lines, blank ones passed over; where a row does not parse, it goes on with the line behind its first.

    `quoted`: whether cells may be quoted. `width`: how many cells a row has. `first_line`: the number of the first.
    """
    source = Lines(lines, first_line)
    for line in source:
        if not line.strip(" \r\n" if delimiter != " " else "\r\n"):
            continue
        number = source.number
        if quoted and '"' in line:
            yield _quoted_record(line, number, source, delimiter, width)
        else:
            yield Record(number, _bare(line), _cells_fault(_count(line, delimiter), _bare(line), delimiter, width))


def ends_whole(line: str, delimiter: str) -> bool:
    """Whether every quoted cell of a line is closed in it."""
    return _parsed(line, delimiter, inside=False)[1] is State.WHOLE


class Lines:
    """Lines with their numbers, which can be put back; `open_until` is the last line of quotation marks that were
    followed in vain."""

    def __init__(self, lines: Iterable[str], first: int) -> None:
        self._lines = iter(lines)
        self._pending: deque[str] = deque()
        self.number = first - 1
        self.open_until = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._pending.popleft() if self._pending else next(self._lines)
        self.number += 1
        return line

    def put_back(self, lines: Sequence[str]) -> None:
        """Gives lines again."""
        self._pending.extendleft(reversed(lines))
        self.number -= len(lines)


def _quoted_record(line: str, number: int, source: Lines, delimiter: str, width: int) -> Record:
    lines, size = [line], len(line)
    cells, state = _parsed(line, delimiter, inside=False)
    if state is State.INSIDE and number < source.open_until:  # it would meet the same end, read again for every line
        return Record(number, _bare(line), OPEN_QUOTE)
    while state is State.INSIDE and size <= MAX_RECORD and (following := next(source, None)) is not None:
        lines.append(following)
        size += len(following)
        more, state = _parsed(following, delimiter, inside=True)
        cells += more
    alike = len(lines) > 1 and all(_looks_whole(one, delimiter, width) for one in lines)
    fault = _cells_fault(cells, _bare("".join(lines)), delimiter, width)
    if state is not State.WHOLE:
        source.open_until = source.number
    if state is not State.WHOLE or (fault and alike):
        source.put_back(lines[1:])
        return Record(number, _bare(line), OPEN_QUOTE)
    swallowed = len(lines) - 1 if alike else 0
    if fault and len(lines) > 1:
        fault += f"; {counted(len(lines), 'line')} belong to it, inside quotation marks"
    return Record(number, _bare("".join(lines)), fault, swallowed)


def _parsed(line: str, delimiter: str, *, inside: bool) -> tuple[int, State]:
    """How many cells end in a line, and where the line ends; `inside`: it begins inside a quoted cell."""
    text = _bare(line)
    cells = place = 0
    while True:
        quoted = (REST_OF_QUOTED if inside else QUOTED).match(text, place)
        inside = False
        if quoted is None:
            end = text.find(delimiter, place)
        else:
            end = quoted.end()
            if not quoted.group(1):
                return cells, State.INSIDE
            if end < len(text) and not text.startswith(delimiter, end):
                return cells, State.BROKEN
            end = -1 if end == len(text) else end
        cells += 1
        if end < 0:
            return cells, State.WHOLE
        place = end + len(delimiter)


def _looks_whole(line: str, delimiter: str, width: int) -> bool:
    """Whether a line is a row by itself; where a space follows a delimiter, it is rather a sentence."""
    return width > 1 and _count(line, delimiter) == width and f"{delimiter} " not in line


def _cells_fault(cells: int, text: str, delimiter: str, width: int) -> str | None:
    if not is_decoded(text):
        return undecoded("the row", text)
    # what a delimiter at the end of every row leaves behind it is no cell
    if cells != width and not (cells == width + 1 and text.endswith(delimiter)):
        return f"the row has {counted(cells, 'cell')} and the header {width}"
    return f"the row is longer than {MAX_RECORD:,} characters" if len(text) > MAX_RECORD else None


def _count(line: str, delimiter: str) -> int:
    return line.count(delimiter) + 1


def _bare(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")
