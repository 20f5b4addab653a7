from __future__ import annotations

import uuid
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foldin.data.readers import read, read_catalog
from foldin.errors import DataError, DataWarning, NoRowsError

PANDAS = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"]})
ARROW = pa.table({"user": ["a", "b"], "item": ["x", "y"]})

# neither of these is a type that DuckDB knows
UNREADABLE: dict[str, object] = {
    "period": PANDAS.assign(extra=pd.period_range("2020-01", periods=2, freq="M")),
    "Sparse": PANDAS.assign(extra=pd.arrays.SparseArray([0.0, 1.0])),
    "complex": PANDAS.assign(extra=[1j, 2j]),
    "_pli128": pl.DataFrame(PANDAS).with_columns(extra=pl.Series([1, 2], dtype=pl.Int128)),
    "Decimal": ARROW.append_column("extra", pa.array([1, 2], type=pa.decimal256(50, 2))),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_only_columns_with_a_role_are_read(name: str) -> None:
    frame = UNREADABLE[name]
    with pytest.warns(DataWarning, match="^columns left alone: extra$"):
        assert read(frame).user_ids.tolist() == ["a", "b"]
    for role in ("user", "kind", "value", "time"):
        with pytest.raises(DataError, match=rf"field 'extra': the {role} is of type .*{name}.*; cast it"):
            read(frame, **{role: "extra"})
    with pytest.raises(DataError, match="field 'extra': the attribute is of type"):
        read_catalog(frame)


def test_a_bad_row_beside_a_column_that_cannot_be_read() -> None:
    frame = PANDAS.assign(extra=[1j, 2j], item=["x", ""])
    with pytest.raises(DataError, match="row 2, field 'item': the id is empty; the row is 'b,'"):
        read(frame)


def test_a_lone_surrogate_matters_where_it_is_read_only() -> None:
    frame = PANDAS.assign(extra=pd.Series(["a", "\ud800"], dtype=object))
    with pytest.warns(DataWarning, match="left alone"):
        read(frame)
    with pytest.raises(DataError, match="row 2, field 'extra': half of a surrogate pair"):
        read(frame, user="extra")


def test_uuid_objects_are_ids_by_their_text() -> None:
    ids = [uuid.UUID(int=1), uuid.UUID(int=2)]
    assert read(PANDAS.assign(user=pd.Series(ids, dtype=object))).user_ids.tolist() == [str(one) for one in ids]


def test_bytes_are_text_in_utf_8(tmp_path: Path) -> None:
    names = ["é", "ü"]
    table = pa.table({"user": pa.array([name.encode() for name in names]), "item": ["x", "y"]})
    pq.write_table(table, tmp_path / "log.parquet")
    objects = PANDAS.assign(user=pd.Series([name.encode() for name in names], dtype=object))
    for log in (table, objects, pl.DataFrame(table), tmp_path / "log.parquet"):
        assert read(log).user_ids.tolist() == names
    latin = pa.array([b"a", b"\xe9"])
    with pytest.raises(DataError, match="the bytes of column 'user' are not UTF-8 text"):
        read(table.set_column(0, "user", latin))
    with pytest.raises(DataError, match="field 'user': the user ids are of type bytes"):
        read(PANDAS.assign(user=pd.Series([b"a", b"\xe9"], dtype=object)))
    with pytest.warns(DataWarning, match="left alone: extra"):  # what it holds is of no interest
        assert len(read(table.append_column("extra", latin))) == 2


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        ([["x"], ["y"]], "list"),
        ([("x", 1), ("y", 2)], "tuple"),
        ([np.array([1]), None], "ndarray"),
        ([1.5, "y"], "float"),
        ([True, "y"], "bool"),
        ([Decimal("1.5"), None], "Decimal"),
    ],
)
def test_objects_that_are_no_ids_are_named(cells: list[object], named: str) -> None:
    column = pd.Series(cells, dtype=object)
    with pytest.raises(DataError, match=f"field 'item': the item ids are of type {named}; cast it"):
        read(PANDAS.assign(item=column))


def test_lists_are_no_kinds_either() -> None:
    table = ARROW.append_column("kind", pa.array([["a"], ["b"]]))
    for log in (table, table.to_pandas(), PANDAS.assign(kind=pd.Series([["a"], ["b"]], dtype=object))):
        with pytest.raises(DataError, match=r"field 'kind': the kinds are of type .*; cast it to text"):
            read(log)


def test_a_column_of_nulls_says_nothing(tmp_path: Path) -> None:
    table = (
        ARROW.append_column("value", pa.nulls(2)).append_column("time", pa.nulls(2)).append_column("kind", pa.nulls(2))
    )
    pq.write_table(table, tmp_path / "log.parquet")
    for log in (table, pl.DataFrame(table), table.to_pandas(types_mapper=pd.ArrowDtype), tmp_path / "log.parquet"):
        read_log = read(log)
        assert read_log.values is not None
        assert np.isnan(read_log.values).all()
        assert read_catalog(log, item="user").attributes["value"].tolist() == [None, None]


def test_parts_without_rows_bring_nothing(tmp_path: Path) -> None:
    pq.write_table(ARROW, tmp_path / "a.parquet")
    pq.write_table(pa.table({"user": pa.nulls(0), "item": pa.nulls(0), "value": pa.nulls(0)}), tmp_path / "b.parquet")
    (tmp_path / "_SUCCESS").touch()
    for read_one in (read, read_catalog):
        assert len(read_one(tmp_path / "*")) == 2
        for source in (tmp_path / "b.parquet", pl.DataFrame({"user": [], "item": []}), pd.DataFrame()):
            with pytest.raises(NoRowsError, match="there are no rows"):
                read_one(source)


def test_ids_in_the_index_of_a_frame() -> None:
    frame = PANDAS.set_index("user")
    with pytest.raises(DataError, match=r"the index holds 'user': frame\.reset_index\(\) makes it a column"):
        read(frame)
    assert read(frame.reset_index()).user_ids.tolist() == ["a", "b"]


def test_columns_called_by_numbers() -> None:
    frame = pd.DataFrame([["a", "x", 3], ["b", "y", 4]])
    log = read(frame, user=0, item=1, value=2)
    assert log.user_ids.tolist() == ["a", "b"]
    assert read_catalog(frame, item=1).item_ids.tolist() == ["x", "y"]


@pytest.mark.parametrize("row", [("a", "x"), ["a", "x"], {"user": "a", "item": "x"}])
def test_a_list_of_rows_is_no_list_of_files(row: object) -> None:
    with pytest.raises(DataError, match=r"a list of rows; make a frame of it first: pandas\.DataFrame\(rows, columns="):
        read([row])
