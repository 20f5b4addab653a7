from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from foldin.choosing import Progress, Training
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.matrix import user_item_matrix
from foldin.data.profiles import Profiles
from foldin.errors import CheckpointError, ConfigurationError, DataError
from foldin.evaluation.calibration import RatingCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evaluation.report import RatingRow
from foldin.evidence import full_catalog
from foldin.fitting import _notes_on_ratings, fit
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity, PopularityModel
from foldin.recommender import Recommender
from foldin.training.epoch import Epoch

LogOf = Callable[..., Interactions]

NETWORK = AutoEncoder(hidden=(6,), latent=3, epochs=8, learning_rate=0.03, batch_size=16)


class UnpluggedError(Exception):
    pass


@pytest.fixture(scope="module")
def log(log_of: LogOf) -> Interactions:
    """150 users of two tastes, enough to calibrate on."""
    rng = np.random.default_rng(6)
    liked = (np.arange(150)[:, None] + np.arange(24)) % 2 == 0
    cells = np.argwhere(rng.random((150, 24)) < np.where(liked, 0.6, 0.06))
    return log_of([(f"u{user:03}", f"i{item:02}") for user, item in cells])


@pytest.fixture(scope="module")
def many_ratings(log: Interactions) -> Interactions:
    ratings = 1 + (log.user_codes + log.item_codes + 1) % 2 * 3 + (log.user_codes * log.item_codes) % 2
    return Interactions(log.user_ids, log.user_codes, log.item_ids, log.item_codes, values=ratings.astype(np.float32))


def bits(recommender: Recommender) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in recommender.model.arrays().items()}


def test_the_model_has_learned_from_everyone(log: Interactions) -> None:
    recommender = fit(log, estimator=EASE(3))
    catalog = Catalog(log.item_ids)
    whole = user_item_matrix(log, catalog, recommender.rule).histories
    assert bits(recommender)["weights"] == EASE(3).fit(whole).weights.tobytes()
    report = recommender.report
    assert report is not None
    assert (report.users, report.items, report.interactions) == (150, 24, len(log))
    assert report.refitted


def test_too_few_users_to_judge_by_are_told_of(log_of: LogOf, log: Interactions) -> None:
    report = fit(log, estimator=EASE(3)).report
    assert report is not None
    assert [note for note in report.notes if "only 15 held-out users to judge by" in note] == list(report.notes)
    assert len(report.notes) == 1
    # four times as many people of the same kind
    more = [
        (f"{log.user_ids[user]}-{copy}", log.item_ids[item])
        for copy in range(4)
        for user, item in zip(log.user_codes, log.item_codes, strict=True)
    ]
    report = fit(log_of(more), estimator=EASE(3)).report
    assert report is not None
    assert report.notes == ()


def test_without_refit_it_has_learned_from_the_training_users(log: Interactions) -> None:
    everyone, some = fit(log, estimator=EASE(3)), fit(log, estimator=EASE(3), refit=False)
    assert bits(everyone) != bits(some)
    assert everyone.report is not None
    assert some.report is not None
    assert not some.report.refitted
    assert some.report.figures == everyone.report.figures


def test_figures_are_told_by_how_much_history_is_shown(log: Interactions) -> None:
    report = fit(log, estimator=EASE(l2=1)).report
    assert report is not None
    assert report.figures is not None
    by_length = report.figures.by_length
    assert [one.length for one in by_length][:3] == [0, 1, 2]
    assert by_length[-1].length is None
    assert by_length[-1].users == report.figures.test_users
    assert by_length[-1].ndcg == {
        name: pytest.approx(row.means["ndcg@10"])
        for name, row in zip(("popularity", "alone", "ease"), report.figures.test, strict=True)
        if name != "alone"
    }
    assert by_length[0].ndcg["ease"] < by_length[-1].ndcg["ease"]


def test_figures_are_of_test_users_beside_popularity(log: Interactions) -> None:
    report = fit(log, estimator=EASE(3)).report
    assert report is not None
    figures = report.figures
    assert figures is not None
    assert (figures.train_users, figures.validation_users, figures.test_users) == (120, 15, 15)
    assert [row.contender for row in figures.test] == ["popularity", "ease alone", "ease"]
    popularity, alone, ease = (row.means["ndcg@10"] for row in figures.test)
    assert alone > popularity + 0.1
    assert ease > popularity + 0.1
    report = fit(log, estimator=Popularity()).report
    assert report is not None
    assert report.figures is not None
    assert [row.contender for row in report.figures.test] == ["popularity"]


def test_without_an_estimator_edlae_is_chosen(log: Interactions) -> None:
    stages: list[str] = []
    trials: list[object] = []
    training = Training(progress=Progress(stage=stages.append, trial=trials.append))
    recommender = fit(log, training=training)
    assert isinstance(recommender.estimator, EDLAE)
    assert len(trials) > 7
    assert [stage for stage in stages if " by the " not in stage] == [
        "choosing on held-out users",
        "learning the handover from prior to model",
        "measuring on test users",
        "learning from everyone",
    ]
    kept = fit(log, estimator=EDLAE(44, 0.1), fixed=["dropout"])
    assert isinstance(kept.estimator, EDLAE)
    assert kept.estimator.dropout == 0.1
    assert kept.estimator.l2 != 44


def test_a_network_learns_from_everyone_for_the_epochs_that_were_best(log: Interactions) -> None:
    recommender = fit(log, estimator=NETWORK)
    report = recommender.report
    assert report is not None
    assert report.figures is not None
    assert report.figures.test_error is not None
    best = [epoch.number for epoch in report.epochs if epoch.best][-1]
    assert isinstance(recommender.estimator, AutoEncoder)
    assert recommender.estimator.epochs == best


def test_probabilities_are_calibrated_on_implicit_feedback(log_of: LogOf, log: Interactions) -> None:
    bigger = log_of(
        [
            (f"{turn}{log.user_ids[u]}", str(log.item_ids[i]))
            for turn in range(8)
            for u, i in zip(log.user_codes, log.item_codes, strict=True)
        ]
    )
    recommender = fit(bigger, estimator=EASE(3))
    assert isinstance(recommender.calibration, PersonCalibration)
    assert recommender.calibration.told is None
    assert recommender.calibration.untold is not None
    assert recommender.calibration.untold.lengths[0] == 0
    ranking = recommender.recommend(["i00", "i02", "i04"])
    assert all(one.probability is not None and 0 <= one.probability <= 1 for one in ranking)


def test_ratings_are_calibrated_on_explicit_feedback(many_ratings: Interactions) -> None:
    recommender = fit(many_ratings, estimator=NETWORK, feedback=Feedback(form="explicit", positive_from=4))
    assert isinstance(recommender.calibration, RatingCalibration)
    assert isinstance(recommender.estimator, AutoEncoder)
    assert recommender.estimator.unobserved == 0
    assert recommender.report is not None
    assert recommender.report.figures is not None
    popularity, row = recommender.report.figures.ratings
    assert popularity.contender == "popularity"
    assert 0 < row.mae <= row.rmse < 2


def test_the_seed_decides_who_is_held_out(log: Interactions) -> None:
    reports = [fit(log, estimator=EASE(3), seed=seed).report for seed in (1, 1, 2)]
    assert reports[0] == reports[1]
    assert reports[0] is not None
    assert reports[2] is not None
    assert reports[0].figures != reports[2].figures
    assert reports[0].fingerprint == reports[2].fingerprint


def test_the_fingerprint_is_of_the_data(log: Interactions, many_ratings: Interactions) -> None:
    reports = [
        fit(one, estimator=Popularity(), catalog=catalog).report
        for one, catalog in (
            (log, None),
            (log.where(np.arange(1, len(log))), None),
            (log, Catalog(log.item_ids[::-1])),
        )
    ]
    assert len({report.fingerprint for report in reports if report is not None}) == 3


def test_items_of_the_catalogue_come_first_and_those_of_the_log_after(log_of: LogOf) -> None:
    log = log_of([("u", "c"), ("u", "a"), ("v", "a")])
    assert full_catalog(log, Catalog(ids_of(["z", "c"]))).item_ids.tolist() == ["z", "c", "a"]
    assert full_catalog(log, None).item_ids.tolist() == ["a", "c"]
    recommender = fit(log, estimator=EASE(), catalog=Catalog(ids_of(["z", "c"])))
    assert [one.item_id for one in recommender.predict([])] == ["a", "c", "z"]


def test_without_events_it_finds_what_fits_a_profile(log: Interactions) -> None:
    nothing = log.where(np.zeros(len(log), dtype=np.bool_))
    titles = ids_of(["Storage for everybody", "Networks", None])
    recommender = fit(nothing, catalog=Catalog(ids_of(["a", "b", "c"]), {"title": titles}))
    for history in ([], ["a"]):
        found = recommender.recommend(history, profile={"interests": "networks"})
        assert [(one.item_id, one.basis.content, one.score) for one in found] == [("b", 1, 1)]
    assert recommender.recommend(["a"]) == recommender.recommend(profile={"interests": "cooking"}) == []
    assert recommender.report is not None
    assert (recommender.report.users, recommender.report.items, recommender.report.figures) == (0, 3, None)
    assert "no interactions yet" in recommender.report.notes[0]
    for wordless in (Catalog(ids_of(["a"])), Catalog(ids_of([])), Catalog(ids_of(["a"]), {"title": ids_of([None])})):
        with pytest.raises(DataError, match="no catalogue with words to look up: give events, or items"):
            fit(nothing, catalog=wordless)


def test_profiles_teach_a_prior_and_useless_ones_change_nothing(log: Interactions) -> None:
    tastes = ids_of(["odd" if int(user_id[1:]) % 2 else "even" for user_id in log.user_ids])
    blind, told, useless = (
        fit(log, estimator=EASE(3), profiles=Profiles(log.user_ids, {"taste": column}) if len(column) else None)
        for column in (ids_of([]), tastes, ids_of(["human"] * len(log.user_ids)))
    )
    for parity, taste in enumerate(("even", "odd")):
        best = told.recommend(profile={"taste": taste}, k=8)
        assert {int(one.item_id[1:]) % 2 for one in best} == {parity}
        assert all(one.basis.profile > 0 for one in best)
    assert bits(told) == bits(blind)
    assert useless.recommend(["i00"], profile={"taste": "human"}) == blind.recommend(["i00"])
    assert useless.report == blind.report


def test_recent_events_count_more_in_the_prior_alone(log_of: LogOf) -> None:
    pairs = [(f"u{user:02}", item) for user in range(40) for item in ("a", f"b{user % 3}", "c" if user % 4 else "d")]
    days = [day for user in range(40) for day in (0, 100, 100)]
    log = log_of(pairs, times=[day * 86_400_000_000 for day in days])
    level, recent = (fit(log, estimator=EASE(3), recent=days) for days in (None, 10))
    assert [one.item_id for one in level.recommend(k=2)] == ["a", "c"]
    assert [one.item_id for one in recent.recommend(k=2)] == ["c", "b0"]
    assert bits(level) == bits(recent)
    with pytest.raises(ConfigurationError, match="recent is 0"):
        fit(log, estimator=EASE(3), recent=0)
    with pytest.raises(ConfigurationError, match="needs a column of times"):
        fit(log_of(pairs), estimator=EASE(3), recent=10)


def test_no_events_and_settings_that_do_not_fit_the_log(log: Interactions, many_ratings: Interactions) -> None:
    with pytest.raises(DataError, match="no interactions"):
        fit(log.where(np.zeros(len(log), dtype=np.bool_)))
    with pytest.raises(ConfigurationError, match="say what they mean"):
        fit(many_ratings)
    with pytest.raises(ConfigurationError, match="no values"):
        fit(log, feedback=Feedback(form="explicit", positive_from=4))


def test_ratings_without_variance_are_popularity(many_ratings: Interactions) -> None:
    assert many_ratings.values is not None
    level = Interactions(
        many_ratings.user_ids,
        many_ratings.user_codes,
        many_ratings.item_ids,
        many_ratings.item_codes,
        values=np.full_like(many_ratings.values, 5),
    )
    recommender = fit(level, feedback=Feedback(form="explicit", positive_from=4))
    assert isinstance(recommender.estimator, Popularity)
    assert recommender.report is not None
    assert "popularity" in recommender.report.notes[0]
    assert all(one.rating == 5 for one in recommender.recommend(["i00"]))


@pytest.mark.parametrize("stage", ["choosing", "learning"])
def test_an_interrupted_fit_is_resumed_to_the_same_bits(log: Interactions, tmp_path: Path, stage: str) -> None:
    expected = fit(log, estimator=NETWORK)
    stages: list[str] = []

    def unplug(epoch: Epoch) -> None:
        if stages[-1].startswith(stage) and epoch.number == 2:
            raise UnpluggedError

    progress = Progress(stage=stages.append, epoch=unplug)
    with pytest.raises(UnpluggedError):
        fit(log, estimator=NETWORK, training=Training(checkpoints=tmp_path, progress=progress))
    again = Training(checkpoints=tmp_path, resume=True)
    resumed = fit(log, estimator=NETWORK, training=again)
    assert bits(resumed) == bits(expected)
    assert resumed.report == expected.report
    with pytest.raises(CheckpointError, match="of another run"):
        fit(log, estimator=NETWORK, training=again, seed=5)


def test_a_dense_matrix_of_different_ratings_is_no_reason_for_popularity(log_of: Callable[..., Interactions]) -> None:
    rng = np.random.default_rng(0)
    pairs = [(f"u{user:02}", f"i{item}") for user in range(40) for item in range(6)]
    log = log_of(pairs, values=[float(value) for value in rng.integers(1, 6, len(pairs))])
    recommender = fit(log, estimator=EASE(10), feedback=Feedback(form="explicit", positive_from=4))
    assert recommender.estimator == EASE(10)


def test_users_who_liked_nothing_do_not_thin_out_what_is_learned(log_of: Callable[..., Interactions]) -> None:
    liking = [(f"a{user:02}", f"i{(user + step) % 8}", 5.0) for user in range(40) for step in range(3)]
    disliking = [(f"b{user:02}", f"i{user % 8}", 1.0) for user in range(40)]
    recommenders = []
    for rows in (liking, liking + disliking):
        log = log_of([(user, item) for user, item, _ in rows], values=[value for _, _, value in rows])
        recommenders.append(fit(log, estimator=Popularity(), feedback=Feedback(positive_from=4)))
    shares = [recommender.blend.prior.shares for recommender in recommenders]
    np.testing.assert_array_equal(shares[0], shares[1])
    model = recommenders[1].model
    assert isinstance(model, PopularityModel)
    np.testing.assert_array_equal(model.shares, shares[1])


def test_ratings_predicted_worse_than_by_the_baseline_are_noted() -> None:
    baseline, model = (RatingRow(name, rmse, None, 0.7, None) for name, rmse in (("popularity", 0.98), ("ease", 1.01)))
    worse = "this model predicts ratings worse than the baseline of user and item biases: RMSE 1.010 against 0.980"
    assert [worse in note for note in _notes_on_ratings([baseline, model])] == [True]
    assert not list(_notes_on_ratings([model, baseline]))
    assert not list(_notes_on_ratings([]))
