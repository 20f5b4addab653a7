"""What came of a comparison, printed and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from foldin.cli.table_columns import WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foldin.cli.cells import Apart
    from foldin.contest import SplitSummary
    from foldin.evaluation.compare import Comparison
    from foldin.evaluation.conclusion import Conclusion, Gap
    from foldin.evaluation.ratings import RatingErrors

__all__ = ["Outcome", "as_json", "print_outcome"]

SHORT = ("ndcg", "recall", "hit_rate", "coverage")
"""Metrics of the short table."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """All of it. `splits`: one, or one for each fold of a cross-validation. `k`: how many items rankings have.
    `without`: the sources whose events were left out."""

    splits: Sequence[SplitSummary]
    comparison: Comparison
    ratings: Mapping[str, RatingErrors]
    apart: Apart | None
    k: int
    without: Sequence[str]

    @property
    def conclusion(self) -> Conclusion:
        """What it says."""
        from foldin.evaluation.conclusion import conclude

        return conclude(self.comparison, f"ndcg@{self.k}")

    @property
    def estimators(self) -> dict[str, str]:
        """What each contender became: where folds chose differently, each with the number of its folds."""
        names = self.splits[0].estimators
        return {name: _counted_estimators([repr(split.estimators[name]) for split in self.splits]) for name in names}


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything that was measured."""
    from foldin.evaluation.report import as_json, ratings_as_json

    first, splits, conclusion = outcome.splits[0], outcome.splits, outcome.conclusion
    return {
        "conclusion": {
            "text": conclusion.sentence(),
            "metric": conclusion.metric,
            "best": conclusion.best,
            "not_distinguishable": conclusion.tied,
            "below": conclusion.below,
        },
        "protocol": first.protocol,
        "folds": len(splits),
        "without": list(outcome.without),
        "train_users": first.train_users,
        "validation_users": first.validation_users,
        "test_users": sum(split.test_users for split in splits),
        "dropped_targets": sum(split.dropped_targets for split in splits),
        "dropped_users": sum(split.dropped_users for split in splits),
        "estimators": outcome.estimators,
        "ranking": as_json(outcome.comparison),
        "ratings": ratings_as_json(outcome.ratings),
        "differences": {f"{conclusion.best} - {gap.other}": _gap(gap, conclusion.metric) for gap in conclusion.gaps},
        "apart": None if outcome.apart is None else outcome.apart.as_json(),
    }


def print_outcome(outcome: Outcome, *, full: bool) -> None:
    """The conclusion, how it was found, and the figures: of four metrics, or of all."""
    from foldin.cli.cells import print_apart
    from foldin.cli.figures import print_figures, print_rating_figures, print_short_figures
    from foldin.cli.output import print_line
    from foldin.evaluation.report import rating_rows, rows

    _print_wrapped(outcome.conclusion.sentence())
    print_line()
    _print_splits(outcome)
    title = "On the test users, mean ± standard error"
    if full:
        print_figures(title, rows(outcome.comparison))
    else:
        print_short_figures(title, rows(outcome.comparison, [f"{name}@{outcome.k}" for name in SHORT]))
    _print_gaps(outcome.conclusion)
    if outcome.ratings:
        print_line()
        print_rating_figures("Predicted ratings", rating_rows(outcome.ratings))
    if outcome.apart is not None:
        print_line()
        print_apart(outcome.apart)


def _print_splits(outcome: Outcome) -> None:
    from foldin.cli.output import print_line
    from foldin.wording import counted

    first, splits = outcome.splits[0], outcome.splits
    tested = sum(split.test_users for split in splits)
    trained = f"trained on {counted(first.train_users, 'user')}, chosen on {first.validation_users:,}, tested on"
    if len(splits) == 1:
        print_line(f"Protocol '{first.protocol}': {trained} {tested:,}")
    else:
        print_line(f"{len(splits)} folds of users, each {trained} about {first.test_users:,}; {tested:,} in all")
    if outcome.without:
        _print_wrapped(f"Left out: the events of {', '.join(outcome.without)}")
    targets, users = (sum(getattr(split, name) for split in splits) for name in ("dropped_targets", "dropped_users"))
    if targets or users:
        print_line(
            f"Left out: {counted(targets, 'target')} without training interactions, "
            f"{counted(users, 'user')} with nothing to show or to find"
        )
    for name, estimator in outcome.estimators.items():
        _print_wrapped(f"  {name}: {estimator}")


def _print_gaps(conclusion: Conclusion) -> None:
    from foldin.cli.cells import format_chance
    from foldin.cli.output import print_line
    from foldin.evaluation.titles import title_of
    from foldin.wording import counted

    gaps = [gap for gap in conclusion.gaps if gap.difference.users > 1]
    for gap in gaps:
        difference, chance = gap.difference, format_chance(gap.p_value).strip()
        print_line(
            f"{title_of(conclusion.metric)}, {conclusion.best} - {gap.other}: "
            f"{difference.mean:+.3f} ± {difference.standard_error:.3f}, p {chance}"
        )
    if gaps:
        pairs = (len(gaps) + 1) * len(gaps) // 2
        corrected = f", corrected for {counted(pairs, 'pair')} of models (Holm)" if pairs > 1 else ""
        print_line(f"p: paired t-test on the same users, two-sided{corrected}")


def _print_wrapped(text: str) -> None:
    from foldin.cli.output import print_line

    indent = " " * 2 * (len(text) - len(text.lstrip()))
    for line in textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False):
        print_line(line)


def _counted_estimators(of_folds: Sequence[str]) -> str:
    counts = Counter(of_folds)
    if len(counts) == 1:
        return of_folds[0]
    return ", ".join(f"{estimator} in {count} of {len(of_folds)} folds" for estimator, count in counts.most_common())


def _gap(gap: Gap, metric: str) -> dict[str, object]:
    difference = gap.difference
    return {
        "metric": metric,
        "mean": difference.mean,
        "standard_error": _known(difference.standard_error),
        "p_value": _known(gap.p_value),
    }


def _known(number: float) -> float | None:
    return number if isfinite(number) else None
