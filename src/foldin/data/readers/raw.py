"""A log as it was read: codes, numbers and, row by row, a verdict on each; nothing is refused yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, cast

import duckdb
import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import NO_TIME, Interactions
from foldin.data.readers.coding import NOT_CODED, Coding, any_json, cell_sql, coded_ids, coded_kinds, refuse_id_type
from foldin.data.readers.columns import Column, ColumnName, Role, find_columns
from foldin.data.readers.events import CONFLICT, EventIds, conflicting, event_sql, judged_events
from foldin.data.readers.headers import missing_header, refuse_row_as_header
from foldin.data.readers.leftovers import likely_roles, unused_columns
from foldin.data.readers.lines import is_broken_sql
from foldin.data.readers.notation import Notation
from foldin.data.readers.rejects import Fault
from foldin.data.readers.scans import Scan, refusing
from foldin.data.readers.times import GOOD_TIME, Times, check_time_format, refuse_time_type, settled_times, time_sql
from foldin.data.readers.values import GOOD_VALUE, VALUE_REFUSALS, value_sql
from foldin.errors import DataError, NoRowsError

__all__ = ["RawLog", "read_raw"]

Array: TypeAlias = Any  # what DuckDB fetches; `_query` casts every column to the type that `RawLog` names
Arrays: TypeAlias = dict[str, Array]

ID_ROLES: tuple[Role, ...] = ("user", "item")
CODED_ROLES: tuple[Role, ...] = (*ID_ROLES, "kind")


@dataclass(frozen=True)
class Layout:
    """The scans of a log, and of each the columns by role."""

    scans: tuple[Scan, ...]
    columns: tuple[Mapping[Role, Column], ...]

    @property
    def as_json(self) -> bool:
        """Whether ids are coded as JSON."""
        return any_json(columns[role] for columns in self.columns for role in ID_ROLES)

    def parts(self, role: Role) -> list[tuple[Scan, Column]]:
        """The column of a role in every scan."""
        return [(scan, columns[role]) for scan, columns in zip(self.scans, self.columns, strict=True)]


@dataclass(frozen=True, eq=False)
class RawLog:
    """All parsed rows, scan by scan; within a scan in the order of its rows where any of them is bad.

    `columns`: of each scan, by role. `ends`: the number of rows up to the end of each scan.
    `questions`: of columns that are left alone and look as if they should not.
    `user_cells`, `item_cells`, `kind_cells`: positions among the cells of their coding.
    """

    scans: tuple[Scan, ...]
    columns: tuple[Mapping[Role, Column], ...]
    ends: NDArray[np.int64]
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
    events: EventIds | None = None
    questions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.user_cells)

    @cached_property
    def bad(self) -> NDArray[np.bool_]:
        """Which rows cannot be taken."""
        faults = [self.broken, self.users.coded(self.user_cells) == NOT_CODED]
        faults.append(self.items.coded(self.item_cells) == NOT_CODED)
        if self.kinds is not None and self.kind_cells is not None:
            faults.append(self.kinds.faulty(self.kind_cells))
        if self.value_verdicts is not None:
            faults.append(self.value_verdicts != GOOD_VALUE)
        if self.times is not None:
            faults.append(self.times.verdicts != GOOD_TIME)
        bad: NDArray[np.bool_] = np.logical_or.reduce(faults)
        bad[[*self._event_faults(~bad)]] = True
        return bad

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed on the way, and what may have been misread, in sentences."""
        return (*self.users.notes, *self.items.notes, *(() if self.times is None else self.times.notes))

    @property
    def unused(self) -> tuple[str, ...]:
        """The columns that play no role."""
        return unused_columns(self.scans, self.columns)

    def event_ids(self) -> NDArray[np.object_] | None:
        """The ids of the good rows' events, where they have ids."""
        return None if self.events is None else self.events.texts[~self.bad]

    def refused_times(self) -> NDArray[np.intp]:
        """The rows whose time is no good one."""
        verdicts = np.empty(0, dtype=np.uint8) if self.times is None else self.times.verdicts
        return np.flatnonzero(verdicts != GOOD_TIME)

    def interactions(self) -> Interactions:
        """The good rows as a log."""
        kinds = None if self.kinds is None or self.kind_cells is None else self.kinds.coded(self.kind_cells)
        log = Interactions(
            self.users.names,
            self.users.coded(self.user_cells),
            self.items.names,
            self.items.coded(self.item_cells),
            None if self.kinds is None else self.kinds.names,
            None if kinds is None else kinds.astype(np.int8),
            self.values,
            None if self.times is None else self.times.times,
        )
        return log.where(~self.bad) if self.bad.any() else log

    def fault(self, scan: int, row: int) -> Fault:
        """What is wrong with a bad row of a scan; `row` counts the rows of all scans."""
        position = row - (int(self.ends[scan - 1]) if scan else 0)
        field, reason = self._explained(row)
        if field is None:
            return Fault(position, None, reason)
        column = self.columns[scan][field]
        return Fault(position, column.name, reason if self._any_good(field) else reason + column.way_out(field))

    def _any_good(self, role: Role) -> bool:
        """Whether any cell of an optional role says what it should."""
        if role == "value" and self.values is not None:
            return bool((~np.isnan(self.values) & (self.value_verdicts == GOOD_VALUE)).any())
        if role == "time" and self.times is not None:
            return bool((self.times.times != NO_TIME).any())
        return role != "kind" or self.kinds is None or bool(len(self.kinds.names))

    def _explained(self, row: int) -> tuple[Role | None, str]:
        if self.broken[row]:
            return None, "the row is no object"
        if self.users.codes[self.user_cells[row]] == NOT_CODED:
            return "user", self.users.refused(int(self.user_cells[row]))
        if self.items.codes[self.item_cells[row]] == NOT_CODED:
            return "item", self.items.refused(int(self.item_cells[row]))
        if reason := self._kind_refusal(row):
            return "kind", reason
        if self.value_verdicts is not None and self.value_verdicts[row]:
            return "value", VALUE_REFUSALS[self.value_verdicts[row]]
        if self.times is not None and self.times.verdicts[row]:
            return "time", self.times.refusal(row)
        assert self.events is not None
        return "event", self.events.reasons.get(row, CONFLICT)

    def _event_faults(self, good: NDArray[np.bool_]) -> Iterable[int]:
        if self.events is None:
            return ()
        refused = list(self.events.reasons)
        good[refused] = False
        return (*refused, *conflicting(self.events, self._bodies(), good).tolist())

    def _bodies(self) -> list[NDArray[np.generic]]:
        columns: list[NDArray[np.generic] | None] = [
            self.users.coded(self.user_cells),
            self.items.coded(self.item_cells),
            self.kind_cells,
            None if self.values is None else self.values.view(np.int32),  # as bits: a missing value equals another
            None if self.times is None else self.times.times,
        ]
        return [column for column in columns if column is not None]

    def _kind_refusal(self, row: int) -> str | None:
        if self.kinds is None or self.kind_cells is None or self.kind_cells[row] == NOT_CODED:
            return None
        return self.kinds.refusals[int(self.kind_cells[row])]


def read_raw(
    connection: duckdb.DuckDBPyConnection,
    scans: Sequence[Scan],
    given: Mapping[Role, ColumnName | None],
    notation: Notation,
) -> RawLog:
    """Reads the scans into memory.

    Raises:
        DataError: a column is missing or of the wrong type, a file is damaged, or there are no rows.
        ConfigurationError: there is no such time zone, or no such format of times.
    """
    check_time_format(connection, notation)
    layout = Layout(tuple(scans), tuple(_columns(connection, scans, given)))
    with refusing(scans[0].file if len(scans) == 1 else None):
        codings = _codings(connection, layout)
        raw = _assembled(layout, codings, _parts(connection, layout, notation, in_order=False), notation)
        if raw.bad.any():
            raw = _assembled(layout, codings, _parts(connection, layout, notation, in_order=True), notation)
    if not len(raw) and not any(scan.torn for scan in scans):
        raise NoRowsError("there are no rows", file=scans[0].file)
    return replace(raw, questions=tuple(likely_roles(raw.unused, given, tuple(raw.columns[0]))))


def _columns(
    connection: duckdb.DuckDBPyConnection, scans: Sequence[Scan], given: Mapping[Role, ColumnName | None]
) -> list[dict[Role, Column]]:
    columns = [_of_scan(connection, scan, given) for scan in scans if _has_cells(scan)]
    first = columns[0]
    for scan, found in zip(scans, columns, strict=True):
        for role in {*found, *first}:
            if (role in found) != (role in first):
                has, lacks = (scan, scans[0]) if role in found else (scans[0], scan)
                raise DataError(f"has no column for the {role}, which {has.file} has", file=lacks.file, field=role)
    return columns


def _of_scan(
    connection: duckdb.DuckDBPyConnection, scan: Scan, given: Mapping[Role, ColumnName | None]
) -> dict[Role, Column]:
    try:
        columns = find_columns(scan.columns, given, scan.file)
    except DataError as error:
        raise missing_header(scan) or error from None
    refuse_row_as_header(connection, scan, (columns[role] for role in ID_ROLES))
    return columns


def _has_cells(scan: Scan) -> bool:
    if scan.json and not scan.columns:
        raise NoRowsError("there are no rows: the file holds no JSON object", file=scan.file)
    return True


def _codings(connection: duckdb.DuckDBPyConnection, log: Layout) -> dict[Role, Coding]:
    codings = {role: coded_ids(connection, log.parts(role), role) for role in ID_ROLES}
    for scan, column in log.parts("event") if "event" in log.columns[0] else ():
        refuse_id_type(column, "event", scan.file)
    for scan, column in log.parts("time") if "time" in log.columns[0] else ():
        refuse_time_type(column, scan.file)
    return codings | ({"kind": coded_kinds(connection, log.parts("kind"))} if "kind" in log.columns[0] else {})


def _parts(connection: duckdb.DuckDBPyConnection, log: Layout, notation: Notation, *, in_order: bool) -> list[Arrays]:
    parts = []
    for scan, columns in zip(log.scans, log.columns, strict=True):
        query = _query(scan, columns, notation, as_json=log.as_json, in_order=in_order)
        arrays = connection.execute(query).fetchnumpy()
        parts.append(_in_order(cast("Arrays", arrays)) if in_order else cast("Arrays", arrays))
    return parts


def _query(scan: Scan, columns: Mapping[Role, Column], notation: Notation, *, as_json: bool, in_order: bool) -> str:
    """The rows with codes instead of cells. Joins lose the order of rows; it costs a numbering to have it back."""
    coded = [role for role in CODED_ROLES if role in columns]
    cells = [f"{cell_sql(columns[role], as_json=as_json and role in ID_ROLES)} AS {role}_cell" for role in coded]
    numbers = _number_expressions(scan, columns, notation) | ({"position": "row_number() OVER ()"} if in_order else {})
    inner = ", ".join([*cells, *(f"{expression} AS {name}" for name, expression in numbers.items())])
    outer = ", ".join([*(f"coalesce({role}_cells.code, {NOT_CODED}) AS {role}" for role in coded), *numbers])
    joins = " ".join(f"LEFT JOIN {role}_cells ON {role}_cell = {role}_cells.cell" for role in coded)
    return f"SELECT {outer} FROM (SELECT {inner} FROM {scan.relation}) {joins}"


def _number_expressions(scan: Scan, columns: Mapping[Role, Column], notation: Notation) -> dict[str, str]:
    expressions: dict[str, str] = {}
    if "value" in columns:
        number, verdict = value_sql(columns["value"], notation)
        expressions |= {"number": number, "verdict": f"({verdict})::UTINYINT"}
    if "time" in columns:
        moment, form = time_sql(columns["time"], notation)
        expressions |= {"moment": moment, "form": f"({form})::UTINYINT"}
    if "event" in columns:
        expressions |= event_sql(columns["event"])
    if scan.json:
        expressions["broken"] = is_broken_sql()
    return expressions


def _in_order(arrays: Arrays) -> Arrays:
    order = np.argsort(arrays["position"])
    return {name: array[order] for name, array in arrays.items()}


def _assembled(log: Layout, codings: Mapping[Role, Coding], parts: list[Arrays], notation: Notation) -> RawLog:
    broken = [part.get("broken", np.zeros(len(part["user"]), dtype=np.bool_)) for part in parts]
    return RawLog(
        log.scans,
        log.columns,
        np.cumsum([len(part["user"]) for part in parts], dtype=np.int64),
        np.concatenate(broken),
        codings["user"],
        _joined(parts, "user"),
        codings["item"],
        _joined(parts, "item"),
        codings.get("kind"),
        _joined(parts, "kind") if "kind" in parts[0] else None,
        _joined(parts, "number") if "number" in parts[0] else None,
        _joined(parts, "verdict") if "number" in parts[0] else None,
        settled_times(_joined(parts, "moment"), _joined(parts, "form"), notation) if "moment" in parts[0] else None,
        _events(parts) if "event" in parts[0] else None,
    )


def _events(parts: list[Arrays]) -> EventIds:
    return judged_events(_joined(parts, "event"), _joined(parts, "event_hash"), _joined(parts, "event_form"))


def _joined(parts: list[Arrays], name: str) -> Array:
    return parts[0][name] if len(parts) == 1 else np.concatenate([part[name] for part in parts])
