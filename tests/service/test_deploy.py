"""The container's recipe and the systemd unit name what is there: files of the project, and options of `foldin`."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from configparser import RawConfigParser
from pathlib import Path

import pytest
import typer.main

from foldin.cli.app import app
from foldin.service.connection_limit import MAX_CONNECTIONS, RESERVED_FILES
from foldin.service.running import DRAIN
from foldin.strict_json import parse_json

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "Containerfile"
IGNORED = ROOT / ".containerignore"
UNIT = ROOT / "deploy/foldin.service"


def recipe() -> list[tuple[str, str]]:
    """Each instruction of the recipe and its words, long lines joined, comments left out."""
    text = re.sub(r"\\\n\s*", "", RECIPE.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def words_of(instruction: str) -> list[str]:
    """The last such instruction's words, written as a list."""
    words = parse_json([rest for name, rest in recipe() if name == instruction][-1])
    assert isinstance(words, list)
    return [str(word) for word in words]


def unit() -> RawConfigParser:
    read = RawConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names have capitals
    read.read_string(UNIT.read_text(encoding="utf-8"))
    return read


def command_of_the_container() -> list[str]:
    assert words_of("ENTRYPOINT") == ["foldin"]
    return words_of("CMD")


def command_of_the_unit() -> list[str]:
    program, *words = shlex.split(unit()["Service"]["ExecStart"])
    assert Path(program).name == "foldin"
    return words


@pytest.mark.parametrize("command", [command_of_the_container, command_of_the_unit])
def test_foldin_takes_what_it_is_started_with(command: Callable[[], list[str]]) -> None:
    name, *options = command()
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    group.commands[name].make_context("foldin", options)


def test_the_recipe_copies_what_is_there_and_not_ignored() -> None:
    copied = [rest.split() for name, rest in recipe() if name == "COPY" and not rest.startswith("--from=")]
    sources = {source for words in copied for source in words[:-1]}
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    kept = {line[1:] for line in IGNORED.read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    assert kept == sources


def test_the_container_is_asked_for_its_health_where_it_listens() -> None:
    (health,) = [rest for name, rest in recipe() if name == "HEALTHCHECK"]
    words = command_of_the_container()
    assert f"http://127.0.0.1:{words[words.index('--port') + 1]}/health/live" in health


def test_the_container_keeps_its_workspace_in_the_volume_and_is_not_root() -> None:
    told = dict(recipe())
    words = command_of_the_container()
    assert words[words.index("--workspace") + 1] == told["VOLUME"]
    assert told["ENV"] == f"FOLDIN_WORKSPACE={told['VOLUME']}"
    assert told["USER"].split(":")[0] not in ("0", "root")


def test_the_extras_of_the_container_are_extras() -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (extras,) = [rest.removeprefix("EXTRAS=") for name, rest in recipe() if name == "ARG"]
    assert set(extras.split(",")) <= set(known)


def test_the_unit_keeps_its_workspace_in_its_state_and_waits_for_what_is_in_flight() -> None:
    service, words = unit()["Service"], command_of_the_unit()
    assert words[words.index("--workspace") + 1] == f"%S/{service['StateDirectory']}"
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert int(service["TimeoutStopSec"]) > DRAIN


def test_the_unit_allows_more_files_than_connections() -> None:
    assert int(unit()["Service"]["LimitNOFILE"]) >= MAX_CONNECTIONS + RESERVED_FILES
