"""Ids and names as the PostgreSQL store keeps them: once each, and everywhere else as a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import ids_of
from foldin.data.interactions import Ids
from foldin.errors import DataError
from foldin.store.dictionary import Dictionary, check_text
from foldin.store.postgres.session import Connection

__all__ = ["LONGEST_TEXT", "Codes", "check_key", "codes_of", "decoded"]

LONGEST_TEXT = 2_500
"""Bytes of a text in an index; a page of a B-tree takes 2,704 with what belongs to them."""


@dataclass(frozen=True)
class Codes:
    """The codes of texts, in their order, and how many of the texts were new."""

    codes: list[int]
    new: int


def codes_of(connection: Connection, dictionary: Dictionary, texts: Sequence[str]) -> Codes:
    """The codes of distinct texts; those the dictionary lacks are entered, by the one writer there is.

    Raises:
        DataError: a text cannot be stored.
    """
    check_key(texts, dictionary.field)
    query = f"SELECT {dictionary.column}, code FROM {dictionary.table} WHERE {dictionary.column} = ANY(%s)"
    known = dict(cast("list[tuple[str, int]]", connection.execute(query, (list(texts),)).fetchall()))
    missing = [text for text in texts if text not in known]
    if missing:
        known.update(_entered(connection, dictionary, missing))
    return Codes([known[text] for text in texts], len(missing))


def decoded(
    connection: Connection, dictionary: Dictionary, codes: NDArray[np.integer]
) -> tuple[Ids, NDArray[np.int32]]:
    """Codes as distinct texts, sorted by code point, and positions among them."""
    used = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.bool_)
    used[codes] = True
    query = (
        f"SELECT {dictionary.column}, code FROM {dictionary.table} WHERE code = ANY(%s) ORDER BY {dictionary.column}"
    )
    entries = cast("list[tuple[str, int]]", connection.execute(query, (np.flatnonzero(used).tolist(),)).fetchall())
    positions = np.zeros(len(used), dtype=np.int32)
    positions[[code for _, code in entries]] = np.arange(len(entries), dtype=np.int32)
    return ids_of(text for text, _ in entries), positions[codes]


def check_key(texts: Sequence[str], field: str) -> None:
    """Refuses text that no database can hold, or no index of this one.

    Raises:
        DataError: a text contains NUL or a lone surrogate, or is too long.
    """
    check_text(texts, field)
    if max(map(len, texts), default=0) * 4 <= LONGEST_TEXT:
        return
    for text in texts:
        if len(text.encode()) > LONGEST_TEXT:
            raise DataError(f"'{text[:40]}...' is longer than {LONGEST_TEXT} bytes", field=field)


def _entered(connection: Connection, dictionary: Dictionary, texts: Sequence[str]) -> dict[str, int]:
    query = f"""
        INSERT INTO {dictionary.table} ({dictionary.column}, code)
        SELECT text, (SELECT coalesce(max(code), 0) FROM {dictionary.table}) + place
        FROM unnest(%s::text[]) WITH ORDINALITY AS given (text, place)
        RETURNING {dictionary.column}, code
    """
    return dict(cast("list[tuple[str, int]]", connection.execute(query, (list(texts),)).fetchall()))
