"""Attributes as a database keeps them: one JSON text per item or user, of the attributes that are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np

from foldin.data.catalog import Attributes
from foldin.data.interactions import Ids

__all__ = ["as_columns", "as_record", "as_texts"]


def as_texts(attributes: Attributes, count: int) -> list[str]:
    """One JSON object per row, without the attributes that have no value there; `count` rows."""
    known: list[dict[str, str]] = [{} for _ in range(count)]
    for name, column in attributes.items():
        for row, cell in zip(known, column, strict=True):
            if cell is not None:
                row[name] = cell
    return [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in known]


def as_record(text: str | None) -> dict[str, str]:
    """The attributes of one JSON object; none of None."""
    known: dict[str, str] = {} if text is None else json.loads(text)
    return known


def as_columns(texts: Sequence[str], name_of: Callable[[str], str] = str) -> dict[str, Ids]:
    """The columns of JSON objects, in the order in which their names first appear; None where one is missing.

    `name_of`: what a name is read as.
    """
    columns: dict[str, Ids] = {}
    for row, text in enumerate(texts):
        for written, cell in json.loads(text).items():
            name = name_of(written)
            if name not in columns:
                columns[name] = np.full(len(texts), None, dtype=np.object_)
            columns[name][row] = cell
    return columns
