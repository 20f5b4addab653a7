from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import foldin
from foldin.cli.intake import read_intake, store_intake
from foldin.data.catalog import ids_of
from foldin.data.interactions import Interactions
from foldin.data.readers.text import TextFormat
from foldin.data.unmatched_ids import unmatched_ids_note, unmatched_ids_notes
from foldin.errors import DataWarning
from foldin.models import EASE
from foldin.workspace import create_workspace

LOG = "user,item\n" + "".join(f"{17850 + user}.0,i{(user + step) % 5}\n" for user in range(24) for step in range(3))
USERS = "user,country\n" + "".join(f"{17850 + user},UK\n" for user in range(24))


def note(described: list[str], in_log: list[str]) -> list[str]:
    return list(unmatched_ids_note(described, in_log, "user", "the profiles"))


def test_profiles_of_no_user_of_the_log_are_named_with_an_example_of_both() -> None:
    (said,) = note(["17850", "17851", "17852"], ["17850.0", "17851.0", "17852.0", "9"])
    assert said.startswith("none of the 3 users of the profiles is in the log, for example not '17850' ")
    assert "(the log has '17850.0')" in said


def test_nearly_none_is_said_as_well() -> None:
    (said,) = note([f"0{one}" for one in range(100)] + ["7"], [str(one) for one in range(200)])
    assert said.startswith("only 1 of the 101 users of the profiles is in the log")


@pytest.mark.parametrize(
    ("described", "in_log"),
    [
        (["a", "b", "c", "d"], ["a", "x", "y", "z"]),
        ([str(one) for one in range(1_000)], ["1", "x", "y"]),
        (["a", "b"], ["x", "y", "z"]),
        ([], ["x", "y", "z"]),
    ],
)
def test_where_some_match_or_few_are_there_nothing_is_said(described: list[str], in_log: list[str]) -> None:
    assert note(described, in_log) == []


def test_an_import_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "users.csv").write_text(USERS)
    files = {"files": [str(tmp_path / "log.csv")], "items": None, "users": tmp_path / "users.csv", "database": None}
    intake = read_intake(**files, columns=COLUMNS, source=None, form=TextFormat(), skip_bad=False, tell=print)  # type: ignore[arg-type]  # options
    stored = store_intake(create_workspace(tmp_path / "w"), intake, None)
    assert [said for said in stored.notes if "none of the 24 users of the profiles is in the log" in said]


def test_fit_and_compare_warn(checkerboard: Interactions) -> None:
    profiles = foldin.Profiles(ids_of(["x1", "x2", "x3"]))
    catalog = foldin.Catalog(ids_of(["y1", "y2", "y3"]))
    assert len(list(unmatched_ids_notes(checkerboard, catalog, profiles))) == 2
    for ask in ASKED:
        with pytest.warns(DataWarning, match="none of the 3 users of the profiles is in the log"):
            ask(checkerboard, profiles)


COLUMNS = dict.fromkeys(("user", "item", "kind", "value", "time", "event", "timezone"))

ASKED: list[Callable[[Interactions, foldin.Profiles], object]] = [
    lambda log, profiles: foldin.fit(log, estimator=EASE(l2=1.0), profiles=profiles),
    lambda log, profiles: foldin.compare(log, {"ease": EASE(l2=1.0)}, profiles=profiles),
]
