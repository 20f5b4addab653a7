from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from threading import Barrier
from typing import Any, TypeAlias

import pytest

from foldin.cli.intake import Intake, read_intake, store_intake
from foldin.data.readers.text import TextFormat
from foldin.errors import DataError, StoreError
from foldin.store.sqlite import SqliteStore
from foldin.workspace import create_workspace, open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

GOOD = "user,item,rating\na,x,1\na,x,2\nb,y,3\n"
BAD = "user,item,rating\nc,x,4\n,y,5\nd,y,much\n"


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def fingerprint(folder: Path) -> str:
    with open_workspace(folder).store() as store:
        return store.fingerprint()


def test_log_catalogue_and_profiles_are_stored(run_json: RunJson, world: Path, tmp_path: Path) -> None:
    told = run_json(
        "ingest", world / "events.csv", "--items", world / "items.csv", "--users", world / "users.csv", "-w", tmp_path
    )
    with open_workspace(tmp_path).store() as store:
        summary, sources = store.summary(), store.sources()
        assert (len(store.catalog()), len(store.profiles())) == (40, 300)
    assert dict(sources) == {"events.csv": summary.events}
    assert told["files"][0]["interactions"] == summary.events == told["store"]["events"]
    assert (told["new_users"], told["new_items"]) == (300, 40)
    assert (told["catalog_items"], told["profiles"], told["rejected_rows"]) == (40, 300, 0)


def test_it_tells_what_was_read_what_is_new_and_how_to_go_on(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    first, second = written(tmp_path / "one.csv", GOOD), written(tmp_path / "two.csv", "user,item\nb,x\nc,z\n")
    said = run("ingest", first, "-w", tmp_path / "w").stdout
    assert "New: 2 users and 2 items" in said
    assert (
        "The values look like ratings (1 to 3, mean 2): --positive-from 3 counts those above the mean as liked" in said
    )
    assert f"Next: foldin train --positive-from 3 -w {tmp_path / 'w'}\n" in said
    assert f"Next: foldin train -w {tmp_path / 'v'}\n" in run("ingest", second, "-w", tmp_path / "v").stdout
    told = run_json("ingest", second, "-w", tmp_path / "w")
    assert (told["new_users"], told["new_items"], told["store"]["events"]) == (1, 1, 5)


def test_bad_rows_of_catalogue_and_profiles_are_set_aside_too(run_json: RunJson, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "who,what\na,x\nb,y\n")
    items = written(tmp_path / "items.csv", "code,title\nx,X\nx,X\ny,Y\ny,Other\n")
    users = written(tmp_path / "users.csv", "name,age\na,31\n,7\n")
    told = run_json(
        "ingest", log, "--user", "who", "--item", "what", "--items", items, "--items-id", "code",
        "--users", users, "--users-id", "name", "--skip-bad", "-w", tmp_path / "w",
    )  # fmt: skip
    assert (told["catalog_items"], told["profiles"], told["rejected_rows"]) == (2, 1, 2)
    with Path(told["rejected_file"]).open() as rejected:
        rows = [(row["file"], row["row"], row["field"]) for row in csv.DictReader(rejected)]
    assert rows == [(str(items), "5", "code"), (str(users), "3", "name")]
    assert any("1 row that only repeats another" in note for note in told["notes"])


def test_an_id_column_that_has_no_usual_name_is_asked_for(run: Run, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", GOOD)
    items = written(tmp_path / "items.csv", "code,title\nx,X\n")
    refused = run("ingest", log, "--items", items, "-w", tmp_path / "w")
    assert (refused.returncode, "name it with item / --items-id" in refused.stderr) == (3, True)
    assert "--items-id goes with --items" in run("ingest", log, "--items-id", "code", "-w", tmp_path / "w").stderr


@pytest.mark.parametrize("again", ["log.csv", "./log.csv", "other.csv", "l*.csv"])
def test_a_file_given_twice_is_refused(run: Run, tmp_path: Path, again: str) -> None:
    log = written(tmp_path / "log.csv", GOOD)
    (tmp_path / "other.csv").symlink_to(log)
    answer = run("ingest", log, f"{tmp_path}/{again}", "-w", tmp_path / "w")
    assert (answer.returncode, "log.csv is given twice" in answer.stderr.replace("other", "log")) == (2, True)
    assert not (tmp_path / "w").exists()


def test_the_key_of_a_url_is_never_told(run: Run, tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/log.csv?key=s3cret"
    answer = run("ingest", url, url, "-w", tmp_path / "w")
    assert answer.returncode == 2
    assert "http://127.0.0.1:9/log.csv is given twice" in answer.stderr
    told: list[str] = []
    with pytest.raises(DataError):
        read_intake([url], None, None, None, {}, TextFormat(), source=None, skip_bad=False, tell=told.append)
    assert told == ["reading http://127.0.0.1:9/log.csv"]
    assert "s3cret" not in answer.stderr


def test_repeated_pairs_are_counted_and_kept(run_json: RunJson, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "user,item\na,x\nb,y\na,x\na,y\na,x\nb,y\n")
    told = run_json("ingest", log, "-w", tmp_path / "w")
    assert (told["files"][0]["repeated_pairs"], told["store"]["events"]) == (3, 6)


def test_a_file_that_comes_again_adds_nothing(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    log, folder = written(tmp_path / "log.csv", GOOD), tmp_path / "w"
    assert run_json("ingest", log, "-w", folder)["taken_before"] == []
    written(log, "user,item,rating\nb,y,3\na,x,2\na,x,1\n")  # the same events
    told = run_json("ingest", log, "-w", folder)
    assert (told["taken_before"], told["added"], told["known"]) == (["log.csv"], 0, 3)
    assert (told["files"][0]["added"], told["store"]["events"]) == (0, 3)
    said = run("ingest", log, "-w", folder)
    assert "note: log.csv: taken in before, nothing added (--again takes it in once more)\n" in said.stderr
    assert "Left out: 3 known already, 0 of forgotten users\n" in said.stdout
    assert run_json("ingest", log, "--again", "-w", folder)["store"]["events"] == 6


def test_a_log_that_has_grown_adds_only_what_is_new(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    rows, folder = [f"u{number},x,{1_700_000_000 + number}\n" for number in range(5)], tmp_path / "w"
    monday = written(tmp_path / "monday.csv", "".join(["user,item,time\n", *rows[:3], rows[0]]))
    tuesday = written(tmp_path / "tuesday.csv", "".join(["user,item,time\n", *rows, rows[0]]))
    assert run_json("ingest", monday, "-w", folder)["added"] == 4  # a row that stands twice in a log happened twice
    told = run_json("ingest", tuesday, "-w", folder)
    assert (told["added"], told["known"], told["store"]["events"], told["taken_before"]) == (2, 4, 6, [])
    note = "4 of 6 events are in the store already (the same user, item, kind, value and time); 2 are new"
    assert told["notes"] == [f"{note} (--again stores all)"]
    for log, number in ((monday, 4), (tuesday, 6)):
        told = run_json("ingest", log, "-w", folder)
        assert (told["added"], told["known"], told["taken_before"], told["notes"]) == (0, number, [log.name], [])
    assert run_json("ingest", tuesday, "--again", "-w", folder)["store"]["events"] == 12
    with open_workspace(folder).store() as store:
        store.forget("u1")
        store.readmit("u1")
    assert "note: 5 of 6 events are" in run("ingest", tuesday, "-w", folder).stderr  # what was erased comes back


def test_a_log_without_times_that_has_grown_is_noted_and_stored(run_json: RunJson, tmp_path: Path) -> None:
    folder, head = tmp_path / "w", "user,item,plays\n"
    rows = [f"u{number},x,3\n" for number in range(5)]
    run_json("ingest", written(tmp_path / "monday.csv", head + "".join(rows[:3])), "-w", folder)
    told = run_json("ingest", written(tmp_path / "tuesday.csv", head + "".join(rows)), "-w", folder)
    assert (told["added"], told["known"]) == (5, 0)
    note = "3 of 5 events without a time have the user, item, kind and value of one in the store; all were stored"
    assert [one for one in told["notes"] if one.startswith(note)]
    few = written(tmp_path / "few.csv", head + "".join(f"new{number},x,3\n" for number in range(5)) + rows[0])
    told = run_json("ingest", few, "-w", folder)
    assert (told["added"], [one for one in told["notes"] if "without a time" in one]) == (6, [])


def test_events_with_ids_are_taken_once(run_json: RunJson, run: Run, tmp_path: Path) -> None:
    log, folder = written(tmp_path / "log.csv", "user,item,event_id\na,x,e1\nb,y,e2\nb,y,e2\n"), tmp_path / "w"
    told = run_json("ingest", log, "-w", folder)
    assert (told["added"], told["known"], told["files"][0]["event_ids"]) == (2, 1, True)
    more = written(tmp_path / "more.csv", "user,item,key\nb,y,e2\nc,z,e3\n")
    told = run_json("ingest", more, "--event", "key", "-w", folder)
    assert (told["added"], told["known"], told["taken_before"]) == (1, 1, [])
    other = run("ingest", written(tmp_path / "other.csv", "user,item,event_id\nb,z,e2\n"), "-w", folder)
    assert (other.returncode, "e2" in other.stderr) == (5, True)
    assert "event ids" in run("ingest", log, "-w", tmp_path / "v").stdout


def test_events_of_forgotten_users_are_left_out_and_counted(run_json: RunJson, tmp_path: Path) -> None:
    log, folder = written(tmp_path / "log.csv", GOOD), tmp_path / "w"
    run_json("ingest", log, "-w", folder)
    with open_workspace(folder).store() as store:
        store.forget("a")
    told = run_json("ingest", written(tmp_path / "new.csv", "user,item\na,z\nc,z\n"), "-w", folder)
    assert (told["added"], told["forgotten"]) == (1, 1)


def test_a_pipe_is_a_file(run_json: RunJson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = written(tmp_path / "log.csv", GOOD)
    for options, name in ((), "stdin"), (("--source", "mine"), "mine"):
        with log.open() as file:
            monkeypatch.setattr("sys.stdin", file)
            assert run_json("ingest", "-", *options, "-w", tmp_path / "w")["files"][0]["file"] == name


def test_what_was_changed_of_ids_is_told(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "user,item\ncafe\u0301,x\ncaf\u00e9,y\n")
    told = run_json("ingest", log, "-w", tmp_path / "w")
    assert told["store"]["users"] == 1
    assert any("NFC" in note or "normal form" in note for note in told["notes"])
    assert run("ingest", log, "-w", tmp_path / "v").stderr.startswith("note: ")


def test_several_files_and_globs_keep_their_names(run_json: RunJson, tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        written(tmp_path / name, GOOD)
    told = run_json("ingest", tmp_path / "?.csv", "-w", tmp_path / "w")
    assert [file["file"] for file in told["files"]] == ["a.csv", "b.csv"]
    with open_workspace(tmp_path / "w").store() as store:
        assert dict(store.sources()) == {"a.csv": 3, "b.csv": 3}


def test_columns_and_the_time_zone_can_be_named(run_json: RunJson, tmp_path: Path) -> None:
    log = written(tmp_path / "log.csv", "who;what;how;much;when\na;x;buy;2;2024-01-01 02:00:00\n")
    options = ("--user", "who", "--item", "what", "--kind", "how", "--value", "much", "--time", "when")
    run_json("ingest", log, *options, "--timezone", "Europe/Berlin", "-w", tmp_path / "w")
    with open_workspace(tmp_path / "w").store() as store:
        history = store.history("a")
    assert (history.item_ids, history.kinds) == (("x",), ("buy",))
    assert history.values is not None
    assert history.times is not None
    assert (history.values.tolist(), history.times.tolist()) == ([2.0], [1704070800000000])


def test_a_bad_row_is_refused_with_its_place_and_nothing_is_stored(run: Run, tmp_path: Path) -> None:
    run("ingest", written(tmp_path / "good.csv", GOOD), "-w", tmp_path / "w")
    before = fingerprint(tmp_path / "w")
    more = written(tmp_path / "more.csv", "user,item,rating\nz,z,1\n")
    answer = run("ingest", more, written(tmp_path / "bad.csv", BAD), "-w", tmp_path / "w")
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (3, "", 1)
    assert "bad.csv, row 3, field 'user'" in answer.stderr
    assert fingerprint(tmp_path / "w") == before


def test_skip_bad_takes_the_good_rows_and_writes_the_others(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    bad, folder = written(tmp_path / "bad.csv", BAD), tmp_path / "w"
    told = run_json("ingest", bad, "--skip-bad", "-w", folder)
    assert (told["store"]["events"], told["rejected_rows"]) == (1, 2)
    with Path(told["rejected_file"]).open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "row", "field", "reason", "text"]
    assert [row[:3] for row in rows[1:]] == [[str(bad), "3", "user"], [str(bad), "4", "rating"]]
    assert rows[1][4] == ",y,5"
    assert Path(told["rejected_file"]) == folder / "rejected-1.csv"
    assert run_json("ingest", bad, "--skip-bad", "-w", folder)["rejected_file"] == str(folder / "rejected-2.csv")
    said = run("ingest", bad, "--skip-bad", "--rejected", tmp_path / "mine.csv", "-w", folder).stdout
    assert f"2 rows, kept with the reasons in {tmp_path / 'mine.csv'}" in said
    assert (tmp_path / "mine.csv").exists()


def test_skip_bad_without_bad_rows_writes_no_file(run_json: RunJson, tmp_path: Path) -> None:
    told = run_json("ingest", written(tmp_path / "good.csv", GOOD), "--skip-bad", "-w", tmp_path / "w")
    assert (told["rejected_rows"], told["rejected_file"]) == (0, None)
    assert not list((tmp_path / "w").glob("rejected*"))


def test_two_imports_at_once_set_their_rows_aside_in_two_files(tmp_path: Path) -> None:
    texts = [f"user,item\nann,x\n,lost{number}\n" for number in range(6)]
    files = [str(written(tmp_path / f"{number}.csv", text)) for number, text in enumerate(texts)]
    usual = dict.fromkeys(("user", "item"))
    intakes = [
        read_intake([f], None, None, None, usual, TextFormat(), source=None, skip_bad=True, tell=lambda _: None)
        for f in files
    ]
    workspace, together = create_workspace(tmp_path / "w"), Barrier(len(intakes))

    def store(intake: Intake) -> str:
        together.wait()
        rejected = store_intake(workspace, intake, None).rejected
        return "" if rejected is None else rejected.read_text()

    with ThreadPoolExecutor(len(intakes)) as pool:
        kept = list(pool.map(store, intakes))
    assert [f"lost{number}" in text for number, text in enumerate(kept)] == [True] * len(intakes)
    assert len(list((tmp_path / "w").glob("rejected-*.csv"))) == len(intakes)


def test_no_good_row_at_all_is_an_error(run: Run, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.csv", "user,item\n,x\n,y\n")
    answer = run("ingest", bad, "--skip-bad", "-w", tmp_path / "w")
    assert (answer.returncode, "2 rows, and none can be taken" in answer.stderr) == (3, True)
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("there", [True, False])
def test_a_failed_ingest_leaves_no_half_made_workspace(run: Run, tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "w"
    if there:
        folder.mkdir()
    assert run("ingest", written(tmp_path / "bad.csv", BAD), "-w", folder).returncode == 3
    assert folder.exists() == there
    assert not there or list(folder.iterdir()) == []


def test_a_store_that_fails_leaves_everything_as_it_was(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = written(tmp_path / "good.csv", GOOD), written(tmp_path / "bad.csv", BAD)
    run("ingest", good, "-w", tmp_path / "w")
    before = fingerprint(tmp_path / "w")
    monkeypatch.setattr(SqliteStore, "ingest", _full)
    for folder in (tmp_path / "w", tmp_path / "new"):
        answer = run("ingest", bad, "--skip-bad", "--rejected", tmp_path / "mine.csv", "-w", folder)
        assert (answer.returncode, answer.stderr) == (5, "error: the disk is full\n")
    assert fingerprint(tmp_path / "w") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "good.csv", "new", "w"]
    with open_workspace(tmp_path / "new").store() as store:
        assert store.summary().events == 0


def _full(*_: object, **__: object) -> None:
    raise StoreError("the disk is full")


def test_a_folder_of_other_things_is_left_alone(run: Run, world: Path, tmp_path: Path) -> None:
    written(tmp_path / "thesis.txt", "mine")
    answer = run("ingest", world / "events.csv", "-w", tmp_path)
    assert (answer.returncode, "not empty" in answer.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert run("ingest", world / "events.csv", "-w", tmp_path / "thesis.txt").returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_rejected_rows_that_cannot_be_written_stop_it(run: Run, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "w")
    before = fingerprint(tmp_path / "w")
    bad = written(tmp_path / "bad.csv", BAD)
    answer = run("ingest", bad, "--skip-bad", "--rejected", tmp_path / "no" / "file.csv", "-w", tmp_path / "w")
    assert (answer.returncode, "cannot write" in answer.stderr) == (2, True)
    assert fingerprint(tmp_path / "w") == before


def test_a_catalogue_can_come_by_itself(run_json: RunJson, run: Run, world: Path, tmp_path: Path) -> None:
    told = run_json("ingest", "--items", world / "items.csv", "-w", tmp_path / "w")
    assert (told["files"], told["new_items"], told["store"]["events"]) == ([], 40, 0)
    assert run("ingest", "-w", tmp_path / "w").returncode == 2
    assert run("ingest", world / "events.csv", "--rejected", "x.csv", "-w", tmp_path / "w").returncode == 2


def test_the_item_column_named_for_the_logs_is_that_of_the_catalogue_too(run_json: RunJson, tmp_path: Path) -> None:
    plays = written(tmp_path / "plays.csv", "gamer,game\na,x\nb,y\n")
    games = written(tmp_path / "games.csv", "game,title\nx,Chess\ny,Go\n")
    told = run_json("ingest", plays, "--user", "gamer", "--item", "game", "--items", games, "-w", tmp_path / "w")
    assert (told["store"]["items"], told["catalog_items"]) == (2, 2)


def test_an_error_of_a_row_names_the_way_out(run: Run, tmp_path: Path) -> None:
    answer = run("ingest", written(tmp_path / "bad.csv", BAD), "-w", tmp_path / "w")
    assert "--skip-bad takes the good rows" in answer.stderr


def test_rows_set_aside_replace_no_file(run: Run, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.csv", BAD)
    before = bad.read_text()
    answer = run("ingest", bad, "--skip-bad", "--rejected", bad, "-w", tmp_path / "w")
    assert (answer.returncode, "is there already" in answer.stderr) == (2, True)
    assert bad.read_text() == before
    assert not (tmp_path / "w" / "store.sqlite").exists()


def test_skip_bad_is_not_offered_where_times_have_no_time_zone(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,item,time\na,x,2026-01-01 10:00:00\n", encoding="utf-8")
    answer = run("ingest", log, "-w", tmp_path / "w")
    assert answer.returncode == 3
    assert "--timezone" in answer.stderr
    assert "--skip-bad" not in answer.stderr
