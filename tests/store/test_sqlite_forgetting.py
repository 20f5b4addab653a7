"""Nothing of a forgotten user is left in the bytes of a SQLite store's files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.data.profiles import Profiles
from foldin.errors import StoreError
from foldin.store import connecting
from foldin.store.citations import KEPT
from foldin.store.contract import Batch, Forgotten, Impression
from foldin.store.forgetting import erase
from foldin.store.sqlite import SqliteStore

TARGET, MARK = 7, b"of-the-forgotten"
USER_IDS = [f"person {number * 7919 % 1000:03} of some length" for number in range(400)]
ITEM_IDS = [f"item {number:03}" for number in range(50)]

# The lock that SQLite takes to empty a write-ahead log: the second of those in the index of the log.
HOLD_THE_CHECKPOINT = """
import fcntl, sys
index = open(sys.argv[1] + "-shm", "r+b")
fcntl.lockf(index, fcntl.LOCK_EX, 1, 121)
print("held", flush=True)
sys.stdin.read()
"""


def batches(seed: int) -> Iterator[Batch]:
    """Events of all users in turn, so that SQLite has to split its pages time and again."""
    rng = np.random.default_rng(seed)
    order = np.argsort(np.argsort(USER_IDS)).astype(np.int32)
    for _ in range(60):
        users = rng.integers(0, len(USER_IDS), rng.integers(1, 300))
        users[:2] = TARGET
        event_ids = [
            f"{rng.integers(2**60):015x}-{MARK.decode() if user == TARGET else 'another'}" for user in users.tolist()
        ]
        items = rng.integers(0, len(ITEM_IDS), len(users), dtype=np.int32)
        yield Batch(Interactions(ids_of(sorted(USER_IDS)), order[users], ids_of(ITEM_IDS), items), "log", event_ids)


def profile(length: int) -> Profiles:
    return Profiles(ids_of([USER_IDS[TARGET]]), {"note": ids_of([MARK.decode() * length])})


def content(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.mark.parametrize("seed", [0, 11])  # in 11, a page split leaves a copy that only a file written anew lacks
def test_no_byte_is_left_of_ids_events_and_profile(path: Path, seed: int) -> None:
    with SqliteStore(path, create=True) as store, SqliteStore(path) as other:
        for number, batch in enumerate(batches(seed)):
            store.append([batch])
            store.put_profiles(profile(length=number * 20 % 900))
        name = USER_IDS[TARGET].encode()
        assert (name in content(path), MARK in content(path)) == (True, True)
        assert store.forget(USER_IDS[TARGET]).events >= 120
        assert (name in content(path), MARK in content(path)) == (False, False)
        other.append([batch])
        assert (name in content(path), MARK in content(path)) == (False, False)
        assert other.summary().events == len(other.interactions())
    assert (name in content(path), MARK in content(path)) == (False, False)


def test_no_byte_is_left_of_what_somebody_was_shown_nor_of_what_is_older_than_is_kept(path: Path) -> None:
    def shown(number: int, user: str, time: int = 0) -> Impression:
        return Impression(f"{number * 7919 % 1000:03} {user}", user, "1-ease", time, ("x", "y"))

    with SqliteStore(path, create=True) as store:
        for number in range(200):
            store.show([shown(number, USER_IDS[number]), shown(number, MARK.decode()), shown(number, "expired one")])
        assert (MARK in content(path), b"expired one" in content(path)) == (True, True)
        assert store.forget(MARK.decode()).impressions == 200
        assert MARK not in content(path)
        store.show([shown(1000 + number, "another", KEPT + 1) for number in range(400)])
        assert store.shown_to("expired one") == []
        store.forget("expired one")
        assert b"expired one" not in content(path)


def test_whoever_reads_on_delays_the_cleaning_and_forgetting_again_does_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "PATIENCE", 0.05)
    reader = apsw.Connection(str(path))
    with SqliteStore(path, create=True) as store:
        store.append([next(batches(0))])
        reader.execute("BEGIN; SELECT * FROM events LIMIT 1").fetchall()
        with pytest.raises(StoreError, match=r"the user is forgotten, but .* forget the user again"):
            store.forget(USER_IDS[TARGET])
        reader.execute("COMMIT")
        assert USER_IDS[TARGET] not in store.user_ids()
        assert MARK in content(path)
        assert store.forget(USER_IDS[TARGET]) == Forgotten(0, profile=False)
        assert MARK not in content(path)
    reader.close()


def test_whoever_empties_the_log_at_the_same_time_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SqliteStore(path, create=True) as store:
        store.append([next(batches(0))])
        command = [sys.executable, "-c", HOLD_THE_CHECKPOINT, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as another:
            assert another.stdout is not None
            assert another.stdout.readline() == b"held\n"
            monkeypatch.setattr(connecting, "sleep", lambda _: another.communicate())  # which ends it
            store.forget(USER_IDS[TARGET])
        assert MARK not in content(path)


def test_whoever_is_forgotten_while_the_file_is_written_anew_is_removed_from_it_too(path: Path) -> None:
    late = USER_IDS[TARGET + 1]
    with SqliteStore(path, create=True) as store, SqliteStore(path) as other:
        for batch in batches(0):
            store.append([batch])

        def forget_another(_: apsw.Cursor, statement: str, __: object) -> bool:
            if statement.startswith("UPDATE arrivals SET unclean = 0"):
                with other._writing() as connection:
                    erase(connection, late)
            return True

        store._connection.exec_trace = forget_another
        store.forget(USER_IDS[TARGET])
        store._connection.exec_trace = None
        assert late.encode() in content(path)
        assert other.forget(late) == Forgotten(0, profile=False)
        assert late.encode() not in content(path)


def test_two_stores_hash_the_same_user_differently(tmp_path: Path) -> None:
    hashes = []
    for name in ("one.sqlite", "other.sqlite"):
        with SqliteStore(tmp_path / name, create=True) as store:
            store.forget("ann")
            hashes.append(store._connection.execute("SELECT hash FROM tombstones").get)
    assert {len(one) for one in hashes} == {16}
    assert hashes[0] != hashes[1]
