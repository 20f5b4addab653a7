"""What a score rests on, and why an item has it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from foldin.coldstart.blend import TERMS
from foldin.data.interactions import History
from foldin.data.matrix import history_matrix
from foldin.errors import NotFoundError
from foldin.recommendation import Basis
from foldin.recommender import Recommender

SHOWN = ["i00", "i04", "i06"]
EVERYTHING = [f"i{item:02}" for item in range(12)]


@pytest.fixture(params=["linear", "network", "rating"])
def recommender(request: pytest.FixtureRequest) -> Recommender:
    recommender: Recommender = request.getfixturevalue(request.param)
    return recommender


def test_the_terms_add_up_to_the_score(recommender: Recommender) -> None:
    for shown in ([], SHOWN, EVERYTHING[:7]):
        for one in recommender.predict(shown):
            told = recommender.explain(shown, one.item_id)
            assert told.score == pytest.approx(one.score, abs=1e-5)
            for basis in (one.basis, told.basis):
                assert sum(getattr(basis, name) for name in TERMS) == pytest.approx(one.score, abs=1e-5)
                assert (basis.profile, basis.content) == (0, 0)


def test_a_linear_models_term_is_the_sum_of_its_contributions(linear: Recommender, rating: Recommender) -> None:
    for recommender in (linear, rating):
        shown = History(("i00", "i04", "i06", "nowhere"), values=np.array([5, 2, 3, 1], dtype=np.float32))
        history = History.of(shown.item_ids) if recommender is linear else shown
        scores = recommender.model.score(history_matrix([history], recommender.catalog, recommender.rule)[0])[0]
        scores = scores - scores[recommender.blend.prior.warm].mean()
        for index, item_id in enumerate(EVERYTHING):
            told = recommender.explain(history, item_id)
            assert told.additive
            assert math.fsum(one.amount for one in told.items) == pytest.approx(told.basis.history, abs=1e-5)
            assert told.basis.history == pytest.approx(
                recommender.blend.handover.unit * float(scores[index]), rel=1e-5, abs=1e-6
            )
            assert sorted(one.name for one in told.items) == SHOWN
            amounts = [one.amount for one in told.items]
            assert amounts == sorted(amounts, reverse=True)
            assert told.attributes == ()


def test_a_networks_contribution_is_what_changes_without_the_item(network: Recommender) -> None:
    def term_of(history: list[str]) -> float:
        shown = history_matrix([History.of(history)], network.catalog, network.rule)[0]
        scores = network.model.score(shown)[0].astype(np.float64)
        return network.blend.handover.unit * float(scores[8] - scores[network.blend.prior.warm].mean())

    told = network.explain(SHOWN, "i08")
    assert not told.additive
    assert told.basis.history == pytest.approx(term_of(SHOWN), rel=1e-5)
    assert {one.name for one in told.items} == set(SHOWN)
    for one in told.items:
        without = [item_id for item_id in SHOWN if item_id != one.name]
        assert one.amount == pytest.approx(term_of(SHOWN) - term_of(without), abs=1e-5)


@pytest.mark.parametrize("name", ["linear", "network"])
def test_several_items_are_explained_as_each_alone(name: str, request: pytest.FixtureRequest) -> None:
    recommender: Recommender = request.getfixturevalue(name)
    items = ["i08", "i03", "i08"]
    told = recommender.explain_many(SHOWN, items)
    assert [one.item_id for one in told] == items
    for one, alone in zip(told, [recommender.explain(SHOWN, item_id) for item_id in items], strict=True):
        assert one.basis == alone.basis
        assert {part.name: pytest.approx(part.amount, abs=1e-6) for part in one.items} == {
            part.name: part.amount for part in alone.items
        }
    assert recommender.explain_many(SHOWN, []) == []


def test_explaining_what_is_popular(recommender: Recommender) -> None:
    prior, handover = recommender.blend.prior, recommender.blend.handover
    for shown in ([], ["nowhere"]):
        told = recommender.explain(shown, "i03")
        assert (told.items, told.attributes) == ((), ())
        assert told.basis == Basis(history=0, profile=0, content=0, popularity=told.score)
        assert told.score == pytest.approx(float(handover.untold[0] * prior.shares[3] / prior.unit))
        assert told.score == recommender.predict(shown, ["i03"])[0].score > 0


def test_explaining_an_unknown_item(recommender: Recommender) -> None:
    with pytest.raises(NotFoundError, match="no item 'nowhere'"):
        recommender.explain(SHOWN, "nowhere")


def test_shares_are_of_what_speaks_for_an_item() -> None:
    shares = Basis(history=3, profile=-5, content=0, popularity=1).shares()
    assert list(shares.items()) == [("history", 0.75), ("popularity", 0.25)]
    assert Basis(history=0, profile=-1, content=0, popularity=0).shares() == {}
