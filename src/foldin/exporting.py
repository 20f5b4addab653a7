"""Rankings and vectors of everybody, written to files block by block."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.catalog import ids_of
from foldin.data.interactions import Ids, Interactions
from foldin.data.matrix import user_item_matrix
from foldin.data.readers.session import literal, session
from foldin.errors import ConfigurationError
from foldin.evaluation.scoring import blocks
from foldin.models.protocols import FactorModel
from foldin.models.zoo import name_of
from foldin.recommender import Recommender

__all__ = ["Vectors", "check_suffix", "write_embeddings", "write_rankings"]

Columns = Mapping[str, NDArray[np.generic]]

BLOCK_CELLS = 2**24
"""Scores held at once: 64 MiB of float32."""

FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
}
RANKINGS = """
SELECT users.id AS "user", rank, items.id AS item, score, nullif(probability, 'NaN') AS probability,
    nullif(rating, 'NaN') AS rating, CASE WHEN known THEN 'history' ELSE 'popularity' END AS basis
FROM rows JOIN users ON users.code = rows.user_code JOIN items ON items.code = rows.item_code
ORDER BY user_code, rank
"""


@dataclass(frozen=True)
class Vectors:
    """What `write_embeddings` wrote: how many vectors, and how long each is. `unknown`: users without a vector."""

    items: int
    users: int
    dimensions: int
    unknown: int


def write_rankings(
    recommender: Recommender,
    log: Interactions,
    file: str | Path,
    *,
    k: int = 10,
    on_block: Callable[[int], None] | None = None,
) -> int:
    """Writes the best k unseen items of every user of a log, best first, and returns the number of rows.

    Columns: user, rank (from 1), item, score, probability, rating (null where there is none), and basis, as in
    `Recommendation`. Users are sorted by id. Never more than one block of scores is held; the file appears whole or
    not at all. `file`: .parquet, .csv or .jsonl. `on_block` is told how many users are done.

    Raises:
        ConfigurationError: k is below 1, the file's ending is another, or it cannot be written.
    """
    file = Path(file)
    check_suffix(file)
    matrix = user_item_matrix(log, recommender.catalog, recommender.rule)
    with _drafted(file) as draft:
        _put(draft, "users", _coded(matrix.user_ids))
        _put(draft, "items", _coded(recommender.catalog.item_ids))
        for rows in blocks(len(matrix.user_ids), _users_at_once(len(recommender.catalog))):
            _put(draft, "rows", _ranked(recommender, matrix.histories[rows], matrix.seen[rows], k, rows.start))
            if on_block is not None:
                on_block(rows.stop)
        return _copy(draft, RANKINGS, file) if len(matrix.user_ids) else _copy(draft, _nothing_of(draft), file)


def write_embeddings(
    recommender: Recommender,
    log: Interactions,
    folder: str | Path,
    *,
    on_block: Callable[[int], None] | None = None,
) -> Vectors:
    """Writes items.parquet (id, vector, bias) and users.parquet (id, vector); vectors are of type FLOAT[].

    An item is ranked by the product of its vector with the user's, plus its bias. Items are in the catalogue's order,
    users sorted by id; a user of whose history the model knows nothing has no vector and is left out.

    Raises:
        ConfigurationError: the model has no vectors, or the folder cannot be written to.
    """
    model = recommender.model
    if not isinstance(model, FactorModel):
        raise ConfigurationError(
            f"{name_of(recommender.estimator)} has no vectors of users and items; networks have them: "
            "train one with `foldin train --model autoencoder`"
        )
    folder = _made(Path(folder))
    matrix = user_item_matrix(log, recommender.catalog, recommender.rule)
    known = np.flatnonzero(np.diff(matrix.histories.indptr))
    factors = model.item_factors
    with _drafted(folder / "items.parquet") as draft:
        for rows in blocks(len(factors), _users_at_once(factors.shape[1])):
            ids, bias = recommender.catalog.item_ids[rows], model.item_bias[rows]
            _put(draft, "rows", {"code": np.arange(rows.start, rows.stop), "id": ids, "bias": bias}, factors[rows])
        _copy(draft, "SELECT id, vector, bias FROM rows ORDER BY code", folder / "items.parquet")
    with _drafted(folder / "users.parquet") as draft:
        for rows in blocks(len(known), _users_at_once(len(recommender.catalog))):
            users = known[rows]
            _put(draft, "rows", {"code": users, "id": matrix.user_ids[users]}, model.encode(matrix.histories[users]))
            if on_block is not None:
                on_block(rows.stop)
        _copy(draft, "SELECT id, vector FROM rows ORDER BY code", folder / "users.parquet")
    return Vectors(len(factors), len(known), factors.shape[1], len(matrix.user_ids) - len(known))
