"""How recommendations look, in a table and in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """A ranking, best first: with a probability or rating where there is one, else with the score.

    `extra`: one more column for the table, its name and its cells by item id.
    """
    if as_json:
        print_json([asdict(recommendation) for recommendation in ranking])
        return
    if not ranking:
        print_line(f"{title}: nothing is left to recommend")
        return
    figure = _figure(ranking)
    more, cells = extra or ("", {})
    rows = [
        [str(rank), one.item_id, _title(one, recommender), _cell(one, figure), *([cells[one.item_id]] if more else [])]
        for rank, one in enumerate(ranking, 1)
    ]
    print_table(title, ["", "item", "title", figure, *([more] if more else [])], rows, numbers=["", figure])
    if ranking[0].basis == "popularity":
        print_line("No item of the history is known to the model: this is what most people choose.")


def _title(recommendation: Recommendation, recommender: Recommender) -> str:
    index = int(recommender.catalog.indices([recommendation.item_id])[0])
    return recommender.catalog.title(index)


def _figure(ranking: Sequence[Recommendation]) -> str:
    if any(one.probability is not None for one in ranking):
        return "probability"
    return "rating" if ranking[0].rating is not None else "score"


def _cell(recommendation: Recommendation, figure: str) -> str:
    match figure:
        case "probability":
            return "-" if recommendation.probability is None else f"{recommendation.probability:.1%}"
        case "rating":
            return "-" if recommendation.rating is None else f"{recommendation.rating:.2f}"
        case _:
            return f"{recommendation.score:.4f}"
