"""`foldin inspect`: the data doctor's diagnosis of a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import (
    DecimalMark,
    Encoding,
    Header,
    ItemColumn,
    Json,
    KindColumn,
    TimeColumn,
    TimeFormat,
    TimeZone,
    UserColumn,
    ValueColumn,
)

if TYPE_CHECKING:
    from foldin.data.diagnosis import Bar, Diagnosis, Memory, Spread, TimeRange, Values
    from foldin.forecast import Forecast

__all__ = ["inspect"]

WIDEST_BAR = 40
BAR = "█"


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, TSV, Parquet or JSON lines, or globs.")],
    user: UserColumn = None,
    item: ItemColumn = None,
    kind: KindColumn = None,
    value: ValueColumn = None,
    time: TimeColumn = None,
    timezone: TimeZone = None,
    decimal: DecimalMark = None,
    time_format: TimeFormat = None,
    encoding: Encoding = None,
    header: Header = None,
    json: Json = False,
) -> None:
    """Examine a log of events before it is taken in: what is there, and what about it will do harm.

    No row is refused, and warnings are no failure.

    Example: foldin inspect events.csv
    """
    from foldin.cli.output import print_json, progress
    from foldin.cli.settings import text_format
    from foldin.data.doctor import as_json, examine

    with progress("examining"):
        columns = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
        columns |= {"timezone": timezone, "decimal": decimal, "time_format": time_format}
        form = text_format(encoding, header)
        found = examine(files, **columns, encoding=form.encoding, header=form.header)
    if json:
        print_json({**as_json(found), "training_seconds": round(_forecast(found).seconds)})
    else:
        _print(found)


def _print(found: Diagnosis) -> None:
    from foldin.cli.epochs import described
    from foldin.cli.output import print_line, print_table

    _print_warnings(found)
    print_table("Columns", ["taken as", "column"], _columns(found))
    print_table("Size", ["", "number"], _size(found), numbers=["number"])
    _print_spread(found)
    if found.kinds:
        rows = [[kind, f"{count:,}"] for kind, count in found.kinds.items()]
        print_table("Kinds of events", ["kind", "events"], rows, numbers=["events"])
    if found.values is not None:
        _print_values(found.values)
    _print_bad_rows(found)
    if found.times is not None:
        print_line(f"Times: {_times(found.times)}")
    print_line(f"Training needs {_memory(found.memory)}")
    if found.events:
        print_line(f"Training {described(_forecast(found))}")
        print_line(
            f"Once it is taken in with `foldin ingest`, train with: {f'foldin train {found.hint.options}'.rstrip()}"
        )


def _forecast(found: Diagnosis) -> Forecast:
    """What choosing and training the default model takes."""
    import numpy as np

    from foldin.forecast import HELD_OUT_SHARE, forecast
    from foldin.models.zoo import DEFAULT, estimator_named

    at_least_once = np.ones(found.items, dtype=np.int64)
    held_out = round(HELD_OUT_SHARE * found.users)
    return forecast(estimator_named(DEFAULT), found.users, at_least_once, found.pairs, held_out, fixed=())


def _print_warnings(found: Diagnosis) -> None:
    from foldin.cli.output import print_line, print_warning
    from foldin.wording import counted

    warnings = counted(len(found.warnings), "warning") if found.warnings else "no warnings"
    print_line(f"{', '.join(found.files)}: {warnings}")
    for warning in found.warnings:
        print_warning(warning)
    print_line()


def _columns(found: Diagnosis) -> list[list[str]]:
    taken = [[role, name] for role, name in found.columns.items()]
    return [*taken, ["(not used)", ", ".join(found.other_columns)]] if found.other_columns else taken


def _size(found: Diagnosis) -> list[list[str]]:
    return [
        ["rows", f"{found.rows:,}"],
        ["interactions", f"{found.events:,}"],
        ["users", f"{found.users:,}"],
        ["items", f"{found.items:,}"],
        ["distinct pairs of user and item", f"{found.pairs:,}"],
        ["density", f"{found.density:.3%}"],
        ["repeated rows", f"{found.duplicates.rows:,}"],
        ["repeated pairs, merged in training", f"{found.duplicates.pairs:,}"],
    ]


def _print_spread(found: Diagnosis) -> None:
    from foldin.cli.output import print_table

    names = ["minimum", "median", "mean", "9 of 10 up to", "maximum", "fewer than 5"]
    rows = [
        ["per user", *_cells(found.per_user), f"{found.few_users:.0%} of users"],
        ["per item", *_cells(found.per_item), f"{found.few_items:.0%} of items"],
    ]
    print_table("Interactions", ["", *names], rows, numbers=names)


def _cells(spread: Spread) -> list[str]:
    return [
        f"{spread.minimum:,}",
        f"{spread.median:,g}",
        f"{spread.mean:,.1f}",
        f"{spread.p90:,g}",
        f"{spread.maximum:,}",
    ]


def _print_values(values: Values) -> None:
    from foldin.cli.output import print_table

    most = max(bar.count for bar in values.histogram)
    known = sum(bar.count for bar in values.histogram)
    rows = [[_range(bar), f"{bar.count:,}", f"{bar.count / known:.1%}", _bar(bar, most)] for bar in values.histogram]
    missing = f", {values.missing:,} missing" if values.missing else ""
    negative = f", {values.negative:,} below 0" if values.negative else ""
    looks = "one value throughout" if values.looks_like == "constant" else f"look like {values.looks_like}"
    title = (
        f"Values: {looks}; {values.minimum:g} to {values.maximum:g}, {values.distinct:,} different{negative}{missing}"
    )
    print_table(title, ["value", "events", "share", ""], rows, numbers=["value", "events", "share"])


def _range(bar: Bar) -> str:
    return f"{bar.low:g}" if bar.low == bar.high else f"{bar.low:g} to {bar.high:g}"


def _bar(bar: Bar, most: int) -> str:
    return BAR * round(WIDEST_BAR * bar.count / most)


def _print_bad_rows(found: Diagnosis) -> None:
    from foldin.cli.output import print_table

    if found.bad_rows:
        rows = [
            [bad.reason, bad.field or "", f"{bad.count:,}", f"{bad.example.row:,}", bad.example.text]
            for bad in found.bad_rows
        ]
        columns = ["reason", "field", "rows", "first in row", "which is"]
        print_table("Rows that cannot be taken", columns, rows, numbers=["rows", "first in row"])


def _times(times: TimeRange) -> str:
    missing = f"; {times.missing:,} missing" if times.missing else ""
    naive = f"; {times.naive:,} without a time zone, taken as UTC" if times.naive else ""
    return f"{times.first} to {times.last}{missing}{naive}"


def _memory(need: Memory) -> str:
    return (
        f"{_bytes(need.matrix)} for the data, and {_bytes(need.linear)} for a linear model or "
        f"{_bytes(need.network)} for a network; {_bytes(need.available)} are free"
    )


def _bytes(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1e3:,.0f} kB"
