from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from foldin.data.interactions import Interactions
from foldin.data.synthetic import World, simulate
from foldin.errors import ConfigurationError


def bits(world: World) -> list[bytes]:
    logs = [world.events, world.ratings]
    columns = [
        column for log in logs for column in (log.user_codes, log.item_codes, log.kind_codes, log.values, log.times)
    ]
    texts = [*world.profiles.user_ids, *world.catalog.item_ids, *map(str, world.profiles.attributes["interests"])]
    arrays = [column.tobytes() for column in [*columns, world.truth.affinity] if column is not None]
    return [*arrays, "\n".join(texts).encode()]


def viewed(world: World) -> NDArray[np.bool_]:
    """Who has viewed what, in the truth's rows and columns."""
    cells = np.zeros(world.truth.affinity.shape, dtype=np.bool_)
    log = world.events
    rows = np.searchsorted(world.truth.user_ids, log.user_ids)[log.user_codes]
    cells[rows, world.catalog.indices(log.item_ids)[log.item_codes]] = True
    return cells


def recall(scores: NDArray[np.float64], shown: NDArray[np.bool_], targets: NDArray[np.bool_]) -> float:
    best = np.argsort(-np.where(shown, -np.inf, scores), axis=1)[:, :10]
    found = np.take_along_axis(targets, best, axis=1).sum(axis=1)
    return float(np.mean(found / np.minimum(targets.sum(axis=1), 10)))


def test_the_same_seed_gives_the_same_bits() -> None:
    assert bits(simulate(600, 40, seed=5)) == bits(simulate(600, 40, seed=5))


def test_another_seed_gives_other_people_and_events_but_the_same_catalogue() -> None:
    one, other = simulate(60, 40, seed=5), simulate(60, 40, seed=6)
    assert one.events.times is not None
    assert other.events.times is not None
    assert not np.array_equal(one.truth.affinity, other.truth.affinity)
    assert not np.array_equal(one.events.times[:50], other.events.times[:50])
    assert list(one.profiles.user_ids) != list(other.profiles.user_ids)
    assert list(one.catalog.item_ids) == list(other.catalog.item_ids)
    assert list(one.catalog.attributes["title"]) == list(other.catalog.attributes["title"])


@pytest.mark.parametrize(("users", "items"), [(50, 10), (51, 11), (700, 252), (50, 3000)])
def test_a_world_has_the_size_asked_for(users: int, items: int) -> None:
    world = simulate(users, items)
    assert len(world.profiles) == users
    assert len(world.catalog) == items
    assert world.truth.affinity.shape == (users, items)
    assert world.truth.affinity.dtype == np.float32


def test_the_world_of_the_demo_is_as_large_and_as_full_as_it_says() -> None:
    world = simulate()
    pairs = viewed(world)
    histories = pairs.sum(axis=1)
    assert pairs.shape == (5200, 252)
    assert 11 <= np.median(histories) <= 16
    assert np.quantile(histories, 0.99) > 3 * np.median(histories)
    assert 0.01 < np.mean((histories >= 1) & (histories <= 3)) < 0.08
    assert np.mean(histories == 0) < 0.01
    assert 12 <= pairs[np.searchsorted(world.truth.user_ids, "nle")].sum() <= 25
    assert 15 < len(world.ratings) / 5200 < 30


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("users", [50, 800])
def test_nle_is_everywhere_and_has_a_history(users: int, seed: int) -> None:
    world = simulate(users, 120, seed)
    assert 12 <= len(set(world.events.history("nle").item_ids)) <= 25
    assert world.profiles.profile("nle")["role"]


def test_truth_rows_are_sorted_users_and_columns_the_catalogue(world: World) -> None:
    assert list(world.truth.user_ids) == sorted(world.profiles.user_ids)
    assert list(world.truth.item_ids) == list(world.catalog.item_ids)
    assert set(world.events.user_ids) <= set(world.profiles.user_ids)


def test_nle_keeps_its_own_truth_and_profile() -> None:
    # one name is given to somebody else: everything of that person must go along
    for seed in range(12):
        world = simulate(400, 120, seed)
        row = int(np.searchsorted(world.truth.user_ids, "nle"))
        hits = np.take_along_axis(viewed(world), np.argsort(-world.truth.affinity, axis=1)[:, :24], axis=1).sum(axis=1)
        assert hits[row] >= 6, f"seed {seed}: 24 of 120 labs hold {hits[row]} of nle's 18"


def test_logs_are_well_formed(world: World) -> None:
    for log in (world.events, world.ratings):
        assert list(log.user_ids) == sorted(set(log.user_ids))
        assert list(log.item_ids) == sorted(set(log.item_ids))
        assert len(np.unique(log.user_codes)) == len(log.user_ids)
        assert log.times is not None
        assert (np.diff(log.times) >= 0).all()
    assert world.events.kind_names is not None
    assert list(world.events.kind_names) == ["complete", "start", "view"]


def test_nothing_happens_to_a_lab_before_its_release_and_newer_labs_come_later(world: World) -> None:
    for log in (world.events, world.ratings):
        assert log.times is not None
        released = world.catalog.attributes["released"][world.catalog.indices(log.item_ids)].astype("datetime64[us]")
        assert (log.times.astype("datetime64[us]") >= released[log.item_codes]).all()
    assert np.mean(world.catalog.attributes["released"] > "2021-01-04") > 0.3


def test_popularity_has_a_long_tail(world: World) -> None:
    popularity = np.sort(viewed(world).sum(axis=0))[::-1]
    assert popularity[: len(popularity) // 5].sum() > 0.4 * popularity.sum()
    assert popularity[0] > 4 * np.median(popularity)


def test_the_truth_ranks_held_out_clicks_clearly_better_than_popularity(world: World) -> None:
    pairs = viewed(world)
    pairs = pairs & (pairs.sum(axis=1, keepdims=True) >= 5)
    targets = pairs & (np.random.default_rng(0).random(pairs.shape) < 0.3)
    users = targets.any(axis=1)
    shown, targets, truth = (pairs & ~targets)[users], targets[users], world.truth.affinity[users]
    popularity = np.broadcast_to(shown.sum(axis=0).astype(float), shown.shape)
    assert recall(truth, shown, targets) > 1.6 * recall(popularity, shown, targets)
    assert recall(popularity, shown, targets) > 1.5 * recall(np.zeros(shown.shape), shown, targets)


def test_people_who_viewed_alike_view_alike(world: World) -> None:
    # what collaborative filtering lives on: the other clicks of people with the same labs beat popularity
    pairs = viewed(world).astype(float)
    targets = (pairs > 0) & (np.random.default_rng(0).random(pairs.shape) < 0.3)
    shown = pairs * ~targets
    popularity = shown.sum(axis=0)
    together = shown.T @ shown / np.sqrt(np.outer(popularity, popularity))
    np.fill_diagonal(together, 0)
    users = targets.any(axis=1)
    neighbours = recall((shown @ together)[users], shown[users] > 0, targets[users])
    popular = recall(np.broadcast_to(popularity, shown.shape)[users], shown[users] > 0, targets[users])
    assert neighbours > 1.3 * popular


def share_in_topic(world: World, people: NDArray[np.bool_], topic: str) -> float:
    of_topic = np.array([topic in cell.split("|") for cell in world.catalog.attributes["topics"]])
    pairs = viewed(world)[people]
    return float(pairs[:, of_topic].sum() / pairs.sum())


@pytest.mark.parametrize(
    ("attribute", "value", "topic"),
    [
        ("role", "network engineer", "networking"),
        ("role", "developer", "development"),
        ("interests", "security", "security"),
    ],
)
def test_a_profile_reveals_something_but_not_all(world: World, attribute: str, value: str, topic: str) -> None:
    cells = world.profiles.attributes[attribute]
    people = np.array([cell is not None and value in cell.split("|") for cell in cells])
    said, others = share_in_topic(world, people, topic), share_in_topic(world, ~people, topic)
    assert 1.3 * others < said < 0.7


def test_some_people_state_no_interest_and_some_have_no_events() -> None:
    world = simulate(3000, 60)
    assert any(cell is None for cell in world.profiles.attributes["interests"])
    assert len(world.events.user_ids) < 3000


def test_repeated_clicks_on_the_same_pair_occur(world: World) -> None:
    views = world.events.where(np.flatnonzero(world.events.kind_codes == 2))
    assert 0.1 < 1 - viewed(world).sum() / len(views) < 0.5


def test_starts_and_completions_follow_views(world: World) -> None:
    complete, start, view = (times_of(world.events, kind) for kind in range(3))
    assert 0 < len(complete) < len(start) < len(view)
    assert all(start[pair] > view[pair] for pair in start)
    assert all(complete[pair] > start[pair] for pair in complete)


def times_of(log: Interactions, kind: int) -> dict[tuple[int, int], int]:
    """The first time of each pair with an event of that kind."""
    assert log.times is not None
    rows = np.flatnonzero(log.kind_codes == kind)[::-1]
    pairs = zip(log.user_codes[rows].tolist(), log.item_codes[rows].tolist(), strict=True)
    return dict(zip(pairs, log.times[rows].tolist(), strict=True))


@pytest.mark.parametrize(
    ("users", "items", "seed", "reason"),
    [
        (49, 252, 0, "users is 49; a world has 50 to 200,000 users"),
        (200_001, 252, 0, "50 to 200,000 users"),
        (5200, 9, 0, "items is 9; a world has 10 to 20,000 items"),
        (5200, 20_001, 0, "10 to 20,000 items"),
        (200_000, 20_000, 0, "at most 250,000,000"),
        (5200, 252, -1, "seed is -1; it must be 0 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(users: int, items: int, seed: int, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        simulate(users, items, seed)
