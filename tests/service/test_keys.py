"""A damaged file of keys: nobody who had a key is shut out, and the service does not start on it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foldin.errors import WorkspaceError
from foldin.service.app import create_app
from foldin.service.keys import KEYS, create_key, read_keys
from foldin.service.settings import Settings
from foldin.workspace import create_workspace
from tests.service.server import FOLDIN, PATIENCE, Server, serving, until

KEY = {"name": "n", "digest": "00", "scopes": ["read"], "created": "2026-03-01T00:00:00+00:00"}
ALONE = {"Connection": "close"}
"""Every request on a connection of its own, so that any worker may get it."""

DAMAGED = [
    b"",
    b"{}",
    b"\xff",
    b"[1]",
    b'[{"name": "x"}]',
    *(
        json.dumps([KEY | wrong]).encode()
        for wrong in (
            {"digest": 1},
            {"digest": "\xe9"},
            {"expires": "soon"},
            {"expires": "2026-03-01T00:00:00"},
            {"scopes": 1},
        )
    ),
]


def test_keys_hold_while_their_file_is_damaged(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        assert client.get("/v1/models").status_code == 200
        whole = (workspace / KEYS).read_bytes()
        for damaged in DAMAGED:
            (workspace / KEYS).write_bytes(damaged)
            assert [client.get("/v1/models").status_code for _ in range(3)] == [200] * 3, damaged
        assert server.log.read_text(encoding="utf-8").count("keys as they were before") == len(DAMAGED)
        (workspace / KEYS).write_bytes(whole)
        create_key(workspace, "another", ["read"])
        (workspace / KEYS).write_text("[]", encoding="utf-8")
        assert client.get("/v1/models").status_code == 401


@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_keys_are_none(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / KEYS).write_bytes(damaged)
    with pytest.raises(WorkspaceError, match="remove it to begin with no keys"):
        read_keys(tmp_path)


@pytest.mark.parametrize("damaged", [b"", DAMAGED[-1]], ids=["empty", "no scopes"])
def test_it_does_not_start_on_damaged_keys(damaged: bytes, tmp_path: Path) -> None:
    folder = create_workspace(tmp_path / "served").folder
    (folder / KEYS).write_bytes(damaged)
    command = [sys.executable, "-m", "foldin", "serve", "-w", str(folder), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode
    assert "remove it to begin with no keys" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_a_worker_does_not_start_on_damaged_keys(workspace: Path) -> None:
    # as users start it: with more time for each worker, the death of one that starts is noticed later
    with serving(workspace, "--workers", "2", program=FOLDIN) as server, server.client() as client:
        one, _ = until(lambda: found if len(found := answering(server)) == 2 else None)
        whole = (workspace / KEYS).read_bytes()
        (workspace / KEYS).write_bytes(b"[")
        os.kill(one, signal.SIGKILL)
        until(lambda: "worker not started" in server.log.read_text(encoding="utf-8"))
        assert {client.get("/v1/models", headers=ALONE).status_code for _ in range(20)} == {200}
        (workspace / KEYS).write_bytes(whole)
        until(lambda: len(answering(server)) == 3)
        said = server.log.read_text(encoding="utf-8")
        assert "mend it, or remove it to begin with no keys" in said
        assert "Traceback" not in said


def test_where_no_keys_are_wanted_damaged_ones_play_no_part(workspace: Path) -> None:
    (workspace / KEYS).write_bytes(b"[")
    create_app(Settings(workspace, auth=False)).state.service.close()
    with pytest.raises(WorkspaceError, match="remove it to begin with no keys"):
        create_app(Settings(workspace))


def answering(server: Server) -> list[int]:
    """The workers that have answered or could, so far."""
    started = re.findall(r'"process": (\d+), "message": "Application startup complete', server.log.read_text("utf-8"))
    return [int(process) for process in started]


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    (tmp_path / KEYS).write_text(json.dumps([KEY]), encoding="utf-8")
    assert [key.name for key in read_keys(tmp_path)] == ["n"]
