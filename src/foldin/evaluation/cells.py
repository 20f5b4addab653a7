"""Contenders compared apart: by how much history is shown, by segments of the users, or by both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.evaluation.compare import Comparison, compare
from foldin.evaluation.evaluate import Evaluation
from foldin.evaluation.scoring import Score
from foldin.evaluation.segments import Segments
from foldin.evaluation.significance import PairedDifference, holm, p_value
from foldin.evaluation.truncation import Liked, truncated
from foldin.ranking.metrics import SPREAD, metric_and_cutoff

__all__ = ["CELL_METRICS", "Cell", "CellDifference", "Contender", "cells", "cells_as_json", "differences"]

CELL_METRICS = ("ndcg@10", "ndcg@100")

Contender: TypeAlias = Callable[[Holdout], Score]
"""Scores for any holdout: with another length, other histories are shown."""


@dataclass(frozen=True, eq=False)
class Cell:
    """What contenders found for the users of `segment` (None: all) who were shown `length` items (None: their whole
    history). `rows` says which rows of the whole matrix these users are, in the order of the comparison's values.
    """

    length: int | None
    segment: str | None
    rows: NDArray[np.intp]
    comparison: Comparison

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, segment: str, keep: NDArray[np.bool_]) -> Cell:
        """The cell of some of the users."""
        evaluations = {
            name: Evaluation({metric: values[keep] for metric, values in one.per_user.items()}, {})
            for name, one in self.comparison.evaluations.items()
        }
        return Cell(self.length, segment, self.rows[keep], Comparison(evaluations, self.comparison.best_possible))


@dataclass(frozen=True)
class CellDifference:
    """Mean over a cell's users of one - other, paired; `p_value` is two-sided, `adjusted` is corrected for the number
    of differences by Holm. Both are NaN where the cell has fewer than 2 users.
    """

    length: int | None
    segment: str | None
    one: str
    other: str
    difference: PairedDifference
    p_value: float
    adjusted: float


def cells(
    contenders: Mapping[str, Contender],
    holdout: Holdout,
    *,
    popularity: NDArray[np.float64],
    liked: Liked,
    lengths: Sequence[int] = (),
    segments: Segments | None = None,
    metrics: Sequence[str] = CELL_METRICS,
    seed: int = 0,
    block: int = 512,
    on_length: Callable[[int | None], None] | None = None,
) -> list[Cell]:
    """Compares contenders at each history length, ascending, and at last on the whole histories that are shown.

    For each length there is a cell of all users, then one of each segment, if any are given; cells without users are
    left out. Users are scored once for each length, whatever the segments. `popularity`, `metrics` and `block` are
    those of `evaluate`; `liked`: `FeedbackRule.positive`; `seed` decides which items are shown; `on_length` is told
    each length before its turn.

    Raises:
        ConfigurationError: there is no contender, a metric has no value per user, or a length is below 0.
        DataError: no held-out user has something to find.
    """
    _check(metrics)
    found: list[Cell] = []
    for length in (*sorted(set(lengths)), None):
        shown = (holdout if length is None else truncated(holdout, length, liked=liked, seed=seed)).ranked()
        if length is not None and not len(shown):
            continue
        if on_length is not None:
            on_length(length)
        scores = {name: contender(shown) for name, contender in contenders.items()}
        comparison = compare(scores, shown, popularity=popularity, metrics=metrics, block=block)
        found += _with_segments(Cell(length, None, shown.rows, comparison), segments)
    return found


def differences(cells: Sequence[Cell], default: str, metric: str) -> list[CellDifference]:
    """`default` less each other contender in every cell, the p-values corrected for how many they are together.

    Raises:
        ConfigurationError: there is no such contender, or the metric was not measured.
    """
    compared = [
        (cell, other, cell.comparison.difference(default, other, metric))
        for cell in cells
        for other in cell.comparison.evaluations
        if other != default
    ]
    chances = [p_value(difference) for _, _, difference in compared]
    return [
        CellDifference(cell.length, cell.segment, default, other, difference, chance, float(adjusted))
        for (cell, other, difference), chance, adjusted in zip(compared, chances, holm(chances), strict=True)
    ]


def cells_as_json(cells: Sequence[Cell], default: str) -> list[dict[str, object]]:
    """Everything measured in each cell: users, figures, and the differences, corrected for each metric apart."""
    metrics = cells[0].comparison.of(default).metrics if cells else ()
    gaps = {metric: differences(cells, default, metric) for metric in metrics}
    return [_figures(cell) | {"differences": _gaps_of(cell, default, gaps)} for cell in cells]


def _check(metrics: Sequence[str]) -> None:
    whole = [name for name in metrics if metric_and_cutoff(name)[0] in SPREAD]
    if whole:
        raise ConfigurationError(f"{', '.join(whole)}: no value per user, so none per cell; leave it out")


def _with_segments(cell: Cell, segments: Segments | None) -> list[Cell]:
    if segments is None:
        return [cell]
    parts = [cell.part(name, segments.members(cell.rows, name)) for name in segments.names]
    return [cell, *(part for part in parts if len(part))]


def _figures(cell: Cell) -> dict[str, object]:
    return {
        "history_length": cell.length,
        "segment": cell.segment,
        "users": len(cell),
        "contenders": {
            name: {
                metric: {"mean": one.mean(metric), "standard_error": _known(one.standard_error(metric))}
                for metric in one.metrics
            }
            for name, one in cell.comparison.evaluations.items()
        },
    }


def _gaps_of(cell: Cell, default: str, gaps: Mapping[str, Sequence[CellDifference]]) -> dict[str, object]:
    place = cell.length, cell.segment
    return {
        f"{default} - {other}": {
            metric: _gap(gap)
            for metric, of_metric in gaps.items()
            for gap in of_metric
            if (gap.length, gap.segment) == place and gap.other == other
        }
        for other in cell.comparison.evaluations
        if other != default
    }


def _gap(gap: CellDifference) -> dict[str, float | None]:
    return {
        "mean": gap.difference.mean,
        "standard_error": _known(gap.difference.standard_error),
        "p_value": _known(gap.p_value),
        "adjusted_p_value": _known(gap.adjusted),
    }


def _known(number: float) -> float | None:
    return number if isfinite(number) else None
