"""Several models on one split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.bundle import save_bundle
from foldin.choosing import Progress, Training
from foldin.contest import Contest, contest, cross_validate
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.splitting import PROTOCOLS, Holdout
from foldin.data.synthetic import World, simulate
from foldin.errors import ConfigurationError, DataError
from foldin.evaluation.evaluate import evaluate
from foldin.evaluation.scoring import Score, model_scores
from foldin.fitting import fit
from foldin.models import EASE, AutoEncoder, Popularity
from foldin.models.protocols import Estimator, Model
from foldin.ranking.metrics import popularity_of
from foldin.recommender import Recommender


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(users=300, items=40, seed=3)


def test_contenders_are_taken_as_they_are_unless_told_otherwise(world: World) -> None:
    contenders = {"little": EASE(5), "much": EASE(50_000)}
    kept = contest(world.events, contenders)
    assert [choice.estimator for choice in kept.choices.values()] == list(contenders.values())
    chosen = contest(world.events, contenders, fixed={})
    assert chosen.choices["little"].estimator == chosen.choices["much"].estimator


def test_stages_say_of_which_contender_they_are(world: World) -> None:
    stages: list[str] = []
    training = Training(progress=Progress(stage=stages.append))
    contest(world.events, {"ease": EASE(5), "popularity": Popularity()}, prior=False, training=training)
    by_half = "choosing by the first half of the validation users"
    assert stages == ["ease", f"ease: {by_half}", "popularity", f"popularity: {by_half}"]


def test_models_are_judged_with_the_prior_unless_told_otherwise(world: World) -> None:
    contenders = {"popularity": Popularity(), "ease": EASE(50)}
    told = {"catalog": world.catalog, "profiles": world.profiles}
    used, alone = (contest(world.events, contenders, prior=prior, **told) for prior in (True, False))  # type: ignore[arg-type]  # of two kinds
    assert (list(used.blends), list(alone.blends)) == (["ease"], [])
    test = used.split.test.ranked()
    for name in contenders:
        np.testing.assert_array_equal(used.scores_alone(name, test)(slice(None)), alone.scores(name, test)(slice(None)))
    expected = used.evidence.scores(used.blends["ease"], test)(slice(None))
    np.testing.assert_array_equal(used.scores("ease", test)(slice(None)), expected)
    assert not np.array_equal(expected, used.scores_alone("ease", test)(slice(None)))
    ours, theirs = (one.comparison.evaluations for one in (used, alone))
    assert ours["popularity"].mean("ndcg@10") == theirs["popularity"].mean("ndcg@10")
    assert ours["ease"].mean("ndcg@10") != theirs["ease"].mean("ndcg@10")


@pytest.mark.parametrize("recent", [None, 30.0])
@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_a_prior_knows_nothing_of_what_is_to_be_found(protocol: str, recent: float | None, world: World) -> None:
    result = contest(world.events, {"ease": EASE(50)}, protocol=protocol, recent=recent)
    split, prior = result.split, result.blends["ease"].prior
    learned = prior.shares.sum(dtype=np.float64) * len(split.train_rows)
    assert learned == pytest.approx(split.train.sum(dtype=np.float64), rel=1e-5)
    popular = np.asarray(split.train.sum(axis=0), dtype=np.float64).ravel()
    np.testing.assert_array_equal(prior.warm, popular > 0)
    if recent is None:
        np.testing.assert_allclose(prior.shares * len(split.train_rows), popular, rtol=1e-5)


@pytest.mark.parametrize("protocol", [name for name in PROTOCOLS if name != "strong"])
def test_where_everybody_is_trained_on_the_handover_is_learned_on_some_left_out(
    protocol: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[csr_array] = []
    fit_ease = EASE.fit

    def noted(estimator: EASE, histories: csr_array, **_told: object) -> Model:
        trained.append(histories)
        return fit_ease(estimator, histories)

    monkeypatch.setattr(EASE, "fit", noted)
    result = contest(world.events, {"ease": EASE(50)}, protocol=protocol)
    judged, inner = trained
    assert judged.shape[0] == len(result.split.train_rows)
    assert inner.shape[0] < judged.shape[0]
    assert inner.sum() < judged.sum()


def test_folds_test_on_different_users(world: World) -> None:
    seen: list[set[int]] = []

    def hold(fold: tuple[int, int]) -> Contest:
        held = contest(world.events, {"popularity": Popularity()}, fold=fold)
        seen.append(set(held.split.test.rows.tolist()))
        return held

    found = cross_validate(hold, 4)
    assert len(set.union(*seen)) == sum(map(len, seen)) == sum(one.test_users for one in found.folds)
    assert len(found.comparison.of("popularity").values("ndcg@10")) == sum(map(len, seen))
    with pytest.raises(ConfigurationError, match="folds are 1; there can be from 2 to 20"):
        cross_validate(hold, 1)
    with pytest.raises(ConfigurationError, match="the protocol 'last' tests on all of them at once"):
        contest(world.events, {"popularity": Popularity()}, protocol="last", fold=(0, 2))


def test_the_best_possible_is_beside_the_contenders(world: World) -> None:
    result = contest(world.events, {"popularity": Popularity()}, truth=world.truth)
    assert list(result.comparison.evaluations) == ["popularity", "best possible"]
    share = result.comparison.share_of_best("popularity", "ndcg@10")
    assert share is not None
    assert 0 < share < 1


def test_the_truth_of_clicks_is_none_of_ratings(world: World) -> None:
    rule = Feedback(form="explicit", positive_from=4)
    with pytest.raises(ConfigurationError, match="the truth is of clicks"):
        contest(world.ratings, {"popularity": Popularity()}, feedback=rule, truth=world.truth)


def test_a_protocol_that_leaves_nobody_to_judge_is_named(log_of: Callable[..., Interactions]) -> None:
    # everybody has one day: nobody is on both sides of a moment
    pairs = [(f"u{user:02}", f"i{item}") for user in range(30) for item in range(4)]
    log = log_of(pairs, times=[user for user in range(30) for _ in range(4)])
    with pytest.raises(DataError, match="the protocol 'time' leaves no validation users"):
        contest(log, {"ease": EASE()}, protocol="time", fixed={})


def test_validation_users_are_judged_by_the_model_in_which_they_had_no_part(world: World) -> None:
    network = AutoEncoder(hidden=(6,), latent=3, epochs=8, patience=8)
    contenders: dict[str, Estimator] = {"popularity": Popularity(), "network": network}
    result = contest(world.events, contenders, catalog=world.catalog, profiles=world.profiles)
    popularity = popularity_of(result.split.train)

    def judged(score: Score, users: Holdout) -> NDArray[np.float64]:
        return evaluate(score, users, popularity=popularity, metrics=["ndcg@10"]).values("ndcg@10")

    everybody, folds = result.split.validation.ranked(), result.choices["network"].folds
    expected = judged(model_scores(result.choices["popularity"].model, everybody), everybody)
    assert result.validated("ndcg@10")["popularity"] == pytest.approx(expected.mean())
    of_halves = [
        judged(result.evidence.scores(replace(result.blends["network"], model=fold.model), users), users)
        for fold, users in ((fold, fold.users.ranked()) for fold in folds)
    ]
    assert len(np.concatenate(of_halves)) == len(everybody)
    assert result.validated("ndcg@10")["network"] == pytest.approx(np.concatenate(of_halves).mean())


def test_a_protocol_that_does_not_exist_lists_those_that_do(world: World) -> None:
    with pytest.raises(ConfigurationError, match="there are: strong, last, time, random"):
        contest(world.events, {"ease": EASE()}, protocol="magic")


@pytest.mark.parametrize(("prior", "names"), [(True, ("popularity", "ease", "autoencoder")), (False, ("ease",))])
def test_a_recommender_of_a_contest_is_the_one_that_fit_makes(
    prior: bool, names: Sequence[str], world: World, tmp_path: Path
) -> None:
    network = AutoEncoder(hidden=(6,), latent=3, epochs=2)
    estimators: dict[str, Estimator] = {"popularity": Popularity(), "ease": EASE(), "autoencoder": network}
    contenders = {name: estimators[name] for name in names}
    told = {"catalog": world.catalog, "profiles": world.profiles, "fixed": {}}
    result = contest(world.events, contenders, prior=prior, training=Training(seed=2), **told)  # type: ignore[arg-type]  # of three kinds
    for name, estimator in contenders.items():
        expected = fit(world.events, estimator=estimator, seed=2, **told)  # type: ignore[arg-type]
        assert bundle(result.recommender(name), tmp_path / "ours") == bundle(expected, tmp_path / "theirs")


def bundle(recommender: Recommender, folder: Path) -> dict[str, object]:
    """The files that a recommender is saved as, but for the moment it was saved at."""
    save_bundle(recommender, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["created"], manifest["sha256"]
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "manifest.json"}
    shutil.rmtree(folder)
    return {"manifest": manifest, **files}


def test_a_recommender_is_chosen_on_users_held_out_whole(world: World) -> None:
    result = contest(world.events, {"ease": EASE(50)}, protocol="last", prior=False)
    with pytest.raises(ConfigurationError, match="the protocol 'last' trains on part of everybody's history"):
        result.recommender("ease")
