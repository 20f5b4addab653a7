"""Bundles as the page lists them: when they were made, and how good they are beside popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from foldin.evaluation.report import Row
from foldin.evaluation.titles import title_of
from foldin.workspace import Bundle

__all__ = ["HEADLINES", "Shown", "figures_of", "made", "older_than_current", "shown"]

HEADLINES = ("ndcg@10", "recall@10", "coverage@10")


@dataclass(frozen=True)
class Shown:
    """A bundle in the list; figures by metric, its own and popularity's, empty where none were measured.

    `unused`: neither live nor current, so that it may be removed. `checked`: whether its files have been hashed.
    """

    name: str
    created: datetime | None
    live: bool
    unused: bool
    checked: bool
    trouble: str | None
    own: Mapping[str, float]
    popularity: Mapping[str, float]


def shown(bundle: Bundle, live: str | None, refused: str | None) -> Shown:
    """A bundle, where `live` answers; `refused`: why it did not go live."""
    test = _test(bundle)
    forgotten = f"learned from {bundle.forgotten:,} users who are forgotten" if bundle.forgotten else None
    return Shown(
        bundle.name,
        made(bundle),
        bundle.name == live,
        bundle.name != live and not bundle.current,
        bundle.checked,
        bundle.damage or refused or forgotten,
        test[-1].means if test else {},
        test[0].means if test else {},
    )


def made(bundle: Bundle) -> datetime | None:
    """When a bundle was made; None where it does not say so."""
    return None if bundle.manifest is None else datetime.fromisoformat(bundle.manifest.created)


def older_than_current(bundles: Sequence[Bundle]) -> str | None:
    """The bundle that a rollback takes into use, of all of them, oldest first; None where there is none older."""
    at = next((place for place, bundle in enumerate(bundles) if bundle.current), len(bundles))
    return bundles[at - 1].name if at else None


def figures_of(bundle: Bundle) -> tuple[Sequence[str], Sequence[tuple[str, Sequence[tuple[str, str]]]]]:
    """The contenders, and for each metric its title and every contender's mean and standard error, as text."""
    test = _test(bundle)
    lines = [
        (title_of(metric), [_figure(row.means.get(metric), row.standard_errors.get(metric)) for row in test])
        for metric in (test[0].means if test else ())
    ]
    return [row.contender for row in test], lines


def _test(bundle: Bundle) -> Sequence[Row]:
    report = None if bundle.manifest is None else bundle.manifest.report
    return () if report is None or report.figures is None else report.figures.test


def _figure(mean: float | None, error: float | None) -> tuple[str, str]:
    return "-" if mean is None else f"{mean:.3f}", "" if error is None else f"{error:.3f}"
