"""Bad input at the prompt: one line on standard error that names file, row and field, an exit code, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import pytest
import typer

from foldin.cli.app import app
from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

DELIMITED = {
    "NaN as a rating": ("user,item,rating\na,x,1\nb,y,nan\n", 3, "rating", "is NaN"),
    "infinity": ("user,item,rating\na,x,inf\n", 2, "rating", "infinite"),
    "past float32": ("user,item,rating\na,x,1e400\n", 2, "rating", "float32"),
    "a boolean": ("user,item,rating\na,x,true\n", 2, "rating", "boolean"),
    "past 2^63": ("user,item,rating\na,x,99999999999999999999\n", 2, "rating", "2^63"),
    "an empty id": ("user,item\na,x\n,y\n", 3, "user", "empty"),
    "a zero-width space": ("user,item\na,x\u200b\n", 2, "item", "invisible"),
    "an id of 300 bytes": (f"user,item\n{'a' * 300},x\n", 2, "user", "longer than 256"),
    "a ragged row": ("user,item\na,x\nb,y,z\n", 3, None, "3 cells"),
    "a time without a zone": ("user,item,time\na,x,2024-01-01 00:00:00\n", 2, "time", "zone"),
    "the far future": ("user,item,time\na,x,2924-01-01T00:00:00Z\n", 2, "time", "future"),
}


@pytest.mark.parametrize("name", DELIMITED)
def test_ingest_names_file_row_and_field(run: Run, tmp_path: Path, name: str) -> None:
    text, row, field, reason = DELIMITED[name]
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    answer = run("ingest", tmp_path / "log.csv", "-w", tmp_path / "w")
    place = f"log.csv, row {row}" + (f", field '{field}'" if field else "")
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("error: ")
    assert place in answer.stderr
    assert reason in answer.stderr
    assert not (tmp_path / "w").exists()


WHOLE_FILES = {
    "nothing in it": (b"", "log.csv"),
    "no rows": (b"user,item\n", "log.csv"),
    "no column of items": (b"user,thing\na,x\n", "log.csv"),
    "no text": (b"user,item\na,\xff\xfe\n", "log.csv"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_ingest_names_a_file_that_is_no_log(run: Run, tmp_path: Path, name: str) -> None:
    content, file = WHOLE_FILES[name]
    (tmp_path / file).write_bytes(content)
    answer = run("ingest", tmp_path / file, "-w", tmp_path / "w")
    assert (answer.returncode, answer.stdout) == (3, "")
    assert file in answer.stderr
    assert not (tmp_path / "w").exists()


def test_a_bad_catalogue_stops_the_whole_ingest(run: Run, trained: Path, world: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "w")
    with open_workspace(tmp_path / "w").store() as store:
        before = store.fingerprint()
    (tmp_path / "items.csv").write_text("item,title\na,A\na,B\n")
    answer = run("ingest", world / "events.csv", "--items", tmp_path / "items.csv", "-w", tmp_path / "w")
    assert (answer.returncode, "items.csv, row 3, field 'item'" in answer.stderr) == (3, True)
    with open_workspace(tmp_path / "w").store() as store:
        assert store.fingerprint() == before


def test_unusual_but_lawful_ids_go_all_the_way(run: Run, run_json: RunJson, tmp_path: Path) -> None:
    items = ["[PAD]", "null", "../x", "a/b", "01", "1", "1.0", "[bold]x[/bold]"]
    lines = [f"{user},{item}" for user in ("[red]", "nan", "--", "-k") for item in items]
    lines += [f"u{number},{items[number % 8]}\nu{number},{items[(number + 1) % 8]}" for number in range(40)]
    (tmp_path / "log.csv").write_text("user,item\n" + "\n".join(lines) + "\n")
    workspace = ("-w", tmp_path / "w")
    assert run_json("ingest", tmp_path / "log.csv", *workspace)["store"]["items"] == 8
    assert run("train", *workspace, "--model", "ease", "--set", "l2=10").returncode == 0
    ranking = run_json("recommend", "--history", "[PAD]", "-k", 7, *workspace)
    assert {one["item_id"] for one in ranking} == set(items) - {"[PAD]"}
    table = run("recommend", "--history", "[PAD]", *workspace).stdout
    assert all(item in table for item in items if item != "[PAD]")
    assert run("recommend", "[red]", "--seen", *workspace).stdout.startswith("For [red]")


def test_a_damaged_current_bundle_is_refused_and_named(run: Run, several: Path) -> None:
    file = several / "bundles" / "2-autoencoder" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    for command in (["recommend", "nle"], ["predict", "nle"], ["explain", "nle", "x"], ["similar", "x"]):
        answer = run(*command, "-w", several)
        assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (5, "", 1)
        assert str(file) in answer.stderr


def test_a_store_that_is_no_database_is_refused(run: Run, several: Path) -> None:
    (several / "store.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 100)
    answer = run("recommend", "nle", "-w", several)
    assert (answer.returncode, answer.stdout) == (5, "")
    assert "store.sqlite" in answer.stderr


@pytest.mark.parametrize("settings", ["", "store = 3\n", 'store = "x"\npassword = "y"\n', "store = [\n"])
def test_workspace_settings_that_cannot_be_read_are_refused(run: Run, several: Path, settings: str) -> None:
    (several / "workspace.toml").write_text(settings)
    answer = run("models", "-w", several)
    assert (answer.returncode, "workspace.toml" in answer.stderr) == (2, True)


def test_wrong_options_are_wrong_usage(run: Run, trained: Path) -> None:
    for arguments in (["recommend", "--no-such"], ["nonsense"], ["similar"], ["similar", "a", "b"], ["embeddings"]):
        answer = run(*arguments)
        assert (answer.returncode, answer.stdout) == (2, "")
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    # what is short is written at the end, what is long or for people before it
    [("models --json -w W", 141), ("predict nle --json -w W", 1), ("models -w W", 1), ("--version", 1)],
)
def test_a_reader_that_closes_the_pipe_is_no_error(trained: Path, command: str, code: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    line = [sys.executable, "-m", "foldin", *command.replace("W", str(trained)).split()]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(line, stdout=writer, stderr=subprocess.PIPE, text=True, check=False, timeout=60, env=buffered)
    os.close(writer)
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", ["--version", "models -w W", "predict nle --json -w W", "predict nle -w W"])
def test_a_full_disk_is_one_line(trained: Path, command: str) -> None:
    line = f"{sys.executable} -m foldin {command.replace('W', str(trained))} > /dev/full"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


INTERRUPTED_AT = """
import sys
class Interrupting:
    def find_spec(self, name, *_):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
sys.argv = ["foldin", "models"]
"""
"""Presses Ctrl-C while a module is looked for, in a process that is about to run `foldin models`."""


@pytest.mark.parametrize(
    ("start", "module"),
    [
        *(("python -m", module) for module in ("foldin.cli.app", "typer", "rich.console", "foldin.workspace", "numpy")),
        *(("script", module) for module in ("foldin.cli.app", "numpy")),
    ],
)
def test_an_interrupt_at_any_import_is_no_traceback(module: str, start: str) -> None:
    script, _, function = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["scripts"]["foldin"].partition(":")
    starts = {
        "python -m": "import runpy; runpy.run_module('foldin', run_name='__main__')",
        "script": f"from {script} import {function}; sys.exit({function}())",
    }
    program = INTERRUPTED_AT.format(module=module) + starts[start]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_what_would_command_the_terminal_is_not_repeated(run: Run, tmp_path: Path) -> None:
    answer = run("ingest", tmp_path / "no\x1b[2Jsuch.csv", "-w", tmp_path / "w")
    assert (answer.returncode, "no [2Jsuch.csv" in answer.stderr) == (3, True)
    (tmp_path / "log.csv").write_text("user,item\nb,cafe\u0301\na,x\n", encoding="utf-8")
    (tmp_path / "log.csv").rename(tmp_path / "l\x1b[2Jog.csv")
    noted = run("ingest", tmp_path / "l\x1b[2Jog.csv", "-w", tmp_path / "w")
    again = run("ingest", tmp_path / "l\x1b[2Jog.csv", "-w", tmp_path / "w")
    assert (noted.returncode, again.stderr.startswith("note: ")) == (0, True)
    assert "\x1b" not in answer.stderr + noted.stderr + again.stderr


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command with its help text, and those of its subcommands."""
    for name, command in sorted(group.commands.items()):
        yield (*path, name), command.help or ""
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example_that_names_it(run: Run, path: tuple[str, ...]) -> None:
    assert f"Example: foldin {' '.join(path)}" in COMMANDS[path]
    shown = run(*path, "--help")
    assert (shown.returncode, "Example: foldin" in shown.stdout) == (0, True)


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, json, foldin.cli.app; print(json.dumps([name for name in sys.modules if name.split('.')[0] in "
        "('numpy', 'scipy', 'duckdb', 'apsw', 'torch', 'pydantic', 'safetensors', 'matplotlib')]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_a_message_says_an_item_and_one_user(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,thing\na,x\n")
    assert "no column is called like an item" in run("ingest", log, "-w", tmp_path / "w").stderr
    log.write_text("user,item\na,x\na,y\n")
    run("ingest", log, "-w", tmp_path / "w")
    assert "1 user, 2 items, 2 interactions\n" in run("train", "--model", "popularity", "-w", tmp_path / "w").stdout
