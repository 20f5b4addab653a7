"""A comparison as rows of a table and as JSON; drawing and writing are for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite

from foldin.evaluation.compare import Comparison
from foldin.evaluation.ratings import RatingErrors

__all__ = ["RatingRow", "Row", "as_json", "rating_rows", "ratings_as_json", "rows"]


@dataclass(frozen=True)
class Row:
    """One contender's figures by metric; a standard error is None where there is none.

    `share_of_best`: what part of the best possible figure is reached, in the table's first metric.
    """

    contender: str
    means: Mapping[str, float]
    standard_errors: Mapping[str, float | None]
    share_of_best: float | None


@dataclass(frozen=True)
class RatingRow:
    """One contender's pooled errors, in the ratings' scale."""

    contender: str
    rmse: float
    rmse_standard_error: float | None
    mae: float
    mae_standard_error: float | None


def rows(comparison: Comparison, metrics: Sequence[str] | None = None) -> list[Row]:
    """One row per contender, in their order, of these metrics or of all that were measured.

    Raises:
        ConfigurationError: a metric was not measured.
    """
    return [_row(comparison, contender, metrics) for contender in comparison.evaluations]


def rating_rows(errors: Mapping[str, RatingErrors]) -> list[RatingRow]:
    """One row per contender, in their order."""
    return [
        RatingRow(name, one.rmse, _known(one.rmse_standard_error), one.mae, _known(one.mae_standard_error))
        for name, one in errors.items()
    ]


def as_json(comparison: Comparison) -> dict[str, object]:
    """Everything measured: users, the best possible contender, and each contender's figures."""
    return {
        "users": _users(comparison),
        "best_possible": comparison.best_possible,
        "contenders": {row.contender: _figures(row) for row in rows(comparison)},
    }


def ratings_as_json(errors: Mapping[str, RatingErrors]) -> dict[str, object]:
    """Each contender's pooled errors, by name."""
    return {
        row.contender: {key: value for key, value in asdict(row).items() if key != "contender"}
        for row in rating_rows(errors)
    }


def _row(comparison: Comparison, contender: str, metrics: Sequence[str] | None) -> Row:
    evaluation = comparison.of(contender)
    names = evaluation.metrics if metrics is None else metrics
    return Row(
        contender,
        {name: evaluation.mean(name) for name in names},
        {name: _known(evaluation.standard_error(name)) for name in names},
        comparison.share_of_best(contender, names[0]) if names else None,
    )


def _figures(row: Row) -> dict[str, object]:
    metrics = {name: {"mean": mean, "standard_error": row.standard_errors[name]} for name, mean in row.means.items()}
    return {"metrics": metrics, "share_of_best": row.share_of_best}


def _users(comparison: Comparison) -> int:
    evaluation = next(iter(comparison.evaluations.values()))
    return max((len(values) for values in evaluation.per_user.values()), default=0)


def _known(number: float) -> float | None:
    return number if isfinite(number) else None
