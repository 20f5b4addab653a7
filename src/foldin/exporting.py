"""Rankings and vectors of everybody, written to files block by block."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeAlias

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.blend import TERMS, of_rows
from foldin.data.catalog import Attributes
from foldin.data.interactions import Ids, Interactions
from foldin.data.matrix import UserItemMatrix, user_item_matrix
from foldin.data.profiles import Profiles
from foldin.data.readers.session import literal, session
from foldin.errors import ConfigurationError
from foldin.evaluation.scoring import blocks
from foldin.models.protocols import FactorModel
from foldin.models.zoo import name_of
from foldin.recommender import Recommender, Seen

__all__ = ["FORMATS", "Vectors", "check_ending", "write_embeddings", "write_rankings"]

_Columns: TypeAlias = Mapping[str, NDArray[np.generic] | Ids]

FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
}
"""How DuckDB writes a file, by its ending."""

BLOCK_CELLS = 2**22
"""Numbers of a block, 16 MiB of float32."""

RANKING_TABLES = f"""
CREATE TABLE users (code INTEGER, id VARCHAR);
CREATE TABLE items (code INTEGER, id VARCHAR);
CREATE TABLE ranked (user_code INTEGER, rank INTEGER, item_code INTEGER, score FLOAT, probability FLOAT, rating FLOAT,
    {", ".join(f"{term} FLOAT" for term in TERMS)});
"""
RANKINGS = f"""
SELECT users.id AS "user", rank, items.id AS item, score, nullif(probability, 'NaN') AS probability,
    nullif(rating, 'NaN') AS rating, {", ".join(TERMS)}
FROM ranked JOIN users ON users.code = user_code JOIN items ON items.code = item_code
ORDER BY user_code, rank
"""
VECTOR_TABLE = "CREATE TABLE vectors (code INTEGER, id VARCHAR, bias FLOAT, vector FLOAT[]);"


@dataclass(frozen=True)
class Vectors:
    """How many vectors `write_embeddings` wrote, and how long each is; `unknown` users have none."""

    items: int
    users: int
    dimensions: int
    unknown: int


def write_rankings(
    recommender: Recommender,
    log: Interactions,
    file: str | Path,
    *,
    profiles: Profiles | None = None,
    exclude: Collection[str] = (),
    k: int = 10,
    seen: Seen = "exclude",
    on_block: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes the best k items of every user of a log, without what they have seen, and returns the number of rows.

    Columns: user, rank (from 1), item, score, probability and rating (null where there is none), and the terms of the
    score: history, profile, content and popularity; as in `Recommendation`. Users are sorted by id. Never more than one
    block of scores is held, and the file appears whole or not at all. `file`: .parquet, .csv or .jsonl. `profiles`:
    what is known of the users. `exclude`: ids of items left out. `seen="include"` lets in what a user has seen.
    `on_block` is told how many users are done.

    Raises:
        ConfigurationError: k is below 1, the file has another ending, or it cannot be written.
    """
    file = Path(file)
    check_ending(file)
    matrix = user_item_matrix(log, recommender.catalog, recommender.rule)
    attributes = {} if profiles is None else profiles.of(matrix.user_ids)
    left_out = recommender.left_out(exclude=exclude)
    with _drafted(file, RANKING_TABLES) as draft:
        draft.put("users", _coded(matrix.user_ids))
        draft.put("items", _coded(recommender.catalog.item_ids))
        for users in blocks(len(matrix.user_ids), _at_once(len(recommender.catalog))):
            draft.put("ranked", _ranked(recommender, matrix, attributes, users, left_out, k, seen))
            on_block(users.stop)
        return draft.copy(RANKINGS)


def write_embeddings(
    recommender: Recommender,
    log: Interactions,
    folder: str | Path,
    *,
    replace: bool = False,
    on_block: Callable[[int], None] = lambda _: None,
) -> Vectors:
    """Writes items.parquet (id, vector, bias), in the catalogue's order, and users.parquet (id, vector), by id.

    Vectors are of type FLOAT[]. A user's items are ranked by the product of the vectors plus the item's bias. Users of
    whose history the model knows nothing have no vector and are left out. The folder is made if it is not there.
    `replace`: files of these names may be replaced. `on_block` is told how many users are done.

    Raises:
        ConfigurationError: the model has no vectors, the folder cannot be written to, or it holds a file of one of
            these names, which may not be replaced.
    """
    model, folder = recommender.model, Path(folder)
    if not isinstance(model, FactorModel):
        raise ConfigurationError(
            f"{name_of(recommender.estimator)} has no vectors of users and items; networks have: "
            "train one with `foldin train --model autoencoder`"
        )
    items_file, users_file = folder / "items.parquet", folder / "users.parquet"
    if not replace:
        _refuse_present(items_file, users_file)
    _make(folder)
    matrix = user_item_matrix(log, recommender.catalog, recommender.rule)
    shown = recommender.foldable(matrix.histories)
    items = _write_items(model, recommender.catalog.item_ids, items_file)
    users = _write_users(model, shown, matrix.user_ids, users_file, on_block)
    return Vectors(items, users, model.item_factors.shape[1], len(matrix.user_ids) - users)


def check_ending(file: Path) -> None:
    """Refuses a file whose ending names no format we write.

    Raises:
        ConfigurationError: the ending is none of those of `FORMATS`.
    """
    if file.suffix not in FORMATS:
        raise ConfigurationError(f"{file} ends in none of: {', '.join(FORMATS)}")


def _refuse_present(*files: Path) -> None:
    for file in files:
        if file.exists():
            raise ConfigurationError(
                f"{file} is there already: name another folder, or allow it to be replaced with replace / --replace"
            )


def _write_items(model: FactorModel, item_ids: Ids, file: Path) -> int:
    factors, bias = model.item_factors, model.item_bias
    with _drafted(file, VECTOR_TABLE) as draft:
        for items in blocks(len(factors), _at_once(factors.shape[1])):
            _put_vectors(draft, np.arange(items.start, items.stop), item_ids[items], factors[items], bias[items])
        return draft.copy("SELECT id, vector, bias FROM vectors ORDER BY code")


def _write_users(
    model: FactorModel, shown: csr_array, user_ids: Ids, file: Path, on_block: Callable[[int], None]
) -> int:
    known = np.flatnonzero(np.diff(shown.indptr))
    with _drafted(file, VECTOR_TABLE) as draft:
        for block in blocks(len(known), _at_once(shown.shape[1])):
            users = known[block]
            _put_vectors(draft, users, user_ids[users], model.encode(shown[users]))
            on_block(block.stop)
        return draft.copy("SELECT id, vector FROM vectors ORDER BY code")


def _put_vectors(
    draft: _Draft,
    codes: NDArray[np.intp],
    ids: Ids,
    vectors: NDArray[np.float32],
    bias: NDArray[np.float32] | None = None,
) -> None:
    # a column for every dimension, each contiguous, which DuckDB reads without a copy
    cells = {f"v{at}": column for at, column in enumerate(np.ascontiguousarray(vectors.T))}
    entries: _Columns = {"code": codes, "id": ids, "bias": np.zeros(len(ids), np.float32) if bias is None else bias}
    draft.put("vectors", {**entries, **cells}, select=f"code, id, bias, list_value({', '.join(cells)})")


def _ranked(
    recommender: Recommender,
    matrix: UserItemMatrix,
    attributes: Attributes,
    users: slice,
    left_out: NDArray[np.bool_],
    k: int,
    seen: Seen,
) -> _Columns:
    hidden = matrix.seen[users] if seen == "exclude" else None
    ranked = recommender.rank(matrix.histories[users], hidden, of_rows(attributes, users), k=k, left_out=left_out)
    rankings = ranked.rankings
    unknown = np.full(len(rankings.items), np.nan, dtype=np.float32)
    return {
        "user_code": rankings.rows + users.start,
        "rank": rankings.ranks + 1,
        "item_code": rankings.items,
        "score": rankings.scores,
        "probability": unknown if ranked.probabilities is None else ranked.probabilities,
        "rating": unknown if ranked.ratings is None else ranked.ratings,
        **ranked.terms,
    }


def _coded(ids: Ids) -> _Columns:
    return {"code": np.arange(len(ids)), "id": ids}


def _at_once(width: int) -> int:
    return max(1, BLOCK_CELLS // max(1, width))


@dataclass(frozen=True, eq=False)
class _Draft:
    """A database beside the file it will become: rows beyond memory go to disk."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    file: Path

    def put(self, table: str, columns: _Columns, select: str = "*") -> None:
        """Adds rows to a table."""
        self.connection.register("block", dict(columns))
        self.connection.execute(f"INSERT INTO {table} SELECT {select} FROM block")
        self.connection.unregister("block")

    def copy(self, query: str) -> int:
        """Writes the rows of a query to the file, and returns how many."""
        finished = self.folder / self.file.name
        options = FORMATS[self.file.suffix]
        count = self.connection.execute(f"COPY ({query}) TO {literal(str(finished))} ({options})").fetchone()
        finished.replace(self.file)
        return int(count[0]) if count else 0


@contextmanager
def _drafted(file: Path, tables: str) -> Iterator[_Draft]:
    with _writable(file):
        folder = Path(mkdtemp(prefix=f".{file.name}-", dir=file.parent))
        try:
            with session() as connection:
                connection.execute(f"ATTACH {literal(str(folder / 'draft.duckdb'))} AS draft; USE draft;")
                # never committed: what is a draft need not survive a power cut
                connection.execute(f"BEGIN; {tables}")
                yield _Draft(connection, folder, file)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _writable(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise ConfigurationError(f"cannot write to {place}: {getattr(error, 'strerror', None) or error}") from error


def _make(folder: Path) -> None:
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
