"""A ranking on the page has figures of one kind, and says where a probability is a lower bound."""

from __future__ import annotations

from foldin.recommendation import Basis, Recommendation
from foldin.service.page.standings import standings

BASIS = Basis(1, 0, 0, 0)


def figures(*ranking: Recommendation) -> list[tuple[str, str]]:
    return [(one.figure, one.unit) for one in standings(ranking, ())]


def test_a_list_of_chances_holds_no_score() -> None:
    highest = Recommendation("a", 9, 0.5, None, BASIS, {}, probability_is_lower_bound=True)
    new = Recommendation("b", 8, None, None, BASIS)
    other = Recommendation("c", 7, 0.25, None, BASIS)
    assert figures(highest, new, other) == [("50%", "chance, or more"), ("-", "chance unknown"), ("25%", "chance")]
    assert [one.amount for one in standings([highest, new, other], ())] == [0.5, 0, 0.25]


def test_without_chances_all_are_scores_and_with_ratings_all_are_ratings() -> None:
    scored, rated = Recommendation("a", 2.345, None, None, BASIS), Recommendation("b", 1, None, 4.25, BASIS)
    assert figures(scored, scored) == [("2.35", "score"), ("2.35", "score")]
    assert figures(rated, scored) == [("4.2", "rating"), ("-", "rating unknown")]
    assert [one.amount for one in standings([scored], ())] == [2.345]
    assert [one.amount for one in standings([rated, scored], ())] == [4.25, 0]
