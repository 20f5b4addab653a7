"""The fingerprint of data: the same events, catalogue and profiles give the same one, in whatever order they came."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Attributes, Catalog
from foldin.data.interactions import NO_KIND, NO_TIME, Ids, Interactions
from foldin.data.profiles import Profiles

__all__ = ["fingerprint", "in_order"]

Keys: TypeAlias = NDArray[np.integer] | NDArray[np.floating]


def fingerprint(log: Interactions, catalog: Catalog, profiles: Profiles) -> str:
    """SHA-256 in hexadecimal; a column without any entry counts the same as no column."""
    digest = hashlib.sha256()
    for part in _parts(in_order(log), catalog, profiles):
        # a length before every part: no two contents run together into the same bytes
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def in_order(log: Interactions) -> Interactions:
    """The events sorted by user, item, time, kind and value; equal logs become equal row by row."""
    return log.where(_order(log))


def _order(log: Interactions) -> NDArray[np.intp]:
    pairs = log.user_codes.astype(np.int64) * len(log.item_ids) + log.item_codes
    finer = [column for column in (log.times, log.kind_codes, log.values) if column is not None]
    return _ties_settled(np.argsort(pairs), pairs, finer)


def _ties_settled(order: NDArray[np.intp], keys: Keys, finer: Sequence[Keys]) -> NDArray[np.intp]:
    """An order by `keys`, in which rows that tie are ordered by the finer columns, the first first."""
    # few rows tie, and only they are sorted again: by one whole number, which takes half of what `lexsort` does
    ordered = keys[order]
    tied = _repeated(ordered)
    if not finer or not tied.any():
        return order
    rows = order[tied]
    both = _numbered(ordered[tied]) * len(rows) + np.unique(finer[0][rows], return_inverse=True)[1]
    order[tied] = rows[_ties_settled(np.argsort(both), both, [column[rows] for column in finer[1:]])]
    return order


def _numbered(ordered: Keys) -> NDArray[np.intp]:
    """0 for the first key and all like it, 1 for the next, and so on."""
    numbers = np.zeros(len(ordered), dtype=np.intp)
    np.cumsum(ordered[1:] != ordered[:-1], out=numbers[1:])
    return numbers


def _repeated(ordered: Keys) -> NDArray[np.bool_]:
    same = ordered[1:] == ordered[:-1]
    repeated = np.zeros(len(ordered), dtype=np.bool_)
    repeated[1:] |= same
    repeated[:-1] |= same
    return repeated


def _parts(log: Interactions, catalog: Catalog, profiles: Profiles) -> Iterator[bytes]:
    count = len(log)
    yield _texts(log.user_ids)
    yield _bytes(log.user_codes, "<i4")
    yield _texts(log.item_ids)
    yield _bytes(log.item_codes, "<i4")
    yield _texts([] if log.kind_names is None else log.kind_names)
    yield _bytes(np.full(count, NO_KIND) if log.kind_codes is None else log.kind_codes, "<i1")
    yield _bytes(np.full(count, np.nan) if log.values is None else log.values, "<f4")
    yield _bytes(np.full(count, NO_TIME) if log.times is None else log.times, "<i8")
    yield _texts(_described(catalog.item_ids, catalog.attributes))
    yield _texts(_described(profiles.user_ids, profiles.attributes))


def _bytes(column: NDArray[np.generic], dtype: str) -> bytes:
    return column.astype(dtype).tobytes()


def _texts(texts: Sequence[str] | Ids) -> bytes:
    return json.dumps(list(texts)).encode()


def _described(ids: Ids, attributes: Attributes) -> list[str]:
    names = sorted(attributes)
    order = sorted(range(len(ids)), key=ids.__getitem__)
    known = ([(name, attributes[name][row]) for name in names if attributes[name][row] is not None] for row in order)
    return [json.dumps([ids[row], cells]) for row, cells in zip(order, known, strict=True)]
