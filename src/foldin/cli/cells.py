"""A comparison taken apart by history length and segment: what is wished for, found, drawn and printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foldin.cli.output import print_line, print_table
from foldin.cli.table_columns import WIDTH, split_columns, width_of
from foldin.errors import ConfigurationError
from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.data.interactions import Ids
    from foldin.data.profiles import Profiles
    from foldin.data.splitting import Holdout, Split
    from foldin.evaluation.cells import Cell, CellDifference, Contender
    from foldin.evaluation.segments import Segments
    from foldin.evaluation.truncation import Liked

__all__ = ["ALONE", "Apart", "Wish", "format_chance", "print_apart", "taken_apart"]

ALONE = " alone"  # ends the name of a model that is judged without the prior


@dataclass(frozen=True)
class Wish:
    """By what to take a comparison apart, and where to draw it; `k`: how many items rankings have."""

    by_history_length: bool
    attribute: str | None
    plot: Path | None
    k: int = 10

    @property
    def anything(self) -> bool:
        """Whether there is anything to take apart."""
        return self.by_history_length or self.attribute is not None

    @property
    def metrics(self) -> list[str]:
        """What is measured; the first is what differences are of, and what is drawn."""
        return list(dict.fromkeys((f"ndcg@{self.k}", "ndcg@100")))

    def check(self) -> None:
        """Passes if the drawing can be made; before any training, which may take an hour.

        Raises:
            ConfigurationError: it cannot.
        """
        from foldin.evaluation.plotting import check_plot

        if self.plot is None:
            return
        if not self.anything:
            raise ConfigurationError("--plot draws what --by-history-length or --segments finds: give one of them")
        check_plot(self.plot)

    def check_profiles(self, profiles: Profiles | None) -> None:
        """Passes if the profiles have the attribute.

        Raises:
            ConfigurationError: they do not.
        """
        from foldin.evaluation.segments import check_attribute

        if self.attribute is not None and profiles is not None:
            check_attribute(profiles, self.attribute)

    def segments(self, profiles: Profiles | None, user_ids: Ids, test: Holdout) -> Segments | None:
        """The test users' segments, if they are wished for; `user_ids` are those of the whole matrix's rows."""
        from foldin.evaluation.segments import segments_of

        if self.attribute is None or profiles is None:
            return None
        return segments_of(profiles, self.attribute, user_ids, test.ranked().rows)


@dataclass(frozen=True, eq=False)
class Apart:
    """What was found: `default` is the contender that the others are held against, `plot` where it is drawn."""

    wish: Wish
    cells: Sequence[Cell]
    default: str
    plot: Path | None

    def as_json(self) -> dict[str, object]:
        """All of it."""
        from foldin.evaluation.cells import cells_as_json

        return {
            "by_history_length": self.wish.by_history_length,
            "attribute": self.wish.attribute,
            "default": self.default,
            "cells": cells_as_json(self.cells, self.default),
            "plot": None if self.plot is None else str(self.plot),
        }


def taken_apart(
    wish: Wish,
    contenders: Mapping[str, Contender],
    split: Split,
    *,
    liked: Liked,
    segments: Segments | None,
    seed: int,
    tell: Callable[[str], None],
    default: str | None = None,
) -> Apart | None:
    """Compares the contenders by history length and segment, and draws what comes of it; None where nobody asked.

    `default`: the contender that the others are held against; None takes the default model, or the last there is.
    """
    from foldin.evaluation.cells import cells
    from foldin.evaluation.plotting import plot_cells
    from foldin.evaluation.truncation import LENGTHS
    from foldin.ranking.metrics import popularity_of

    if not wish.anything:
        return None
    found = cells(
        contenders,
        split.test,
        popularity=popularity_of(split.train),
        liked=liked,
        lengths=LENGTHS if wish.by_history_length else (),
        segments=segments,
        metrics=wish.metrics,
        seed=seed,
        on_length=lambda length: tell("whole histories" if length is None else f"histories of {length}"),
    )
    if wish.plot is not None:
        plot_cells(found, wish.metrics[0], wish.plot, attribute=wish.attribute)
    return Apart(wish, found, default or _default(list(contenders)), wish.plot)


def print_apart(apart: Apart) -> None:
    """Means with standard errors for each metric, then how far the default is from each other in the first."""
    from foldin.evaluation.cells import differences

    by = "" if apart.wish.attribute is None else f" by {apart.wish.attribute}"
    for metric in apart.wish.metrics:
        _print(f"{metric.upper()}{by}, mean ± standard error", apart.cells, _means(apart.cells, metric))
    first = apart.wish.metrics[0]
    gaps = differences(apart.cells, apart.default, first)
    if gaps:
        title = f"{first.upper()}{by}, {apart.default} less another, ± standard error, p"
        _print(title, apart.cells, _gaps(gaps))
        print_line(f"p: paired t-test, two-sided, corrected for {counted(len(gaps), 'difference')} by Holm's method")
    if apart.wish.by_history_length:
        print_line("Compare within a line: what is not shown is to be found, and long histories are of fewer users")
    if apart.plot is not None:
        print_line(f"Drawn to {apart.plot}")


def _default(names: Sequence[str]) -> str:
    # chosen before any figure is seen, or the p-values would be too small
    from foldin.models.zoo import DEFAULT

    if DEFAULT in names:
        return DEFAULT
    return next(name for name in reversed(names) if not name.endswith(ALONE))


def _print(title: str, cells: Sequence[Cell], columns: Mapping[str, Sequence[str]]) -> None:
    lead = _lead(cells)
    numbers = ("shown", "users")
    for names in split_columns(columns, WIDTH - sum(width_of(*column) for column in lead.items())):
        shown = lead | {name: columns[name] for name in names}
        lines = list(zip(*shown.values(), strict=True))
        print_table(title, list(shown), lines, numbers=[*(name for name in numbers if name in lead), *names])


def _lead(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """The columns that say whose figures a line has."""
    lead = {}
    if any(cell.length is not None for cell in cells):
        lead["shown"] = ["all" if cell.length is None else str(cell.length) for cell in cells]
    if any(cell.segment is not None for cell in cells):
        lead["segment"] = [cell.segment or "(everybody)" for cell in cells]
    return lead | {"users": [f"{len(cell):,}" for cell in cells]}


def _means(cells: Sequence[Cell], metric: str) -> dict[str, list[str]]:
    evaluations = {name: [cell.comparison.of(name) for cell in cells] for name in cells[0].comparison.evaluations}
    return {
        name: [_figure(one.mean(metric), one.standard_error(metric)) for one in of_cells]
        for name, of_cells in evaluations.items()
    }


def _gaps(gaps: Sequence[CellDifference]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for gap in gaps:
        figure = _figure(gap.difference.mean, gap.difference.standard_error, sign="+")
        columns.setdefault(f"- {gap.other}", []).append(f"{figure} {format_chance(gap.adjusted)}".rstrip())
    return columns


def _figure(mean: float, standard_error: float, *, sign: str = "") -> str:
    unknown = standard_error != standard_error  # NaN: fewer than 2 users
    return f"{mean:{sign}.3f}" if unknown else f"{mean:{sign}.3f} ± {standard_error:.3f}"


def format_chance(p: float) -> str:
    """As papers print it, five letters wide: <.001, .012, 1.000; nothing where there is none."""
    if p != p:
        return ""
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0").rjust(5)
