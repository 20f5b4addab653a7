"""Bad input given to the Python API, and the error it gets; files, frames and the command line have their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

import foldin
from foldin.bundle import load_bundle, save_bundle
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import NO_TIME, History, Interactions
from foldin.errors import BundleError, ConfigurationError, DataError, FoldinError, NotFoundError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.recommender import Recommender
from foldin.workspace import Workspace, create_workspace

LogOf = Callable[..., Interactions]

NAN, INFINITY = float("nan"), float("inf")


def values(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, dtype=np.float32)


# -- values


@pytest.mark.parametrize("value", [INFINITY, -INFINITY, -1])
def test_values_of_a_log(log_of: LogOf, value: float) -> None:
    log = log_of([("u", "a"), ("v", "b"), ("v", "c")], values=[1, 2, value])
    for feedback in (foldin.Feedback(strength="log"), foldin.Feedback(form="explicit", positive_from=1)):
        with pytest.raises(DataError, match="row 3, field 'value'") as refused:
            foldin.fit(log, feedback=feedback, estimator=EASE())
        assert (refused.value.row, refused.value.field) == (3, "value")


@pytest.mark.parametrize("value", [INFINITY, -INFINITY, -1, 1e39])
def test_values_of_a_served_history(linear: Recommender, rating: Recommender, value: float) -> None:
    history = History(("i00", "i02"), values=np.array([1, value]))
    for recommender in (linear, rating):
        for ask in (recommender.recommend, recommender.predict):
            with pytest.raises(DataError, match="row 2, field 'value'"):
                ask(history)


def test_a_served_value_that_is_missing_is_no_error(linear: Recommender) -> None:
    history = History(("i00", "i02"), values=values(NAN, 1))
    assert linear.recommend(history) == linear.recommend(["i00", "i02"])


def test_ratings_above_the_highest_count_as_the_highest(rating: Recommender) -> None:
    above, highest = (rating.recommend(History(("i00",), values=values(value))) for value in (9, 5))
    assert above == highest


@pytest.mark.parametrize("weight", [-1, NAN, INFINITY])
def test_weights(weight: float) -> None:
    with pytest.raises(ConfigurationError, match="weight of kind 'buy'"):
        foldin.Feedback(weights={"buy": weight})


@pytest.mark.parametrize("k", [0, -5])
def test_k(linear: Recommender, k: int) -> None:
    for ask in (
        lambda: linear.recommend(["i00"], k=k),
        lambda: linear.recommend([], k=k),
        lambda: linear.similar("i00", k=k),
        lambda: linear.recommend_many([["i00"], []], k=k),
    ):
        with pytest.raises(ConfigurationError, match=f"k is {k}"):
            ask()


@pytest.mark.parametrize("l2", [-1, -1e-9, NAN, INFINITY])
@pytest.mark.parametrize("kind", [EASE, EDLAE, AutoEncoder])
def test_l2(kind: Callable[..., object], l2: float) -> None:
    with pytest.raises(ConfigurationError, match="l2 is"):
        kind(l2=l2)


# -- ids


REFUSED = ["", " ", "a\0b", "\ud800", "a\u200b", "\ufeffa", "a\nb", "x" * 257, 1.5, NAN, True, None, b"a"]


@pytest.mark.parametrize("item_id", REFUSED, ids=repr)
def test_ids_of_a_served_history(linear: Recommender, item_id: str) -> None:
    for ask in (
        lambda: linear.recommend(["i00", item_id]),
        lambda: linear.predict([item_id]),
        lambda: linear.explain([item_id], "i00"),
        lambda: linear.recommend_many([["i00"], [item_id]]),
        lambda: linear.recommend(["i00"], only=[item_id]),
        lambda: linear.recommend(["i00"], exclude=[item_id]),
    ):
        with pytest.raises(DataError, match="field 'item'"):
            ask()


@pytest.mark.parametrize("item_id", [*(one for one in REFUSED if isinstance(one, str)), "nowhere"], ids=repr)
def test_ids_asked_for(linear: Recommender, item_id: str) -> None:
    for ask in (
        lambda: linear.similar(item_id),
        lambda: linear.explain(["i00"], item_id),
        lambda: linear.predict(["i00"], [item_id]),
    ):
        with pytest.raises(FoldinError):
            ask()


def test_ordinary_ids_are_ordinary(log_of: LogOf, tmp_path: Path) -> None:
    odd = ["[PAD]", "null", "NaN", "../x", "a/b", "a b", "01", "1", "1.0", "é", "日本", '"', "'; drop table", "%s{}"]
    log = log_of([(f"u{user}", item) for user in range(40) for place, item in enumerate(odd) if (user + place) % 3])
    save_bundle(foldin.fit(log, estimator=EASE(1)), tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    assert sorted(loaded.catalog.item_ids) == sorted(odd)
    for item in odd:
        assert item not in [one.item_id for one in loaded.recommend([item], k=20)]
        assert len(loaded.similar(item, k=20)) == len(odd) - 1


def test_one_spelling_of_one_id(log_of: LogOf) -> None:
    recommender = foldin.fit(log_of([("u", "\u00e9"), ("u", "a"), ("v", "a")]), estimator=EASE())
    assert recommender.recommend(["e\u0301"], k=1)[0].basis.history != 0


def test_an_id_twice_in_a_catalogue() -> None:
    with pytest.raises(DataError, match="twice"):
        Catalog(ids_of(["a", "a"]))


# -- times


def test_times_before_1970_and_in_the_future_are_fine(log_of: LogOf) -> None:
    log = log_of([("u", "a"), ("u", "b"), ("v", "a"), ("v", "c")], times=[-(10**15), 0, NO_TIME, 10**17])
    recommender = foldin.fit(log, estimator=EASE(), feedback=foldin.Feedback(half_life=30))
    assert np.isfinite([one.score for one in recommender.recommend(["a"])]).all()
    later = History(("a",), times=np.array([2 * 10**17]))
    assert recommender.recommend(later) == recommender.recommend(["a"])


# -- data


def test_columns_of_different_lengths() -> None:
    with pytest.raises(DataError, match="field 'values': a column of 1 for 2 item ids"):
        History(("a", "b"), values=values(1))


def test_an_index_out_of_range(linear: Recommender) -> None:
    for index in (12, -1):
        with pytest.raises(IndexError):
            linear.catalog.ids(np.array([index]))


def test_histories_of_another_width(linear: Recommender, network: Recommender) -> None:
    for recommender in (linear, network):
        with pytest.raises(ValueError, match=r"dimension|mismatch|shape"):
            recommender.model.score(csr_array(np.ones((1, 13), dtype=np.float32)))


def test_a_repeated_pair_is_one(log_of: LogOf) -> None:
    pairs = [(f"u{user:02}", f"i{item}") for user in range(30) for item in range(6) if (user + item) % 3]
    once, thrice = (foldin.fit(log_of(pairs * times), estimator=EASE(1)) for times in (1, 3))
    assert once.report == thrice.report
    assert once.model.arrays()["weights"].tobytes() == thrice.model.arrays()["weights"].tobytes()


# -- files


def test_a_damaged_bundle_leaves_the_old_model_in_use(linear: Recommender, tmp_path: Path) -> None:
    workspace: Workspace = create_workspace(tmp_path / "w")
    workspace.publish(linear)
    workspace.publish(linear)
    workspace.use("1")
    file = workspace.folder / "bundles" / "2-ease" / "catalog.json"
    file.write_bytes(file.read_bytes().replace(b"i03", b"i0x"))
    with pytest.raises(BundleError, match=r"catalog\.json is damaged"):
        workspace.use("2")
    assert workspace.current().recommend(["i00"]) == linear.recommend(["i00"])


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        foldin.load(tmp_path / "nothing")
    with pytest.raises(NotFoundError, match="no user 'x'"):
        Interactions(ids_of(["u"]), np.zeros(1, np.int32), ids_of(["a"]), np.zeros(1, np.int32)).history("x")
