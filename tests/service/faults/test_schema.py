"""Whatever is sent, the answer is one that the description of the routes tells of, never an error of the service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.faults.scale import SOAK, rounds
from tests.service.server import serving

EXAMPLES = rounds(100)
PHASES = "examples,coverage,fuzzing,stateful" if SOAK else "examples,coverage"
"""Coverage tries the boundaries of every field, the same in every run."""

SETTINGS = Path(__file__).parents[1] / "schemathesis.toml"

# To delete an item is to hide it, for events may be about it: what is hidden can still be looked at, and put back.
CHECKS = ["--checks", "all", "--exclude-checks", "use_after_free"]


def test_every_route_keeps_to_its_description(workspace: Path, tmp_path: Path) -> None:
    with serving(workspace, "--rate", "100000") as server:
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS), "run", *CHECKS]
        command += ["--header", f"Authorization: Bearer {server.key}", "--max-examples", str(EXAMPLES), "--seed", "1"]
        command += ["--phases", PHASES]
        asked = subprocess.run(
            [*command, "--no-color", f"{server.url}/openapi.json"], capture_output=True, text=True, cwd=tmp_path
        )
        assert asked.returncode == 0, asked.stdout + asked.stderr
        assert '"level": "error"' not in server.log.read_text(encoding="utf-8")


def test_the_description_tells_routes_apart(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    names = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert len(names) > 25
    assert len(set(names)) == len(names)
