"""What every model keeps to, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.bundle import load_bundle, save_bundle
from foldin.data.catalog import Catalog
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.data.interactions import History, Interactions
from foldin.data.matrix import user_item_matrix
from foldin.errors import BundleError, ConfigurationError, DataError, ResourceError
from foldin.fitting import fit
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.protocols import Estimator, Model
from foldin.models.zoo import ESTIMATORS, estimator_named, settings_of
from foldin.ranking.top_k import masked, top_k
from foldin.recommendation import Recommendation
from foldin.recommender import Recommender

LogOf = Callable[..., Interactions]

NETWORK = AutoEncoder(hidden=(8,), latent=4, epochs=60, learning_rate=0.02, batch_size=8)

SMALL: dict[str, Estimator] = {
    "popularity": Popularity(),
    "ease": EASE(l2=1),
    "edlae": EDLAE(l2=1, dropout=0.25),
    "autoencoder": NETWORK,
}
"""Every estimator, small enough for a checkerboard."""

QUICK: dict[str, Estimator] = {**SMALL, "autoencoder": replace(NETWORK, epochs=5)}
"""The same, where it plays no part how well they learn."""


def test_the_suite_knows_every_estimator() -> None:
    assert {name: type(estimator) for name, estimator in SMALL.items()} == ESTIMATORS


PERSONAL = [name for name in SMALL if name != "popularity"]
"""Those that do not give everyone the same."""


@pytest.fixture(params=SMALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def estimator(name: str) -> Estimator:
    return SMALL[name]


@pytest.fixture
def quick(name: str) -> Estimator:
    return QUICK[name]


@pytest.fixture(scope="module")
def histories(checkerboard: Interactions) -> csr_array:
    return user_item_matrix(checkerboard, Catalog(checkerboard.item_ids), FeedbackRule(Feedback())).histories


@pytest.fixture(scope="module")
def models(histories: csr_array) -> dict[str, Model]:
    return {name: estimator.fit(histories, seed=1) for name, estimator in SMALL.items()}


@pytest.fixture
def model(name: str, models: dict[str, Model]) -> Model:
    return models[name]


@pytest.fixture(scope="module")
def recommenders(checkerboard: Interactions) -> dict[str, Recommender]:
    return {name: fit(checkerboard, estimator=estimator) for name, estimator in SMALL.items()}


@pytest.fixture
def recommender(name: str, recommenders: dict[str, Recommender]) -> Recommender:
    return recommenders[name]


def bits(model: Model) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in model.arrays().items()}


def random_histories(users: int, items: int, share: float, seed: int = 0) -> csr_array:
    rng = np.random.default_rng(seed)
    # of one item to nearly all, so that sparse and dense products both have their turn
    shares = share * rng.random((users, 1)) * 2
    return csr_array((rng.random((users, items)) < shares).astype(np.float32))


def ids(ranking: list[Recommendation]) -> list[str]:
    return [one.item_id for one in ranking]


# -- the right answer is known


@pytest.mark.parametrize("name", PERSONAL)
def test_the_withheld_diagonal_is_found(name: str, model: Model, histories: csr_array) -> None:
    rankings = top_k(masked(model.score(histories), histories), 1)
    assert rankings.items.tolist() == [user % 12 for user in range(24)]


@pytest.mark.parametrize("name", PERSONAL)
def test_a_history_that_was_not_in_training_is_folded_in(name: str, recommender: Recommender) -> None:
    for shown, wanted in (
        (["i00", "i04", "i06"], {"i02", "i08", "i10"}),
        (["i11", "i03"], {"i01", "i05", "i07", "i09"}),
    ):
        ranking = recommender.recommend(shown, k=len(wanted))
        assert set(ids(ranking)) == wanted
        assert all(one.basis.history > 0 for one in ranking)


# -- the same again


def test_fitting_again_gives_the_same_bits(quick: Estimator, histories: csr_array) -> None:
    model = quick.fit(histories, seed=1)
    quick.fit(random_histories(10, 12, 0.5), seed=9)
    assert bits(quick.fit(histories, seed=1)) == bits(model)


def test_shuffled_rows_of_the_log_give_the_same_bits(
    quick: Estimator, checkerboard: Interactions, shuffled: Callable[[Interactions, int], Interactions]
) -> None:
    one, other = fit(checkerboard, estimator=quick), fit(shuffled(checkerboard, 0), estimator=quick)
    assert bits(one.model) == bits(other.model)
    assert one.report == other.report


def test_fitting_and_scoring_leave_the_histories_alone(quick: Estimator, histories: csr_array) -> None:
    mine = histories.copy()
    quick.fit(mine).score(mine)
    for ours, theirs in (
        (mine.data, histories.data),
        (mine.indices, histories.indices),
        (mine.indptr, histories.indptr),
    ):
        assert np.array_equal(ours, theirs)


def test_estimators_and_models_cannot_be_changed(estimator: Estimator, model: Model) -> None:
    for frozen in (estimator, model):
        with pytest.raises(FrozenInstanceError):
            frozen.l2 = 1  # type: ignore[union-attr]  # that it cannot be set is what is tested


# -- from disk


def test_arrays_restore_to_the_same_scores(estimator: Estimator, model: Model, histories: csr_array) -> None:
    copied = {name: array.copy() for name, array in model.arrays().items()}
    restored = estimator.restore(copied)
    assert restored.score(histories).tobytes() == model.score(histories).tobytes()
    assert bits(restored) == bits(model)


def test_missing_or_broken_arrays_are_refused(estimator: Estimator, model: Model) -> None:
    for missing in model.arrays():
        arrays = dict(model.arrays())
        array = arrays.pop(missing)
        with pytest.raises(BundleError, match=f"'{missing}'"):
            estimator.restore(arrays)
        for broken in (array.astype(np.float64), array[None], np.full_like(array, np.nan)):
            with pytest.raises(BundleError, match=f"'{missing}'"):
                estimator.restore({**arrays, missing: broken})


def test_a_bundle_recommends_the_same(recommender: Recommender, checkerboard: Interactions, tmp_path: Path) -> None:
    save_bundle(recommender, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    everyone = [checkerboard.history(user) for user in checkerboard.user_ids]
    shown: list[History | list[str]] = [*everyone, [], ["nowhere"], ["i00", "i01"]]
    assert loaded.recommend_many(shown) == recommender.recommend_many(shown)
    assert (loaded.estimator, loaded.rule, loaded.report) == (
        recommender.estimator,
        recommender.rule,
        recommender.report,
    )


# -- scores


def test_scores_are_finite_float32_of_the_right_shape(model: Model, histories: csr_array) -> None:
    for part in (histories, histories[:1], histories[:0], csr_array(np.zeros((3, 12), dtype=np.float32))):
        scores = model.score(part)
        assert scores.dtype == np.float32
        assert scores.shape == part.shape
        assert np.isfinite(scores).all()


def test_a_batch_is_scored_as_one_by_one(quick: Estimator) -> None:
    shown = random_histories(80, 30, 0.3)
    model = quick.fit(random_histories(200, 30, 0.3, seed=1))
    together = model.score(shown)
    alone = np.concatenate([model.score(shown[[row]]) for row in range(80)])
    assert np.allclose(together, alone, rtol=1e-5, atol=1e-6)
    ours, theirs = (top_k(masked(scores, shown), 10).items.tolist() for scores in (together, alone))
    assert ours == theirs


# -- histories of nothing


@pytest.mark.parametrize("shown", [[], ["nowhere", "i99"]], ids=["empty", "unknown"])
def test_a_history_of_nothing_known_gets_what_is_popular(recommender: Recommender, shown: list[str]) -> None:
    ranking = recommender.recommend(shown, k=4)
    assert all(one.score == one.basis.popularity > 0 == one.basis.history for one in ranking)
    shares = recommender.blend.prior.shares
    best = sorted(range(12), key=lambda item: (-shares[item], item))[:4]
    assert ids(ranking) == [f"i{item:02}" for item in best]


def test_someone_who_saw_everything_gets_nothing(recommender: Recommender) -> None:
    assert recommender.recommend([f"i{item:02}" for item in range(12)]) == []
    assert len(recommender.recommend([f"i{item:02}" for item in range(11)])) == 1


# -- hyperparameters


def test_numbers_that_are_none_are_refused(name: str, estimator: Estimator) -> None:
    for field, value in settings_of(estimator).items():
        if isinstance(value, int | float) or value is None:
            for wrong in (float("nan"), -1.0, float("-inf")):
                with pytest.raises(ConfigurationError, match=field):
                    estimator_named(name, {field: wrong})


@pytest.mark.parametrize("name", PERSONAL)
def test_l2_of_zero_only_where_the_weights_are_defined_without_it(name: str) -> None:
    if name in ("ease", "edlae"):
        with pytest.raises(ConfigurationError, match="l2 is 0"):
            estimator_named(name, {"l2": 0})
    else:
        estimator_named(name, {"l2": 0})


# -- logs with little in them


def test_two_identical_columns_give_finite_weights(quick: Estimator) -> None:
    histories = random_histories(60, 6, 0.5).toarray()
    histories[:, 3] = histories[:, 1]
    histories[:, 5] = 0
    model = quick.fit(csr_array(histories))
    assert all(np.isfinite(np.asarray(array, dtype=np.float64)).all() for array in model.arrays().values())
    assert np.isfinite(model.score(csr_array(histories))).all()


@pytest.mark.parametrize(
    "pairs",
    [
        [("u", "a")],
        [("u", "a"), ("u", "b"), ("u", "c")],
        [("u", "a"), ("v", "a"), ("w", "a")],
        [("u", "a"), ("v", "b")],
        [("u", "a"), ("u", "b"), ("v", "b"), ("w", "a")],
    ],
    ids=["one of each", "one user", "one item", "two of each", "three users"],
)
def test_the_smallest_logs_train_and_say_what_they_lack(
    quick: Estimator, log_of: LogOf, tmp_path: Path, pairs: list[tuple[str, str]]
) -> None:
    recommender = fit(log_of(pairs), estimator=quick)
    assert recommender.report is not None
    assert any("too few users" in note for note in recommender.report.notes)
    ranking = recommender.recommend(["a"])
    assert set(ids(ranking)) <= {"b", "c"}
    assert all(np.isfinite(one.score) for one in ranking)
    save_bundle(recommender, tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle").recommend(["a"]) == ranking


def test_without_variance_it_is_popularity_and_says_so(quick: Estimator, log_of: LogOf) -> None:
    log = log_of([(f"u{user}", item) for user in range(30) for item in "abc"])
    recommender = fit(log, estimator=quick)
    assert isinstance(recommender.estimator, Popularity)
    assert recommender.report is not None
    assert any("popularity" in note for note in recommender.report.notes)
    assert ids(recommender.recommend(["b"])) == ["a", "c"]


def test_no_events_are_a_clear_error(estimator: Estimator, checkerboard: Interactions) -> None:
    with pytest.raises(DataError, match="no interactions"):
        fit(checkerboard.where(np.zeros(len(checkerboard), dtype=np.bool_)), estimator=estimator)


def test_ratings_are_learned_too(quick: Estimator, rated: Interactions, tmp_path: Path) -> None:
    recommender = fit(rated, estimator=quick, feedback=Feedback(form="explicit", positive_from=4))
    completed = recommender.predict(rated.history("u03"))
    assert len(completed) == 12
    assert all(one.rating is not None and 1 <= one.rating <= 5 for one in completed)
    save_bundle(recommender, tmp_path / "bundle")
    assert load_bundle(tmp_path / "bundle").predict(rated.history("u03")) == completed


# -- what it takes


def test_the_estimate_grows_with_the_size(estimator: Estimator) -> None:
    small, more_items, more_events = (
        estimator.estimate(*size) for size in ((1_000, 1_000, 10_000), (1_000, 10_000, 10_000), (9_000, 1_000, 10**6))
    )
    assert small.bytes < more_items.bytes
    assert small.bytes <= more_events.bytes
    assert small.flops < more_events.flops
    assert small.bytes > 0


@pytest.mark.parametrize("name", PERSONAL)
def test_a_catalogue_too_large_is_refused_with_the_estimate(name: str) -> None:
    estimator = SMALL[name]
    if isinstance(estimator, AutoEncoder):
        estimator = replace(estimator, hidden=(1_000_000,))
    histories = csr_array(np.ones((1, 2_000_000), np.float32))
    with pytest.raises(ResourceError, match=r"on 2,000,000 items( with events)? needs about [\d,.]+ GB"):
        estimator.fit(histories)
