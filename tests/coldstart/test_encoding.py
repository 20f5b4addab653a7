from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldin.coldstart.encoding import ProfileEncoder, fit_encoder
from foldin.data.catalog import Attributes, ids_of
from foldin.data.synthetic.people import ROLES
from foldin.data.synthetic.topics import TOPICS
from foldin.data.synthetic.world import simulate
from foldin.errors import BundleError, DataError

UNKNOWN: Any = None  # a cell that is not known
USERS = 40


@pytest.fixture(scope="module")
def people() -> Attributes:
    return {
        "role": ids_of(["Admin", "developer"] * (USERS // 2)),
        "age": ids_of(str(20 + number) for number in range(USERS)),
        "interests": ids_of(["sql|python", "python", "SQL | networking | rare one", UNKNOWN] * (USERS // 4)),
        "about": ids_of(f"the {word} of person {n}" for n, word in enumerate(["clouds", "disks"] * (USERS // 2))),
        "zip": ids_of(f"{number:05}" for number in range(USERS)),
        "language": ids_of(["en"] * USERS),
    }


@pytest.fixture(scope="module")
def encoder(people: Attributes) -> ProfileEncoder:
    return fit_encoder(people, bins=4)


def features_of(encoder: ProfileEncoder, **profile: str) -> dict[str, float]:
    row = encoder.encode({name: ids_of([cell]) for name, cell in profile.items()}, 1)
    return {encoder.names[place]: float(weight) for place, weight in zip(row.indices, row.data, strict=True)}


def test_the_names_say_what_each_feature_is(encoder: ProfileEncoder) -> None:
    assert encoder.names == (
        "about has 'clouds'",
        "about has 'disks'",
        "age 20 to 29",
        "age 30 to 39",
        "age 40 to 49",
        "age 50 to 59",
        "interests: networking",
        "interests: python",
        "interests: rare one",
        "interests: sql",
        "role = admin",
        "role = developer",
    )


def test_every_attribute_weighs_one(encoder: ProfileEncoder, people: Attributes) -> None:
    encoded = encoder.encode(people, USERS)
    assert encoded.shape == (USERS, len(encoder.names))
    assert encoded.dtype == np.float32
    for block in encoder.blocks:
        columns = [place for place, name in enumerate(encoder.names) if name in block.names]
        square = encoded[:, columns].power(2).sum(axis=1)
        known = np.array([cell is not None for cell in people[block.name]])
        np.testing.assert_allclose(square, known, rtol=1e-6)


def test_values_are_found_whatever_their_case_and_order(encoder: ProfileEncoder) -> None:
    assert features_of(encoder, role=" ADMIN ") == {"role = admin": 1}
    half = pytest.approx(0.5**0.5)
    assert features_of(encoder, interests="Python| sql|sql|never seen") == {
        "interests: sql": half,
        "interests: python": half,
    }


@pytest.mark.parametrize(
    ("age", "name"),
    [("20", "20 to 29"), ("29.5", "20 to 29"), ("30", "30 to 39"), ("-3", "20 to 29"), ("1e300", "50 to 59")],
)
def test_numbers_fall_into_bins_open_at_both_ends(encoder: ProfileEncoder, age: str, name: str) -> None:
    assert features_of(encoder, age=age) == {f"age {name}": 1}


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"role": "never seen"},
        {"role": "NaN", "age": "1e400", "interests": " | ", "about": "…"},
        {"role": "x" * 300, "age": "x" * 300, "interests": "y" * 300, "about": "z" * 300},
        {"age": "nan"},
        {"shoe size": "44"},
        {"zip": "00001", "language": "en"},
    ],
)
def test_what_training_did_not_know_is_no_feature(encoder: ProfileEncoder, profile: dict[str, str]) -> None:
    assert features_of(encoder, **profile) == {}


def test_rare_words_weigh_more_and_words_of_most_texts_nothing() -> None:
    texts = [f"number {n}: {'tea' if n % 3 else 'water'} {'' if n % 5 else 'coffee'}" for n in range(60)]
    weights = features_of(fit_encoder({"about": ids_of(texts)}), about="Number 7, coffee, water or TEA")
    assert weights.keys() == {"about has 'coffee'", "about has 'water'"}
    # 12 and 20 of the 60 texts have them
    ratio = weights["about has 'coffee'"] / weights["about has 'water'"]
    assert ratio == pytest.approx(np.log(61 / 13) / np.log(61 / 21))


def test_numbers_of_few_values_are_told_apart_one_by_one() -> None:
    levels = ids_of(["0"] * 2 + ["1", "2"] * 47 + ["3"] * 4)  # too few have 0 and 3
    encoder = fit_encoder({"gender": ids_of(["0"] * 95 + ["1"] * 5), "level": levels, "legs": ids_of(["2"] * 100)})
    assert encoder.names == ("gender = 0", "gender = 1", "level 0 to 1", "level 2 to 3")
    assert features_of(encoder, gender="1.0", level="3") == {"gender = 1": 1, "level 2 to 3": 1}


def test_only_as_many_features_as_asked_for() -> None:
    cells = ids_of(f"v{n}" for n in range(20) for _ in range(n + 1))
    encoder = fit_encoder({"a": cells}, most=3)
    assert encoder.names == ("a = v17", "a = v18", "a = v19")
    assert fit_encoder({"a": cells}, rarest=14).names == tuple(f"a = v{n}" for n in range(13, 20))


def test_the_order_of_users_and_attributes_does_not_matter(people: Attributes, encoder: ProfileEncoder) -> None:
    order = np.random.default_rng(0).permutation(USERS)
    assert fit_encoder({name: people[name][order] for name in reversed(list(people))}, bins=4) == encoder


def test_nobody_and_nothing() -> None:
    for attributes in ({}, {"role": ids_of([])}, {"role": ids_of([UNKNOWN, UNKNOWN])}):
        encoder = fit_encoder(attributes)
        assert encoder.names == ()
        assert encoder.encode({}, 3).shape == (3, 0)


def test_an_attribute_of_another_length_is_refused(encoder: ProfileEncoder) -> None:
    with pytest.raises(DataError, match="field 'role': 1 cell for 2 users"):
        encoder.encode({"role": ids_of(["admin"])}, 2)


def test_the_simulated_world_is_recognised() -> None:
    world = simulate(users=400, items=60)
    names = fit_encoder(world.profiles.attributes).names
    assert {f"role = {role}" for role in ROLES} <= set(names)
    assert {f"interests: {topic.name}" for topic in TOPICS} <= set(names)
    assert len(names) == len(ROLES) + len(TOPICS) + 3  # and three levels of experience


@settings(max_examples=40, deadline=None)
@given(st.lists(st.none() | st.text(max_size=12) | st.sampled_from(["1", "a|b", "b", "[]", "x y z"]), min_size=1))
def test_any_cells_can_be_encoded(cells: list[str | None]) -> None:
    column: Any = cells
    encoder = fit_encoder({"a": ids_of(column)}, rarest=1)
    encoded = encoder.encode({"a": ids_of(column)}, len(cells))
    norms = np.sqrt(encoded.power(2).sum(axis=1))
    assert np.all(np.isclose(norms, 0) | np.isclose(norms, 1))
    assert len(set(encoder.names)) == len(encoder.names) == encoded.shape[1]
    assert ProfileEncoder.from_json(encoder.as_json()) == encoder


def test_json_gives_the_encoder_back(encoder: ProfileEncoder, people: Attributes) -> None:
    again = ProfileEncoder.from_json(json.loads(json.dumps(encoder.as_json(), allow_nan=False)))
    assert again == encoder
    assert again.names == encoder.names
    np.testing.assert_array_equal(again.encode(people, USERS).toarray(), encoder.encode(people, USERS).toarray())


def changed(place: int, **fields: object) -> Callable[[dict[str, Any]], object]:
    return lambda plain: plain["blocks"][place].update(fields)


@pytest.mark.parametrize(
    "damage",
    [
        changed(0, kind="bins"),
        changed(0, weights=[1.0]),
        changed(0, weights=[1.0, -1.0]),
        changed(0, weights=[1.0, float("nan")]),
        changed(0, weights=[True, True]),
        changed(1, lows=[20.0, 30.0, 40.0, 35.0]),
        changed(1, lows=["20", "30", "40", "50"]),
        changed(1, lows=[20.0]),
        changed(1, name="about"),
        changed(1, kind="other"),
        changed(2, separator="/"),
        changed(2, values=[]),
        changed(2, values=["sql", "sql"]),
        changed(2, values="sql"),
        changed(2, extra=1),
        lambda plain: plain["blocks"][2].pop("name"),
        lambda plain: plain.update(blocks=None),
        lambda plain: plain.update(more=[]),
        lambda plain: plain.clear(),
    ],
)
def test_a_damaged_encoding_is_refused(encoder: ProfileEncoder, damage: Callable[[dict[str, Any]], object]) -> None:
    plain = copy.deepcopy(encoder.as_json())
    damage(plain)
    with pytest.raises(BundleError, match="the encoding of profiles is damaged"):
        ProfileEncoder.from_json(plain)


@pytest.mark.parametrize("plain", [None, [], "blocks", 1, {"blocks": [object()]}])
def test_what_is_no_encoding_is_refused(plain: object) -> None:
    with pytest.raises(BundleError, match="damaged"):
        ProfileEncoder.from_json(plain)
