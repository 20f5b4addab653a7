from __future__ import annotations

import numpy as np

from foldin.data.synthetic.affinity import affinities, interest
from foldin.data.synthetic.clicks import draw_views, expected_views
from foldin.data.synthetic.exposure import LOOKS, expose
from foldin.data.synthetic.labs import make_labs
from foldin.data.synthetic.people import make_people


def test_views_come_as_often_as_the_truth_expects_and_fall_with_the_position() -> None:
    rng = np.random.default_rng(0)
    labs, people = make_labs(36, rng), make_people(4000, rng)
    interested, exposure = interest(affinities(people, labs, rng)), expose(labs)
    views = draw_views(people, interested, exposure, rng)

    expected = expected_views(people, interested, exposure) * people.visits[:, None]
    counted = np.bincount(views.columns, minlength=36)
    assert np.abs(counted - expected.sum(axis=0)).max() < 5 * np.sqrt(expected.sum(axis=0).max())
    of_likely = expected[views.rows, views.columns]
    # where v views are expected of a cell, a viewed cell has sum(v^2) / sum(v) expected on average
    assert abs(of_likely.mean() / ((expected**2).sum() / expected.sum()) - 1) < 0.05

    by_position = np.bincount(views.positions, minlength=len(LOOKS))
    assert np.abs(by_position / by_position.sum() - LOOKS / LOOKS.sum()).max() < 0.01
    assert by_position[0] > 3 * by_position[-1]


def test_labs_are_shown_by_attention_and_only_from_their_release_on() -> None:
    labs = make_labs(120, np.random.default_rng(0))
    exposure = expose(labs)
    new = int(np.argmax(labs.released))
    assert exposure.shares[labs.released[new] - 1, new] == 0
    assert exposure.shares[labs.released[new], new] > 0
    last_week = np.full(20_000, 77)
    shown = np.bincount(exposure.pages(last_week, np.random.default_rng(1)).ravel(), minlength=120)
    assert np.abs(shown / shown.sum() - labs.attention / labs.attention.sum()).max() < 0.003
    before = exposure.pages(np.full(2000, labs.released[new] - 1), np.random.default_rng(1))
    assert not (before == new).any()


def test_affinity_is_standardised_and_follows_topics_and_level() -> None:
    rng = np.random.default_rng(0)
    labs, people = make_labs(252, rng), make_people(500, rng)
    affinity = affinities(people, labs, rng)
    assert np.abs(affinity.mean(axis=1)).max() < 1e-5
    assert np.abs(affinity.std(axis=1) - 1).max() < 1e-5
    main_topics = people.factors[:, :12].argmax(axis=1)
    fits = labs.factors[:, :12].argmax(axis=1) == main_topics[:, None]
    assert affinity[fits].mean() > 1
    far_off = np.abs(people.skill[:, None] - labs.levels) > 1.5
    assert affinity[fits & far_off].mean() < affinity[fits & ~far_off].mean() - 0.2
