"""How recommendations look, in a table and in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    extra: tuple[str, Mapping[str, str]] | None = None,
) -> None:
    """A ranking, best first: with its probabilities, or its scores, and the ratings to be expected where there are any.

    `known`: whether the model knows any of the person's history; a line below says so if not.
    `extra`: one more column for the table, its name and its cells by item id.
    """
    if as_json:
        print_json([asdict(recommendation) for recommendation in ranking])
        return
    if not ranking:
        print_line(f"{title}: nothing is left to recommend")
        return
    figures = _figures(ranking)
    more, cells = extra or ("", {})
    rows = [
        [
            str(rank),
            one.item_id,
            _title(one, recommender),
            *(FIGURES[figure](one) for figure in figures),
            because(one.basis),
            *([cells[one.item_id]] if more else []),
        ]
        for rank, one in enumerate(ranking, 1)
    ]
    print_table(
        title, ["", "item", "title", *figures, "because of", *([more] if more else [])], rows, numbers=["", *figures]
    )
    if not known:
        print_line(_without_history(ranking))


def because(basis: Basis) -> str:
    """What speaks for an item, as "history 72 %, profile 20 %": all that makes up a twentieth of it or more."""
    shares = basis.shares()
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share >= SMALLEST_SHARE) or "-"


def _without_history(ranking: Sequence[Recommendation]) -> str:
    fits = any(one.basis.profile or one.basis.content for one in ranking)
    chosen = any(one.basis.popularity for one in ranking)
    parts = [*(["what fits the profile"] if fits else []), *(["what most people choose"] if chosen else [])]
    return f"No item of a history is known to the model: this is {', and '.join(parts)}."


def _title(recommendation: Recommendation, recommender: Recommender) -> str:
    index = int(recommender.catalog.indices([recommendation.item_id])[0])
    return recommender.catalog.title(index)


def _figures(ranking: Sequence[Recommendation]) -> list[str]:
    if any(one.rating is not None for one in ranking):
        return ["score", "rating"]  # the score orders a ranking, in which ratings need not descend
    return ["probability"] if any(one.probability is not None for one in ranking) else ["score"]


FIGURES: dict[str, Callable[[Recommendation], str]] = {
    "score": lambda one: f"{one.score:.4f}",
    "probability": lambda one: "-" if one.probability is None else f"{one.probability:.1%}",
    "rating": lambda one: "-" if one.rating is None else f"{one.rating:.2f}",
}
