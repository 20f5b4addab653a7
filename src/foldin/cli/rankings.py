"""How recommendations look, in a table and in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from foldin.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from foldin.recommender import Recommendation, Recommender

__all__ = ["print_ranking"]


def print_ranking(
    title: str,
    ranking: Sequence[Recommendation],
    recommender: Recommender,
    *,
    as_json: bool = False,
    extra: tuple[str, Mapping[str, str]] | None = None,
) -> None:
    """A ranking, best first: with its probabilities, or its scores, and the ratings to be expected where there are any.

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
            *([cells[one.item_id]] if more else []),
        ]
        for rank, one in enumerate(ranking, 1)
    ]
    print_table(title, ["", "item", "title", *figures, *([more] if more else [])], rows, numbers=["", *figures])
    if ranking[0].basis == "popularity":
        print_line("No item of the history is known to the model: this is what most people choose.")


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
