from __future__ import annotations

import re

import numpy as np
import pytest

from foldin.data.synthetic.labs import LEVELS, make_labs
from foldin.data.synthetic.topics import TOPICS

NUMBERS_OF_LABS = [10, 13, 252, 5000, 20_000]


def test_every_topic_has_its_own_track_and_as_many_distinct_subjects() -> None:
    assert len({topic.track for topic in TOPICS}) == len(TOPICS)
    assert all(len(set(topic.subjects)) == 12 for topic in TOPICS)
    subjects = [subject for topic in TOPICS for subject in topic.subjects]
    assert len(set(subjects)) == len(subjects)


@pytest.mark.parametrize("items", NUMBERS_OF_LABS)
def test_ids_are_sorted_unique_and_of_the_stated_form(items: int) -> None:
    ids = list(make_labs(items, np.random.default_rng(0)).catalog.item_ids)
    assert len(set(ids)) == items
    assert ids == sorted(ids)
    tracks = "|".join(topic.track for topic in TOPICS)
    assert all(re.fullmatch(rf"HOL-2[0-2]\d\d-\d\d-({tracks})", lab_id) for lab_id in ids)
    assert "HOL-2002-01-CMP" in ids


@pytest.mark.parametrize("items", NUMBERS_OF_LABS)
def test_titles_are_unique(items: int) -> None:
    titles = list(make_labs(items, np.random.default_rng(0)).catalog.attributes["title"])
    assert len(set(titles)) == items


def test_the_usual_catalogue_needs_no_parts() -> None:
    titles = make_labs(252, np.random.default_rng(0)).catalog.attributes["title"]
    assert not [title for title in titles if "Part" in title]


def test_a_lab_is_described_in_full() -> None:
    catalog = make_labs(252, np.random.default_rng(0)).catalog
    assert list(catalog.attributes) == ["title", "topics", "level", "duration", "track", "released"]
    assert set(catalog.attributes["level"]) == set(LEVELS)
    assert all(15 <= int(minutes) <= 180 for minutes in catalog.attributes["duration"])
    assert all(
        lab_id.endswith(track) for lab_id, track in zip(catalog.item_ids, catalog.attributes["track"], strict=True)
    )
    topics = [cell.split("|") for cell in catalog.attributes["topics"]]
    assert {len(cell) for cell in topics} == {1, 2, 3}
    assert all(len(set(cell)) == len(cell) for cell in topics)
    track_of = {topic.name: topic.track for topic in TOPICS}
    assert [track_of[cell[0]] for cell in topics] == list(catalog.attributes["track"])
