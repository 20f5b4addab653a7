"""How figures look: metrics with standard errors, one column per model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldin.cli.output import print_table
from foldin.evaluation.titles import title_of

if TYPE_CHECKING:
    from foldin.evaluation.report import RatingRow, Row

__all__ = ["print_figures", "print_rating_figures"]


def print_figures(title: str, rows: Sequence[Row]) -> None:
    """A line per metric, a column per model; the last line, where the truth is known, is the share of it reached."""
    contenders = [row.contender for row in rows]
    metrics = list(rows[0].means)
    lines = [[title_of(metric), *(_figure(row, metric) for row in rows)] for metric in metrics]
    if any(row.share_of_best is not None for row in rows):
        shares = ["" if row.share_of_best is None else f"{row.share_of_best:.0%}" for row in rows]
        lines.append([f"{title_of(metrics[0])} of the best possible", *shares])
    print_table(title, ["", *contenders], lines, numbers=contenders)


def print_rating_figures(title: str, rows: Sequence[RatingRow]) -> None:
    """Errors of predicted ratings, a line per model."""
    lines = [
        [
            row.contender,
            _with_error(row.rmse, row.rmse_standard_error),
            _with_error(row.mae, row.mae_standard_error),
        ]
        for row in rows
    ]
    print_table(title, ["", "RMSE", "MAE"], lines, numbers=["RMSE", "MAE"])


def _figure(row: Row, metric: str) -> str:
    return _with_error(row.means[metric], row.standard_errors[metric])


def _with_error(figure: float, standard_error: float | None) -> str:
    return f"{figure:.3f}" if standard_error is None else f"{figure:.3f} ± {standard_error:.3f}"
