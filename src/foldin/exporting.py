"""Rankings and vectors of everybody, written to files block by block."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
from foldin.data.catalog import Attributes, Catalog
from foldin.data.interactions import Ids, Interactions
from foldin.data.matrix import UserItemMatrix, user_item_matrix
from foldin.data.profiles import Profiles
from foldin.data.readers.session import literal, session
from foldin.data.spelling import perhaps
from foldin.errors import ConfigurationError
from foldin.evaluation.scoring import blocks
from foldin.models.protocols import FactorModel
from foldin.models.zoo import name_of
from foldin.recommender import Recommender, Seen

__all__ = ["FORMATS", "Vectors", "check_attributes", "check_ending", "write_embeddings", "write_rankings"]

_Columns: TypeAlias = Mapping[str, NDArray[np.generic] | Ids]

FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".csv": "FORMAT csv, HEADER",
    ".jsonl": "FORMAT json",
}
"""How DuckDB writes a file, by its ending."""

BLOCK_CELLS = 2**22
"""Numbers of a block, 16 MiB of float32."""

WRITTEN_TERMS = tuple(term for term in TERMS if term != "query")
"""A query is one person's: rankings for everybody have none."""

RANKED = ("user", "rank", "item", "score", "probability", "probability_is_lower_bound", "rating", *WRITTEN_TERMS)
"""The columns of a file of rankings, before those of items' attributes."""

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
    only: Collection[str] | None = None,
    seen: Seen = "exclude",
    diversity: float = 0,
    attributes: Sequence[str] = (),
    on_block: Callable[[int], None] = lambda _: None,
) -> int:
    """Writes the best k items of every user of a log, without what they have seen, and returns the number of rows.

    Columns: user, rank (from 1), item, score, probability, probability_is_lower_bound and rating (null where there is
    none), and the terms of the score: history, profile, content and popularity; as in `Recommendation`; then the
    `attributes` of the item that are named. Users are sorted by id; one without an event (`Interactions.of_users`) is
    ranked for by the profile. Never more than one block of scores is held, and the file appears whole or not at all.
    `file`: .parquet, .csv or .jsonl. `profiles`: what is known of the users. `only`: ids of the items to choose from;
    `exclude`: of items left out. `seen="include"` lets in what a user has seen. `diversity`: as for
    `Recommender.recommend`. `on_block` is told how many users are done.

    Raises:
        ConfigurationError: k is below 1, the file has another ending, or it cannot be written; the catalogue lacks an
            attribute, or a column of the file has its name; and as from `Recommender.recommend`.
    """
    file = Path(file)
    check_ending(file)
    check_attributes(attributes, recommender.catalog)
    matrix = user_item_matrix(log, recommender.catalog, recommender.rule)
    known = {} if profiles is None else profiles.of(matrix.user_ids)
    rules = _Rules(recommender.left_out(only, exclude), k, seen, diversity)
    with _drafted(file, _ranking_tables(len(attributes))) as draft:
        draft.put("users", _coded(matrix.user_ids))
        draft.put("items", _with_attributes(recommender.catalog, attributes))
        for users in blocks(len(matrix.user_ids), _at_once(len(recommender.catalog))):
            draft.put("ranked", _ranked(recommender, matrix, known, users, rules))
            on_block(users.stop)
        return draft.copy(_ranking_query(attributes))


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


def check_attributes(attributes: Sequence[str], catalog: Catalog) -> None:
    """Refuses attributes of items that cannot be columns of a file of rankings.

    Raises:
        ConfigurationError: the catalogue lacks one, one is named twice, or a column of the file has its name.
    """
    taken = {name.casefold() for name in RANKED}
    for name in attributes:
        if name not in catalog.attributes:
            known = ", ".join(catalog.attributes) or "none"
            raise ConfigurationError(
                f"no attribute '{name}' in the model's catalogue{perhaps(name, catalog.attributes)}; there are: {known}"
            )
        if name.casefold() in taken:
            raise ConfigurationError(f"the file has a column '{name.casefold()}' already: leave the attribute out")
        taken.add(name.casefold())


def _ranking_tables(attributes: int) -> str:
    cells = "".join(f", a{place} VARCHAR" for place in range(attributes))
    return f"""
CREATE TABLE users (code INTEGER, id VARCHAR);
CREATE TABLE items (code INTEGER, id VARCHAR{cells});
CREATE TABLE ranked (user_code INTEGER, rank INTEGER, item_code INTEGER, score FLOAT, probability FLOAT,
    probability_is_lower_bound BOOLEAN, rating FLOAT, {", ".join(f"{term} FLOAT" for term in WRITTEN_TERMS)});
"""


def _ranking_query(attributes: Sequence[str]) -> str:
    cells = "".join(f", items.a{place} AS {_quoted(name)}" for place, name in enumerate(attributes))
    return f"""
SELECT users.id AS "user", rank, items.id AS item, score, nullif(probability, 'NaN') AS probability,
    probability_is_lower_bound, nullif(rating, 'NaN') AS rating, {", ".join(WRITTEN_TERMS)}{cells}
FROM ranked JOIN users ON users.code = user_code JOIN items ON items.code = item_code
ORDER BY ranked.user_code, ranked.rank
"""


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


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


@dataclass(frozen=True, eq=False)
class _Rules:
    """What every user's ranking may hold."""

    left_out: NDArray[np.bool_]
    k: int
    seen: Seen
    diversity: float


def _ranked(
    recommender: Recommender,
    matrix: UserItemMatrix,
    attributes: Attributes,
    users: slice,
    rules: _Rules,
) -> _Columns:
    hidden = matrix.seen[users] if rules.seen == "exclude" else None
    ranked = recommender.rank(
        matrix.histories[users],
        hidden,
        of_rows(attributes, users),
        k=rules.k,
        left_out=rules.left_out,
        diversity=rules.diversity,
    )
    rankings = ranked.rankings
    unknown = np.full(len(rankings.items), np.nan, dtype=np.float32)
    return {
        "user_code": rankings.rows + users.start,
        "rank": rankings.ranks + 1,
        "item_code": rankings.items,
        "score": rankings.scores,
        "probability": unknown if ranked.probabilities is None else ranked.probabilities,
        "probability_is_lower_bound": ranked.lower_bounds,
        "rating": unknown if ranked.ratings is None else ranked.ratings,
        **{term: ranked.terms[term] for term in WRITTEN_TERMS},
    }


def _coded(ids: Ids) -> _Columns:
    return {"code": np.arange(len(ids)), "id": ids}


def _with_attributes(catalog: Catalog, attributes: Sequence[str]) -> _Columns:
    cells = {f"a{place}": catalog.attributes[name] for place, name in enumerate(attributes)}
    return {**_coded(catalog.item_ids), **cells}


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
            with session() as connection, _attached(connection, folder / "draft.duckdb"):
                # never committed: what is a draft need not survive a power cut
                connection.execute(f"BEGIN; {tables}")
                try:
                    yield _Draft(connection, folder, file)
                finally:
                    connection.execute("ROLLBACK")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """A database of this connection alone, although all connections of a process share what is attached."""
    name = _quoted(file.parent.name)
    connection.execute(f"ATTACH {literal(str(file))} AS {name}; USE {name};")
    try:
        yield
    finally:
        connection.execute(f"USE memory; DETACH {name};")


@contextmanager
def _writable(place: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise ConfigurationError(f"cannot write to {place}: {getattr(error, 'strerror', None) or error}") from error


def _make(folder: Path) -> None:
    with _writable(folder):
        folder.mkdir(parents=True, exist_ok=True)
