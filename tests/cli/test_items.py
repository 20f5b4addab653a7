from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_items_are_found_by_words_of_their_title(run: Run, run_json: RunJson, trained: Path, labs: list[str]) -> None:
    catalog = open_workspace(trained).current().catalog
    title = catalog.title(7)
    found = run_json("items", *title.lower().split(), "-w", trained)
    assert found[0]["title"].casefold() == title.casefold()
    with open_workspace(trained).store() as store:
        log = store.interactions()
    counts = dict(zip(log.item_ids, map(log.item_codes.tolist().count, range(len(log.item_ids))), strict=True))
    assert all(one["events"] == counts[one["item_id"]] for one in found)
    assert labs[7] in [one["item_id"] for one in found]
    assert found[0]["item"]["title"] == found[0]["title"]
    shown = run("items", *title.lower().split(), "-w", trained).stdout
    assert f"with '{title.lower()}'" in shown
    assert labs[7] in shown


def test_without_words_all_are_listed_by_their_events(run: Run, run_json: RunJson, trained: Path) -> None:
    found = run_json("items", "-k", 3, "-w", trained)
    everything = run_json("items", "-k", 100, "-w", trained)
    assert found == everything[:3]
    events = [one["events"] for one in everything]
    assert events == sorted(events, reverse=True)
    assert f"3 of {len(everything)} items; -k shows more" in run("items", "-k", 3, "-w", trained).stdout


def test_words_that_nothing_has_suggest_a_title(run: Run, run_json: RunJson, trained: Path) -> None:
    title = open_workspace(trained).current().catalog.title(7)
    answer = run("items", f"{title[:-1]}~", "-w", trained)
    assert (answer.returncode, "did you mean" in answer.stdout) == (0, True)
    assert answer.stdout.startswith("No item has all words of")
    assert run_json("items", "xyzzy", "-w", trained) == []


def test_items_are_named_by_their_title(run: Run, run_json: RunJson, trained: Path, labs: list[str]) -> None:
    catalog = open_workspace(trained).current().catalog
    plain = [
        place for place, title in enumerate(catalog.names()) if "," not in title and catalog.names().count(title) == 1
    ]
    one, other = (labs[place] for place in plain[:2])
    title, second = (catalog.title(place).upper() for place in plain[:2])
    assert run_json("similar", title, "-w", trained) == run_json("similar", one, "-w", trained)
    history = ("--history", f"{title},{second}")
    assert run_json("recommend", *history, "-w", trained) == run_json(
        "recommend", "--history", f"{one},{other}", "-w", trained
    )
    assert [found["item_id"] for found in run_json("predict", "nle", title, second, "-w", trained)].count(one) == 1
    assert run_json("explain", "nle", title, "-w", trained)["item_id"] == one
    mistyped = run("similar", f"{title[:-1]}~", "-w", trained)
    assert (mistyped.returncode, f"(did you mean {catalog.title(plain[0])!r}?)" in mistyped.stderr) == (4, True)
