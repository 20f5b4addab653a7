"""From a log to people the model has never met: the role decides; admins have items 0 to 9, builders 10 to 19."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldin import fit, load, save
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.errors import ConfigurationError, DataError
from foldin.models.ease import EASE
from foldin.recommendation import Recommendation
from foldin.recommender import Recommender

LogOf = Callable[..., Interactions]

USERS, ITEMS = 160, 20
ADMINS = [f"i{item:02}" for item in range(10)]
BUILDERS = [f"i{item:02}" for item in range(10, 20)]
DAY = 86_400_000_000
ESTIMATOR = EASE(l2=10)


def cells(seed: int = 0) -> list[tuple[str, str]]:
    """Even users are admins; everybody has 6 items or so of their role, and of these the first ones more often."""
    rng = np.random.default_rng(seed)
    own = np.arange(USERS)[:, None] % 2 == np.arange(ITEMS) // 10
    shares = np.where(own, 0.85 - 0.05 * (np.arange(ITEMS) % 10), 0.02)
    return [(f"u{user:03}", f"i{item:02}") for user, item in np.argwhere(rng.random(own.shape) < shares)]


def people(users: int = USERS) -> Profiles:
    roles = ids_of(["admin", "builder"] * (users // 2))
    cities = ids_of(np.random.default_rng(1).choice(["rome", "oslo", "lima"], users))
    return Profiles(ids_of(f"u{user:03}" for user in range(users)), {"role": roles, "city": cities})


def labs() -> Catalog:
    """The titles of the admins' items have words in common, as the builders' have; nobody had the last three."""
    titles = [f"storage array {item}" for item in range(10)] + [f"kubernetes cluster {item}" for item in range(10, 20)]
    more = ["storage array again", "kubernetes cluster again", "poetry"]
    ids = [*ADMINS, *BUILDERS, "new-storage", "new-kubernetes", "poems"]
    return Catalog(ids_of(ids), {"title": ids_of([*titles, *more])})


@pytest.fixture(scope="module")
def log(log_of: LogOf) -> Interactions:
    return log_of(cells())


@pytest.fixture(scope="module")
def recommender(log: Interactions) -> Recommender:
    return fit(log, estimator=ESTIMATOR, profiles=people(), catalog=labs())


@pytest.fixture(scope="module")
def nothing_happened(log: Interactions) -> Recommender:
    networks = ["Networking for beginners", "Networking in the cloud", "Bread and butter", "Storage"]
    catalog = Catalog(ids_of("abcd"), {"title": ids_of(networks)})
    return fit(log.where(np.arange(0)), catalog=catalog)


def fitted_on_firsts(log_of: LogOf, sway: float, seed: int) -> Recommender:
    """120 users of two roles with one item each, so that nobody can be held out; the roles decide so much of which."""
    rng = np.random.default_rng(seed)
    admins = rng.random(120) < 0.5
    own = (np.arange(10) % 2 == 0) == admins[:, None]
    weights = np.where(own, 1 + sway, 1 - sway) / 10
    pairs = [(f"u{user:03}", f"i{rng.choice(10, p=row):02}") for user, row in enumerate(weights)]
    roles = ids_of("admin" if admin else "builder" for admin in admins)
    return fit(
        log_of(pairs), estimator=ESTIMATOR, profiles=Profiles(ids_of(user for user, _ in pairs), {"role": roles})
    )


def ids(ranking: list[Recommendation]) -> list[str]:
    return [one.item_id for one in ranking]


def everything_said(recommender: Recommender) -> list[Any]:
    """Answers of every sort, to be compared exactly."""
    profiles = [None, {"role": "builder"}, {"role": "admin", "city": "oslo"}, {"about": "poetry"}]
    histories = [[], ["i00"], ["i11", "i12", "i13"], ["i01", "nowhere", "new-storage"]]
    asked = [(history, profile) for history in histories for profile in profiles]
    rankings = recommender.recommend_many([h for h, _ in asked], profiles=[p for _, p in asked], k=23)
    return [rankings, [recommender.explain(h, "i15", profile=p) for h, p in asked], recommender.similar("i03")]


# -- nobody's history


@pytest.mark.parametrize(("role", "wanted", "others"), [("admin", ADMINS, BUILDERS), ("builder", BUILDERS, ADMINS)])
def test_a_profile_alone_gets_what_its_like_have(
    role: str, wanted: list[str], others: list[str], recommender: Recommender
) -> None:
    ranking = recommender.recommend(profile={"role": role}, k=11)
    assert not set(ids(ranking)) & set(others)
    assert ids(ranking)[:3] == wanted[:3] or set(ids(ranking)[:4]) <= set(wanted)
    for one in ranking:
        assert one.basis.profile > 0
        assert one.basis.history == 0
        assert next(iter(one.basis.shares())) in ("profile", "popularity")


def test_what_is_said_adds_up(recommender: Recommender) -> None:
    for history, profile in (([], {"role": "builder"}), (["i00", "i02"], {"role": "builder", "city": "oslo"})):
        for one in recommender.recommend(history, profile=profile, k=23):
            told = recommender.explain(history, one.item_id, profile=profile)
            basis = told.basis
            parts = (basis.history, basis.profile, basis.content, basis.popularity)
            assert sum(parts) == pytest.approx(one.score, abs=1e-5)
            assert told.score == pytest.approx(one.score, abs=1e-5)
            assert sum(part.amount for part in told.attributes) == pytest.approx(basis.profile, abs=1e-5)
            assert sum(part.amount for part in told.items) == pytest.approx(basis.history, abs=1e-5)
            assert told.additive


def test_the_attribute_that_decides_says_most(recommender: Recommender) -> None:
    told = recommender.explain([], "i10", profile={"role": "builder", "city": "oslo", "planet": "mars"})
    amounts = {part.name: part.amount for part in told.attributes}
    assert told.attributes[0].name == "role"
    assert amounts["role"] > 5 * abs(amounts.get("city", 0))
    assert "planet" not in amounts


@pytest.mark.parametrize(
    "profile", [{"role": "astronaut"}, {"planet": "mars"}, {"role": ""}, {}, None], ids=["value", "name", "", "{}", "-"]
)
def test_what_was_never_seen_falls_back_to_popularity(profile: dict[str, str] | None, recommender: Recommender) -> None:
    popular = recommender.recommend(k=20)
    assert recommender.recommend(profile=profile, k=20) == popular
    assert {"i00", "i10"} <= set(ids(popular)[:4])
    for one in popular:
        assert one.basis.profile == one.basis.history == one.basis.content == 0
        assert one.basis.popularity == one.score


# -- the handover


def test_history_takes_over_from_the_profile(recommender: Recommender) -> None:
    shares = []
    for length in (0, 1, 3, 6, 9):
        told = recommender.explain(ADMINS[:length], "i09", profile={"role": "builder"})
        said = [abs(amount) for amount in (told.basis.history, told.basis.profile)]
        shares.append(said[0] / sum(said))
    # what a further item says differs from item to item, so only the ends are sure to be in order
    assert 0 == shares[0] < min(shares[1:])
    assert shares[1] < shares[-1]
    assert shares[-1] > 0.5


def test_in_the_end_only_what_one_did_counts(recommender: Recommender) -> None:
    ranking = recommender.recommend(ADMINS[:8], profile={"role": "builder"}, k=2)
    assert set(ids(ranking)) <= {"i08", "i09", "new-storage"}


# -- cold items


@pytest.mark.parametrize(
    ("history", "wanted", "other"),
    [(ADMINS[:5], "new-storage", "new-kubernetes"), (BUILDERS[:5], "new-kubernetes", "new-storage")],
)
def test_a_cold_item_goes_to_those_who_like_what_it_resembles(
    history: list[str], wanted: str, other: str, recommender: Recommender
) -> None:
    ranking = ids(recommender.recommend(history, k=23))
    assert ranking.index(wanted) < 6
    assert ranking.index(other) > 10
    assert "poems" not in ranking


def test_a_cold_item_goes_to_a_profile_too(recommender: Recommender) -> None:
    ranking = ids(recommender.recommend(profile={"role": "builder"}, k=23))
    assert ranking.index("new-kubernetes") < ranking.index("new-storage")


def test_a_cold_items_score_is_accounted_for(recommender: Recommender) -> None:
    told = recommender.explain(ADMINS[:3], "new-storage", profile={"role": "admin"})
    assert told.basis.history > 0
    assert {part.name for part in told.items} == set(ADMINS[:3])
    assert sum(part.amount for part in told.items) == pytest.approx(told.basis.history, abs=1e-5)
    assert sum(part.amount for part in told.attributes) == pytest.approx(told.basis.profile, abs=1e-5)


# -- nothing has happened yet


def test_without_events_items_are_found_by_their_words(nothing_happened: Recommender) -> None:
    ranking = nothing_happened.recommend(profile={"interests": "networking"})
    assert set(ids(ranking)) == {"a", "b"}
    for one in ranking:
        assert one.basis.content == pytest.approx(one.score)
        assert one.basis.content > 0
        assert one.probability is None


@pytest.mark.parametrize("profile", [{"interests": "pottery"}, {"age": "31"}, {}, None])
def test_where_nothing_matches_there_is_nothing_to_recommend(
    profile: dict[str, str] | None, nothing_happened: Recommender
) -> None:
    assert nothing_happened.recommend(profile=profile) == []
    assert nothing_happened.recommend(["a"], profile=profile) == []


def test_without_events_and_without_words_nothing_can_be_learned(log: Interactions) -> None:
    for catalog in (None, Catalog(ids_of(["a", "b"])), Catalog(ids_of(["a"]), {"price": ids_of(["3"])})):
        with pytest.raises(DataError, match="no interactions to learn from, and no catalogue with words"):
            fit(log.where(np.arange(0)), catalog=catalog)


# -- saved, and done again


def test_a_saved_one_says_exactly_the_same(recommender: Recommender, tmp_path: Path) -> None:
    save(recommender, tmp_path / "bundle")
    assert everything_said(load(tmp_path / "bundle")) == everything_said(recommender)


def test_saved_before_anything_happened_it_says_the_same(nothing_happened: Recommender, tmp_path: Path) -> None:
    save(nothing_happened, tmp_path / "bundle")
    again = load(tmp_path / "bundle")
    for profile in ({"interests": "networking"}, {"interests": "bread, storage"}, {"interests": "pottery"}, {}):
        assert again.recommend(profile=profile) == nothing_happened.recommend(profile=profile)


def test_two_fits_are_the_same(log: Interactions, recommender: Recommender) -> None:
    again = fit(log, estimator=ESTIMATOR, profiles=people(), catalog=labs())
    assert everything_said(again) == everything_said(recommender)
    assert again.report == recommender.report


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_events_and_profiles_plays_no_part(
    seed: int, log: Interactions, recommender: Recommender, shuffled: Callable[[Interactions, int], Interactions]
) -> None:
    order = np.random.default_rng(seed).permutation(USERS)
    known = people()
    columns = {name: known.attributes[name][order] for name in reversed(list(known.attributes))}
    turned = Profiles(known.user_ids[order], columns)
    again = fit(shuffled(log, seed), estimator=ESTIMATOR, profiles=turned, catalog=labs())
    assert everything_said(again) == everything_said(recommender)


def test_profiles_of_people_who_did_nothing_play_no_part(log: Interactions, recommender: Recommender) -> None:
    again = fit(log, estimator=ESTIMATOR, profiles=people(USERS + 40), catalog=labs())
    known = people(USERS + 40)
    assert len(known) == USERS + 40
    assert ids(again.recommend(profile={"role": "builder"})) == ids(recommender.recommend(profile={"role": "builder"}))


# -- popularity of late


def test_what_is_newer_is_more_popular(log_of: LogOf) -> None:
    pairs = cells()
    # the later in the catalogue, the newer: of the admins' items the last, of the builders' too
    times = [int(item[1:]) % 10 * DAY for _, item in pairs]
    dated = log_of(pairs, times=times)
    plain, recent = (fit(dated, estimator=ESTIMATOR, recent=days).recommend(k=20) for days in (None, 1.0))
    assert {"i00", "i10"} <= set(ids(plain)[:4])
    assert {"i09", "i19"} <= set(ids(recent)[:4])
    assert {"i00", "i10"} <= set(ids(recent)[-4:])


def test_recent_popularity_needs_times(log: Interactions) -> None:
    with pytest.raises(ConfigurationError, match="needs a column of times"):
        fit(log, estimator=ESTIMATOR, recent=30)


@pytest.mark.parametrize("days", [0.0, -3.0, float("nan")])
def test_recent_is_above_0(days: float, log: Interactions) -> None:
    dated = replace(log, times=np.arange(len(log), dtype=np.int64))
    with pytest.raises(ConfigurationError, match="a number of days above 0"):
        fit(dated, estimator=ESTIMATOR, recent=days)


# -- what is no profile


@pytest.mark.parametrize("profile", ["builder", ["role", "builder"], 7, [("role", "builder")]])
def test_a_profile_that_is_no_mapping_is_refused(profile: Any, recommender: Recommender) -> None:
    with pytest.raises(ConfigurationError, match="a profile is a mapping"):
        recommender.recommend(profile=profile)
    with pytest.raises(ConfigurationError, match="a profile is a mapping"):
        recommender.explain([], "i00", profile=profile)


def test_every_history_has_its_profile(recommender: Recommender) -> None:
    with pytest.raises(ConfigurationError, match="profiles: 1, histories: 2"):
        recommender.recommend_many([[], []], profiles=[{"role": "admin"}])
    both = recommender.recommend_many([[], []], profiles=[{"role": "admin"}, {"role": "builder"}], k=5)
    alone = [recommender.recommend(profile={"role": role}, k=5) for role in ("admin", "builder")]
    assert [ids(ranking) for ranking in both] == [ids(ranking) for ranking in alone]


# -- where nobody can be held out


@pytest.mark.parametrize("seed", range(4))
def test_profiles_that_surely_decide_have_their_say_where_nobody_judges(log_of: LogOf, seed: int) -> None:
    recommender = fitted_on_firsts(log_of, 0.9, seed)
    assert recommender.report is not None
    assert recommender.report.figures is None
    assert list(recommender.attributes) == ["role"]
    assert all(int(item_id[1:]) % 2 == 0 for item_id in ids(recommender.recommend(profile={"role": "admin"}, k=3)))


def test_where_nobody_judges_them_profiles_that_decide_nothing_have_no_say(log_of: LogOf) -> None:
    found = [fitted_on_firsts(log_of, 0, seed) for seed in range(12)]
    assert sum(one.blend.prior.profile is not None for one in found) >= 4  # by chance, better than none
    assert sum(bool(one.attributes) for one in found) <= 1
    silent = next(one for one in found if one.blend.prior.profile is not None and not one.attributes)
    assert silent.recommend(profile={"role": "admin"}) == silent.recommend()


def test_one_who_is_held_out_alone_judges_no_profile(log_of: LogOf) -> None:
    few = [f"u{user:03}" for user in range(14)]
    log = log_of([pair for pair in cells() if pair[0] in few])
    found = []
    for seed in range(8):
        roles = ids_of(np.random.default_rng(seed).permutation(["admin", "builder"] * 7))
        found.append(fit(log, estimator=ESTIMATOR, profiles=Profiles(ids_of(few), {"role": roles})))
    assert all(one.report is not None and one.report.figures is not None for one in found)
    assert any(one.blend.prior.profile is not None for one in found)
    assert sum(bool(one.attributes) for one in found) <= 1
