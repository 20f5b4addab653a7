"""The data doctor: what is in a log, and what about it will do harm. It refuses no row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import duckdb
import numpy as np
import psutil
from numpy.typing import NDArray

from foldin.data.diagnosis import (
    Alike,
    BadRows,
    Bar,
    Bot,
    Diagnosis,
    Duplicates,
    Memory,
    Spread,
    TimeRange,
    Values,
    as_json,
)
from foldin.data.interactions import NO_KIND, NO_TIME, Interactions
from foldin.data.normalisation import nfkc
from foldin.data.readers.columns import ColumnName, Role
from foldin.data.readers.logs import rejections
from foldin.data.readers.notation import Notation
from foldin.data.readers.raw import RawLog, read_raw
from foldin.data.readers.rejects import Rejected
from foldin.data.readers.session import session
from foldin.data.readers.sources import Source, scans_of
from foldin.data.readers.text import TextFormat
from foldin.data.readers.typed import explaining_frames
from foldin.data.suspicious_ids import suspicious_notes
from foldin.data.training_hint import training_hint
from foldin.data.value_scale import scale_of
from foldin.wording import counted

__all__ = ["Diagnosis", "as_json", "examine", "examine_log"]

FEW_INTERACTIONS = 5
MANY = 0.5
MOST_EXAMPLES = 5

BOT_TIMES_MEDIAN = 100
BOT_QUANTILE = 0.999
BOT_EVENTS_PER_HOUR = 1_000
MICROSECONDS_PER_HOUR = 3_600_000_000

MOST_BARS = 12

NETWORK_WIDTHS = (128, 64, 128)
COPIES_IN_TRAINING = 4  # weights, gradient and the optimiser's two moments


def examine(
    source: Source,
    *,
    user: ColumnName | None = None,
    item: ColumnName | None = None,
    kind: ColumnName | None = None,
    value: ColumnName | None = None,
    time: ColumnName | None = None,
    timezone: str | None = None,
    decimal: str | None = None,
    time_format: str | None = None,
    encoding: str | None = None,
    header: Sequence[str] | None = None,
) -> Diagnosis:
    """Examines a log; the options are those of `read`. Times without a time zone are taken as UTC, and counted.

    Raises:
        DataError: the source cannot be parsed at all, or has no column of users or items.
        ConfigurationError: there is no such time zone, decimal mark or format of times.
    """
    given: dict[Role, ColumnName | None] = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
    with explaining_frames(source), session() as connection, ExitStack() as resources:
        notation = Notation(timezone or "UTC", decimal, time_format)
        raw = read_raw(
            connection, scans_of(connection, source, resources, TextFormat.given(encoding, header)), given, notation
        )
        bad_rows = _bad_rows(connection, raw)
    diagnosis = _diagnosis(raw, raw.interactions(), bad_rows)
    return replace(diagnosis, warnings=tuple(_warnings(diagnosis, zone_given=timezone is not None)))


def examine_log(log: Interactions) -> Diagnosis:
    """Examines a log that was taken in: no row of it is bad, and of its columns only what they hold is known."""
    diagnosis = replace(_of_log(log), notes=tuple(_suspicious_notes(log)))
    return replace(diagnosis, warnings=tuple(_warnings(diagnosis, zone_given=True)))


def _diagnosis(raw: RawLog, log: Interactions, bad_rows: tuple[BadRows, ...]) -> Diagnosis:
    taken = {role: column.name for role, column in raw.columns[0].items()}
    return replace(
        _of_log(log),
        files=tuple(scan.file for scan in raw.scans if scan.file is not None),
        columns={str(role): name for role, name in taken.items()},
        other_columns=raw.unused,
        rows=len(raw) + sum(len(scan.torn) for scan in raw.scans),
        times=_time_range(log, 0 if raw.times is None else raw.times.naive),
        bad_rows=bad_rows,
        notes=(*raw.questions, *raw.notes),
    )


def _suspicious_notes(log: Interactions) -> Iterable[str]:
    yield from suspicious_notes(log.user_ids, np.bincount(log.user_codes, minlength=len(log.user_ids)).tolist(), "user")
    yield from suspicious_notes(log.item_ids, np.bincount(log.item_codes, minlength=len(log.item_ids)).tolist(), "item")


def _of_log(log: Interactions) -> Diagnosis:
    per_user = np.bincount(log.user_codes, minlength=len(log.user_ids))
    per_item = np.bincount(log.item_codes, minlength=len(log.item_ids))
    duplicates = _duplicates(log)
    users, items, pairs = len(log.user_ids), len(log.item_ids), len(log) - duplicates.pairs
    return Diagnosis(
        files=(),
        columns={},
        other_columns=(),
        rows=len(log),
        events=len(log),
        users=users,
        items=items,
        pairs=pairs,
        density=pairs / (users * items) if pairs else 0.0,
        kinds=_kinds(log),
        values=None if log.values is None else _values(log.values),
        per_user=_spread(per_user),
        per_item=_spread(per_item),
        few_users=_share_of_few(per_user),
        few_items=_share_of_few(per_item),
        times=_time_range(log, naive=0),
        duplicates=duplicates,
        bad_rows=(),
        alike_users=_alike(log.user_ids),
        alike_items=_alike(log.item_ids),
        bots=_bots(log, per_user),
        memory=_memory(users, items, pairs),
        hint=training_hint(log.values),
    )


def _bad_rows(connection: duckdb.DuckDBPyConnection, raw: RawLog) -> tuple[BadRows, ...]:
    counts: dict[tuple[str | None, str], int] = defaultdict(int)
    firsts: dict[tuple[str | None, str], int] = {}
    for row in np.flatnonzero(raw.bad):
        scan = int(np.searchsorted(raw.ends, row, side="right"))
        fault = raw.fault(scan, int(row))
        counts[fault.field, fault.reason] += 1
        firsts.setdefault((fault.field, fault.reason), int(row))
    # what is wrong with a line that is no object is only known when it is looked at
    wanted = np.union1d(np.array(list(firsts.values()), dtype=np.intp), np.flatnonzero(raw.broken))
    examples = rejections(connection, raw, wanted)
    return tuple(sorted(_counted(examples, counts), key=lambda bad: (-bad.count, bad.reason)))


def _counted(examples: Sequence[Rejected], counts: Mapping[tuple[str | None, str], int]) -> Iterable[BadRows]:
    by_reason: dict[tuple[str | None, str], list[Rejected]] = defaultdict(list)
    for example in examples:
        by_reason[example.field, example.reason].append(example)
    for (field, reason), rows in by_reason.items():
        # torn rows and broken lines are all among the examples, of others only the first is
        yield BadRows(reason, field, max(counts.get((field, reason), 0), len(rows)), rows[0])


def _kinds(log: Interactions) -> dict[str, int]:
    if log.kind_names is None or log.kind_codes is None:
        return {}
    known = log.kind_codes[log.kind_codes != NO_KIND].astype(np.int64)
    counts = np.bincount(known, minlength=len(log.kind_names))
    return {str(name): int(count) for name, count in zip(log.kind_names, counts, strict=True)}


def _spread(counts: NDArray[np.int64]) -> Spread:
    if not len(counts):
        return Spread(0, 0.0, 0.0, 0.0, 0)
    median, p90 = np.quantile(counts, [0.5, 0.9])
    return Spread(int(counts.min()), float(median), float(counts.mean()), float(p90), int(counts.max()))


def _share_of_few(counts: NDArray[np.int64]) -> float:
    return float((counts < FEW_INTERACTIONS).mean()) if len(counts) else 0.0


def _values(values: NDArray[np.float32]) -> Values | None:
    scale = scale_of(values)
    if scale is None:
        return None
    return Values(
        scale.looks_like,
        scale.minimum,
        scale.maximum,
        len(scale.distinct),
        scale.missing,
        scale.negative,
        _histogram(values[~np.isnan(values)].astype(np.float64), scale.distinct, scale.counts),
    )


def _histogram(known: NDArray[np.float64], distinct: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[Bar, ...]:
    if len(distinct) <= MOST_BARS:
        return tuple(Bar(float(v), float(v), int(c)) for v, c in zip(distinct, counts, strict=True))
    low, high = distinct[0], distinct[-1]
    # amounts over several magnitudes would all fall into the first of equal bars
    edges = np.geomspace(low, high, MOST_BARS + 1) if low > 0 and high / low > 100 else np.linspace(low, high, 13)
    edges[0], edges[-1] = low, high
    heights, _ = np.histogram(known, edges)
    bars = zip(edges[:-1], edges[1:], heights, strict=True)
    return tuple(Bar(float(start), float(end), int(height)) for start, end, height in bars)


def _time_range(log: Interactions, naive: int) -> TimeRange | None:
    if log.times is None or not len(known := log.times[log.times != NO_TIME]):
        return None
    missing = len(log.times) - len(known)
    return TimeRange(_iso(int(known.min())), _iso(int(known.max())), missing, naive)


def _iso(microseconds: int) -> str:
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).isoformat()
    except OverflowError:
        return f"{microseconds} microseconds since 1970"


def _duplicates(log: Interactions) -> Duplicates:
    pairs = log.user_codes.astype(np.int64) * max(len(log.item_ids), 1) + log.item_codes
    others = [column for column in (log.kind_codes, log.values, log.times) if column is not None]
    order = np.lexsort([*others, pairs])
    same_pair = _repeats(pairs[order])
    same_row = same_pair.copy()
    for column in others:
        same_row &= _repeats(column[order])
    return Duplicates(int(same_row.sum()), int(same_pair.sum()))


def _repeats(ordered: NDArray[np.generic]) -> NDArray[np.bool_]:
    missing = ordered != ordered  # only a NaN differs from itself
    return np.asarray((ordered[1:] == ordered[:-1]) | (missing[1:] & missing[:-1]), dtype=np.bool_)


def _alike(texts: Iterable[str]) -> Alike:
    groups: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        groups[_bare(text)].add(text)
    alike = sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)
    return Alike(len(alike), tuple(alike[:MOST_EXAMPLES]))


def _bare(text: str) -> str:
    return "".join(letter for letter in nfkc(text).casefold() if letter.isprintable() and not letter.isspace())


def _bots(log: Interactions, per_user: NDArray[np.int64]) -> tuple[Bot, ...]:
    if not len(per_user):
        return ()
    limit = max(BOT_TIMES_MEDIAN * float(np.median(per_user)), float(np.quantile(per_user, BOT_QUANTILE)))
    reasons = dict.fromkeys(
        np.flatnonzero(per_user > limit).tolist(), f"more than {BOT_TIMES_MEDIAN} times the median of events"
    )
    reasons |= {user: f"{counted(count, 'event')} within an hour" for user, count in _hasty(log)}
    bots = [Bot(str(log.user_ids[code]), int(per_user[code]), reason) for code, reason in reasons.items()]
    return tuple(sorted(bots, key=lambda bot: (-bot.events, bot.user_id)))


def _hasty(log: Interactions) -> list[tuple[int, int]]:
    if log.times is None or not (log.times != NO_TIME).any():
        return []
    known = log.times != NO_TIME
    hours = log.times[known] // MICROSECONDS_PER_HOUR
    order = np.lexsort((hours, log.user_codes[known]))
    users, hours = log.user_codes[known][order], hours[order]
    starts = np.flatnonzero(np.append(True, (users[1:] != users[:-1]) | (hours[1:] != hours[:-1])))
    counts = np.diff(np.append(starts, len(users)))
    most: dict[int, int] = defaultdict(int)
    for place in np.flatnonzero(counts > BOT_EVENTS_PER_HOUR):
        code = int(users[starts[place]])
        most[code] = max(most[code], int(counts[place]))
    return sorted(most.items())


def _memory(users: int, items: int, pairs: int) -> Memory:
    widths = (items, *NETWORK_WIDTHS, items)
    parameters = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))
    return Memory(
        matrix=8 * pairs + 4 * (users + 1),
        linear=4 * items * items,
        network=4 * COPIES_IN_TRAINING * parameters,
        available=int(psutil.virtual_memory().available),
    )


def _warnings(found: Diagnosis, *, zone_given: bool) -> Iterable[str]:
    yield from _of_rows(found)
    if found.times is not None and found.times.naive and not zone_given:
        yield f"times without a time zone: {found.times.naive:,}; name it with timezone / --timezone, as UTC"
    yield from _of_size(found)
    yield from _of_ids(found)
    yield from _of_users_and_items(found)
    yield from _of_events(found)
    yield from found.notes


def _of_rows(found: Diagnosis) -> Iterable[str]:
    bad = sum(bad.count for bad in found.bad_rows)
    if bad:
        first = found.bad_rows[0]
        field = f", field '{first.field}'" if first.field else ""
        place = f"{first.example.file or 'the table'}, row {first.example.row}{field}"
        yield f"rows that cannot be taken: {bad:,} of {found.rows:,}; most often {first.reason} ({place})"
    if not found.events:
        yield "no row can be taken, so there is nothing to learn from"


def _of_size(found: Diagnosis) -> Iterable[str]:
    if found.memory.linear > found.memory.available:
        need, free = (f"{size / 1e9:,.1f} GB" for size in (found.memory.linear, found.memory.available))
        yield f"a linear model over {found.items:,} items needs {need}, and {free} are free; take a network"
    if found.events and min(found.users, found.items) < 2:
        yield f"users: {found.users}, items: {found.items}; that is too few to learn what goes with what"


def _of_ids(found: Diagnosis) -> Iterable[str]:
    for name, alike in (("user", found.alike_users), ("item", found.alike_items)):
        if alike.groups:
            example = " and ".join(repr(text) for text in alike.examples[0])
            difference = "differ only by case, space or Unicode form"
            yield f"{name} ids that {difference}: {counted(alike.groups, 'group')}, for example {example}"


def _of_users_and_items(found: Diagnosis) -> Iterable[str]:
    if found.bots:
        first = found.bots[0]
        example = f"'{first.user_id}' with {counted(first.events, 'event')} ({first.reason})"
        yield f"users that are likely bots: {len(found.bots):,}, for example {example}"
    for name, share in (("users", found.few_users), ("items", found.few_items)):
        if share > MANY:
            yield f"{share:.0%} of the {name} have fewer than {FEW_INTERACTIONS} events: little can be learned of them"


def _of_events(found: Diagnosis) -> Iterable[str]:
    if found.duplicates.rows:
        yield f"rows that repeat another exactly: {found.duplicates.rows:,}; each counts as an event of its own"
    if found.values is not None and found.values.looks_like != "constant":
        yield found.hint.reason
