"""The histogram of the feedback."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foldin.data.files import replaced
from foldin.data.interactions import Interactions
from foldin.errors import ConfigurationError, DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_feedback"]

BAR, CURVE, INK, QUIET = "#5b8db8", "#d1603d", "#22303c", "#8794a0"


def plot_feedback(ratings: Interactions | NDArray[np.float32], file: Path | str) -> None:
    """Draws how often each rating was given, and the normal curve of the same mean and deviation, as PNG.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
        DataError: there are no ratings.
    """
    values = _values(ratings)
    figure = _figure()
    _draw(figure.add_subplot(), values)
    try:
        with replaced(Path(file)) as draft:
            figure.savefig(draft, format="png", bbox_inches="tight", pad_inches=0.25)
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror or error}") from error


def _values(ratings: Interactions | NDArray[np.float32]) -> NDArray[np.float64]:
    values = ratings.values if isinstance(ratings, Interactions) else ratings
    known = np.empty(0) if values is None else values[~np.isnan(values)].astype(np.float64)
    if not len(known):
        raise DataError("there are no ratings to draw", field="rating")
    return known


def _figure() -> Figure:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise ConfigurationError("drawing needs matplotlib: pip install 'foldin[plot]'") from missing
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def _draw(axes: Axes, values: NDArray[np.float64]) -> None:
    _draw_bars(axes, values)
    _draw_curve(axes, values)
    _draw_frame(axes, values)


def _draw_bars(axes: Axes, values: NDArray[np.float64]) -> None:
    stars, counts = np.unique(values, return_counts=True)
    axes.bar(stars, counts / len(values), width=0.86 * _step(stars), color=BAR, zorder=2, label="ratings given")
    # the figures stand under the bars, where the curve cannot cross them
    shares = [f"{star:g}\n{count / len(values):.1%}" for star, count in zip(stars, counts, strict=True)]
    axes.set_xticks(stars, shares)


def _draw_curve(axes: Axes, values: NDArray[np.float64]) -> None:
    stars = np.unique(values)
    mean, deviation, step = values.mean(), values.std(), _step(stars)
    if deviation == 0:
        return
    places = np.linspace(stars[0] - step, stars[-1] + step, 400)
    # the share a normal distribution puts into a bar: density x width of a rating
    share = step * np.exp(-(((places - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
    axes.plot(places, share, color=CURVE, linewidth=2.5, zorder=3, label="normal curve")


def _draw_frame(axes: Axes, values: NDArray[np.float64]) -> None:
    summary = f"{len(values):,} ratings,  mean {values.mean():.2f},  standard deviation {values.std():.2f}"
    axes.set_title(summary, color=INK, fontsize=13, fontweight="bold", loc="left", pad=16)
    axes.set_xlabel("rating, and its share of all ratings", color=QUIET, labelpad=10)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.grid(axis="y", color=QUIET, alpha=0.22, zorder=0)
    axes.tick_params(axis="x", colors=INK, length=0, pad=8, labelsize=11)
    axes.tick_params(axis="y", colors=QUIET, length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, labelcolor=INK, loc="upper left", handlelength=1.4)


def _step(stars: NDArray[np.float64]) -> float:
    return float(np.diff(stars).min()) if len(stars) > 1 else 1.0
