"""A log as it was read: codes, numbers and, row by row, a verdict on each; nothing is refused yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import Interactions
from foldin.data.readers.coding import NOT_CODED, Coding, any_json, code_sql, coded_ids, coded_kinds
from foldin.data.readers.columns import Column, Role, find_columns
from foldin.data.readers.rejects import Fault, Torn, torn_rows
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.times import Times, settled_times, time_refusal, time_sql
from foldin.data.readers.values import GOOD_VALUE, VALUE_REFUSALS, value_sql
from foldin.errors import DataError

__all__ = ["RawLog", "read_raw"]


@dataclass(frozen=True, eq=False)
class RawLog:
    """All parsed rows of all scans, in order.

    `columns`: of each scan, by role. `ends`: the number of rows up to the end of each scan. `torn`: of each scan.
    `user_cells`, `item_cells`, `kind_cells`: positions among the cells of their coding.
    """

    scans: tuple[Scan, ...]
    columns: tuple[Mapping[Role, Column], ...]
    ends: NDArray[np.int64]
    torn: tuple[tuple[Torn, ...], ...]
    broken: NDArray[np.bool_]
    users: Coding
    user_cells: NDArray[np.int32]
    items: Coding
    item_cells: NDArray[np.int32]
    kinds: Coding | None = None
    kind_cells: NDArray[np.int32] | None = None
    values: NDArray[np.float32] | None = None
    value_verdicts: NDArray[np.uint8] | None = None
    times: Times | None = None

    def __len__(self) -> int:
        return len(self.user_cells)

    def bad(self) -> NDArray[np.bool_]:
        """Which rows cannot be taken."""
        bad = self.broken | (self.users.codes[self.user_cells] == NOT_CODED)
        bad |= self.items.codes[self.item_cells] == NOT_CODED
        if self.value_verdicts is not None:
            bad |= self.value_verdicts != GOOD_VALUE
        if self.times is not None:
            bad |= self.times.verdicts != 0
        return bad

    def interactions(self) -> Interactions:
        """All rows as a log; a bad row holds codes outside the ids, and must be left out by `where`."""
        return Interactions(
            self.users.names,
            self.users.codes[self.user_cells],
            self.items.names,
            self.items.codes[self.item_cells],
            None if self.kinds is None else self.kinds.names,
            None if self.kinds is None else self.kinds.codes[self.kind_cells].astype(np.int8),
            self.values,
            None if self.times is None else self.times.times,
        )

    def fault(self, scan: int, row: int) -> Fault:
        """What is wrong with a bad row of a scan; `row` counts the rows of all scans."""
        position = row - (int(self.ends[scan - 1]) if scan else 0)
        field, reason = self._explained(row)
        return Fault(position, self.columns[scan][field].name if field else None, reason)

    def _explained(self, row: int) -> tuple[Role | None, str]:
        if self.broken[row]:
            return None, "the row is no object"
        if self.users.codes[self.user_cells[row]] == NOT_CODED:
            return "user", self.users.refused(int(self.user_cells[row]))
        if self.items.codes[self.item_cells[row]] == NOT_CODED:
            return "item", self.items.refused(int(self.item_cells[row]))
        if self.value_verdicts is not None and self.value_verdicts[row]:
            return "value", VALUE_REFUSALS[self.value_verdicts[row]]
        assert self.times is not None
        return "time", time_refusal(int(self.times.verdicts[row]), self.times.unit)


def read_raw(
    connection: duckdb.DuckDBPyConnection,
    scans: Sequence[Scan],
    given: Mapping[Role, str | None],
    timezone: str | None,
) -> RawLog:
    """Reads the scans into memory.

    Raises:
        DataError: a column is missing or of the wrong type, a file is damaged, or there are no rows.
        ConfigurationError: there is no such time zone.
    """
    columns = _columns(scans, given)
    with refusing(scans[0].file if len(scans) == 1 else None):
        codings = _codings(connection, scans, columns)
        parts, torn = _parts(connection, scans, columns)
    if not any(len(part["user"]) for part in parts) and not any(torn):
        raise DataError("there are no rows", file=scans[0].file)
    return _assembled(scans, columns, parts, torn, codings, timezone)


def _columns(scans: Sequence[Scan], given: Mapping[Role, str | None]) -> list[dict[Role, Column]]:
    columns = [find_columns(scan.columns, given, scan.file) for scan in scans if _has_cells(scan)]
    first = columns[0]
    for scan, found in zip(scans, columns, strict=True):
        for role in {*found, *first}:
            if (role in found) != (role in first):
                has, lacks = (scan, scans[0]) if role in found else (scans[0], scan)
                raise DataError(f"has no column for the {role}, which {has.file} has", file=lacks.file, field=role)
    return columns


def _has_cells(scan: Scan) -> bool:
    if scan.json and not scan.columns:
        raise DataError("there are no rows: the file holds no JSON object", file=scan.file)
    return True


def _codings(
    connection: duckdb.DuckDBPyConnection, scans: Sequence[Scan], columns: Sequence[Mapping[Role, Column]]
) -> dict[Role, Coding]:
    def parts(role: Role) -> list[tuple[Scan, Column]]:
        return [(scan, found[role]) for scan, found in zip(scans, columns, strict=True)]

    codings = {role: coded_ids(connection, parts(role), role) for role in ID_ROLES}
    return codings | ({"kind": coded_kinds(connection, parts("kind"))} if "kind" in columns[0] else {})


ID_ROLES: tuple[Role, ...] = ("user", "item")


def _parts(
    connection: duckdb.DuckDBPyConnection, scans: Sequence[Scan], columns: Sequence[Mapping[Role, Column]]
) -> tuple[list[dict[str, NDArray[np.generic]]], list[tuple[Torn, ...]]]:
    as_json = any_json(found[role] for found in columns for role in ID_ROLES)
    parts, torn = [], []
    for scan, found in zip(scans, columns, strict=True):
        relation = scan.noting_torn or scan.relation
        query = f"SELECT {', '.join(_expressions(scan, found, as_json))} FROM {relation}"
        parts.append(connection.execute(query).fetchnumpy())
        torn.append(tuple(torn_rows(connection, scan)) if scan.noting_torn else ())
    return parts, torn


def _expressions(scan: Scan, columns: Mapping[Role, Column], as_json: bool) -> list[str]:
    expressions = [f"{code_sql(columns[role], role, as_json=as_json)} AS {role}" for role in ID_ROLES]
    if "kind" in columns:
        expressions.append(f"{code_sql(columns['kind'], 'kind', as_json=False)} AS kind")
    if "value" in columns:
        number, verdict = value_sql(columns["value"])
        expressions += [f"{number} AS value", f"({verdict})::UTINYINT AS value_verdict"]
    if "time" in columns:
        number, form = time_sql(columns["time"])
        expressions += [f"{number} AS time", f"({form})::UTINYINT AS time_form"]
    if scan.json:
        expressions.append("coalesce(json_type(json) <> 'OBJECT', true) AS broken")
    return expressions


def _assembled(
    scans: Sequence[Scan],
    columns: Sequence[Mapping[Role, Column]],
    parts: list[dict[str, NDArray[np.generic]]],
    torn: Sequence[tuple[Torn, ...]],
    codings: Mapping[Role, Coding],
    timezone: str | None,
) -> RawLog:
    ends = np.cumsum([len(part["user"]) for part in parts])
    broken = [part.get("broken", np.zeros(len(part["user"]), dtype=np.bool_)) for part in parts]
    whole = {name: _joined(parts, name) for name in list(parts[0]) if name != "broken"}
    times = settled_times(whole["time"], whole["time_form"], timezone) if "time" in whole else None
    return RawLog(
        tuple(scans),
        tuple(columns),
        ends,
        tuple(torn),
        np.concatenate(broken),
        codings["user"],
        whole["user"],
        codings["item"],
        whole["item"],
        codings.get("kind"),
        whole.get("kind"),
        whole.get("value"),
        whole.get("value_verdict"),
        times,
    )


def _joined(parts: list[dict[str, NDArray[np.generic]]], name: str) -> NDArray[np.generic]:
    if len(parts) == 1:
        return parts[0][name]
    return np.concatenate([part.pop(name) for part in parts])
