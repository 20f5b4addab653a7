"""Two tastes: even users have the even items, odd users the odd ones; a role says which. Models note what they see."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

import foldin.coldstart.crossfit as module
from foldin.coldstart.cold_items import history_weight_of
from foldin.coldstart.content import fit_content
from foldin.coldstart.crossfit import Fold, Learned, learn_blend
from foldin.coldstart.handover import spread_unit, usual_handover
from foldin.coldstart.prior import Prior, fit_prior
from foldin.data.catalog import Attributes, Catalog, ids_of
from foldin.data.splitting import Holdout

USERS, ITEMS = 400, 30
EVEN = np.arange(USERS) % 2 == 0
ALIKE = np.add.outer(np.arange(USERS), np.arange(ITEMS)) % 2 == 0
ROLES: Attributes = {"role": ids_of(np.where(EVEN, "admin", "builder"))}
TRAIN = np.arange(USERS) < 200

UNKNOWN: Any = None  # a cell that is not known


def liked(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(values > 0)


def sparse(cells: NDArray[np.bool_]) -> csr_array:
    return csr_array(cells.astype(np.float32))


def tastes(share: float = 0.9) -> NDArray[np.bool_]:
    """Of their items users have such a share, those further on in the catalogue less often."""
    fading = np.linspace(share, share - 0.3, ITEMS)
    fading[6:8] = 1  # of these one is to be found of everybody
    return np.asarray((np.random.default_rng(0).random(ALIKE.shape) < fading) & ALIKE)


def held_out(rows: NDArray[np.intp]) -> Holdout:
    """Users of whom every fourth item is to be found."""
    found = np.zeros((USERS, ITEMS), dtype=np.bool_)
    found[:, np.arange(ITEMS) // 2 % 4 == 3] = True
    return Holdout(rows, sparse((tastes() & ~found)[rows]), sparse((tastes() & found)[rows]))


@dataclass(eq=False)
class Watched:
    """A model that scores by `weights`, or by chance without any, and keeps what it was asked about."""

    weights: NDArray[np.float32] | None = None
    asked: list[csr_array] = field(default_factory=list)

    def score(self, histories: csr_array) -> NDArray[np.float32]:
        self.asked.append(histories)
        if self.weights is None:
            return np.random.default_rng(len(self.asked)).normal(size=histories.shape).astype(np.float32)
        return np.asarray(histories @ self.weights, dtype=np.float32)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}

    def lengths(self) -> list[NDArray[np.int32]]:
        return [np.diff(histories.indptr) for histories in self.asked]


def knowing() -> Watched:
    return Watched((np.add.outer(np.arange(ITEMS), np.arange(ITEMS)) % 2 == 0).astype(np.float32))


@pytest.fixture(scope="module")
def prior() -> Prior:
    """Learned from the first 200 users, whom no fold holds."""
    return fit_prior(sparse(tastes()[TRAIN]), {"role": ROLES["role"][TRAIN]})


def rows_of(start: int, stop: int) -> NDArray[np.intp]:
    return np.arange(start, stop)


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH_ROWS", 100)


def learned(models: list[Watched], prior: Prior, attributes: Attributes = ROLES, each: int = 50) -> Learned:
    users = [held_out(rows_of(200 + each * place, 200 + each * (place + 1))) for place in range(len(models))]
    return learn_blend([Fold(*pair) for pair in zip(models, users, strict=True)], prior, attributes, liked)


# -- who judges whom


def test_users_are_scored_by_the_model_of_their_fold_alone(prior: Prior) -> None:
    models = [knowing(), knowing()]
    # the values of their histories tell the users of one fold from those of the other
    users = [held_out(rows_of(200, 250)), held_out(rows_of(250, 300))]
    doubled = Holdout(users[1].rows, users[1].fold_in * np.float32(2), users[1].targets)
    learn_blend([Fold(models[0], users[0]), Fold(models[1], doubled)], prior, ROLES, liked)
    asked = [np.concatenate([histories.data for histories in model.asked]) for model in models]
    assert [set(data.tolist()) for data in asked] == [{1.0}, {2.0}]


def test_all_folds_count(prior: Prior) -> None:
    def say(*models: Watched) -> float:
        return float(learned(list(models), prior, {}).handover.untold.mean())

    assert say(knowing(), knowing()) < say(knowing(), Watched()) < say(Watched(), Watched())


def test_the_unit_is_that_of_all_folds_together(prior: Prior) -> None:
    quiet = knowing()
    quiet.weights = quiet.weights * np.float32(0.01) if quiet.weights is not None else None
    loud = knowing()
    unit = learned([quiet, loud], prior).handover.unit
    scores = [quiet.score(quiet.asked[0]), loud.score(loud.asked[0])]
    assert unit == pytest.approx(spread_unit(np.concatenate(scores)), rel=1e-5)


# -- what is learned


def test_a_blend_is_put_together_as_it_was_learned(prior: Prior) -> None:
    found = learned([knowing()], prior)
    found = replace(found, content_weight=4, resemblance_weight=16)
    blend = found.blend(knowing(), prior)
    assert blend.handover is found.handover
    weights = blend.prior.profile_weight, blend.prior.content_weight, blend.prior.resemblance_weight
    assert weights == (found.profile_weight, found.content_weight, found.resemblance_weight)
    assert blend.cold_items is None


def test_what_a_history_counts_for_cold_items_is_a_mean_over_folds(prior: Prior) -> None:
    found = learned([knowing(), knowing()], prior)
    of_folds = []
    for start in (200, 250):
        users = held_out(rows_of(start, start + 50))
        scores = found.blend(knowing(), prior).score(users.fold_in, {"role": ROLES["role"][start : start + 50]})
        of_folds.append(history_weight_of(scores, users.fold_in, prior.warm))
    assert found.history_weight == pytest.approx(np.mean(of_folds), rel=1e-4)
    assert found.history_weight > 0


def test_a_profile_that_decides_is_given_weight(prior: Prior) -> None:
    assert learned([knowing()], prior).profile_weight > 0


def test_a_profile_that_says_nothing_is_given_none(prior: Prior) -> None:
    shuffled = {"role": np.random.default_rng(0).permutation(ROLES["role"])}
    assert learned([knowing()], prior, shuffled).profile_weight == 0
    nobody = {"role": ids_of([UNKNOWN] * USERS)}
    assert learned([knowing()], prior, nobody).profile_weight == 0


def test_profiles_are_found_by_the_rows_of_the_whole_matrix(prior: Prior) -> None:
    elsewhere = {"role": np.where(TRAIN, np.roll(ROLES["role"], 1), ROLES["role"])}
    found, plain = learned([Watched()], prior, elsewhere), learned([Watched()], prior)
    assert found.profile_weight == plain.profile_weight > 0
    assert np.array_equal(found.handover.weights, plain.handover.weights)


def test_a_model_of_noise_leaves_the_say_to_the_prior(prior: Prior) -> None:
    noise, knows = (learned([model], prior).handover for model in (Watched(), knowing()))
    for of in ("weights", "untold"):
        assert (getattr(noise, of)[1:6] > 5 * getattr(knows, of)[1:6]).all(), of


def half_knowing() -> Watched:
    """A model that knows the tastes, and is often wrong."""
    weights = knowing().weights
    assert weights is not None
    return Watched(weights + np.random.default_rng(0).normal(size=weights.shape, scale=2).astype(np.float32))


def test_a_prior_that_a_profile_tells_nothing_gives_way_sooner(prior: Prior) -> None:
    handover = learned([half_knowing()], prior).handover
    assert (handover.weights[1:5] > 2 * handover.untold[1:5]).all()


def test_the_profile_plays_no_part_in_what_is_learned_without_it(prior: Prior) -> None:
    known, unknown = learned([half_knowing()], prior), learned([half_knowing()], prior, {})
    assert np.array_equal(known.handover.untold, unknown.handover.untold)
    # where no profile tells anything, there is one handover
    assert np.array_equal(unknown.handover.weights, unknown.handover.untold)


def test_a_profile_is_measured_by_what_profiles_usually_tell(prior: Prior) -> None:
    found = learned([knowing()], prior)
    weighed = prior.with_weights(profile=found.profile_weight, content=found.content_weight)
    rows = slice(200, 250)
    usual = np.median(weighed.leads({"role": ROLES["role"][rows]}, 50))
    assert found.handover.usual_lead == pytest.approx(float(usual))
    assert learned([knowing()], prior, {}).handover.usual_lead == 0


def test_those_with_a_profile_teach_how_it_is_handed_over_with_one(prior: Prior) -> None:
    some = {"role": np.where(np.arange(USERS) < 240, ROLES["role"], UNKNOWN)}
    model = knowing()
    learned([model], prior, some, each=60)
    assert {histories.shape[0] for histories in of_length_three(model)} == {60, 2 * 40}  # those are cut in two ways


def test_few_profiles_among_many_people_are_not_thinned_out(prior: Prior) -> None:
    rare = {"role": np.where(np.arange(USERS) % 4 == 0, ROLES["role"], UNKNOWN)}
    model = knowing()
    learned([model], prior, rare, each=200)  # of these 100 are looked at
    assert {histories.shape[0] for histories in of_length_three(model)} == {100, 2 * 50}


def test_where_profiles_teach_nothing_they_have_no_say_whatever_is_found_later() -> None:
    popular = fit_prior(sparse(tastes()[TRAIN]), {})
    assert popular.profile is None
    assert learned([knowing()], popular).profile_weight == 0


def test_users_with_nothing_to_find_play_no_part(prior: Prior) -> None:
    users = held_out(rows_of(200, 260))
    emptied = users.targets.toarray()
    emptied[40:] = 0
    some = Holdout(users.rows, users.fold_in, csr_array(emptied))
    found = [learn_blend([Fold(knowing(), part)], prior, ROLES, liked) for part in (some, some.where(np.arange(40)))]
    assert np.array_equal(found[0].handover.weights, found[1].handover.weights)
    assert found[0].profile_weight == found[1].profile_weight


def test_the_same_users_give_the_same(prior: Prior) -> None:
    one, other = (learned([knowing(), Watched()], prior) for _ in range(2))
    assert one.handover.weights.tobytes() == other.handover.weights.tobytes()
    assert one.handover.unit == other.handover.unit
    assert (one.profile_weight, one.history_weight) == (other.profile_weight, other.history_weight)


@pytest.mark.parametrize("each", [1, 2])
def test_hardly_any_users(each: int, prior: Prior) -> None:
    found = learned([knowing(), knowing()], prior, each=each)
    assert found.profile_weight in (0, 0.5, 1, 2)
    assert found.handover.weights.tolist() == usual_handover(1).weights.tolist()


# -- few users are cut in several ways, many are thinned out


def of_length_three(model: Watched) -> list[csr_array]:
    return [histories for histories in model.asked if (np.diff(histories.indptr) == 3).all()]


@pytest.mark.parametrize(("users", "draws"), [(10, 5), (20, 5), (25, 4), (50, 2), (51, 1)])
def test_few_users_are_cut_in_several_ways(users: int, draws: int, prior: Prior) -> None:
    model = knowing()
    learned([model], prior, {}, each=users)
    [cut] = of_length_three(model)
    assert cut.shape[0] == users * draws
    assert len({cut[first : first + users].indices.tobytes() for first in range(0, users * draws, users)}) == draws


def test_draws_are_shared_by_all_folds(prior: Prior) -> None:
    models = [knowing(), knowing()]
    learned(models, prior, {}, each=17)
    assert [[cut.shape[0] for cut in of_length_three(model)] for model in models] == [[2 * 17], [2 * 17]]


def test_many_users_are_thinned_out_evenly(prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENOUGH_ROWS", 20)
    model = knowing()
    learned([model], prior, {}, each=115)
    everyone = held_out(rows_of(200, 315)).fold_in.toarray()
    assert np.array_equal(model.asked[0].toarray(), everyone[np.arange(20) * 6])
    assert all(histories.shape[0] <= 20 for histories in model.asked)
    assert len(of_length_three(model)) == 1


def test_large_catalogues_thin_out_more(prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_CELLS", 10 * ITEMS)
    model = knowing()
    learned([model], prior, each=100)
    assert max(histories.shape[0] for histories in model.asked) == 10
    monkeypatch.setattr(module, "MOST_CELLS", 1)
    alone = knowing()
    learned([alone], prior, each=100)
    assert max(histories.shape[0] for histories in alone.asked) == 1


def test_whole_histories_are_those_nearest_to_a_length(prior: Prior) -> None:
    model = knowing()
    learned([model], prior, each=50)
    whole = held_out(rows_of(200, 250)).fold_in
    # in log(1 + n), 7 is nearer to 5 than to 10, and 15 nearer to 20 than to 10
    nearest = [5 if length < 8 else 10 if length < 15 else 20 for length in np.diff(whole.indptr)]
    tails = model.lengths()[-len(set(nearest)) - 1 : -1]  # last comes everybody, for what cold items are worth
    assert [len(part) for part in tails] == [nearest.count(length) for length in sorted(set(nearest))]


def test_nearest_is_meant_in_the_logarithm(prior: Prior) -> None:
    model, rows = knowing(), rows_of(200, 250)
    fewer = np.arange(ITEMS) < 2 * (3 + EVEN[:50, None])  # even users have 4 items, odd ones 3
    users = Holdout(rows, sparse(ALIKE[:50] & fewer), sparse(ALIKE[:50] & (np.arange(ITEMS) > 20)))
    learn_blend([Fold(model, users)], prior, ROLES, liked)
    assert [len(part) for part in model.lengths()[-3:]] == [25, 25, 50]  # 4 is nearer to 5 than to 3


# -- words


def titled(prior: Prior, topics: NDArray[np.object_]) -> Prior:
    content = fit_content(Catalog(ids_of(map(str, range(ITEMS))), {"title": topics}))
    assert content is not None
    return replace(prior, profile=None, content=content)


def test_resemblance_is_given_weight_where_titles_tell_tastes(prior: Prior) -> None:
    topics = ids_of(["deep sea", "green hills"] * (ITEMS // 2))
    assert learned([Watched()], titled(prior, topics)).resemblance_weight > 0
    shuffled = np.random.default_rng(0).permutation(topics)
    assert learned([Watched()], titled(prior, shuffled)).resemblance_weight == 0
    assert learned([Watched()], prior).resemblance_weight == 0
