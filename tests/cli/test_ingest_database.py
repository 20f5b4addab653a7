"""`foldin ingest --from`: what is new in a database, once, and where reading goes on the next time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import apsw
import pytest

from foldin.cli import intake
from foldin.cli.intake import Intake, Stored, store_intake
from foldin.sources import source_name
from foldin.workspace import Workspace, open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def database(file: Path, *events: tuple[str, str, int, str]) -> str:
    """The URL of a SQLite database with these events (user, item, time, id), and with items and users."""
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS events (user, item, time INTEGER, event_id)")
        connection.execute("CREATE TABLE IF NOT EXISTS items AS SELECT 'x' AS item, 'Chess' AS title")
        connection.execute("CREATE TABLE IF NOT EXISTS users AS SELECT 'a' AS user, 'cook' AS role")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", events)
    return f"sqlite:///{file}"


ALL, SINCE = "SELECT * FROM events", "SELECT * FROM events WHERE time > :since"
A, B, C = ("a", "x", 1_700_000_000, "e1"), ("b", "y", 1_700_000_010, "e2"), ("c", "x", 1_700_000_020, "e3")


def test_a_database_gives_log_catalogue_and_profiles(run_json: RunJson, tmp_path: Path) -> None:
    url = database(tmp_path / "shop.db", A, B)
    queries = ("--query", ALL, "--items-query", "SELECT * FROM items", "--users-query", "SELECT * FROM users")
    told = run_json("ingest", "--from", url, *queries, "-w", tmp_path / "w")
    assert (told["added"], told["catalog_items"], told["profiles"]) == (2, 1, 1)
    assert told["files"][0]["file"] == source_name(url, ALL)
    assert told["files"][0]["cursor"] == "1700000010"
    assert run_json("ingest", "--from", url, "--query", ALL, "-w", tmp_path / "w")["known"] == 2


def test_only_what_is_new_is_asked_for(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    url, folder = database(tmp_path / "shop.db", A, B), tmp_path / "w"
    query = ("--from", url, "--query", SINCE, "--source", "shop", "-w", folder)
    early = run("ingest", *query, "--since", "last")
    assert (early.returncode, "say --since VALUE this first time" in early.stderr) == (2, True)
    assert not folder.exists()
    assert run_json("ingest", *query, "--since", "1700000005")["added"] == 1
    nothing = run_json("ingest", *query, "--since", "last")
    assert (nothing["files"], nothing["notes"]) == ([], ["shop: nothing new since 1700000010"])
    database(tmp_path / "shop.db", C)
    told = run_json("ingest", *query, "--since", "last")
    assert (told["added"], told["known"], told["files"][0]["cursor"]) == (1, 0, "1700000020")
    with open_workspace(folder).store() as store:
        assert (store.cursor("shop"), dict(store.sources())) == ("1700000020", {"shop": 2})


@pytest.mark.parametrize("how", [("--since", "last", "--cursor", "number"), ("--since", "1")])
def test_the_same_event_further_on_is_new(run_json: RunJson, tmp_path: Path, how: tuple[str, ...]) -> None:
    url = database(tmp_path / "shop.db", A)
    query = "SELECT user, item, rowid AS number FROM events WHERE rowid > :since"
    asked = ("ingest", "--from", url, "--query", query, "-w", tmp_path / "w")
    run_json(*asked, "--since", "0", *how[2:])
    database(tmp_path / "shop.db", A)
    assert run_json(*asked, *how)["store"]["events"] == 2
    assert run_json(*asked, *how)["store"]["events"] == 2  # nothing new, or the same once more


def test_a_row_of_the_same_second_that_came_later_is_read_and_none_counts_twice(
    run_json: RunJson, tmp_path: Path
) -> None:
    url = database(tmp_path / "shop.db", A)
    query = SINCE.replace(">", ">=")
    asked = ("ingest", "--from", url, "--query", query, "-w", tmp_path / "w")
    run_json(*asked, "--since", "0")
    database(tmp_path / "shop.db", ("b", "y", A[2], "e2"))
    told = [run_json(*asked, "--since", "last") for _ in range(2)]
    assert [(one["added"], one["known"]) for one in told] == [(1, 1), (0, 2)]


def test_an_increment_of_bad_rows_only_is_set_aside(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    url, folder = database(tmp_path / "shop.db", A), tmp_path / "w"
    asked = ("ingest", "--from", url, "--query", SINCE, "--source", "shop", "--skip-bad", "-w", folder)
    run_json(*asked, "--since", "0")
    database(tmp_path / "shop.db", ("", "x", 1_700_000_010, "e2"), ("b", "x", 4_000_000_000, "e3"))
    told = run_json(*asked, "--since", "last")
    assert (told["added"], told["rejected_rows"], told["files"][0]["cursor"]) == (0, 2, "1700000010")
    database(tmp_path / "shop.db", C)
    told = run_json(*asked, "--since", "last")  # what lies in the future has moved no cursor
    assert (told["added"], told["rejected_rows"], told["files"][0]["cursor"]) == (1, 1, "1700000020")
    told = run_json(*asked, "--since", "last")
    assert (told["added"], told["rejected_rows"], told["files"][0]["cursor"]) == (0, 1, None)
    assert "Refused: 1 row" in run(*asked, "--since", "last").stdout


def test_of_two_imports_at_once_the_slower_is_refused_and_counts_nothing_twice(
    run: Run, run_json: RunJson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = database(tmp_path / "shop.db", A), tmp_path / "w"
    query = "SELECT user, item, time FROM events WHERE time > :since"
    asked = ("ingest", "--from", url, "--query", query, "--source", "shop", "-w", folder)
    run_json(*asked, "--since", "0")
    database(tmp_path / "shop.db", B)

    def slow(workspace: Workspace, taken: Intake, rejected: Path | None, *, again: bool) -> Stored:
        monkeypatch.setattr(intake, "store_intake", store_intake)
        database(tmp_path / "shop.db", C)
        assert run(*asked, "--since", "last").returncode == 0
        return store_intake(workspace, taken, rejected, again=again)

    monkeypatch.setattr(intake, "store_intake", slow)
    answer = run(*asked, "--since", "last")
    assert answer.returncode == 5
    assert "shop: another import of this source has been there meanwhile" in answer.stderr
    told = run_json(*asked, "--since", "last")
    assert (told["files"], told["store"]["events"]) == ([], 3)
    with open_workspace(folder).store() as store:
        assert store.cursor("shop") == "1700000020"


def test_a_bad_row_of_a_database_leaves_events_and_cursor_as_they_were(
    run: Run, run_json: RunJson, tmp_path: Path
) -> None:
    url, folder = database(tmp_path / "shop.db", A), tmp_path / "w"
    query = ("--from", url, "--query", SINCE, "--source", "shop", "-w", folder)
    run("ingest", *query, "--since", "0")
    database(tmp_path / "shop.db", B, ("", "x", 1_700_000_020, "e3"))
    answer = run("ingest", *query, "--since", "last")
    assert (answer.returncode, "row 2, field 'user': the id is empty" in answer.stderr) == (3, True)
    assert "--skip-bad takes the good rows" in answer.stderr
    with open_workspace(folder).store() as store:
        assert (store.cursor("shop"), store.summary().events) == ("1700000000", 1)
    told = run_json("ingest", *query, "--since", "last", "--skip-bad")
    assert (told["added"], told["rejected_rows"], told["files"][0]["rows"]) == (1, 1, 2)
    assert "the id is empty" in Path(told["rejected_file"]).read_text()


def test_a_password_is_neither_told_nor_stored(run: Run, tmp_path: Path) -> None:
    url = "postgresql://ann:hush@127.0.0.1:1/shop"
    answer = run("ingest", "--from", url, "--query", "SELECT 1", "-w", tmp_path / "w")
    assert (answer.returncode, "postgresql://ann@127.0.0.1:1/shop: cannot be read" in answer.stderr) == (3, True)
    assert "hush" not in answer.stderr + answer.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("--query Q", "--query goes with --from URL"),
        ("log.csv --since 1", "--since goes with --from URL"),
        ("log.csv --cursor t", "--cursor goes with --from URL"),
        ("--from sqlite:///x.db", "--from needs a --query"),
        ("--from sqlite:///x.db --items-query Q --since 1", "go with --query"),
        ("--from sqlite:///x.db --items-query Q --items i.csv", "say once"),
        ("--from sqlite:///x.db --users-query Q --users u.csv", "say once"),
        ("--from sqlite:///x.db --query :since", "say what it stands for with --since"),
    ],
)
def test_options_that_do_not_go_together(run: Run, tmp_path: Path, options: str, reason: str) -> None:
    (tmp_path / "x.db").touch()
    answer = run("ingest", *options.replace("x.db", f"{tmp_path}/x.db").split(), "-w", tmp_path / "w")
    assert (answer.returncode, reason in answer.stderr) == (2, True), answer.stderr
    assert not (tmp_path / "w").exists()
