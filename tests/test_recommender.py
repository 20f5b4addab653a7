from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from foldin.coldstart.blend import TERMS
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import History, Interactions
from foldin.data.profiles import Profile
from foldin.errors import ConfigurationError, DataError, NotFoundError
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.fitting import fit
from foldin.models import EASE, AutoEncoder
from foldin.models.linear import LinearAutoEncoder
from foldin.models.protocols import Estimator
from foldin.recommendation import Basis, Recommendation
from foldin.recommender import Recommender

SHOWN = ["i00", "i04", "i06"]
EVERYTHING = [f"i{item:02}" for item in range(12)]


def ids(ranking: list[Recommendation]) -> list[str]:
    return [one.item_id for one in ranking]


@pytest.fixture(params=["linear", "network", "rating"])
def recommender(request: pytest.FixtureRequest) -> Recommender:
    recommender: Recommender = request.getfixturevalue(request.param)
    return recommender


# -- what is recommended


def test_the_best_k_best_first(recommender: Recommender) -> None:
    whole = recommender.recommend(SHOWN, k=100)
    assert sorted(ids(whole)) == sorted(set(EVERYTHING) - set(SHOWN))
    assert [one.score for one in whole] == sorted((one.score for one in whole), reverse=True)
    assert recommender.recommend(SHOWN, k=3) == whole[:3]
    assert len(recommender.recommend(SHOWN)) == 9
    assert recommender.recommend(SHOWN, k=10**9) == whole


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(recommender: Recommender, k: int) -> None:
    with pytest.raises(ConfigurationError, match=f"k is {k}"):
        recommender.recommend(SHOWN, k=k)


def test_only_and_exclude(recommender: Recommender) -> None:
    whole = ids(recommender.recommend(SHOWN))
    wanted = ["i08", "i01", "nowhere", "i04"]
    assert ids(recommender.recommend(SHOWN, only=wanted)) == [item for item in whole if item in wanted]
    assert ids(recommender.recommend(SHOWN, exclude={"i08", "nowhere"})) == [item for item in whole if item != "i08"]
    assert ids(recommender.recommend(SHOWN, only=wanted, exclude=["i08"])) == ["i01"]
    assert recommender.recommend(SHOWN, only=[]) == []
    assert recommender.recommend(SHOWN, exclude=EVERYTHING) == []
    assert recommender.recommend(SHOWN, k=3, only=["i08"], seen="include") == recommender.predict(SHOWN, ["i08"])


@pytest.mark.parametrize("name", ["only", "exclude"])
def test_ids_to_choose_from_are_ids(linear: Recommender, name: str) -> None:
    with pytest.raises(DataError, match=r"not one id: write \['i08'\]"):
        linear.recommend(SHOWN, **{name: "i08"})  # type: ignore[arg-type]  # what is wrong with it is what is tested
    for wrong in ("", "a\0", "\ud800", 1.5, True, None):
        with pytest.raises(DataError, match="field 'item'"):
            linear.recommend(SHOWN, **{name: ["i08", wrong]})  # type: ignore[arg-type]  # the same


def test_a_number_is_its_digits(linear: Recommender) -> None:
    catalog = Catalog(np.array([str(item) for item in range(12)], dtype=np.object_))
    numbered = replace(linear, catalog=catalog)
    assert numbered.recommend([0, 4], exclude=[2]) == numbered.recommend(["0", "4"], exclude=["2"])  # type: ignore[list-item]  # numbers
    assert "2" not in ids(numbered.recommend(["0"], exclude=[2]))  # type: ignore[list-item]  # a number


def test_seen_items_come_back_when_asked_for(recommender: Recommender) -> None:
    assert sorted(ids(recommender.recommend(SHOWN, k=12, seen="include"))) == EVERYTHING


def test_seen_is_one_of_two(linear: Recommender) -> None:
    with pytest.raises(ConfigurationError, match="seen is 'maybe'"):
        linear.recommend(SHOWN, seen="maybe")  # type: ignore[arg-type]  # what is wrong with it is what is tested


def test_what_was_seen_and_not_liked_is_left_out_too(rating: Recommender) -> None:
    history = History(("i00", "i01", "i02"), values=np.array([5, 1, np.nan], dtype=np.float32))
    assert not set(ids(rating.recommend(history, k=12))) & {"i00", "i01", "i02"}


def test_unknown_items_change_nothing(recommender: Recommender) -> None:
    assert recommender.recommend([*SHOWN, "nowhere", "[PAD]", "../x"]) == recommender.recommend(SHOWN)
    assert recommender.recommend(["nowhere"]) == recommender.recommend([])


def test_the_order_of_a_history_changes_nothing(recommender: Recommender) -> None:
    assert recommender.recommend(SHOWN[::-1]) == recommender.recommend(SHOWN)
    assert recommender.recommend(tuple(SHOWN)) == recommender.recommend(History.of(SHOWN))


def test_ties_are_in_the_catalogues_order(linear: Recommender) -> None:
    prior = replace(linear.blend.prior, shares=np.ones(12, dtype=np.float32))
    model = LinearAutoEncoder(np.ones((12, 12), dtype=np.float32))
    level = replace(linear, blend=replace(linear.blend, model=model, prior=prior))
    assert ids(level.recommend(["i03"], k=4)) == ["i00", "i01", "i02", "i04"]
    assert ids(level.recommend([], k=3)) == ["i00", "i01", "i02"]
    turned = replace(level, catalog=Catalog(linear.catalog.item_ids[::-1]))
    assert ids(turned.recommend(["i11"], k=3)) == ["i10", "i09", "i08"]


def test_many_are_recommended_as_one_by_one(recommender: Recommender, checkerboard: Interactions) -> None:
    histories = [checkerboard.history(user) for user in checkerboard.user_ids] * 25  # more than one block
    histories[3], histories[520] = History.of([]), History.of(["nowhere"])
    together = recommender.recommend_many(histories, k=4)
    assert len(together) == len(histories)
    for row in (0, 3, 511, 512, 520, 599):
        alone = recommender.recommend(histories[row], k=4)
        assert ids(alone) == ids(together[row])
        for term in TERMS:
            ours, theirs = ([getattr(one.basis, term) for one in ranking] for ranking in (alone, together[row]))
            assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6)
        assert np.allclose([one.score for one in alone], [one.score for one in together[row]], rtol=1e-5)
    assert recommender.recommend_many([]) == []


def test_attributes_come_with_the_item(linear: Recommender, network: Recommender) -> None:
    assert linear.recommend(SHOWN, k=1)[0].item == {"title": f"Item {linear.recommend(SHOWN)[0].item_id}"}
    assert network.recommend(SHOWN, k=1)[0].item == {}


# -- probabilities and ratings


def test_probabilities_are_those_of_the_score_after_so_many_items(linear: Recommender) -> None:
    assert isinstance(linear.calibration, PersonCalibration)
    # log(1 + 3) lies halfway between log(1 + 1) and log(1 + 7)
    for shown, base, slope in (
        ([], 0.3, 0.02),
        (["i00"], 0.3, 0.02),
        (SHOWN, 0.45, 0.025),
        (EVERYTHING[:8], 0.6, 0.03),
    ):
        ranking = linear.recommend([*shown, "nowhere"])
        assert ranking
        for one in ranking:
            assert one.probability == pytest.approx(base + slope * one.score, abs=1e-6)
            assert one.rating is None


def test_probabilities_of_the_highest_scores_are_lower_bounds(linear: Recommender) -> None:
    knots, chances = (np.array(values, dtype=np.float32) for values in ([-1e6, 0], [0, 0.5]))
    calibration = PersonCalibration(None, LengthCalibration((3,), (ProbabilityCalibration(knots, chances),)))
    ranking = replace(linear, calibration=calibration).recommend(SHOWN, k=12, seen="include")
    assert {one.probability_is_lower_bound for one in ranking} == {True, False}
    for one in ranking:
        assert one.probability_is_lower_bound == (one.score > 0 and one.item_id not in SHOWN)
        assert not one.probability_is_lower_bound or one.probability == 0.5


def test_an_item_of_the_history_has_no_probability(linear: Recommender) -> None:
    for shown in ([], SHOWN, ["i01", "nowhere"]):
        whole = linear.recommend(shown, k=12, seen="include")
        assert {one.item_id for one in whole if one.probability is None} == set(shown) & set(EVERYTHING)


def test_without_calibration_nothing_is_claimed(network: Recommender) -> None:
    assert {(one.probability, one.rating) for one in replace(network, calibration=None).recommend(SHOWN)} == {
        (None, None)
    }


def test_ratings_are_within_their_range(rating: Recommender, rated: Interactions) -> None:
    assert list(rating.rule.rating_range or ()) == [1, 5]
    everyone = [rated.history(user) for user in rated.user_ids]
    for ranking in [*rating.recommend_many([*everyone, [], ["nowhere"]]), *map(rating.predict, everyone)]:
        assert all(one.rating is not None and 1 <= one.rating <= 5 for one in ranking)
        assert {one.probability for one in ranking} <= {None}


def test_what_was_rated_high_ranks_high(rating: Recommender) -> None:
    assert set(ids(rating.recommend(SHOWN, k=3))) == {"i02", "i08", "i10"}


# -- similar, predict


def test_similar_is_what_the_model_makes_of_one_item(recommender: Recommender) -> None:
    found = recommender.similar("i02", k=12)
    terms = {one.item_id: one.basis.history for one in recommender.recommend(["i02"], k=12)}
    assert [one.item_id for one in found] == sorted(terms, key=lambda item_id: (-terms[item_id], item_id))
    for one in found:
        assert one.basis == Basis(history=one.score, profile=0, content=0, popularity=0)
        assert one.score == terms[one.item_id]
        assert one.probability is None
    assert recommender.similar("i02", k=3) == found[:3]
    assert "i02" not in ids(found)
    with pytest.raises(NotFoundError, match="no item 'nowhere'"):
        recommender.similar("nowhere")


def test_what_is_popular_does_not_make_items_similar(linear: Recommender) -> None:
    prior = replace(linear.blend.prior, shares=np.array([0, 99] * 6, dtype=np.float32))
    loud = replace(linear, blend=replace(linear.blend, prior=prior))
    assert loud.recommend(["i02"])[0].item_id in EVERYTHING[1::2]
    assert loud.similar("i02") == linear.similar("i02")


def test_predict_completes_the_row(recommender: Recommender) -> None:
    whole = recommender.predict(SHOWN)
    assert sorted(ids(whole)) == EVERYTHING
    assert [one.score for one in whole] == sorted((one.score for one in whole), reverse=True)
    some = recommender.predict(SHOWN, ["i04", "i01"])
    assert some == [one for one in whole if one.item_id in ("i04", "i01")]
    assert sorted(ids(recommender.predict([]))) == EVERYTHING
    with pytest.raises(NotFoundError, match="no item 'nowhere'"):
        recommender.predict(SHOWN, ["i01", "nowhere"])
    with pytest.raises(DataError, match="not one id"):
        recommender.predict(SHOWN, "i01")


# -- what a profile adds


EVEN, ODD = set(EVERYTHING[::2]), set(EVERYTHING[1::2])


def test_a_profile_alone_gets_what_people_like_that_choose(profiled: Recommender) -> None:
    assert set(ids(profiled.recommend(profile={"role": "admin"}, k=6))) <= EVEN | {"new"}
    assert set(ids(profiled.recommend(profile={"role": "builder"}, k=6))) == ODD
    for one in profiled.recommend(profile={"role": "builder"}, k=6):
        assert one.basis.profile > 0 == one.basis.history
        assert one.score == pytest.approx(one.basis.profile + one.basis.popularity, abs=1e-5)


def test_what_somebody_did_outweighs_what_their_like_do(profiled: Recommender) -> None:
    shown = ["i00", "i02", "i04", "i06", "i08"]
    assert set(ids(profiled.recommend(shown, profile={"role": "builder"}, k=2))) == {"i10", "new"}
    told = [profiled.explain(shown[:length], "i09", profile={"role": "builder"}) for length in range(6)]
    effects = [one.basis.profile for one in told]
    assert effects == sorted(effects, reverse=True)
    assert effects[0] > 2 * effects[-1] > 0


@pytest.mark.parametrize(
    "profile", [{}, None, {"role": "astronaut"}, {"colour": "red"}, {"role": ""}, {"role": "\ud800"}], ids=repr
)
def test_a_profile_that_says_nothing_changes_nothing(profiled: Recommender, profile: dict[str, str] | None) -> None:
    for shown in ([], SHOWN):
        assert profiled.recommend(shown, profile=profile) == profiled.recommend(shown)
        assert profiled.explain(shown, "i01", profile=profile) == profiled.explain(shown, "i01")


def test_the_terms_of_a_profile_add_up(profiled: Recommender) -> None:
    profile = {"role": "admin", "interests": "networks|quantum", "colour": "red"}
    for shown in ([], ["nowhere"], SHOWN, EVERYTHING[:7], ["i00", "new"]):
        ranking = profiled.predict(shown, profile=profile)
        assert sorted(ids(ranking)) == sorted(profiled.catalog.item_ids)
        for one in ranking:
            told = profiled.explain(shown, one.item_id, profile=profile)
            for basis in (one.basis, told.basis):
                assert sum(getattr(basis, name) for name in TERMS) == pytest.approx(one.score, abs=1e-5)
            assert told.score == pytest.approx(one.score, abs=1e-5)
            assert math.fsum(each.amount for each in told.items) == pytest.approx(one.basis.history, abs=1e-5)
            assert math.fsum(each.amount for each in told.attributes) == pytest.approx(one.basis.profile, abs=1e-5)
            assert {each.name for each in told.attributes} <= {"role"}
        assert any(one.basis.profile > 0 for one in ranking)
        assert any(one.basis.profile < 0 for one in ranking)
        assert {one.item_id for one in ranking if one.basis.query > 0} == ODD | {"lone"}


def test_many_profiles_are_answered_as_one_by_one(profiled: Recommender) -> None:
    people: list[dict[str, str] | None] = [{"role": "admin"}, None, {"interests": "quantum"}, {"role": "builder"}]
    together = profiled.recommend_many([[], SHOWN, [], ["i01"]], profiles=people)
    for shown, profile, ranking in zip([[], SHOWN, [], ["i01"]], people, together, strict=True):
        alone = profiled.recommend(shown, profile=profile)
        assert ids(alone) == ids(ranking)
        assert np.allclose([one.score for one in alone], [one.score for one in ranking], rtol=1e-5)
    with pytest.raises(ConfigurationError, match="profiles: 1, histories: 2; give one for each"):
        profiled.recommend_many([[], SHOWN], profiles=[None])


@pytest.mark.parametrize("profile", ["role=admin", ["admin"], {"role": 3}, {3: "admin"}, {"role": None}], ids=repr)
def test_what_is_no_profile_is_refused(profiled: Recommender, profile: dict[str, str]) -> None:
    for ask in (
        profiled.recommend,
        profiled.predict,
        lambda shown, profile: profiled.explain(shown, "i00", profile=profile),
    ):
        with pytest.raises(ConfigurationError, match="a profile"):
            ask(SHOWN, profile=profile)


def test_an_item_nobody_had_is_found_by_what_it_resembles_or_by_its_words(profiled: Recommender) -> None:
    assert "new" in ids(profiled.recommend(["i00", "i02"], k=5))
    assert "new" not in ids(profiled.recommend(["i01", "i03"], k=5))
    new = profiled.explain(["i00", "i02"], "new")
    assert new.basis.history > 0
    assert profiled.catalog.ids(np.flatnonzero(profiled.unreachable)).tolist() == ["lone"]
    for shown in ([], SHOWN):
        assert "lone" not in ids(profiled.recommend(shown, profile={"role": "admin"}, k=99))
        assert "lone" in ids(profiled.recommend(shown, profile={"interests": "quantum"}, k=99))
    found = profiled.explain([], "lone", profile={"interests": "quantum"})
    assert found.basis == Basis(history=0, profile=0, content=0, popularity=0, query=found.score)


def test_what_says_something(profiled: Recommender, linear: Recommender) -> None:
    said = {
        (name, value): profiled.says(name, value)
        for name, value in [
            ("role", "admin"),
            ("role", "pilot"),
            ("hobby", "Quantum"),
            ("hobby", "chess"),
            ("role", ""),
        ]
    }
    assert [pair for pair, says in said.items() if says] == [("role", "admin"), ("hobby", "Quantum")]
    assert not linear.says("role", "admin")


def test_the_attributes_it_learned_from(profiled: Recommender, linear: Recommender) -> None:
    assert list(profiled.attributes) == ["role"]
    silent = profiled.blend.prior.with_weights(profile=0)
    assert replace(profiled, blend=replace(profiled.blend, prior=silent)).attributes == {}
    assert linear.attributes == {}


# -- histories that are none


@pytest.mark.parametrize("history", ["i00", "", "abc"])
def test_a_history_is_not_one_string(recommender: Recommender, history: str) -> None:
    for ask in (recommender.recommend, recommender.predict, lambda shown: recommender.explain(shown, "i00")):
        with pytest.raises(DataError, match="not one id"):
            ask(history)
    with pytest.raises(DataError, match="not one id"):
        recommender.recommend_many(["i00"])


@pytest.mark.parametrize("item_id", ["", " ", "a\0", "\ud800", "a\u200b", "x" * 257, 1.0, True, None], ids=repr)
def test_a_history_of_what_is_no_id_is_refused(recommender: Recommender, item_id: str) -> None:
    with pytest.raises(DataError, match="field 'item'"):
        recommender.recommend(["i00", item_id])


def test_a_recommender_cannot_be_changed(linear: Recommender) -> None:
    with pytest.raises(AttributeError):
        linear.blend = replace(linear.blend)  # type: ignore[misc]  # frozen
    with pytest.raises(AttributeError):
        linear.model = linear.model  # type: ignore[misc]  # the same


@pytest.mark.parametrize("estimator", [EASE(), AutoEncoder(epochs=2)])
def test_an_item_nobody_had_in_training_tells_nothing(checkerboard: Interactions, estimator: Estimator) -> None:
    catalog = Catalog(ids_of([*checkerboard.item_ids, "new"]))
    recommender = fit(checkerboard, estimator=estimator, catalog=catalog)
    assert {one.basis.history for one in recommender.recommend(["new"])} == {0}
    assert recommender.recommend(["new"]) == recommender.recommend([])
    alone, beside = recommender.recommend(["i02"], k=3), recommender.recommend(["i02", "new"], k=3)
    assert [(one.item_id, one.score) for one in alone] == [(one.item_id, one.score) for one in beside]
    assert [one.name for one in recommender.explain(["i02", "new"], "i04").items] == ["i02"]


def test_an_item_nobody_had_in_training_is_recommended_to_nobody(checkerboard: Interactions) -> None:
    catalog = Catalog(ids_of(["new", *checkerboard.item_ids]))
    recommender = fit(checkerboard, estimator=EASE(), catalog=catalog)
    for history in ([], ["i02"]):
        assert "new" not in [one.item_id for one in recommender.recommend(history, k=99)]
    assert "new" not in [one.item_id for one in recommender.similar("i02", k=99)]
    assert "new" in [one.item_id for one in recommender.predict(["i02"])]
    assert recommender.catalog.ids(np.flatnonzero(recommender.unreachable)).tolist() == ["new"]


def test_of_a_new_item_its_words_say_what_goes_with_it(profiled: Recommender) -> None:
    cold = [str(item) for item in profiled.catalog.item_ids[~profiled.blend.prior.warm]]
    content = profiled.blend.prior.content
    assert content is not None
    for item_id in cold:
        history = csr_array(np.eye(len(profiled.catalog), dtype=np.float32)[profiled.catalog.indices([item_id])])
        resembling = content.resembling(history)[0]
        found = profiled.similar(item_id, k=99)
        assert set(ids(found)) == set(profiled.catalog.item_ids[resembling > 0])
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        assert all(one.basis == Basis(0, 0, one.score, 0) for one in found)
    assert any(profiled.similar(item_id) for item_id in cold)


def test_similar_leaves_out_what_it_is_told_to(linear: Recommender) -> None:
    first = linear.similar("i02")[0].item_id
    assert first not in ids(linear.similar("i02", exclude=[first]))


def test_at_most_a_fifth_of_a_ranking_is_new_unless_there_is_nothing_else(with_many_new: Recommender) -> None:
    new = [f"new{number}" for number in range(8)]
    about_quanta: Profile = {"topic": "quantum"}
    prior = replace(with_many_new.blend.prior, seen_attributes=("topic",))
    with_many_new = replace(with_many_new, blend=replace(with_many_new.blend, prior=prior))
    found = ids(with_many_new.recommend(profile=about_quanta, k=10))
    assert len(found) == 10
    assert len(set(found) & set(new)) == 2
    assert len(with_many_new.recommend(profile=about_quanta, k=5, only=new)) == 5


# -- queries


def test_what_matches_a_query_comes_first(profiled: Recommender) -> None:
    plain = profiled.recommend(SHOWN, k=20)
    found = profiled.recommend(SHOWN, query="Network!", k=20)
    matching = [one for one in found if one.basis.query]
    assert {one.item_id for one in matching} == ODD - set(SHOWN)
    assert found[: len(matching)] == matching
    assert [one.item_id for one in found[len(matching) :]] == [
        one.item_id for one in plain if one.item_id not in ids(matching)
    ]
    # among items that match equally well, the rest orders
    assert ids(matching) == [item for item in ids(plain) if item in ODD]
    by_id = {one.item_id: one for one in plain}
    assert all(one.probability == by_id[one.item_id].probability for one in found)
    assert all(sum(vars(one.basis).values()) == pytest.approx(one.score, abs=1e-5) for one in found)


def test_filters_hold_beside_a_query(profiled: Recommender) -> None:
    assert not set(ids(profiled.recommend(["i01"], query="networks", exclude=["i03"], k=99))) & {"i01", "i03"}
    assert ids(profiled.recommend(query="networks", only=["i00", "i05"])) == ["i05", "i00"]


def test_a_query_finds_what_nobody_had(profiled: Recommender, with_many_new: Recommender) -> None:
    assert ids(profiled.recommend(query="quantum", k=3))[0] == "lone"
    assert ids(with_many_new.recommend(SHOWN, query="quantum", k=8)) == [f"new{number}" for number in range(8)]


def test_a_query_that_matches_nothing_changes_nothing(profiled: Recommender) -> None:
    for query in ("zeppelin", "", " ", "?"):
        assert profiled.recommend(SHOWN, query=query) == profiled.recommend(SHOWN)
    assert profiled.query_notices("zeppelin") == [
        "no item matches the query 'zeppelin': the ranking is the same as without it"
    ]
    assert profiled.query_notices("networks zeppelin") == [
        "these words find nothing, as no item or most have them: zeppelin"
    ]
    assert profiled.query_notices(" ") == profiled.query_notices(None) == profiled.query_notices("networks") == []


def test_queries_of_many_are_answered_as_one_by_one(profiled: Recommender) -> None:
    queries = ["networks", None, "storage", "zeppelin"]
    together = profiled.recommend_many([[], SHOWN, ["i01"], []], queries=queries)
    for shown, query, ranking in zip([[], SHOWN, ["i01"], []], queries, together, strict=True):
        assert ids(profiled.recommend(shown, query=query)) == ids(ranking)
    with pytest.raises(ConfigurationError, match="queries: 1, histories: 2; give one for each"):
        profiled.recommend_many([[], []], queries=["x"])
    with pytest.raises(ConfigurationError, match="queries: one text, histories: 2"):
        profiled.recommend_many([[], []], queries="no")
    with pytest.raises(ConfigurationError, match="a query is a text, as 'pivot tables', not int 7"):
        profiled.recommend(query=7)  # type: ignore[arg-type]  # what is wrong with it is what is tested


def test_an_attribute_that_training_never_saw_counts_as_a_query(profiled: Recommender) -> None:
    found = profiled.recommend(SHOWN, profile={"role": "admin", "wants": "networks"}, k=20)
    as_query = profiled.recommend(SHOWN, profile={"role": "admin"}, query="networks", k=20)
    assert found == as_query
    # one that it saw has the weight it learned, here none
    assert profiled.blend.prior.seen_attributes == ("role",)
    silent = profiled.blend.prior.with_weights(profile=0)
    unweighed = replace(profiled, blend=replace(profiled.blend, prior=silent.with_weights(content=0)))
    assert unweighed.recommend(SHOWN, profile={"role": "networks"}) == unweighed.recommend(SHOWN)


def test_words_of_a_query_make_up_its_term(profiled: Recommender) -> None:
    told = profiled.explain(SHOWN, "lone", query="quantum storage zeppelin", profile={"wants": "quantums"})
    assert told.basis.query > 0
    assert math.fsum(word.amount for word in told.words) == pytest.approx(told.basis.query, rel=1e-5)
    assert "quantum" in {word.name for word in told.words} <= {"quantum", "quantums"}
    assert profiled.explain(SHOWN, "i00", query="quantum").words == ()


def test_diversity_mixes_what_the_scores_keep_together(profiled: Recommender) -> None:
    topics = dict(zip(profiled.catalog.item_ids, profiled.catalog.attributes["topic"], strict=True))
    plain, mixed = (profiled.recommend(["i00", "i02"], k=4, diversity=diversity) for diversity in (0, 0.9))
    assert [topics[item_id] for item_id in ids(plain)] == ["storage"] * 4
    assert {topics[item_id] for item_id in ids(mixed)} >= {"storage", "networks"}
    assert ids(mixed)[0] == ids(plain)[0]
    assert all(sum(vars(one.basis).values()) == pytest.approx(one.score, abs=1e-5) for one in mixed)


def test_diversity_needs_words(network: Recommender) -> None:
    with pytest.raises(ConfigurationError, match="no words"):
        network.recommend(["i00"], diversity=0.5)


@pytest.mark.parametrize("top", [0, -1])
def test_explanations_that_name_less_than_one_item_are_refused(linear: Recommender, top: int) -> None:
    with pytest.raises(ConfigurationError, match=f"top is {top}"):
        linear.explain_many(["a"], linear.catalog.item_ids[:1].tolist(), top=top)
