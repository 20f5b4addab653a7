"""Worlds small enough to draw, shared by the tests of every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.isolation import clear_environment, separate_folders

clear_environment()  # before NumPy and torch read their variables

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray
from scipy.sparse import csr_array
from xdist.scheduler import LoadFileScheduling

from foldin.coldstart.handover import usual_handover
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback
from foldin.data.interactions import NO_KIND, NO_TIME, Interactions
from foldin.data.profiles import Profiles
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.fitting import fit
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE
from foldin.recommender import Recommender
from foldin.store.contract import Store
from foldin.store.opening import open_store
from tests.faults.small_disk import SmallDisk, small_disk
from tests.store.postgres_server import PostgresServer, running_server

# the same examples in every run, and no time limit on a busy machine
settings.register_profile("deterministic", derandomize=True, deadline=None)
settings.load_profile("deterministic")

DAY = 86_400_000_000
EVEN_USERS_LIKE_EVEN_ITEMS = 24, 12  # users, items
PAGE_TESTS = "tests/service/page"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives each process a file at a time, and one of them all tests of the page: they share a browser."""
    scheduling = LoadFileScheduling(config, log)
    scheduling._split_scope = lambda test: PAGE_TESTS if test.startswith(PAGE_TESTS) else test.split("::")[0]
    return scheduling


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test depends on the folder, home or environment it is run from."""
    with separate_folders(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("current")):
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests that do it no harm; each uses a schema of its own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def unlucky_postgres_server() -> Iterator[PostgresServer]:
    """The server of those tests that stop it, crash it, cut its connections off or change its settings."""
    with running_server() as server:
        yield server


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that a test may fill."""
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives a place for another store at every call; a new kind of store joins the tests here."""
    if request.param == "postgresql":
        place: Callable[[], str] = request.getfixturevalue("postgres_server").new_url
        return place
    numbers = count()
    return lambda: f"sqlite:///{tmp_path}/store{next(numbers)}.sqlite"


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Where the test's own store is, of each kind in turn."""
    return new_url()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """The test's own store, empty."""
    with open_store(url, create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def log_of() -> Callable[..., Interactions]:
    """Makes a log of (user, item) pairs, and of a kind, value and time for each where given; None is missing."""
    return _log_of


@pytest.fixture(scope="session")
def drawn() -> Callable[..., Interactions]:
    """Makes a log of a drawing: "Alice  o o . o" has the items 1, 2 and 4. A digit is a value or a time in days."""
    return _drawn


@pytest.fixture(scope="session")
def drawing() -> Callable[[csr_array], list[str]]:
    """Draws the stored cells of a matrix, one row a line."""
    return lambda matrix: [" ".join("o" if cell else "." for cell in row) for row in _stored(matrix)]


@pytest.fixture(scope="session")
def shuffled() -> Callable[[Interactions, int], Interactions]:
    """The same log with its rows in another order."""
    return lambda log, seed: log.where(np.random.default_rng(seed).permutation(len(log)))


@pytest.fixture(scope="session")
def checkerboard() -> Interactions:
    """Even users have chosen the even items, odd users the odd ones, all but the one on their diagonal."""
    users, items = EVEN_USERS_LIKE_EVEN_ITEMS
    pairs = [(u, i) for u in range(users) for i in range(items) if u % 2 == i % 2 and i != u % items]
    return _log_of([(f"u{user:02}", f"i{item:02}") for user, item in pairs])


@pytest.fixture(scope="session")
def rated(checkerboard: Interactions) -> Interactions:
    """The checkerboard as ratings: 4 or 5 for what is liked, 1 or 2 for three items that are not."""
    users, items = EVEN_USERS_LIKE_EVEN_ITEMS
    liked = [(int(u), int(i)) for u, i in zip(checkerboard.user_codes, checkerboard.item_codes, strict=True)]
    disliked = [(user, (user + 1 + 2 * turn) % items) for user in range(users) for turn in range(3)]
    pairs = [(f"u{user:02}", f"i{item:02}") for user, item in liked + disliked]
    ratings = [4 + (user + item) // 2 % 2 for user, item in liked] + [1 + turn % 2 for turn in range(len(disliked))]
    return _log_of(pairs, values=ratings)


@pytest.fixture(scope="session")
def linear(checkerboard: Interactions) -> Recommender:
    """EASE on the checkerboard, with titles and probabilities: lower ones after 1 item than after 7."""
    titles = {"title": ids_of([f"Item {item_id}" for item_id in checkerboard.item_ids])}
    catalog = Catalog(checkerboard.item_ids, titles)
    recommender = fit(checkerboard, estimator=EASE(l2=1), catalog=catalog)
    scores = np.array([-10, 10], dtype=np.float32)
    of_one, of_seven = (np.array(ends, dtype=np.float32) for ends in ([0.1, 0.5], [0.3, 0.9]))
    at = ProbabilityCalibration(scores, of_one), ProbabilityCalibration(scores, of_seven)
    return replace(recommender, calibration=PersonCalibration(None, LengthCalibration((1, 7), at)))


@pytest.fixture(scope="session")
def network(checkerboard: Interactions) -> Recommender:
    """A small autoencoder on the checkerboard."""
    estimator = AutoEncoder(hidden=(8,), latent=4, epochs=60, learning_rate=0.02, batch_size=8)
    return fit(checkerboard, estimator=estimator)


@pytest.fixture(scope="session")
def profiled() -> Recommender:
    """Two tastes; nobody had `new`, about storage too, or `lone`, which resembles no other."""
    return _two_tastes({"new": "storage", "lone": "quantum"})


@pytest.fixture(scope="session")
def with_many_new() -> Recommender:
    """Two tastes, and eight items about something else that nobody had, `new0` to `new7`; words weigh most."""
    return _two_tastes({f"new{number}": "quantum" for number in range(8)}, content_weight=100)


def _two_tastes(new: Mapping[str, str], content_weight: float = 1) -> Recommender:
    """EASE on two tastes that go with two roles, and the topics of items nobody had.

    Even items are about storage and odd ones about networks. What terms weigh is set, so that what is learned plays no
    part.
    """
    users, items = 120, 12
    cells = np.argwhere(np.random.default_rng(4).random((users, items)) < np.where(_alike(users, items), 0.6, 0.06))
    log = _log_of([(f"u{user:03}", f"i{item:02}") for user, item in cells])
    topics = ["storage", "networks"] * (items // 2)
    catalog = Catalog(ids_of([*log.item_ids, *new]), {"topic": ids_of([*topics, *new.values()])})
    people = ids_of([f"u{user:03}" for user in range(users)])
    profiles = Profiles(people, {"role": ids_of(["admin", "builder"] * (users // 2))})
    recommender = fit(log, estimator=EASE(l2=10), catalog=catalog, profiles=profiles)
    blend = recommender.blend
    usual = usual_handover(blend.handover.unit)
    weights = usual.weights / np.float32(8)  # all items are nearly as popular: their spread is small
    handover = replace(usual, weights=weights, untold=weights)
    prior = blend.prior.with_weights(profile=1, content=content_weight)
    return replace(recommender, blend=replace(blend, prior=prior, handover=handover))


@pytest.fixture(scope="session")
def rating(rated: Interactions) -> Recommender:
    """EASE on ratings from 1 to 5."""
    return fit(rated, estimator=EASE(l2=1), feedback=Feedback(form="explicit", positive_from=4))


def _alike(users: int, items: int) -> NDArray[np.bool_]:
    """Where user and item are both even or both odd."""
    alike: NDArray[np.bool_] = np.add.outer(np.arange(users), np.arange(items)) % 2 == 0
    return alike


def _log_of(
    pairs: Sequence[tuple[str, str]],
    *,
    kinds: Sequence[str | None] | None = None,
    values: Sequence[float | None] | None = None,
    times: Sequence[int | None] | None = None,
) -> Interactions:
    users, user_codes = _coded([user for user, _ in pairs])
    items, item_codes = _coded([item for _, item in pairs])
    names = None if kinds is None else sorted({kind for kind in kinds if kind is not None})
    return Interactions(
        ids_of(users),
        user_codes,
        ids_of(items),
        item_codes,
        None if names is None else ids_of(names),
        None
        if kinds is None or names is None
        else np.array([NO_KIND if kind is None else names.index(kind) for kind in kinds], dtype=np.int8),
        None if values is None else np.array([np.nan if v is None else v for v in values], dtype=np.float32),
        None if times is None else np.array([NO_TIME if t is None else t for t in times], dtype=np.int64),
    )


def _coded(ids: Sequence[str]) -> tuple[list[str], NDArray[np.int32]]:
    distinct = sorted(set(ids))
    codes = {name: code for code, name in enumerate(distinct)}
    return distinct, np.array([codes[name] for name in ids], dtype=np.int32)


def _drawn(text: str, digits: str = "") -> Interactions:
    lines = [line.split() for line in text.strip().splitlines()]
    cells = [(user, str(column + 1), cell) for user, *row in lines for column, cell in enumerate(row) if cell != "."]
    numbers = [int(cell) if cell.isdigit() else None for _, _, cell in cells]
    return _log_of(
        [(user, item) for user, item, _ in cells],
        values=numbers if digits == "values" else None,
        times=[None if n is None else n * DAY for n in numbers] if digits == "times" else None,
    )


def _stored(matrix: csr_array) -> NDArray[np.bool_]:
    cells = np.zeros(matrix.shape, dtype=np.bool_)
    cells[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = True
    return cells
