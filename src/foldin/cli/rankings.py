"""How recommendations look, in a table and in JSON."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from foldin.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from foldin.recommendation import Basis, Recommendation
    from foldin.recommender import Recommender

__all__ = ["because", "print_ranking"]

SMALLEST_SHARE = 0.05


def print_ranking(
    title: str,
    ranking: Sequence[Recommendation],
    recommender: Recommender,
    *,
    as_json: bool = False,
    known: bool = True,
    one_term: bool = False,
    extra: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """A ranking, best first: with its probabilities, or its scores, and the ratings to be expected where there are any.

    `known`: whether the model knows any of the person's history; a line below says so if not. `one_term`: whether all
    scores are of one and the same term, so that nothing is to be said of what they rest on, and probabilities are none.
    `extra`: more columns for the table, by name, each with its cells by item id.
    """
    if as_json:
        print_json([asdict(recommendation) for recommendation in ranking])
        return
    if not ranking:
        print_line(f"{title}: nothing is left to recommend")
        return
    figures = _figures(ranking, recommender, one_term=one_term)
    reasons = [] if one_term else ["because of"]
    more = extra or {}
    rows = [
        [
            str(rank),
            one.item_id,
            one.title,
            *(FIGURES[figure](one, recommender) for figure in figures),
            *(because(one.basis) for _ in reasons),
            *(cells.get(one.item_id, "") for cells in more.values()),
        ]
        for rank, one in enumerate(ranking, 1)
    ]
    print_table(title, ["", "item", "title", *figures, *reasons, *more], rows, numbers=["", *figures])
    if "probability" in figures:
        _print_key({_probability(one, recommender) for one in ranking})
    if not known:
        print_line(_without_history(ranking))


def because(basis: Basis) -> str:
    """What speaks for an item, as "history 72 %, profile 20 %": all that makes up a twentieth of it or more."""
    shares = basis.shares()
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= SMALLEST_SHARE) or "-"


def _without_history(ranking: Sequence[Recommendation]) -> str:
    fits = any(one.basis.profile or one.basis.content for one in ranking)
    chosen = any(one.basis.popularity for one in ranking)
    matching = any(one.basis.query for one in ranking)
    grounds = {"what matches the query": matching, "what fits the profile": fits, "what most people choose": chosen}
    parts = ", and ".join(ground for ground, applies in grounds.items() if applies)
    return f"No item of a history is known to the model: this is {parts}."


def _figures(ranking: Sequence[Recommendation], recommender: Recommender, *, one_term: bool) -> list[str]:
    from foldin.evaluation.person_calibration import PersonCalibration

    if any(one.rating is not None for one in ranking):
        return ["score", "rating"]  # the score orders a ranking, in which ratings need not descend
    return ["probability"] if isinstance(recommender.calibration, PersonCalibration) and not one_term else ["score"]


def _probability(one: Recommendation, recommender: Recommender) -> str:
    if one.probability is not None:
        return f"{one.probability:.1%}{OR_MORE if one.probability_is_lower_bound else ''}"
    return KNOWN if recommender.had(one.item_id) else NEW


def _print_key(cells: Collection[str]) -> None:
    for cell in (NEW, KNOWN):
        if cell in cells:
            print_line(KEY[cell])
    if any(cell.endswith(OR_MORE) for cell in cells):
        print_line(KEY[OR_MORE])


NEW, KNOWN, OR_MORE = "new", "-", " or more"
KEY = {
    NEW: "new: nobody had it in training, so no probability is known; what it resembles gives it its place.",
    KNOWN: "-: it is in the history already, and a probability is about what else will be liked.",
    OR_MORE: "or more: too few held-out users had scores as high as this; the probability is at least the one shown.",
}

FIGURES: dict[str, Callable[[Recommendation, Recommender], str]] = {
    "score": lambda one, _: f"{one.score:.4f}",
    "probability": _probability,
    "rating": lambda one, _: "-" if one.rating is None else f"{one.rating:.2f}",
}
