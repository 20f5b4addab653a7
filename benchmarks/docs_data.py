"""Prints docs/real-data.md anew: runs every command of the page, and puts what it printed beneath it.

Run by `make docs-data DATA=folder`; the folder holds mars-en-implicit, mars-en and ml-100k, each with
interactions.csv.gz, items.csv and users.csv. The commands run in a temporary folder, in which `data` is that folder;
the data itself never gets into the project. What is said around the commands is the page's own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = Path(__file__).parents[1] / "docs" / "real-data.md"
FENCE = re.compile(r"^```text\n\$ (foldin .+)\n(?:.*\n)*?```$", re.MULTILINE)
MOST_LINES = 52
WIDEST = 160
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}  # another number of threads rounds differently, which can tip near-ties


def main(data: Path) -> None:
    """Refreshes the page; it stays as it was if a command fails."""
    text = PAGE.read_text(encoding="utf-8")
    with TemporaryDirectory() as folder:
        (Path(folder) / "data").symlink_to(data.resolve(), target_is_directory=True)
        refreshed = FENCE.sub(lambda fence: _fence(fence[1], Path(folder)), text)
    PAGE.write_text(refreshed, encoding="utf-8")


def _fence(command: str, folder: Path) -> str:
    print(f"$ {command}", flush=True)
    return f"```text\n$ {command}\n{_shown(_printed(command, folder))}\n```"


def _printed(command: str, folder: Path) -> str:
    foldin = Path(sys.executable).parent / "foldin"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FOLDIN_")} | ONE_THREAD
    done = subprocess.run(
        [foldin, *shlex.split(command)[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"exit code {done.returncode}: {done.stdout}")
    return done.stdout


def _shown(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    lines = [line if len(line) <= WIDEST else f"{line[:WIDEST]}..." for line in lines]
    cut = len(lines) - MOST_LINES
    return "\n".join(lines if cut <= 1 else [*lines[:MOST_LINES], f"... ({cut} more lines)"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
