"""The simulated world: a provider of hands-on labs, its people, what they did, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids, Interactions
from foldin.data.profiles import Profiles
from foldin.data.synthetic.affinity import affinities, interest
from foldin.data.synthetic.clicks import KINDS, Clicks, draw_views, expected_views, followed
from foldin.data.synthetic.exposure import expose
from foldin.data.synthetic.labs import Labs, make_labs
from foldin.data.synthetic.names import EVERYWHERE, draw_names
from foldin.data.synthetic.people import People, make_people
from foldin.data.synthetic.ratings import Ratings, draw_ratings
from foldin.errors import ConfigurationError

__all__ = ["Truth", "World", "simulate"]

FEWEST_USERS, MOST_USERS = 50, 200_000
FEWEST_ITEMS, MOST_ITEMS = 10, 20_000
MOST_CELLS = 250_000_000  # of the truth, which is dense: 1 GB
BLOCK = 512  # people simulated at a time; part of what a seed means
GOOD_HISTORY = 18  # labs `nle` has viewed, or as near to it as anybody is


@dataclass(frozen=True, eq=False)
class Truth:
    """By how much each user is drawn to each item: ranking unseen items by it is the best possible ranking.

    Shape: `affinity` (users, items). Unit: expected views per visit, the positions' bias averaged out.
    """

    user_ids: Ids
    item_ids: Ids
    affinity: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class World:
    """What the provider knows (catalogue, profiles, events, ratings), and the truth nobody knows.

    The truth's rows are all users sorted by id, its columns the catalogue's items in their order. A user without
    any event has a profile and a row of the truth, but is not among the users of `events`.
    """

    catalog: Catalog
    profiles: Profiles
    events: Interactions
    ratings: Interactions
    truth: Truth


def simulate(users: int = 5200, items: int = 252, seed: int = 0) -> World:
    """A world of people and labs, the same bits for the same seed; a user called `nle` is in every one.

    Ranges: 50 to 200,000 users, 10 to 20,000 items, at most 250 million cells of users x items, seed 0 or more.

    Raises:
        ConfigurationError: a number is out of its range.
    """
    _check(users, items, seed)
    for_labs, for_people, for_names, for_feedback = np.random.SeedSequence(seed).spawn(4)
    labs = make_labs(items, np.random.default_rng(for_labs))
    people = make_people(users, np.random.default_rng(for_people))
    names = ids_of(draw_names(users, np.random.default_rng(for_names)))
    clicks, ratings, truth = _feedback(people, labs, for_feedback)
    rows = _rows(names, clicks, items)
    truth[rows != np.arange(users)] = truth[rows[rows != np.arange(users)]]
    return World(
        labs.catalog,
        Profiles(names, {name: column[rows] for name, column in people.attributes.items()}),
        _events(clicks, rows, names, labs.catalog),
        _ratings(ratings, rows, names, labs.catalog),
        Truth(names, labs.catalog.item_ids, truth),
    )


def _check(users: int, items: int, seed: int) -> None:
    for name, number, fewest, most in (
        ("users", users, FEWEST_USERS, MOST_USERS),
        ("items", items, FEWEST_ITEMS, MOST_ITEMS),
    ):
        if not fewest <= number <= most:
            raise ConfigurationError(f"{name} is {number}; a world has {fewest:,} to {most:,} {name}")
    if users * items > MOST_CELLS:
        raise ConfigurationError(
            f"{users:,} users x {items:,} items is {users * items:,} cells of truth; "
            f"at most {MOST_CELLS:,} (1 GB) are kept: take fewer users or items"
        )
    if seed < 0:
        raise ConfigurationError(f"seed is {seed}; it must be 0 or more")


def _feedback(people: People, labs: Labs, seeds: np.random.SeedSequence) -> tuple[Clicks, Ratings, NDArray[np.float32]]:
    # In blocks of people, each with its own random numbers: only the truth is ever held for all of them.
    exposure = expose(labs)
    truth = np.empty((len(people), len(labs)), dtype=np.float32)
    clicks, ratings = [], []
    starts = range(0, len(people), BLOCK)
    for start, seed in zip(starts, seeds.spawn(len(starts)), strict=True):
        block, rng = people.part(slice(start, start + BLOCK)), np.random.default_rng(seed)
        affinity = affinities(block, labs, rng)
        interested = interest(affinity)
        truth[start : start + BLOCK] = expected_views(block, interested, exposure)
        clicks.append(followed(draw_views(block, interested, exposure, rng), labs.minutes, rng).shifted(start))
        ratings.append(draw_ratings(block, labs, affinity, rng).shifted(start))
    return Clicks.joined(clicks), Ratings.joined(ratings), truth


def _rows(names: Ids, clicks: Clicks, items: int) -> NDArray[np.intp]:
    # Names say nothing of people, so `nle` can trade places with somebody who has a history worth showing.
    pairs = np.unique(clicks.rows.astype(np.int64) * items + clicks.columns)
    viewed = np.bincount(pairs // items, minlength=len(names))
    chosen = int(np.argmin(np.abs(viewed - GOOD_HISTORY)))
    shown = int(np.searchsorted(names, EVERYWHERE))
    rows = np.arange(len(names))
    rows[[chosen, shown]] = rows[[shown, chosen]]
    return rows


def _events(clicks: Clicks, rows: NDArray[np.intp], names: Ids, catalog: Catalog) -> Interactions:
    users = rows[clicks.rows].astype(np.int32)
    kinds = ids_of(KINDS)
    log = Interactions(names, users, catalog.item_ids, clicks.columns, kinds, clicks.kinds, None, clicks.times)
    return log.where(np.lexsort((clicks.kinds, clicks.columns, users, clicks.times)))


def _ratings(ratings: Ratings, rows: NDArray[np.intp], names: Ids, catalog: Catalog) -> Interactions:
    users = rows[ratings.rows].astype(np.int32)
    log = Interactions(names, users, catalog.item_ids, ratings.columns, values=ratings.stars, times=ratings.times)
    return log.where(np.lexsort((ratings.columns, users, ratings.times)))
