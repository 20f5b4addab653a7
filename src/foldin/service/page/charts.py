"""Charts as plain data, which the page's script draws; every one can be had as a table too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

from foldin.evaluation.training_report import EpochFigures, LengthFigures
from foldin.service.page.digest import Digest, Series, Span, Strays
from foldin.service.page.moments import day_of
from foldin.store.contract import ClickThrough
from foldin.wording import counted

__all__ = [
    "Chart",
    "Line",
    "click_chart",
    "daily_chart",
    "error_chart",
    "feedback_chart",
    "length_chart",
    "quality_chart",
    "spread_chart",
    "tail_chart",
]


MOST_RANKS = 20
"""Of which a click-through is drawn: what stands below is seldom seen."""

LEFT_TO_FIND = "Where fewer items are shown more are left to find, so only lines at the same length compare."


@dataclass(frozen=True)
class Line:
    """Something measured at every x; `colour`: a token of the style sheet."""

    label: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """What is drawn over `x`; `names` stand below it instead where x only counts them. `across`: what x is.

    `note`: what somebody should know who reads it.
    """

    title: str
    across: str
    x: Sequence[float]
    lines: Sequence[Line]
    kind: Literal["line", "bars"] = "line"
    names: Sequence[str] = ()
    time: bool = False
    percent: bool = False
    note: str = ""

    @property
    def caption(self) -> str:
        """What x is, unless the title says it."""
        return "" if self.across in self.title.casefold() else self.across

    def as_json(self) -> dict[str, object]:
        """In the types JSON has."""
        return asdict(self)


def length_chart(name: str, figures: Sequence[LengthFigures]) -> Chart | None:
    """NDCG@10 by how much history is shown; None where it was not measured."""
    if not figures:
        return None
    names = ["all" if one.length is None else str(one.length) for one in figures]
    colours = {"popularity": "popularity", name: "history"}
    lines = [Line(who, colour, [one.ndcg.get(who) for one in figures]) for who, colour in colours.items()]
    chart = _named("NDCG@10 by length of history", "items that are shown", names, lines[::-1])
    return replace(chart, note=LEFT_TO_FIND)


def error_chart(epochs: Sequence[EpochFigures]) -> Chart | None:
    """Errors by epoch; None for a model without epochs."""
    lines = [
        Line("training", "popularity", [epoch.train_error for epoch in epochs]),
        Line("validation", "history", [epoch.validation_error for epoch in epochs]),
    ]
    return _by_epoch("Error by epoch", epochs, lines)


def quality_chart(epochs: Sequence[EpochFigures]) -> Chart | None:
    """What the best epoch is chosen by; None for a model without epochs."""
    return _by_epoch("Validation NDCG@100 by epoch", epochs, [Line("NDCG@100", "history", [e.quality for e in epochs])])


def click_chart(name: str, counted: Sequence[ClickThrough]) -> Chart | None:
    """What share of the items shown at each rank was clicked; None where a model has shown nothing."""
    own = [one for one in counted if one.model == name and one.rank <= MOST_RANKS]
    if not own:
        return None
    shares = Line("share clicked", "content", [one.share for one in own])
    return replace(_bars("Click-through by rank", "rank", [str(one.rank) for one in own], shares), percent=True)


def daily_chart(digest: Digest) -> Chart | None:
    """Events over time; None where events have none."""
    if digest.daily is None:
        return None
    title = "Events per day" if digest.days == 1 else f"Events per {digest.days} days"
    lines = [Line("events", "history", digest.daily.ys.tolist())]
    return Chart(title, "day", digest.daily.xs.tolist(), lines, time=True, note=_left_out(digest.span))


def _left_out(span: Span | None) -> str:
    if span is None:
        return ""
    strays = ((span.before, "before"), (span.after, "after"))
    return " ".join(_not_drawn(some, where) for some, where in strays if some is not None)


def _not_drawn(strays: Strays, where: str) -> str:
    days = " to ".join(dict.fromkeys(day_of(moment) for moment in (strays.first, strays.last)))
    are, lie = ("is", "it lies") if strays.events == 1 else ("are", "they lie")
    return f"{counted(strays.events, 'event')} of {days} {are} not drawn: {lie} long {where} the others."


def tail_chart(digest: Digest) -> Chart:
    """The long tail: what share of the events the most popular items have."""
    tail: Series = digest.tail
    lines = [Line("share of the events", "content", tail.ys.tolist())]
    return Chart("Long tail", "share of the items, the most popular first", tail.xs.tolist(), lines, percent=True)


def feedback_chart(digest: Digest) -> Chart | None:
    """How values are spread, or else kinds; None where events have neither."""
    values, kinds = digest.diagnosis.values, digest.diagnosis.kinds
    if values is not None:
        names = [f"{bar.low:g}" if bar.low == bar.high else f"{bar.low:.3g}-{bar.high:.3g}" for bar in values.histogram]
        return _bars("Values", "value", names, Line("events", "profile", [bar.count for bar in values.histogram]))
    return _bars("Kinds", "kind", list(kinds), Line("events", "profile", list(kinds.values()))) if kinds else None


def spread_chart(title: str, who: str, counts: Sequence[tuple[str, int]], colour: str) -> Chart:
    """How many people or items, as `who` says, have so many events."""
    return _bars(title, "events", [name for name, _ in counts], Line(who, colour, [count for _, count in counts]))


def _bars(title: str, across: str, names: Sequence[str], line: Line) -> Chart:
    return Chart(title, across, list(range(len(names))), [line], "bars", names)


def _named(title: str, across: str, names: Sequence[str], lines: Sequence[Line]) -> Chart:
    return Chart(title, across, list(range(len(names))), lines, names=names)


def _by_epoch(title: str, epochs: Sequence[EpochFigures], lines: Sequence[Line]) -> Chart | None:
    if not epochs or all(value is None for line in lines for value in line.values):
        return None
    return _named(title, "epoch", [str(epoch.number) for epoch in epochs], lines)
