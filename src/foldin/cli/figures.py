"""How figures look: metrics with standard errors, one column per model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldin.cli.output import print_line, print_table
from foldin.cli.table_columns import WIDTH, split_columns, width_of
from foldin.evaluation.titles import title_of

if TYPE_CHECKING:
    from foldin.evaluation.report import RatingRow, Row

__all__ = ["print_calibration_error", "print_figures", "print_rating_figures", "print_short_figures"]


def print_figures(title: str, rows: Sequence[Row]) -> None:
    """A line per metric, a column per model; the last line, where the truth is known, is the share of it reached."""
    metrics = list(rows[0].means)
    names = [title_of(metric) for metric in metrics]
    columns = {row.contender: [_figure(row, metric) for metric in metrics] for row in rows}
    if any(row.share_of_best is not None for row in rows):
        names.append(f"{names[0]} of the best possible")
        for row in rows:
            columns[row.contender].append(_share(row))
    for group in split_columns(columns, WIDTH - width_of("", names)):
        lines = list(zip(names, *(columns[contender] for contender in group), strict=True))
        print_table(title, ["", *group], lines, numbers=group)


def print_short_figures(title: str, rows: Sequence[Row]) -> None:
    """A line per model, a column per metric; the last column, where the truth is known, is the share of it reached in
    the first metric."""
    metrics = list(rows[0].means)
    shares = ["of best possible"] if any(row.share_of_best is not None for row in rows) else []
    columns = [*map(title_of, metrics), *shares]
    lines = [[row.contender, *(_figure(row, name) for name in metrics), *(_share(row) for _ in shares)] for row in rows]
    print_table(title, ["", *columns], lines, numbers=columns)


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


def print_calibration_error(error: float, untold: float | None) -> None:
    """How far off probabilities are for test users, and for the same users as if they had no profiles."""
    without = "" if untold is None else f", or {untold:.3f} without the profiles of these users"
    print_line(f"Probabilities are off by {error:.3f} on average among the best-scored percent{without}.")


def _share(row: Row) -> str:
    return "" if row.share_of_best is None else f"{row.share_of_best:.0%}"


def _figure(row: Row, metric: str) -> str:
    return _with_error(row.means[metric], row.standard_errors[metric])


def _with_error(figure: float, standard_error: float | None) -> str:
    return f"{figure:.3f}" if standard_error is None else f"{figure:.3f} ± {standard_error:.3f}"
