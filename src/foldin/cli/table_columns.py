"""Columns of a table that would be too wide, in groups that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["WIDTH", "split_columns", "width_of"]

WIDTH = 100
"""Letters of a line of output, where that is possible."""


def split_columns(columns: Mapping[str, Sequence[str]], width: int) -> Iterator[list[str]]:
    """The columns' names in groups that are at most so wide, or of one column."""
    group: list[str] = []
    for name, cells in columns.items():
        if group and sum(width_of(one, columns[one]) for one in group) + width_of(name, cells) > width:
            yield group
            group = []
        group.append(name)
    yield group


def width_of(name: str, cells: Sequence[str]) -> int:
    """How many letters a column takes, with the space to the next."""
    return max(map(len, (name, *cells))) + 2
