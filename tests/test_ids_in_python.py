"""The one rule for ids holds in every public method that takes one, whatever collection they come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import foldin
from foldin.data.catalog import ids_of
from foldin.errors import DataError
from foldin.models import EASE


@dataclass(frozen=True)
class World:
    log: foldin.Interactions
    profiles: foldin.Profiles
    recommender: foldin.Recommender


@pytest.fixture(scope="module")
def world() -> World:
    frame = pd.DataFrame([(user, item) for user in range(12) for item in range(8) if (user + item) % 3])
    log = foldin.read(frame.set_axis(["user", "item"], axis="columns"))
    profiles = foldin.Profiles(log.user_ids, {"role": ids_of(["admin"] * len(log.user_ids))})
    return World(log, profiles, foldin.fit(log, estimator=EASE(l2=1.0)))


ONE: dict[str, Callable[[World, Any], object]] = {
    "history": lambda world, given: world.log.history(given).item_ids,
    "profile": lambda world, given: world.profiles.profile(given),
    "similar": lambda world, given: world.recommender.similar(given),
    "explain": lambda world, given: world.recommender.explain(["1"], given),
    "had": lambda world, given: world.recommender.had(given),
}

SEVERAL: dict[str, Callable[[World, Any], object]] = {
    "recommend": lambda world, given: world.recommender.recommend(given),
    "only": lambda world, given: world.recommender.recommend(["1"], only=given),
    "exclude": lambda world, given: world.recommender.recommend(["1"], exclude=given),
    "recommend_many": lambda world, given: world.recommender.recommend_many([given, ["1"]]),
    "only for many": lambda world, given: world.recommender.recommend_many([["1"]], only=given),
    "exclude for many": lambda world, given: world.recommender.recommend_many([["1"]], exclude=given),
    "exclude similar": lambda world, given: world.recommender.similar("1", exclude=given),
    "predict for": lambda world, given: world.recommender.predict(given),
    "predict items": lambda world, given: world.recommender.predict(["1"], given),
    "explain for": lambda world, given: world.recommender.explain(given, "1"),
    "explain_many": lambda world, given: world.recommender.explain_many(["1"], given),
    "knows": lambda world, given: world.recommender.knows(given),
    "left_out": lambda world, given: world.recommender.left_out(given).tolist(),
    "catalogue indices": lambda world, given: world.recommender.catalog.indices(given).tolist(),
    "catalogue knows": lambda world, given: world.recommender.catalog.knows(given).tolist(),
    "catalogue known_indices": lambda world, given: world.recommender.catalog.known_indices(given)[1].tolist(),
    "a history": lambda world, given: world.recommender.recommend(foldin.History(given)),
    "of a history": lambda _, given: foldin.History.of(given).item_ids,
    "a catalogue": lambda _, given: foldin.Catalog(given).item_ids.tolist(),
    "some profiles": lambda _, given: foldin.Profiles(given).user_ids.tolist(),
}

COLLECTIONS: list[Any] = [
    [3, np.int32(5)],
    ("3 ", " 5"),
    pd.Series([3, 5], index=[7, 8]),
    np.array([3, 5]),
    pd.Index(["3", "5"]),
    np.array(["3", "5"]),
    dict.fromkeys([3, 5]).keys(),
]

NO_COLLECTIONS: list[Any] = [{"3": 5}, None, 5, "3", b"3", 1.5, pd.DataFrame({"item": ["3"]})]


@pytest.mark.parametrize("name", ONE)
def test_one_id(world: World, name: str) -> None:
    ask = ONE[name]
    for given in (7, np.int64(7), " 7"):
        assert ask(world, given) == ask(world, "7")
    for wrong in (7.0, True, None, b"7", ["7"], ""):
        with pytest.raises(DataError):
            ask(world, wrong)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_ids(world: World, name: str) -> None:
    ask = SEVERAL[name]
    for given in COLLECTIONS:
        assert ask(world, given) == ask(world, ["3", "5"])
    for wrong in ([3.0], [True], [None], ["3", ["5"]]):
        with pytest.raises(DataError):
            ask(world, wrong)


@pytest.mark.parametrize("name", SEVERAL)
def test_what_is_no_collection_of_ids(world: World, name: str) -> None:
    nothing_chosen = ("only", "only for many", "predict items", "left_out")
    for wrong in NO_COLLECTIONS:
        if wrong is None and name in nothing_chosen:
            continue
        with pytest.raises(DataError):
            SEVERAL[name](world, wrong)


def test_a_set_has_no_order(world: World) -> None:
    assert world.recommender.recommend({3, 5}) == world.recommender.recommend(["3", "5"])  # type: ignore[arg-type]  # numbers


def test_ratings_in_a_mapping_are_answered_with_the_call(world: World) -> None:
    with pytest.raises(DataError, match=r"foldin\.History\(list\(ratings\), values="):
        world.recommender.recommend({"1": 5, "2": 1})


@pytest.mark.parametrize("histories", [{"u": ["1"]}, None, "1", foldin.History(("1",))])
def test_several_histories_are_a_list_of_them(world: World, histories: Any) -> None:
    with pytest.raises(DataError, match="several histories are wanted"):
        world.recommender.recommend_many(histories)


def test_a_history_made_of_texts_is_judged_where_it_is_used(world: World) -> None:
    history = foldin.History((" 3", "5 "), values=np.ones(2, dtype=np.float32))
    assert world.recommender.recommend(history) == world.recommender.recommend(["3", "5"])


def test_the_ids_of_a_log_are_texts() -> None:
    codes = np.zeros(1, dtype=np.int32)
    with pytest.raises(DataError, match="read makes a log of a frame"):
        foldin.Interactions(np.array([7]), codes, ids_of(["a"]), codes)
