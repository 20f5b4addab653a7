from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

import foldin.exporting
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.data.synthetic import simulate
from foldin.errors import ConfigurationError
from foldin.evaluation.calibration import ProbabilityCalibration
from foldin.evaluation.length_calibration import LengthCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.exporting import check_attributes, write_embeddings, write_rankings
from foldin.fitting import fit
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EDLAE
from foldin.models.linear import LinearAutoEncoder
from foldin.models.network import Network
from foldin.recommender import Recommender

USERS, ITEMS = 200, 30
RANKING = [
    "user",
    "rank",
    "item",
    "score",
    "probability",
    "probability_is_lower_bound",
    "rating",
    "history",
    "profile",
    "content",
    "popularity",
]

FIGURES = attrgetter("item_id", "score", "probability", "probability_is_lower_bound", "rating")


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Clicks, and one user who knows only an item that is not in the catalogue of the recommenders."""
    clicks = simulate(USERS, ITEMS, 2).events
    assert clicks.kind_codes is not None
    return replace(
        clicks,
        user_ids=ids_of([*clicks.user_ids, "~stranger"]),
        user_codes=np.append(clicks.user_codes, np.int32(len(clicks.user_ids))),
        item_ids=ids_of([*clicks.item_ids, "~new"]),
        item_codes=np.append(clicks.item_codes, np.int32(len(clicks.item_ids))),
        kind_codes=np.append(clicks.kind_codes, np.int8(0)),
        times=None,
    )


@pytest.fixture(scope="module")
def recommender() -> Recommender:
    fitted = fit(simulate(USERS, ITEMS, 2).events, estimator=EDLAE(), seed=1)
    knots = np.array([[-10, 0, 10], [0, 0.1, 0.9]], dtype=np.float32)
    calibration = LengthCalibration((0,), (ProbabilityCalibration(*knots),))
    return replace(fitted, calibration=PersonCalibration(calibration, calibration))


@pytest.fixture(scope="module")
def network(recommender: Recommender) -> Recommender:
    rng, items = np.random.default_rng(5), len(recommender.catalog)
    widths = [(items, 6), (6, 3), (3, 6), (6, items)]
    weights = tuple(rng.normal(size=width).astype(np.float32) for width in widths)
    biases = tuple(rng.normal(size=width[1]).astype(np.float32) for width in widths)
    estimator = AutoEncoder(hidden=(6,), latent=3)
    blend = replace(recommender.blend, model=Network(weights, biases, estimator.activation))
    return replace(recommender, estimator=estimator, blend=blend)


def rows_of(file: Path) -> list[tuple[Any, ...]]:
    return duckdb.execute(f"SELECT * FROM '{file}'").fetchall()


def columns_of(file: Path) -> dict[str, str]:
    return {row[0]: row[1] for row in duckdb.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()}


def expected(recommender: Recommender, log: Interactions, **asked: Any) -> list[tuple[Any, ...]]:
    """The slow way: every user asked one by one."""
    return [
        (str(user), rank, *FIGURES(one), *(asdict(one.basis)[term] for term in RANKING[7:]))
        for user in log.user_ids
        for rank, one in enumerate(recommender.recommend(log.history(user), **asked), 1)
    ]


def same(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> None:
    for column, cells in enumerate(zip(*wanted, strict=True)):
        got = [row[column] for row in found]
        if any(isinstance(cell, float) for cell in cells):
            assert [cell is None for cell in got] == [cell is None for cell in cells]
            assert np.allclose(
                [cell or 0 for cell in got], [cell or 0 for cell in cells], rtol=1e-5, atol=1e-5
            )  # scores are in units, products of different blocks
        else:
            assert got == list(cells)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_rankings_are_those_of_the_recommender(
    recommender: Recommender, log: Interactions, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"all{ending}"
    wanted = expected(recommender, log, k=4)
    assert write_rankings(recommender, log, file, k=4) == len(wanted)
    same(rows_of(file), wanted)
    # of the one who knows nothing the catalogue has, only what is popular is told
    assert {row[0] for row in wanted if row[7] == 0} == {"~stranger"}
    assert all(row[3] == row[10] > 0 for row in wanted if row[0] == "~stranger")
    assert list(columns_of(file)) == RANKING
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_what_was_seen_may_be_let_in(recommender: Recommender, log: Interactions, tmp_path: Path) -> None:
    write_rankings(recommender, log, tmp_path / "all.csv", k=ITEMS, seen="include")
    found = rows_of(tmp_path / "all.csv")
    first = str(log.user_ids[0])
    ranking = recommender.recommend(log.history(first), k=ITEMS, seen="include")
    assert [row[2] for row in found if row[0] == first] == [one.item_id for one in ranking]
    assert set(log.history(first).item_ids) <= {row[2] for row in found if row[0] == first}


def test_profiles_count_and_what_is_excluded_does_not_appear(
    profiled: Recommender, log_of: Callable[..., Interactions], tmp_path: Path
) -> None:
    log = log_of([("ann", "i00"), ("bob", "i01"), ("cy", "i02"), ("cy", "i03"), ("dee", "~")])
    roles = {"role": ids_of(["builder", "admin", "admin"]), "interests": ids_of(["quantum", None, "storage"])}
    profiles = Profiles(ids_of(["bob", "dee", "ann"]), roles)
    left_out = ["i04", "nowhere"]
    written = write_rankings(profiled, log, tmp_path / "all.csv", profiles=profiles, exclude=left_out, k=20)
    wanted = [
        row
        for user in log.user_ids
        for row in expected(
            profiled,
            log.where(log.user_ids[log.user_codes] == user),
            profile=profiles.profile(user) if user != "cy" else None,
            exclude=left_out,
            k=20,
        )
        if row[0] == user
    ]
    assert written == len(wanted)
    same(rows_of(tmp_path / "all.csv"), wanted)
    assert "i04" not in {row[2] for row in wanted}
    assert {row[0] for row in wanted if row[2] == "lone"} == {"bob"}
    assert any(row[7] < 0 for row in wanted)
    assert any(row[8] > 0 for row in wanted)


def test_who_has_a_profile_alone_is_ranked_for(
    profiled: Recommender, log_of: Callable[..., Interactions], tmp_path: Path
) -> None:
    profiles = Profiles(ids_of(["bob", "new"]), {"role": ids_of(["builder", "admin"])})
    log = log_of([("ann", "i00"), ("bob", "i01")]).of_users(["new", "bob", "new"])
    asked: dict[str, Any] = {"k": 5, "only": ["i00", "i01", "i02", "i04"], "diversity": 0.5}
    write_rankings(profiled, log, tmp_path / "all.csv", profiles=profiles, **asked)
    wanted = [
        (user, rank, one.item_id, one.score)
        for user, history in (("bob", ["i01"]), ("new", []))
        for rank, one in enumerate(profiled.recommend(history, profile=profiles.profile(user), **asked), 1)
    ]
    same([row[:4] for row in rows_of(tmp_path / "all.csv")], wanted)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_attributes_of_the_items_are_columns(recommender: Recommender, tmp_path: Path, ending: str) -> None:
    ids = recommender.catalog.item_ids
    columns = {
        "user_code": ids_of(str(place) for place in range(len(ids))),  # as the draft calls its own numbers
        "title": ids_of(f'"{item}", so' for item in ids),
        'no "one"': ids_of(None for _ in ids),
    }
    titled = replace(recommender, catalog=Catalog(ids, columns))
    file = tmp_path / f"all{ending}"
    log = simulate(USERS, ITEMS, 2).events
    write_rankings(titled, log, file, k=2, attributes=list(columns))
    assert list(columns_of(file)) == [*RANKING, *columns]
    rows = rows_of(file)
    assert all(row[-2:] == (f'"{row[2]}", so', None) for row in rows)
    assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ["tilte"],
            r"no attribute 'tilte' in the model's catalogue \(did you mean 'title'\?\); there are: title, Score",
        ),
        (["Score"], "the file has a column 'score' already"),
        (["title", "title"], "the file has a column 'title' already"),
    ],
)
def test_attributes_that_can_be_no_columns_are_refused(names: list[str], said: str) -> None:
    catalog = Catalog(ids_of(["a"]), {"title": ids_of(["A"]), "Score": ids_of(["1"])})
    with pytest.raises(ConfigurationError, match=said):
        check_attributes(names, catalog)


def test_explicit_feedback_has_ratings_and_no_probabilities(tmp_path: Path) -> None:
    ratings = simulate(USERS, ITEMS, 2).ratings
    recommender = fit(ratings, estimator=EDLAE(), feedback=Feedback(form="explicit", positive_from=4), seed=1)
    write_rankings(recommender, ratings, tmp_path / "all.parquet", k=3)
    found = rows_of(tmp_path / "all.parquet")
    same(found, expected(recommender, ratings, k=3))
    assert all(1 <= row[6] <= 5 and row[4] is None and not row[5] for row in found)


def test_blocks_change_nothing_and_are_told(
    recommender: Recommender, log: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rankings(recommender, log, tmp_path / "whole.jsonl")
    monkeypatch.setattr(foldin.exporting, "BLOCK_CELLS", 64 * ITEMS)
    told: list[int] = []
    write_rankings(recommender, log, tmp_path / "blocks.jsonl", on_block=told.append)
    assert told == [64, 128, 192, len(log.user_ids)]
    same(rows_of(tmp_path / "blocks.jsonl"), rows_of(tmp_path / "whole.jsonl"))


def test_never_more_than_one_block_is_scored(
    recommender: Recommender, log: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foldin.exporting, "BLOCK_CELLS", 10 * ITEMS)
    sizes: list[int] = []
    score = LinearAutoEncoder.score

    def counted(model: LinearAutoEncoder, histories: csr_array) -> NDArray[np.float32]:
        sizes.append(histories.shape[0])
        return score(model, histories)

    monkeypatch.setattr(LinearAutoEncoder, "score", counted)
    write_rankings(recommender, log, tmp_path / "all.csv")
    assert max(sizes) == 10
    assert sum(sizes) == len(log.user_ids) - 1


def test_nobody_is_an_empty_file(recommender: Recommender, log: Interactions, tmp_path: Path) -> None:
    nobody = log.where(np.zeros(len(log), dtype=np.bool_))
    assert write_rankings(recommender, nobody, tmp_path / "none.parquet") == 0
    assert list(columns_of(tmp_path / "none.parquet")) == RANKING


def test_a_failure_leaves_the_former_file_and_nothing_else(
    recommender: Recommender, log: Interactions, tmp_path: Path
) -> None:
    (tmp_path / "all.csv").write_text("former")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rankings(recommender, log, tmp_path / "all.csv", on_block=interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]
    assert (tmp_path / "all.csv").read_text() == "former"


@pytest.mark.parametrize(
    ("file", "k", "says"),
    [("all.xlsx", 5, "none of: .parquet, .csv, .jsonl"), ("all", 5, "none of"), ("no/all.csv", 5, "No such file")],
)
def test_what_cannot_be_written_is_refused(
    recommender: Recommender, log: Interactions, tmp_path: Path, file: str, k: int, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        write_rankings(recommender, log, tmp_path / file, k=k)


def test_k_below_one_is_refused(recommender: Recommender, log: Interactions, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="k is 0"):
        write_rankings(recommender, log, tmp_path / "all.csv", k=0)
    assert list(tmp_path.iterdir()) == []


def test_vectors_give_the_models_ranking(network: Recommender, log: Interactions, tmp_path: Path) -> None:
    written = write_embeddings(network, log, tmp_path / "vectors")
    assert (written.items, written.users, written.dimensions, written.unknown) == (ITEMS, len(log.user_ids) - 1, 6, 1)
    items = rows_of(tmp_path / "vectors" / "items.parquet")
    users = rows_of(tmp_path / "vectors" / "users.parquet")
    assert [item for item, _, _ in items] == list(network.catalog.item_ids)
    assert [user for user, _ in users] == list(log.user_ids[:-1])
    columns = columns_of(tmp_path / "vectors" / "items.parquet")
    assert columns == {"id": "VARCHAR", "vector": "FLOAT[]", "bias": "FLOAT"}
    factors, bias = np.array([vector for _, vector, _ in items]), np.array([one for _, _, one in items])
    for user, vector in users[:20]:
        row = network.predict(log.history(user))
        ranking = [one.item_id for one in sorted(row, key=lambda one: -one.basis.history)]
        scores = dict(zip(network.catalog.item_ids, factors @ np.array(vector) + bias, strict=True))
        assert ranking == sorted(scores, key=lambda item: -scores[item])


def test_vectors_come_in_blocks(
    network: Recommender, log: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_embeddings(network, log, tmp_path / "whole")
    monkeypatch.setattr(foldin.exporting, "BLOCK_CELLS", 7 * ITEMS)
    told: list[int] = []
    write_embeddings(network, log, tmp_path / "blocks", on_block=told.append)
    assert len(told) > 20
    for name in ("items.parquet", "users.parquet"):
        whole, blocks = rows_of(tmp_path / "whole" / name), rows_of(tmp_path / "blocks" / name)
        assert [row[0] for row in whole] == [row[0] for row in blocks]
        assert np.allclose([row[1] for row in whole], [row[1] for row in blocks], atol=1e-6)


def test_a_model_without_vectors_says_which_have_them(
    recommender: Recommender, log: Interactions, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"edlae has no vectors.*autoencoder"):
        write_embeddings(recommender, log, tmp_path / "vectors")
    assert not (tmp_path / "vectors").exists()


def test_a_file_in_the_folders_place_is_refused(network: Recommender, log: Interactions, tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write to"):
        write_embeddings(network, log, tmp_path / "vectors")
