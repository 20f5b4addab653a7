"""The README's lines for the service do what is printed below them, in bash and with curl, against the real service."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from foldin.cli.options import DEFAULT_FOLDER
from foldin.data.catalog import Catalog, ids_of
from foldin.data.interactions import Ids, Interactions
from foldin.data.profiles import Profiles
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.store.contract import Batch
from foldin.workspace import create_workspace
from tests.service.server import PATIENCE, serving

README = Path(__file__).parents[2] / "README.md"
LINES = re.compile(r"^```sh\n(URL=.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "URL=http://127.0.0.1:8000\n"
PRINTED = "#> "
NETWORK = {"role": "network engineer", "interests": "networking"}
STORAGE = {"role": "administrator", "interests": "storage"}


@pytest.fixture
def ground(log_of: Callable[..., Interactions], tmp_path: Path) -> Path:
    """A folder as a reader has it after the demo, but smaller: nle, and the labs that the README names."""
    events = log_of(labs_of_people())
    profiles = profiles_of(events.user_ids)
    catalog = Catalog(events.item_ids, {"title": events.item_ids})
    workspace = create_workspace(tmp_path / DEFAULT_FOLDER)
    with workspace.store(create=True) as store:
        store.ingest([Batch(events, "tests")], catalog=catalog, profiles=profiles)
    workspace.publish(fit(events, estimator=EASE(l2=1), catalog=catalog, profiles=profiles))
    return tmp_path


def labs_of_people() -> list[tuple[str, str]]:
    """Who has had what: one lab of each taste is had by all who share it, the next by fewer, the last by a few."""
    storage = ["HOL-2001-04-CLD", "HOL-2205-01-STO", "HOL-2105-03-STO", "HOL-2205-03-STO"]
    network = ["HOL-2003-02-NET", "HOL-2103-03-NET", "HOL-2103-05-NET", "HOL-2103-04-NET"]
    tastes = {"s": storage, "n": network}
    of_others = [
        (f"{taste}{user:02}", lab)
        for taste, labs in tastes.items()
        for user in range(24)
        for lab in labs[: 4 - user % 3]
    ]
    return [*of_others, ("nle", storage[0])]


def profiles_of(users: Ids) -> Profiles:
    known = [NETWORK if re.fullmatch(r"n\d+", user) else STORAGE for user in users]
    return Profiles(users, {name: ids_of([profile[name] for profile in known]) for name in NETWORK})


def test_the_lines_for_the_service_print_what_the_readme_says(ground: Path) -> None:
    assert shutil.which("curl"), "this test asks with curl, which is not here: apt-get install curl"
    lines = lines_of_the_readme()
    with serving(ground / DEFAULT_FOLDER) as server:
        done = run(lines.replace(ADDRESS, f"URL={server.url}\n"), ground)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == printed_by(lines)


def lines_of_the_readme() -> str:
    """The one block that begins with the address."""
    (lines,) = LINES.findall(README.read_text(encoding="utf-8"))
    assert lines.startswith(ADDRESS)
    assert lines.count("curl ") == 4
    return str(lines)


def printed_by(lines: str) -> list[str]:
    return [line.removeprefix(PRINTED) for line in lines.splitlines() if line.startswith(PRINTED)]


def run(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """In bash, which stops at the first line that fails; `foldin` is the one under test."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env={**os.environ, "PATH": path, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
