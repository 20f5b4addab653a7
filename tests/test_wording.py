from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from foldin.wording import DEFAULT_FOLDER, WORKSPACE_VARIABLE, command, counted


@pytest.fixture(autouse=True)
def _no_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WORKSPACE_VARIABLE, raising=False)


@pytest.mark.parametrize(("number", "words"), [(0, "0 users"), (1, "1 user"), (2, "2 users"), (12_000, "12,000 users")])
def test_a_count_has_its_noun_in_the_right_number(number: int, words: str) -> None:
    assert counted(number, "user") == words


def test_a_command_names_the_workspace_it_would_not_find_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command("train", DEFAULT_FOLDER) == "foldin train"
    assert command("train", Path("mine")) == "foldin train -w mine"
    monkeypatch.setenv(WORKSPACE_VARIABLE, "mine")
    assert command("train", Path("mine")) == "foldin train"
    assert command("train", DEFAULT_FOLDER) == "foldin train -w foldin-workspace"


def test_a_command_is_read_as_it_was_meant() -> None:
    typed = command("recommend", Path("my folder"), "-o'neil x")
    assert shlex.split(typed) == ["foldin", "recommend", "-w", "my folder", "--", "-o'neil x"]
