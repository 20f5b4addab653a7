from __future__ import annotations

import json

import pytest

from foldin.errors import ConfigurationError
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity
from foldin.models.zoo import (
    DEFAULT,
    ESTIMATORS,
    estimator_named,
    name_of,
    settings_of,
    suited_to_ratings,
)


def test_fields_are_taken_as_their_type_or_as_text() -> None:
    assert estimator_named("ease", {"l2": "12.5"}) == EASE(12.5)
    assert estimator_named("edlae", {"l2": 3, "dropout": "0.5"}) == EDLAE(3, 0.5)
    wanted = AutoEncoder(hidden=(256, 128), latent=8, optimizer="sgd", unobserved=0.5)
    text = {"hidden": "256, 128", "latent": "8", "optimizer": "sgd", "unobserved": "0.5"}
    assert estimator_named("autoencoder", text) == wanted
    assert estimator_named(DEFAULT) == EDLAE()


@pytest.mark.parametrize(
    "estimator", [Popularity(), EASE(0.1), EDLAE(7, 0.3), AutoEncoder(hidden=(9, 8), latent=3, l2=0.1)]
)
def test_settings_survive_json(estimator: EASE | EDLAE | AutoEncoder | Popularity) -> None:
    settings = json.loads(json.dumps(dict(settings_of(estimator))))
    assert estimator_named(name_of(estimator), settings) == estimator


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("eas", {}, f"no model 'eas'; there are: {', '.join(ESTIMATORS)}"),
        ("ease", {"l3": 1}, "ease has no field 'l3'; it has: l2"),
        ("popularity", {"l2": 1}, "popularity has no field 'l2'; it has: none"),
        ("ease", {"l2": "many"}, "l2: Input should be a valid number"),
        ("ease", {"l2": "-1"}, "l2 is -1"),
        ("ease", {"l2": "nan"}, "l2"),
        ("autoencoder", {"l2": "-0.1"}, "l2 is -0.1"),
        ("autoencoder", {"epochs": "2.5"}, "epochs: Input should be a valid integer"),
        ("autoencoder", {"optimizer": "lion"}, "'lion' is not one of: adam"),
        ("autoencoder", {"hidden": "a,b"}, "hidden.0"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(name: str, settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        estimator_named(name, settings)


def test_ratings_are_learned_from_observed_cells_only() -> None:
    assert suited_to_ratings(AutoEncoder()) == AutoEncoder(unobserved=0.0)
    assert suited_to_ratings(AutoEncoder(unobserved=0.2)) == AutoEncoder(unobserved=0.2)
    assert suited_to_ratings(EASE()) == EASE()
