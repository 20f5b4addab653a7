from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.data.splitting import Holdout
from foldin.errors import BundleError, ConfigurationError, DataError
from foldin.evaluation import calibration as module
from foldin.evaluation.calibration import (
    Judged,
    ProbabilityCalibration,
    RatingCalibration,
    calibration_error,
    fit_probabilities,
    fit_ratings,
)
from foldin.evaluation.ratings import rating_errors
from foldin.evaluation.scoring import Score


def chance(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """The known probability of a hit: rare, and up to .5 for the best scores."""
    chances: NDArray[np.floating] = 0.5 / (1 + np.exp(-2 * scores))
    return chances


def clicks(seed: int, users: int = 1500, items: int = 120) -> tuple[Score, Holdout]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(-1.5, 1.0, (users, items)).astype(np.float32)
    shown = rng.random((users, items)) < 0.1
    found = (rng.random((users, items)) < chance(scores)) & ~shown
    holdout = Holdout(np.arange(users), *(csr_array(cells.astype(np.float32)) for cells in (shown, found)))
    # a shown item scores best, as with most models; it must play no part
    return (lambda block: np.where(shown, np.float32(50), scores)[block]), holdout


SCORE, HOLDOUT = clicks(0)


def fitted() -> ProbabilityCalibration:
    calibration = fit_probabilities([(SCORE, HOLDOUT)])
    assert calibration is not None
    return calibration


def test_known_probabilities_are_recovered() -> None:
    scores = np.linspace(-3, 1.5, 40).astype(np.float32)
    error = np.abs(fitted().predict(scores) - chance(scores))
    assert error.mean() < 0.012
    assert error.max() < 0.05  # the standard error of the best 100 pairs


def test_the_knots_ascend_and_are_few() -> None:
    calibration = fitted()
    assert 10 < len(calibration.scores) < 200
    assert (np.diff(calibration.scores) > 0).all()
    assert (np.diff(calibration.probabilities) >= 0).all()


def test_the_ranking_never_changes() -> None:
    scores = np.sort(SCORE(slice(0, 20)).ravel())
    assert (np.diff(fitted().predict(scores)) >= 0).all()


def test_beyond_the_knots_it_is_level() -> None:
    calibration = fitted()
    assert calibration.predict(np.array([-np.inf, 1e30, np.inf], np.float32)) == pytest.approx([0, 0.5, 0.5], abs=0.1)


def test_only_scores_above_the_last_knot_have_a_lower_bound() -> None:
    calibration = fitted()
    highest = calibration.scores[-1]
    scores = np.array([-np.inf, highest, np.nextafter(highest, np.float32(np.inf)), 1e30], np.float32)
    assert calibration.is_lower_bound(scores).tolist() == [False, False, True, True]


def test_no_certainty_from_a_lucky_hit() -> None:
    found = np.arange(5000).reshape(100, 50) % 10 == 9  # one in ten, the best of all among them
    scores = np.arange(5000, dtype=np.float32).reshape(100, 50)
    holdout = Holdout(np.arange(100), csr_array(found * 0.0), csr_array(found.astype(np.float32)))
    calibration = fit_probabilities([(lambda block: scores[block], holdout)])
    assert calibration is not None
    assert calibration.predict(np.array([5000], np.float32)) == pytest.approx(0.1, abs=0.01)


def test_scores_with_many_ties() -> None:
    def score(block: slice) -> NDArray[np.float32]:
        return np.round(SCORE(block))

    calibration = fit_probabilities([(score, HOLDOUT)])
    assert calibration is not None
    shown = HOLDOUT.fold_in.toarray() > 0
    scores, found = score(slice(0, 1500))[~shown], HOLDOUT.targets.toarray()[~shown] > 0
    for level in (-3, -2, -1, 0):
        predicted = calibration.predict(np.array([level], np.float32))
        assert predicted == pytest.approx(found[scores == level].mean(), abs=0.005)


def test_a_score_that_says_nothing_is_the_base_rate() -> None:
    calibration = fit_probabilities([(lambda block: np.zeros_like(SCORE(block)), HOLDOUT)])
    assert calibration is not None
    rate = HOLDOUT.targets.nnz / (HOLDOUT.fold_in.shape[0] * HOLDOUT.fold_in.shape[1] - HOLDOUT.fold_in.nnz)
    assert calibration.predict(np.array([-5, 0, 5], np.float32)) == pytest.approx([rate] * 3)


def test_few_targets_calibrate_nothing() -> None:
    assert fit_probabilities([(SCORE, HOLDOUT.where(np.arange(2)))]) is None


def told(calibration: ProbabilityCalibration, judged: Judged) -> Judged:
    """The same users, with probabilities in place of scores."""
    score, holdout = judged
    return (lambda block: calibration.predict(score(block))), holdout


def test_the_error_is_small_on_new_users_and_large_for_a_wrong_calibration() -> None:
    calibration = fitted()
    wrong = ProbabilityCalibration(calibration.scores, np.minimum(1, calibration.probabilities * 2))
    right, double = ([told(one, clicks(1))] for one in (calibration, wrong))
    assert calibration_error(right) < 0.05
    assert calibration_error(double) > 0.2
    assert calibration_error(right, top=1) < 0.004 < calibration_error(double, top=1)


def test_the_error_by_hand() -> None:
    holdout = Holdout(
        np.array([0]), *(csr_array(np.array([row], np.float32)) for row in ([1, 0, 0, 0, 0], [0, 1, 0, 0, 1]))
    )
    probabilities = np.array([[0.9, 0, 0.2, 0.4, 0.6]], dtype=np.float32)  # hit, miss | miss, hit
    # |.0 + .2 - 1| = .8 and |.4 + .6 - 1| = 0, of 4 pairs
    assert calibration_error([(lambda block: probabilities[block], holdout)], top=1, bins=2) == pytest.approx(0.2)
    assert calibration_error([], top=1) == 0


def test_groups_of_users_are_calibrated_as_one() -> None:
    whole, halves = fitted(), [HOLDOUT.where(np.arange(start, 1500, 2)) for start in (0, 1)]
    scores = [SCORE(slice(None))[half.rows] for half in halves]
    parts: list[Judged] = [(own.__getitem__, half) for own, half in zip(scores, halves, strict=True)]
    calibration = fit_probabilities(parts)
    assert calibration is not None
    assert calibration.scores.tolist() == whole.scores.tolist()
    assert calibration.probabilities.tolist() == whole.probabilities.tolist()
    together = calibration_error([told(whole, (SCORE, HOLDOUT))])
    assert calibration_error([told(whole, part) for part in parts]) == pytest.approx(together)


def test_few_users_count_for_few_however_many_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = fitted(), ProbabilityCalibration(np.array([0], np.float32), np.array([1], np.float32))
    scores = SCORE(slice(None))
    many: Judged = (lambda block: scores[:1400][block]), HOLDOUT.where(np.arange(1400))
    few: Judged = (lambda block: scores[1400:][block]), HOLDOUT.where(np.arange(1400, 1500))
    judged = [told(right, many), told(wrong, few)]
    of_all = calibration_error(judged, top=1)
    monkeypatch.setattr("foldin.evaluation.calibration.MOST_CELLS", 300 * 120)
    assert 0.05 < of_all < 0.08  # a fifteenth of the users are told a certainty
    assert calibration_error(judged, top=1) == pytest.approx(of_all, abs=0.02)


@pytest.mark.parametrize("top", [0, -0.1, 1.1])
def test_a_wrong_share_is_refused(top: float) -> None:
    with pytest.raises(ConfigurationError, match="top is"):
        calibration_error([told(fitted(), (SCORE, HOLDOUT))], top=top)


def test_memory_is_bounded_by_a_seeded_draw_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def score(block: slice) -> NDArray[np.float32]:
        asked.append(block.start)
        return SCORE(block)

    monkeypatch.setattr(module, "MOST_CELLS", 120 * 40)
    first, again, other = (fit_probabilities([(score, HOLDOUT)], seed=seed) for seed in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert len(asked) == 3 * 40
    assert asked[:40] == asked[40:80] != asked[80:]
    assert first.probabilities.tolist() == again.probabilities.tolist() != other.probabilities.tolist()


def test_probability_arrays_make_the_same_again() -> None:
    calibration = fitted()
    again = ProbabilityCalibration.from_arrays(calibration.arrays())
    scores = SCORE(slice(0, 3))
    assert again.predict(scores).tolist() == calibration.predict(scores).tolist()


@pytest.mark.parametrize(
    ("scores", "probabilities"),
    [([], []), ([0, 1], [0.5]), ([1, 0], [0, 1]), ([0, 1], [0.5, 0.4]), ([0, 1], [0, 1.5]), ([0, np.nan], [0, 1])],
)
def test_damaged_knots_are_refused(scores: list[float], probabilities: list[float]) -> None:
    with pytest.raises(BundleError):
        ProbabilityCalibration.from_arrays({"scores": np.array(scores), "probabilities": np.array(probabilities)})


def test_a_missing_array_is_refused() -> None:
    with pytest.raises(BundleError, match="lacks 'item_means'"):
        RatingCalibration.from_arrays({"scale": np.array([3.0, 1, 5]), "coefficients": np.zeros(4)})


def ratings_world(users: int = 500, items: int = 60) -> tuple[Score, Score, Holdout, csr_array]:
    """Scores that rise with taste, ratings 1 to 5 of taste, item and user: (scores, baseline, holdout, train)."""
    rng = np.random.default_rng(5)
    taste, item, user = rng.normal(size=(2 * users, items)), rng.normal(0, 0.6, items), rng.normal(0, 0.4, 2 * users)
    noise = rng.normal(0, 0.3, taste.shape)
    rated = np.clip(np.round(3.2 + 0.6 * taste + item + user[:, None] + noise), 1, 5)
    known = rng.random(rated.shape) < 0.5
    shown = known[users:] & (rng.random((users, items)) < 0.7)
    withheld = csr_array(np.where(known[users:] & ~shown, rated[users:] / 5, 0).astype(np.float32))
    fold_in = csr_array(np.where(shown, rated[users:] / 5, 0).astype(np.float32))
    train = csr_array(np.where(known[:users], rated[:users] / 5, 0).astype(np.float32))
    scores = (100 + 7 * taste[users:]).astype(np.float32)  # of another scale than the ratings
    holdout = Holdout(np.arange(users, 2 * users), fold_in, withheld, withheld)
    return (lambda block: scores[block]), (lambda block: np.zeros_like(scores[block])), holdout, train


def test_any_score_becomes_a_rating() -> None:
    score, nothing, holdout, train = ratings_world()
    judged, first = holdout.where(np.arange(250, 500)), holdout.where(np.arange(250))

    def error(scores: Score) -> float:
        calibration = fit_ratings(scores, first, train, (1, 5))
        ratings = calibration.predict(scores(slice(250, 500)), judged.fold_in)
        return rating_errors(lambda block: ratings[block], judged, 5).rmse

    overall = np.full(judged.fold_in.shape, 5 * train.data.mean(), dtype=np.float32)
    mean_error = rating_errors(lambda block: overall[block], judged, 5).rmse
    assert error(score) < 0.48  # noise of .3 and rounding (1 / sqrt(12)) leave .42
    assert error(score) < 0.7 * error(nothing)
    assert error(nothing) < 0.95 * mean_error


def test_known_coefficients_are_recovered() -> None:
    score, _, holdout, train = ratings_world()
    a, b, c, d = fit_ratings(score, holdout, train, (1, 5)).coefficients
    assert b == pytest.approx(0.6 / 7, rel=0.1)
    assert c == pytest.approx(1, abs=0.15)  # an item's mean counts once
    assert d == pytest.approx(1, abs=0.35)
    assert a < 0


def test_a_score_that_says_nothing_gets_no_weight() -> None:
    _, nothing, holdout, train = ratings_world()
    assert fit_ratings(nothing, holdout, train, (1, 5)).coefficients[1] == 0


def test_blocks_fit_the_same() -> None:
    score, _, holdout, train = ratings_world()
    whole, parts = (fit_ratings(score, holdout, train, (1, 5), block=block) for block in (500, 33))
    assert whole.coefficients.tolist() == parts.coefficients.tolist()


def test_the_formula_by_hand() -> None:
    levels = np.array([2, 4], np.float32)
    calibration = RatingCalibration(np.array([0.5, 2, 0.25, 0.5]), levels, levels, 3.0, 10.0, (1, 5))
    histories = csr_array(np.array([[1, 0.6], [0, 0]], dtype=np.float32))
    # user levels: 3 + ((5 - 2) + (3 - 4)) / (2 + 10) and 3; .5 + 2 s + item / 4 + user / 2
    user = (3 + 2 / 12) / 2
    ratings = calibration.predict(np.array([[0, 0.5], [1, -9]], dtype=np.float32), histories)
    assert ratings == pytest.approx(np.array([[1 + user, 2.5 + user], [4.5, 1]]))
    assert ratings.dtype == np.float32


def test_biases_of_items_and_users_are_fitted_together() -> None:
    rng = np.random.default_rng(3)
    items, users = rng.normal(0, 0.7, 30), rng.normal(0, 0.7, 400)
    rated = 3 + items + users[:, None]
    # good items are rated by those who rate all of them high: each item's mean alone tells its users' mood as well
    known = rng.random(rated.shape) < 1 / (1 + np.exp(-4 * users[:, None] * np.sign(items)))
    train, test = csr_array(np.where(known, rated, 0)[:300] / 5), np.where(known, rated, 0)[300:] / 5
    shown = test * (np.arange(30) % 2)
    holdout = Holdout(np.arange(100), csr_array(shown), csr_array(test - shown), csr_array(test - shown))
    calibration = fit_ratings(lambda block: np.zeros_like(shown[block], np.float32), holdout, train, (0.1, 5))
    learned = calibration.item_means - calibration.item_means.mean()
    assert np.abs(learned - (items - items.mean())).max() < 0.2
    naive = train.sum(axis=0) * 5 / train.count_nonzero(axis=0)
    assert np.abs(naive - naive.mean() - (items - items.mean())).max() > 0.3


def test_a_calibration_of_before_keeps_its_predictions() -> None:
    arrays = {
        "coefficients": np.array([0, 0, 0, 1.0]),
        "item_means": np.array([2, 4.0]),
        "scale": np.array([3.0, 1, 5]),
    }
    former = RatingCalibration.from_arrays(arrays)
    histories = csr_array(np.array([[1, 0.6]], dtype=np.float32))
    # the user's mean: (5 + 3 + 10 x 3) / 12
    assert former.predict(np.zeros((1, 2), np.float32), histories) == pytest.approx(np.full((1, 2), 38 / 12))
    assert RatingCalibration.from_arrays(former.arrays()).user_damping == 10
    with pytest.raises(BundleError, match="'scale' has the wrong shape"):
        RatingCalibration.from_arrays({**arrays, "scale": np.zeros(2)})


def test_rating_arrays_make_the_same_again() -> None:
    score, _, holdout, train = ratings_world()
    calibration = fit_ratings(score, holdout, train, (1, 5))
    again = RatingCalibration.from_arrays(calibration.arrays())
    predictions = [one.predict(score(slice(0, 500)), holdout.fold_in).tolist() for one in (calibration, again)]
    assert predictions[0] == predictions[1]


def test_ratings_need_ratings() -> None:
    score, _, holdout, train = ratings_world()
    with pytest.raises(ConfigurationError, match="explicit feedback only"):
        fit_ratings(score, Holdout(holdout.rows, holdout.fold_in, holdout.targets), train, (1, 5))
    with pytest.raises(DataError, match="no ratings are withheld"):
        fit_ratings(score, holdout.where(np.array([], dtype=np.intp)), train, (1, 5))


@pytest.mark.parametrize("count", [1, 3, 10])
def test_few_ratings_leave_the_baseline_nearly_as_it_is(count: int) -> None:
    rng = np.random.default_rng(count)
    train = csr_array(rng.integers(1, 6, size=(200, 8)).astype(np.float32) / 5)
    shown = train.toarray()[:count] * (np.arange(8) < 4)
    withheld = train.toarray()[:count] * (np.arange(8) == 5)
    holdout = Holdout(np.arange(count), csr_array(shown), csr_array(withheld), csr_array(withheld))
    wild = rng.normal(size=(count, 8)).astype(np.float32)
    learned = fit_ratings(lambda block: wild[block], holdout, train, (1, 5))
    a, b, c, d = learned.coefficients
    assert abs(b) < 0.5
    assert (c, d) == (pytest.approx(1, abs=1), pytest.approx(1, abs=1))
    assert abs(a + learned.mean) < 4


def test_terms_that_say_the_same_do_not_run_away() -> None:
    rng = np.random.default_rng(0)
    train = csr_array(rng.integers(1, 6, size=(200, 8)).astype(np.float32) / 5)
    popular = np.asarray(train.mean(axis=0), dtype=np.float32)
    cut = train.toarray()[:100]
    shown, withheld = csr_array(cut * (np.arange(8) < 6)), csr_array(cut * (np.arange(8) > 5))
    holdout = Holdout(np.arange(100), shown, withheld, withheld)
    learned = fit_ratings(lambda block: np.tile(popular, (100, 1))[block], holdout, train, (1, 5))
    assert np.abs(learned.coefficients).max() < 50
