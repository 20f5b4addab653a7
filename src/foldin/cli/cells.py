"""A comparison taken apart by history length and segment: what is wished for, found, drawn and printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from foldin.cli.output import print_line, print_note, print_table
from foldin.errors import ConfigurationError
from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.data.interactions import Ids
    from foldin.data.profiles import Profiles
    from foldin.data.splitting import Holdout, Split
    from foldin.evaluation.cells import Cell, CellDifference, Contender
    from foldin.evaluation.segments import Segments
    from foldin.evaluation.truncation import Liked

__all__ = ["ALONE", "Apart", "Wish", "print_apart", "taken_apart"]

ALONE = " alone"  # ends the name of a model that is judged without the prior
WIDTH = 78  # of a table, in letters: it must not be folded in a terminal of 80


@dataclass(frozen=True)
class Wish:
    """By what to take a comparison apart, and where to draw it: `plot`, or, if None, a free name in `folder`."""

    by_history_length: bool
    attribute: str | None
    plot: Path | None
    folder: Path | None

    @property
    def anything(self) -> bool:
        """Whether there is anything to take apart."""
        return self.by_history_length or self.attribute is not None

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
        seed=seed,
        on_length=lambda length: tell("whole histories" if length is None else f"histories of {length}"),
    )
    return Apart(wish, found, default or _default(list(contenders)), _drawn(wish, found))


def print_apart(apart: Apart) -> None:
    """Means with standard errors for each metric, then how far the default is from each other in the first."""
    from foldin.evaluation.cells import CELL_METRICS, differences

    by = "" if apart.wish.attribute is None else f" by {apart.wish.attribute}"
    for metric in CELL_METRICS:
        _print(f"{metric.upper()}{by}, mean ± standard error", apart.cells, _means(apart.cells, metric))
    gaps = differences(apart.cells, apart.default, CELL_METRICS[0])
    if gaps:
        title = f"{CELL_METRICS[0].upper()}{by}, {apart.default} less another, ± standard error, p"
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


def _drawn(wish: Wish, found: Sequence[Cell]) -> Path | None:
    if wish.plot is not None:
        return _draw(found, wish.plot, wish.attribute)
    if find_spec("matplotlib") is None:
        print_note("nothing is drawn, as drawing needs matplotlib: pip install 'foldin[plot]'")
        return None
    try:
        return _draw(found, _free_name(wish), wish.attribute)
    except ConfigurationError as error:  # a folder nobody chose is no reason to lose the figures
        print_note(f"nothing is drawn ({error}); --plot says where")
        return None


def _draw(found: Sequence[Cell], file: Path, attribute: str | None) -> Path:
    from foldin.evaluation.cells import CELL_METRICS
    from foldin.evaluation.plotting import plot_cells

    plot_cells(found, CELL_METRICS[0], file, attribute=attribute)
    return file


def _free_name(wish: Wish) -> Path:
    """history-length.png, or history-length-2.png and so on: what nobody named must replace nobody's file."""
    folder, name = wish.folder or Path(), "history-length" if wish.by_history_length else "segments"
    file, number = folder / f"{name}.png", 1
    while file.exists():
        number += 1
        file = folder / f"{name}-{number}.png"
    return file


def _print(title: str, cells: Sequence[Cell], columns: Mapping[str, Sequence[str]]) -> None:
    lead = _lead(cells)
    numbers = ("shown", "users")
    for names in _fitting(columns, WIDTH - sum(map(_width, lead.items()))):
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
        columns.setdefault(f"- {gap.other}", []).append(f"{figure} {_chance(gap.adjusted)}".rstrip())
    return columns


def _figure(mean: float, standard_error: float, *, sign: str = "") -> str:
    unknown = standard_error != standard_error  # NaN: fewer than 2 users
    return f"{mean:{sign}.3f}" if unknown else f"{mean:{sign}.3f} ± {standard_error:.3f}"


def _chance(p: float) -> str:
    """As papers print it, five letters wide: <.001, .012, 1.000; nothing where there is none."""
    if p != p:
        return ""
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0").rjust(5)


def _fitting(columns: Mapping[str, Sequence[str]], width: int) -> Iterator[list[str]]:
    """The columns' names in groups that are at most so wide, or of one column."""
    group: list[str] = []
    for name, column in columns.items():
        if group and sum(_width((one, columns[one])) for one in group) + _width((name, column)) > width:
            yield group
            group = []
        group.append(name)
    yield group


def _width(column: tuple[str, Sequence[str]]) -> int:
    name, lines = column
    return max(len(text) for text in (name, *lines)) + 2  # and the space to the next
