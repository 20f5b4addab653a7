from __future__ import annotations

import numpy as np

from foldin.data.synthetic import World
from foldin.data.synthetic.affinity import affinities
from foldin.data.synthetic.labs import make_labs
from foldin.data.synthetic.people import make_people
from foldin.data.synthetic.ratings import draw_ratings


def test_the_histogram_of_ratings_looks_normal(world: World) -> None:
    ratings = world.ratings.values
    assert ratings is not None
    mean, deviation = ratings.mean(), ratings.std()
    assert 3.3 < mean < 3.6
    assert 0.8 < deviation < 1.1
    assert abs(np.mean((ratings - mean) ** 3) / deviation**3) < 0.25
    stars, counts = np.unique(ratings, return_counts=True)
    assert stars.tolist() == [1, 2, 3, 4, 5]
    assert counts.argmax() in (2, 3)
    density = np.exp(-(((stars - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
    assert np.abs(counts / counts.sum() - density).max() < 0.05


def test_ratings_rise_with_affinity_and_what_is_liked_is_rated_a_little_more() -> None:
    rng = np.random.default_rng(0)
    labs, people = make_labs(120, rng), make_people(1000, rng)
    affinity = affinities(people, labs, rng)
    ratings = draw_ratings(people, labs, affinity, rng)
    of_rated = affinity[ratings.rows, ratings.columns]
    assert 0.35 < np.corrcoef(of_rated, ratings.stars)[0, 1] < 0.75
    assert 0.1 < of_rated.mean() < 0.6


def test_nobody_rates_a_lab_twice(world: World) -> None:
    log = world.ratings
    pairs = log.user_codes.astype(np.int64) * len(log.item_ids) + log.item_codes
    assert len(np.unique(pairs)) == len(pairs)
