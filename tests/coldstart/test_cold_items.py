"""A world of two topics: even items are about the sea, odd ones about the hills; the last four items are cold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.cold_items import ColdItems, fit_cold_items, history_weight_of
from foldin.errors import BundleError
from foldin.models.ease import EASE

WARM = 12
TWIN_OF_0, TWIN_OF_1, UNLIKE_ALL, WORDLESS = range(WARM, WARM + 4)
COLD = np.arange(WARM + 4) >= WARM


def unit(rows: NDArray[np.float64]) -> csr_array:
    """Rows of norm 1, or 0."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return csr_array(np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0).astype(np.float32))


def topics() -> csr_array:
    """Words 0 and 1 are the topics, word 2 is on a twin and nowhere else, the others are each warm item's own."""
    words = np.zeros((len(COLD), 3 + WARM))
    words[np.arange(WARM), np.arange(WARM) % 2] = 1
    words[np.arange(WARM), 3 + np.arange(WARM)] = 0.2
    words[TWIN_OF_0], words[TWIN_OF_1] = words[0], words[1]
    words[UNLIKE_ALL, 2] = 1
    return unit(words)


@pytest.fixture(scope="module")
def cold_items() -> ColdItems:
    found = fit_cold_items(topics(), COLD)
    assert found is not None
    return found


def random_scores(users: int = 7, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(users, len(COLD))).astype(np.float32)


def test_users_of_a_topic_get_its_cold_item(cold_items: ColdItems) -> None:
    histories = np.zeros((12, len(COLD)), dtype=np.float32)
    for user in range(12):  # each lacks one item of its topic
        histories[user, user % 2 : WARM : 2] = 1
        histories[user, user] = 0
    scores = cold_items.filled(EASE(1).fit(csr_array(histories)).score(csr_array(histories)))
    sea, hills = scores[:, TWIN_OF_0], scores[:, TWIN_OF_1]
    assert (sea[::2] > hills[::2] + 0.5).all()
    assert (hills[1::2] > sea[1::2] + 0.5).all()


def test_weights_go_from_warm_items_of_the_topic_to_their_cold_ones(cold_items: ColdItems) -> None:
    weights = cold_items.weights.toarray()
    assert np.flatnonzero(weights[:, TWIN_OF_0]).tolist() == [0, 2, 4, 6, 8, 10]
    assert np.flatnonzero(weights[:, TWIN_OF_1]).tolist() == [1, 3, 5, 7, 9, 11]
    assert weights[:, TWIN_OF_0].argmax() == 0
    assert weights[:, TWIN_OF_1].argmax() == 1
    assert not weights[:, ~cold_items.reachable].any()


def test_cold_items_may_stand_anywhere_in_the_catalogue(cold_items: ColdItems) -> None:
    order = np.random.default_rng(0).permutation(len(COLD))
    found = fit_cold_items(topics()[order], COLD[order])
    assert found is not None
    assert np.array_equal(found.weights.toarray(), cold_items.weights.toarray()[np.ix_(order, order)])
    scores = random_scores()
    assert np.allclose(found.filled(scores[:, order]), cold_items.filled(scores)[:, order], atol=1e-6)


def test_weights_are_squares_of_cosines_as_shares() -> None:
    vectors = unit(np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]]))
    found = fit_cold_items(vectors, np.array([False, False, False, True]))
    assert found is not None
    assert found.weights.toarray()[:, 3] == pytest.approx([1 / 1.5, 0.5 / 1.5, 0, 0])


def test_only_the_fifty_most_similar_count_ties_in_the_catalogues_order() -> None:
    alike = np.tile([1.0, 1.0], (80, 1))
    alike[70] = [1, 0]
    cold = np.arange(80) >= 70
    cold[70] = False
    alike[79] = [1, 0.9]
    found = fit_cold_items(unit(alike), cold)
    assert found is not None
    assert np.flatnonzero(found.weights.toarray()[:, 79]).tolist() == list(range(50))


def test_a_cold_item_has_a_mean_of_scores_so_that_a_shift_of_all_shifts_it_too(cold_items: ColdItems) -> None:
    scores = random_scores()
    filled, shifted = cold_items.filled(scores), cold_items.filled(scores - 10)
    assert np.allclose(filled - 10, np.where(cold_items.reachable, shifted, filled - 10), atol=1e-5)
    assert filled[:, TWIN_OF_0].max() <= scores[:, :WARM:2].max()


def test_all_other_columns_stay_and_the_scores_given_are_not_touched(cold_items: ColdItems) -> None:
    scores = random_scores()
    before = scores.copy()
    filled = cold_items.filled(scores)
    assert np.array_equal(scores, before)
    assert np.array_equal(filled[:, ~cold_items.reachable], scores[:, ~cold_items.reachable])
    assert np.allclose(filled[:, COLD][:, :2], (scores @ cold_items.weights.toarray())[:, COLD][:, :2], atol=1e-6)
    assert filled.dtype == np.float32


def test_terms_filled_one_by_one_add_up(cold_items: ColdItems) -> None:
    one, other = random_scores(seed=1), random_scores(seed=2)
    histories = csr_array((random_scores(seed=3) > 1).astype(np.float32))
    heavy = replace(cold_items, history_weight=3.0)
    parts = heavy.filled(one, histories) + heavy.filled(other)
    assert np.allclose(parts, heavy.filled(one + other, histories), atol=1e-5)


def test_what_the_history_holds_counts_beside_its_score(cold_items: ColdItems) -> None:
    histories = csr_array(np.eye(len(COLD), dtype=np.float32)[[0, 3]])
    nothing = np.zeros(histories.shape, dtype=np.float32)
    filled = replace(cold_items, history_weight=2.0).filled(nothing, histories)
    weights = cold_items.weights.toarray()
    assert filled[0] == pytest.approx(2 * weights[0])
    assert filled[1] == pytest.approx(2 * weights[3])
    assert not cold_items.filled(nothing, histories).any()


def test_an_item_of_the_history_counts_as_the_best_of_the_others() -> None:
    scores = np.array([[9, 3, 0, 50], [1, 1, 4, 50]], dtype=np.float32)  # the last item is cold
    histories = csr_array(np.array([[1, 0, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
    warm = np.array([True, True, True, False])
    assert history_weight_of(scores, histories, warm) == pytest.approx(((3 - 4) + (4 - 2)) / 2)
    assert history_weight_of(scores[:0], histories[:0], warm) == 0


def test_reachable_are_cold_items_that_resemble_a_warm_one(cold_items: ColdItems) -> None:
    assert np.flatnonzero(cold_items.reachable).tolist() == [TWIN_OF_0, TWIN_OF_1]


def test_cold_items_resemble_no_cold_ones() -> None:
    assert fit_cold_items(topics(), ~np.isin(np.arange(len(COLD)), [1, 3, UNLIKE_ALL, WORDLESS])) is not None
    everything_of_the_sea = np.arange(len(COLD)) % 2 == 0
    found = fit_cold_items(topics(), everything_of_the_sea)
    assert found is None


@pytest.mark.parametrize("cold", [np.zeros(16, dtype=np.bool_), np.ones(16, dtype=np.bool_)], ids=["warm", "cold"])
def test_none_where_all_items_are_warm_or_all_are_cold(cold: NDArray[np.bool_]) -> None:
    assert fit_cold_items(topics(), cold) is None


def test_none_where_nothing_is_known_of_the_items() -> None:
    assert fit_cold_items(csr_array(np.zeros((16, 0), dtype=np.float32)), COLD) is None


def test_a_catalogue_with_one_warm_item() -> None:
    found = fit_cold_items(topics(), np.arange(len(COLD)) != 4)
    assert found is not None
    assert np.flatnonzero(found.reachable).tolist() == [0, 2, 6, 8, 10, TWIN_OF_0]
    assert (found.weights.data == 1).all()


def test_weights_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch, cold_items: ColdItems) -> None:
    monkeypatch.setattr("foldin.coldstart.cold_items.CELLS", 1)
    found = fit_cold_items(topics(), COLD)
    assert found is not None
    assert np.array_equal(found.weights.toarray(), cold_items.weights.toarray())


def test_arrays_make_the_same_cold_items_again(cold_items: ColdItems) -> None:
    saved = replace(cold_items, history_weight=1.5)
    again = ColdItems.from_arrays(saved.arrays(), len(COLD))
    scores, histories = random_scores(), csr_array((random_scores() > 0).astype(np.float32))
    assert np.array_equal(again.filled(scores, histories), saved.filled(scores, histories))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", None),
        ("data", np.ones(3, dtype=np.float32)),
        ("data", np.full(12, np.nan, dtype=np.float32)),
        ("data", np.full(12, np.inf, dtype=np.float32)),
        ("data", np.ones((12, 1), dtype=np.float32)),
        ("data", np.full(12, -1, dtype=np.float32)),
        ("data", np.ones(12, dtype=np.int32)),
        ("indices", np.full(12, 16)),
        ("indices", np.full(12, -1)),
        ("indptr", np.zeros((4, 4), dtype=np.int32)),
        ("indptr", np.zeros(17, dtype=np.int32)),
        ("indptr", np.array([0, 12, 5, *[12] * 14])),
        ("history_weight", np.array([np.inf])),
        ("history_weight", np.ones(2)),
    ],
)
def test_damaged_arrays_are_refused(cold_items: ColdItems, name: str, value: NDArray[np.generic] | None) -> None:
    arrays = cold_items.arrays()
    assert len(arrays["data"]) == 12
    damaged = {key: array for key, array in arrays.items() if key != name}
    if value is not None:
        damaged[name] = value
    with pytest.raises(BundleError, match="the cold items"):
        ColdItems.from_arrays(damaged, len(COLD))


def test_arrays_of_another_catalogue_are_refused(cold_items: ColdItems) -> None:
    with pytest.raises(BundleError, match="no weights between 15 items"):
        ColdItems.from_arrays(cold_items.arrays(), 15)
