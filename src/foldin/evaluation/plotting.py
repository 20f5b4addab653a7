"""Drawings of cells: a metric against the history length, and by segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from foldin.data.files import replaced
from foldin.errors import ConfigurationError
from foldin.evaluation.cells import Cell
from foldin.evaluation.titles import title_of
from foldin.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FORMATS", "check_plot", "plot_cells"]

FORMATS = ("png", "svg", "pdf")

INK, QUIET = "#22303c", "#6b7883"
# Okabe and Ito 2008, "Color Universal Design", without the yellow, which is faint on white
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # for who sees no colours at all
HEIGHT = 5.4  # inches
LINE = 0.052  # the height of a line of labels, as a share of the axes'


def check_plot(file: Path) -> None:
    """Passes if something can be drawn to that file: before all the work, rather than after it.

    Raises:
        ConfigurationError: matplotlib is not installed, the ending is no format's, or the file cannot be there.
    """
    _format(file)
    if not file.parent.is_dir() or (file.exists() and not file.is_file()):
        raise ConfigurationError(f"nothing can be drawn to {file}: give a file in a folder that is there")
    _figure(1)


def plot_cells(cells: Sequence[Cell], metric: str, file: Path | str, *, attribute: str | None = None) -> None:
    """Draws the metric's mean against the history length, and, where there are segments, for each of them on whole
    histories, with bands and bars of one standard error. The file's ending says the format: png, svg or pdf.

    `attribute`: of which the segments are values.

    Raises:
        ConfigurationError: matplotlib is not installed, the ending is another, there is nothing to draw, or the file
            cannot be written.
    """
    form = _format(Path(file))
    by_length = [cell for cell in cells if cell.length is not None and cell.segment is None]
    by_segment = [cell for cell in cells if cell.length is None and cell.segment is not None]
    if not by_length and not by_segment:
        raise ConfigurationError("there is nothing to draw: neither history lengths nor segments were compared")
    figure = _figure(bool(by_length) + bool(by_segment), _height(by_segment))
    panels = iter(figure.subplots(1, bool(by_length) + bool(by_segment), squeeze=False)[0])
    if by_length:
        _draw_lengths(next(panels), by_length, metric)
    if by_segment:
        _draw_segments(next(panels), by_segment, metric, attribute or "segment")
    _write(figure, Path(file), form)


def _format(file: Path) -> str:
    form = file.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise ConfigurationError(f"cannot draw to {file}: give a file that ends in .{', .'.join(FORMATS)}")
    return form


def _height(segments: Sequence[Cell]) -> float:
    """Inches; more where there are many segments, or many dots in each."""
    return max(HEIGHT, len(segments) * (0.4 + 0.11 * len(_contenders(segments)))) if segments else HEIGHT


def _figure(panels: int, height: float = HEIGHT) -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as missing:
        raise ConfigurationError("drawing needs matplotlib: pip install 'foldin[plot]'") from missing
    layout = ConstrainedLayoutEngine(wspace=0.06)
    figure = Figure(figsize=(8.6 * panels, height), dpi=150, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _write(figure: Figure, file: Path, form: str) -> None:
    # without a date, so that the same figures make the same file
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    try:
        with replaced(file) as draft:
            figure.savefig(draft, format=form, metadata=undated, bbox_inches="tight", pad_inches=0.25)
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror or error}") from error


def _draw_lengths(axes: Axes, cells: Sequence[Cell], metric: str) -> None:
    # log(1 + n): no item at all has a place too, and the first items get the room
    places = np.log1p([cell.length or 0 for cell in cells])
    styles = _styles(_contenders(cells))
    ends = {}
    for name, style in styles.items():
        means, errors = _figures(cells, name, metric)
        axes.fill_between(places, means - errors, means + errors, color=style.color, alpha=0.13, linewidth=0, zorder=2)
        axes.plot(
            places,
            means,
            color=style.color,
            marker=style.marker,
            markerfacecolor=style.face,
            linestyle="--" if style.variant else "-",
            markersize=5.5,
            linewidth=2.2,
            zorder=3,
        )
        ends[name] = float(means[-1])
    axes.set_xticks(places, [f"{cell.length}\n{_short(len(cell))}" for cell in cells])
    axes.set_xlabel("items shown, and the test users who have as many", color=QUIET, labelpad=10)
    axes.set_ylabel(f"{title_of(metric)}, ± standard error", color=QUIET, labelpad=8)
    axes.set_ylim(bottom=0)
    _frame(axes, f"{title_of(metric)} by history length", grid="y")
    _name_lines(axes, float(places[-1]), ends, styles)


def _name_lines(axes: Axes, end: float, heights: Mapping[str, float], styles: Mapping[str, _Style]) -> None:
    """Names right of the lines' ends, moved apart where they would lie on each other."""
    low, high = axes.get_ylim()
    names = sorted(heights, key=lambda name: heights[name])
    wanted = np.array([(heights[name] - low) / (high - low) for name in names])
    for name, height in zip(names, _apart(wanted, LINE), strict=True):
        axes.annotate(
            name,
            (end, low + height * (high - low)),
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
            color=styles[name].color,
            fontsize=10.5,
            fontweight="normal" if styles[name].variant else "bold",
            annotation_clip=False,
        )


def _apart(heights: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    """Ascending heights, moved as little as can be so that neighbours are at least `gap` apart."""
    # with the gaps taken out it is a monotone fit: least squares, nothing may descend
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(len(heights))
    return np.asarray(isotonic_regression(heights - steps).x) + steps


def _draw_segments(axes: Axes, cells: Sequence[Cell], metric: str, attribute: str) -> None:
    names = _contenders(cells)
    rows = np.arange(len(cells))[::-1].astype(np.float64)  # the first on top
    for turn, (name, style) in enumerate(_styles(names).items()):
        means, errors = _figures(cells, name, metric)
        shift = min(0.11, 0.7 / len(names)) * ((len(names) - 1) / 2 - turn)
        axes.errorbar(
            means,
            rows + shift,
            xerr=errors,
            fmt=style.marker,
            color=style.color,
            markerfacecolor=style.face,
            markersize=6.5,
            elinewidth=1.6,
            zorder=3,
            label=name,
        )
    axes.set_yticks(rows, [f"{cell.segment}\n{counted(len(cell), 'user')}" for cell in cells])
    axes.set_ylim(-0.6, len(cells) - 0.4)
    axes.set_xlabel(f"{title_of(metric)}, ± standard error", color=QUIET, labelpad=10)
    axes.set_xlim(left=0)
    _frame(axes, f"{title_of(metric)} by {attribute}", grid="x")
    axes.legend(frameon=False, labelcolor=INK, loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.2)


@dataclass(frozen=True)
class _Style:
    color: str
    marker: str
    variant: bool = False

    @property
    def face(self) -> str:
        """What the marker is filled with."""
        return "white" if self.variant else self.color


def _styles(names: Sequence[str]) -> dict[str, _Style]:
    """A colour and a marker each; "ease alone" has those of "ease", but hollow and dashed."""
    originals = {name: next((one for one in names if name.startswith(f"{one} ")), name) for name in names}
    turns = {name: turn for turn, name in enumerate(dict.fromkeys(originals.values()))}
    return {
        name: _Style(COLORS[turns[of] % len(COLORS)], MARKERS[turns[of] % len(MARKERS)], variant=name != of)
        for name, of in originals.items()
    }


def _contenders(cells: Sequence[Cell]) -> list[str]:
    return list(cells[0].comparison.evaluations)


def _figures(cells: Sequence[Cell], name: str, metric: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and standard errors, (cells,) each; where there is no error, none is drawn."""
    evaluations = [cell.comparison.of(name) for cell in cells]
    means = np.array([one.mean(metric) for one in evaluations])
    return means, np.nan_to_num(np.array([one.standard_error(metric) for one in evaluations]))


def _frame(axes: Axes, title: str, *, grid: Literal["x", "y"]) -> None:
    axes.set_title(title, color=INK, fontsize=13, fontweight="bold", loc="left", pad=16)
    axes.grid(axis=grid, color=QUIET, alpha=0.22, zorder=0)
    axes.tick_params(axis="both", colors=INK, length=0, pad=7, labelsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)


def _short(number: int) -> str:
    """Narrow enough to stand beneath its tick: 940, 1.1k, 25k."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}k" if number < 9950 else f"{number / 1000:.0f}k"
