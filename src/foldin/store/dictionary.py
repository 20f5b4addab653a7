"""Ids and names as the SQLite store keeps them: once each, and everywhere else as a code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import apsw
import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import ids_of
from foldin.data.interactions import Ids
from foldin.errors import DataError

__all__ = [
    "ITEMS",
    "KINDS",
    "MODELS",
    "SOURCES",
    "USERS",
    "Dictionary",
    "check_text",
    "codes_of",
    "decoded",
    "latest_code",
]

# A database's text ends at NUL or cannot hold it, and a lone surrogate is no character.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Dictionary:
    """A table of texts and their codes; `field` is what messages call one of them."""

    table: str
    column: str
    field: str


USERS = Dictionary("users", "id", "user")
ITEMS = Dictionary("items", "id", "item")
KINDS = Dictionary("kinds", "name", "kind")
SOURCES = Dictionary("sources", "name", "source")
MODELS = Dictionary("models", "name", "model")


def codes_of(connection: apsw.Connection, dictionary: Dictionary, texts: Sequence[str]) -> list[int]:
    """The codes of texts; those the dictionary lacks are entered.

    Raises:
        DataError: a text cannot be stored.
    """
    check_text(texts, dictionary.field)
    table, column = dictionary.table, dictionary.column
    known = dict(
        connection.executemany(f"SELECT {column}, code FROM {table} WHERE {column} = ?", ((text,) for text in texts))
    )
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    if missing:
        entered = connection.executemany(
            f"INSERT INTO {table} ({column}) VALUES (?) RETURNING {column}, code", ((text,) for text in missing)
        )
        known.update(entered)
    return [known[text] for text in texts]


def decoded(
    connection: apsw.Connection, dictionary: Dictionary, codes: NDArray[np.integer]
) -> tuple[Ids, NDArray[np.int32]]:
    """Codes as distinct texts, sorted by code point, and positions among them."""
    # SQLite compares text by its UTF-8 bytes, which is the order of code points
    query = f"SELECT {dictionary.column}, code FROM {dictionary.table} ORDER BY {dictionary.column}"
    entries = cast("list[tuple[str, int]]", connection.execute(query).fetchall())
    entry_codes = np.fromiter((code for _, code in entries), dtype=np.int64, count=len(entries))
    used = np.zeros(entry_codes.max(initial=0) + 1, dtype=np.bool_)
    used[codes] = True
    kept = used[entry_codes]
    positions = np.zeros(len(used), dtype=np.int32)
    positions[entry_codes[kept]] = np.arange(np.count_nonzero(kept), dtype=np.int32)
    return ids_of(text for (text, _), keep in zip(entries, kept, strict=True) if keep), positions[codes]


def latest_code(connection: apsw.Connection, dictionary: Dictionary) -> int:
    """The greatest code given, 0 where none is: entering n texts adds n to it."""
    return int(connection.execute(f"SELECT coalesce(max(code), 0) FROM {dictionary.table}").get)


def check_text(texts: Sequence[str] | Ids, field: str) -> None:
    """Refuses text that no database can hold.

    Raises:
        DataError: a text contains NUL or a lone surrogate.
    """
    if not UNSTORABLE.search("".join(texts)):  # in all of it at once, which takes a tenth of the time
        return
    bad = next(text for text in texts if UNSTORABLE.search(text))
    raise DataError(f"{bad!r} contains NUL or a lone surrogate, which cannot be stored", field=field)
