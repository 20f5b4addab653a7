from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import duckdb
import pexpect
import pytest

from foldin.data.catalog import Catalog, ids_of
from foldin.data.profiles import Profiles
from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

KNOWN = "(it knows experience, interests, role)"


def test_a_users_ranking_is_that_of_the_recommender(run_json: RunJson, trained: Path) -> None:
    workspace = open_workspace(trained)
    with workspace.store() as store:
        history, profile = store.history("nle"), store.profiles().profile("nle")
    expected = [one.item_id for one in workspace.current().recommend(history, profile=profile, k=5)]
    answer = run_json("recommend", "nle", "-k", 5, "-w", trained)
    assert [one["item_id"] for one in answer] == expected
    assert not set(expected) & set(history.item_ids)


def test_the_table_has_titles_and_probabilities(run: Run, run_json: RunJson, trained: Path) -> None:
    catalog = open_workspace(trained).current().catalog
    answer = run("recommend", "nle", "-w", trained)
    found = run_json("recommend", "nle", "-w", trained)
    assert answer.returncode == 0
    for one in found:
        assert one["item_id"] in answer.stdout
        # a long title goes on in the next line of its cell
        assert catalog.title(int(catalog.indices([one["item_id"]])[0])).split()[0] in answer.stdout
        assert 0 < one["probability"] < 1
        assert f"{one['probability']:.1%}" in answer.stdout
    assert len(found) == 10


def test_a_typed_history_needs_no_user(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    answer = run_json("recommend", "--history", f"{labs[0]}, {labs[1]}", "-w", trained)
    assert not {labs[0], labs[1]} & {one["item_id"] for one in answer}
    assert any(one["basis"]["history"] > 0 for one in answer)
    assert all(one["basis"]["profile"] == one["basis"]["content"] == 0 for one in answer)


def test_a_note_names_the_unknown_items_of_a_typed_history(run: Run, trained: Path, labs: list[str]) -> None:
    answer = run("recommend", "--history", f"{labs[0]},nowhere", "-w", trained)
    assert answer.stderr == "note: unknown to the model and passed over: 'nowhere'\n"


def test_an_unknown_history_gets_what_most_choose(run: Run, run_json: RunJson, trained: Path) -> None:
    found = run_json("recommend", "--history", "x", "-w", trained)
    assert all(one["basis"]["popularity"] == one["score"] > 0 for one in found)
    assert "this is what most people choose" in run("recommend", "--history", "x", "-w", trained).stdout


# -- queries


def test_a_query_brings_what_matches_first(run: Run, run_json: RunJson, trained: Path, labs: list[str]) -> None:
    for whom in ([], ["nle"], ["--history", labs[0]], ["--profile", "role=developer"]):
        found = run_json("recommend", *whom, "--query", "storage disks", "-k", 5, "-w", trained)
        matching = [one["basis"]["query"] > 0 for one in found]
        assert matching[0]
        assert matching == sorted(matching, reverse=True)
    answer = run("recommend", "--query", "storage zeppelin", "-w", trained)
    assert answer.stdout.startswith("For this query")
    assert "this is what matches the query, and what most people choose" in answer.stdout
    assert answer.stderr == "note: these words find nothing, as no item or most have them: zeppelin\n"
    item = found[0]["item_id"]
    words = run("explain", "--query", "storage", item, "-w", trained).stdout.partition("What of the query")[2]
    assert "storage" in words


def test_a_query_that_matches_nothing_is_named(run: Run, run_json: RunJson, trained: Path) -> None:
    answer = run("recommend", "nle", "--query", "zeppelin", "-w", trained)
    assert answer.stderr == "note: no item matches the query 'zeppelin': the ranking is the same as without it\n"
    plain = run_json("recommend", "nle", "-w", trained)
    assert run_json("recommend", "nle", "--query", "zeppelin", "-w", trained) == plain


# -- what is known of a person


def test_a_profile_needs_no_history(run: Run, run_json: RunJson, trained: Path) -> None:
    profile = {"role": "developer", "interests": "containers|storage"}
    expected = open_workspace(trained).current().recommend(profile=profile, k=8)
    typed = "role = developer, interests=containers|storage"
    found = run_json("recommend", "--profile", typed, "-k", 8, "-w", trained)
    assert [(one["item_id"], one["score"]) for one in found] == [(one.item_id, one.score) for one in expected]
    assert any(one["basis"]["profile"] > 0 for one in found)
    assert any(one["basis"]["content"] > 0 for one in found)
    answer = run("recommend", "--profile", typed, "-w", trained)
    assert answer.stdout.startswith("For this profile")
    assert "this is what fits the profile, and what most people choose" in answer.stdout
    assert answer.stderr == ""


def test_an_attribute_given_twice_has_both_values(run_json: RunJson, trained: Path) -> None:
    twice = run_json("recommend", "--profile", "interests=containers,interests=storage", "-w", trained)
    assert twice == run_json("recommend", "--profile", "interests=containers|storage", "-w", trained)
    assert twice != run_json("recommend", "--profile", "interests=storage", "-w", trained)


def test_a_profile_goes_with_a_history_and_with_a_user(run_json: RunJson, trained: Path, labs: list[str]) -> None:
    workspace = open_workspace(trained)
    with workspace.store() as store:
        history, stored = store.history("nle"), store.profiles().profile("nle")
    typed = {"role": "architect"}
    assert stored["role"] != typed["role"]
    for who, shown, profile in (
        (["--history", labs[0]], [labs[0]], typed),
        (["nle"], history, {**stored, **typed}),  # what is typed is laid over what is stored
    ):
        expected = workspace.current().recommend(shown, profile=profile)
        found = run_json("recommend", *who, "--profile", "role=architect", "-w", trained)
        assert [(one["item_id"], one["score"]) for one in found] == [(one.item_id, one.score) for one in expected]


def test_a_note_names_what_says_nothing(run: Run, run_json: RunJson, trained: Path) -> None:
    asked = ("--profile", "role=astronaut,interests=storage,colour=red")
    answer = run("recommend", *asked, "-w", trained)
    assert answer.returncode == 0
    assert answer.stderr == f"note: says nothing to the model: role=astronaut, colour=red {KNOWN}\n"
    alone = run_json("recommend", "--profile", "interests=storage", "-w", trained)
    assert run_json("recommend", *asked, "-w", trained) == alone


def test_a_note_names_one_value_of_several_that_says_nothing(run: Run, trained: Path) -> None:
    answer = run("recommend", "--profile", "interests=storage|storgae,role=developer", "-w", trained)
    assert answer.stderr == "note: says nothing to the model: interests=storgae (did you mean 'storage'?)\n"


def test_a_note_names_an_attribute_of_which_only_the_words_count(run: Run, trained: Path) -> None:
    answer = run("recommend", "--profile", "intrests=storage,role=developer", "-w", trained)
    meant = "intrests (did you mean 'interests'?)"
    assert answer.stderr == f"note: unknown to the model, so its words count as a query: {meant} {KNOWN}\n"


def test_without_any_profiles_a_note_says_that_no_attribute_is_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item\na,x\nb,x\nb,y\n")
    for command in (("ingest", tmp_path / "log.csv"), ("train", "--model", "popularity")):
        assert run(*command, "-w", tmp_path / "w").returncode == 0
    answer = run("recommend", "--profile", "role=admin", "-w", tmp_path / "w")
    assert answer.stderr == "note: says nothing to the model: role=admin (it knows no attributes)\n"


def test_where_words_are_all_there_is_they_need_no_note(run: Run, tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,title\nx,Deep Sea\ny,Green Hills\n")
    for command in (("ingest", "--items", tmp_path / "items.csv"), ("train",)):
        assert run(*command, "-w", tmp_path / "w").returncode == 0
    answer = run("recommend", "--profile", "likes=hills", "-w", tmp_path / "w")
    assert (answer.stderr, "Green Hills" in answer.stdout) == ("", True)


def test_the_table_says_what_every_item_rests_on(run: Run, trained: Path) -> None:
    told = run("recommend", "--profile", "role=developer,interests=storage", "-w", trained).stdout
    lines = [line for line in told.splitlines() if "HOL-" in line]
    shares = [
        [int(share) for share in re.findall(r"(?:history|profile|content|popularity) (\d+)%", line)] for line in lines
    ]
    assert "because of" in told
    assert all(90 <= sum(parts) <= 101 for parts in shares)
    assert not any("history" in line for line in lines)


# -- what can be had


@pytest.mark.parametrize(
    ("name", "gone", "there"),
    [
        ("hidden", "true", "false"),
        ("available_from", "2999-01-01", "2001-01-01T12:00+01:00"),
        ("available_until", "2001-01-01", "2999-01-01"),
    ],
)
def test_what_cannot_be_had_is_recommended_to_nobody(
    run_json: RunJson, trained: Path, tmp_path: Path, labs: list[str], name: str, gone: str, there: str
) -> None:
    shutil.copytree(trained, tmp_path / "w")
    for_anyone, cut = ("recommend", "--history", labs[0], "-k", 40, "-w"), tmp_path / "all.csv"
    before = [one["item_id"] for one in run_json(*for_anyone, trained)]
    with_attribute(tmp_path / "w", name, {before[0]: gone, before[1]: there})
    after = [one["item_id"] for one in run_json(*for_anyone, tmp_path / "w")]
    assert after == before[1:]
    run_json("recommend", "--all", "-o", cut, "-k", 40, "--seen", "-w", tmp_path / "w")
    written = {item for (item,) in duckdb.execute(f"SELECT DISTINCT item FROM '{cut}'").fetchall()}
    assert written == set(labs) - {before[0]}
    # what is asked for by name is answered all the same
    assert len(run_json("predict", "--history", labs[0], before[0], "-w", tmp_path / "w")) == 1


def test_what_cannot_be_understood_names_the_item(run: Run, trained: Path, tmp_path: Path, labs: list[str]) -> None:
    for name, cell in (("hidden", "perhaps"), ("available_from", "soon")):
        shutil.copytree(trained, tmp_path / name)
        with_attribute(tmp_path / name, name, {labs[3]: cell})
        answer = run("recommend", "nle", "-w", tmp_path / name)
        assert (answer.returncode, answer.stdout) == (3, "")
        for said in (f"'{name}'", f"item '{labs[3]}'", f"'{cell}'"):
            assert said in answer.stderr


def with_attribute(folder: Path, name: str, cells: dict[str, str]) -> None:
    """Gives items of the store one attribute more."""
    with open_workspace(folder).store() as store:
        known = store.catalog()
        column = ids_of(cells.get(str(item_id)) for item_id in known.item_ids)
        store.ingest([], catalog=Catalog(known.item_ids, {**known.attributes, name: column}))


def test_who_has_seen_everything_gets_an_empty_list(
    run: Run, run_json: RunJson, trained: Path, labs: list[str]
) -> None:
    assert run_json("recommend", "--history", ",".join(labs), "-w", trained) == []
    assert "nothing is left" in run("recommend", "--history", ",".join(labs), "-w", trained).stdout
    assert len(run_json("recommend", "--history", ",".join(labs), "--seen", "-w", trained)) == 10


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_everybodys_rankings_are_written(run_json: RunJson, trained: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"all{ending}"
    answer = run_json("recommend", "--all", "-o", file, "-k", 3, "-w", trained)
    [(count,)] = duckdb.execute(f"SELECT count(*) FROM '{file}'").fetchall()
    assert answer == {"file": str(file), "users": 297, "recommendations": count}
    one = run_json("recommend", "nle", "-k", 3, "-w", trained)
    rows = duckdb.execute(f"""SELECT item FROM '{file}' WHERE "user" = 'nle' ORDER BY rank""").fetchall()
    assert [item for (item,) in rows] == [recommended["item_id"] for recommended in one]


def test_everybody_gets_what_they_have_seen_too_if_asked_for(
    run_json: RunJson, trained: Path, labs: list[str], tmp_path: Path
) -> None:
    counts = [
        run_json("recommend", "--all", "-o", tmp_path / "all.csv", "--replace", "-k", len(labs), *more, "-w", trained)
        for more in ((), ("--seen",))
    ]
    assert counts[0]["recommendations"] < counts[1]["recommendations"] == counts[1]["users"] * len(labs)


def test_everybodys_rankings_replace_no_file_unless_allowed(
    run: Run, run_json: RunJson, trained: Path, tmp_path: Path
) -> None:
    file = tmp_path / "all.csv"
    file.write_text("mine\n")
    answer = run("recommend", "--all", "-o", file, "-w", trained)
    assert (answer.returncode, "is there already" in answer.stderr) == (2, True)
    assert file.read_text() == "mine\n"
    run_json("recommend", "--all", "-o", file, "--replace", "-w", trained)
    assert file.read_text().startswith("user,rank,item")


# -- which items, for one and for everybody


def test_filters_leave_the_same_items_for_one_and_for_everybody(
    run_json: RunJson, trained: Path, labs: list[str], tmp_path: Path
) -> None:
    recommender = open_workspace(trained).current()
    title = recommender.catalog.title(3)
    topics = [set((recommender.catalog.item(place).get("topics") or "").split("|")) for place in range(len(labs))]
    topic = sorted(topics[3])[0]
    asked: list[object] = ["--category", topic, "--exclude", title, "-k", 40, "--seen", "--diversity", 0.3]
    if "," in title:
        asked[3] = labs[3]
    found = [one["item_id"] for one in run_json("recommend", "nle", *asked, "-w", trained)]
    assert found
    assert set(found) <= {lab for lab, of_lab in zip(labs, topics, strict=True) if topic in of_lab} - {labs[3]}
    file = tmp_path / "all.csv"
    run_json("recommend", "--all", "-o", file, *asked, "--with", "title", "-w", trained)
    rows = duckdb.execute(f"""SELECT item, title FROM '{file}' WHERE "user" = 'nle' ORDER BY rank""").fetchall()
    assert rows == [(item, recommender.catalog.title(labs.index(item))) for item in found]
    few = run_json("recommend", "nle", "--only", f"{labs[0]},{labs[1]}", "--exclude", labs[1], "--seen", "-w", trained)
    assert [one["item_id"] for one in few] == [labs[0]]


def test_a_filter_that_nothing_passes_is_noted(run: Run, trained: Path, labs: list[str]) -> None:
    answer = run("recommend", "nle", "--category", "storge", "--only", "nowhere", "-w", trained)
    assert answer.stdout == "For nle: nothing is left to recommend\n"
    assert answer.stderr.splitlines() == [
        "note: --only: unknown and passed over: 'nowhere'",
        "note: no item has the category 'storge' (did you mean 'storage'?)",
    ]


def test_an_attribute_of_the_items_is_a_column_of_the_table(run: Run, trained: Path) -> None:
    answer = run("recommend", "nle", "--with", "title", "--with", "level", "-w", trained)
    columns = answer.stdout.splitlines()[1].split()
    assert columns == ["item", "title", "probability", "because", "of", "level"]
    refused = run("recommend", "nle", "--with", "levle", "-w", trained)
    assert (refused.returncode, "no attribute 'levle'" in refused.stderr) == (2, True)


# -- for whom of everybody


def test_who_has_a_profile_alone_gets_rows_if_asked_for(run_json: RunJson, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "w")
    workspace = open_workspace(tmp_path / "w")
    with workspace.store() as store:
        store.put_profiles(Profiles(ids_of(["aaa"]), {"role": ids_of(["developer"])}))
    counts = [
        run_json("recommend", "--all", "-o", tmp_path / f"{len(more)}.csv", *more, "-w", tmp_path / "w")
        for more in ((), ("--with-profiles",))
    ]
    assert counts[1]["users"] > counts[0]["users"] == 297
    first = run_json("recommend", "aaa", "-w", tmp_path / "w")
    assert ranked(tmp_path / "1.csv", "aaa") == [one["item_id"] for one in first]
    assert ranked(tmp_path / "0.csv", "aaa") == []


def test_the_users_of_a_file_get_rows_and_nobody_else(
    run: Run, run_json: RunJson, trained: Path, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_text("wer,role,shoe\nnle,architect,42\n~new,developer,\n~plain,,\n")
    asked = ("recommend", "--all", "--users", tmp_path / "people.csv", "--users-id", "wer", "-w", trained, "-o")
    answer = run(*asked, tmp_path / "all.jsonl")
    assert answer.stdout == f"Wrote 30 recommendations for 3 users to {tmp_path / 'all.jsonl'}\n"
    assert answer.stderr == f"note: unknown to the model, so only its words count: shoe {KNOWN}\n"
    for user, whose in (
        ("nle", ["nle", "--profile", "role=architect,shoe=42"]),
        ("~new", ["--profile", "role=developer"]),
        ("~plain", ["--profile", ""]),
    ):
        expected = [one["item_id"] for one in run_json("recommend", *whose, "-w", trained)]
        assert ranked(tmp_path / "all.jsonl", user) == expected


def ranked(file: Path, user: str) -> list[str]:
    rows = duckdb.execute(f"""SELECT item FROM '{file}' WHERE "user" = '{user}' ORDER BY rank""").fetchall()
    return [item for (item,) in rows]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nle", "--with-profiles"], 2, "--users and --with-profiles go with --all -o FILE"),
        (["--all", "-o", "x.csv", "--users-id", "wer"], 2, "--users-id names a column of --users FILE"),
        (["nle", "--users", "x.csv"], 2, "--users and --with-profiles go with --all -o FILE"),
        (["--all", "-o", "x.csv", "--users", "y.csv", "--with-profiles"], 2, "give --users FILE or --with-profiles"),
        (["--all", "-o", "x.csv", "--with", "score"], 2, "no attribute 'score'"),
        (["nle", "-k", "101", "--diversity", "0.5"], 2, "with diversity, k is at most 100"),
        (["nobody"], 4, "nobody"),
        ([], 2, "--history"),
        (["nle", "--history", "a"], 2, "give one of"),
        (
            ["--all", "-o", "x.csv", "--profile", "role=developer"],
            2,
            "--profile and --query go alone or with the first two",
        ),
        (["--profile", "developer"], 2, "'developer' is not of the form name=value, as --profile role=admin"),
        (["--profile", "role=,x=y"], 2, "'role=' is not of the form name=value"),
        (["--all"], 2, "-o FILE"),
        (["nle", "--replace"], 2, "--replace goes with --all -o FILE"),
        (["nle", "-o", "x.csv"], 2, "--all"),
        (["--all", "-o", "x.xlsx"], 2, ".parquet, .csv, .jsonl"),
        (["--all", "-o", "no/such/folder/x.csv"], 2, "No such file"),
        (["nle", "-k", "0"], 2, "-k"),
        (["nle", "-k", "ten"], 2, "-k"),
        (["--history", "a\u200bb"], 3, "invisible"),
    ],
)
def test_wrong_use_says_what_to_do(run: Run, trained: Path, arguments: list[str], code: int, says: str) -> None:
    answer = run("recommend", *arguments, "-w", trained)
    assert (answer.returncode, answer.stdout) == (code, "")
    assert says in answer.stderr


def test_an_id_that_was_mistyped_is_told_with_what_is_like_it(run: Run, trained: Path, labs: list[str]) -> None:
    answer = run("recommend", "nlee", "-w", trained)
    assert (answer.returncode, "(did you mean 'nle'?)" in answer.stderr) == (4, True)
    assert "did you mean" not in run("recommend", "somebody else", "-w", trained).stderr
    noted = run("recommend", "--history", f"{labs[0]}X,zzz", "-w", trained).stderr
    assert f"passed over: '{labs[0]}X' (did you mean {labs[0]!r}?), 'zzz'\n" in noted


def test_without_a_workspace_or_a_model_it_says_how_to_get_one(run: Run, tmp_path: Path) -> None:
    absent = run("recommend", "nle", "-w", tmp_path / "none")
    assert (absent.returncode, absent.stderr.count("\n")) == (4, 1)
    assert "foldin ingest" in absent.stderr
    (tmp_path / "log.csv").write_text("user,item\na,x\n")
    run("ingest", tmp_path / "log.csv", "-w", tmp_path / "new")
    assert "foldin train" in run("recommend", "a", "-w", tmp_path / "new").stderr


def test_in_a_terminal_it_asks_for_the_name_and_answers(trained: Path) -> None:
    terminal = pexpect.spawn(
        sys.executable, ["-m", "foldin", "recommend", "-w", str(trained)], dimensions=(40, 100), timeout=60
    )
    terminal.expect("Your name")
    terminal.sendline("nle")
    terminal.expect("For nle")
    terminal.expect("HOL-")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
