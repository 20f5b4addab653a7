"""What keys do to models and users is written down, by the keys' names and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from foldin.audit import FILE
from foldin.cli.serve import LINK_FILE
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.ease import EASE
from foldin.service.keys import create_key, read_keys
from foldin.workspace import open_workspace
from tests.service.server import serving, until


def told(workspace: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (workspace / FILE).read_bytes().split(b"\n") if line]
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


def test_models_taken_into_use_and_refused_with_who_did_it(workspace: Path, checkerboard: Interactions) -> None:
    own = open_workspace(workspace)
    second = own.publish(fit(checkerboard, estimator=EASE(l2=2)))
    few = own.publish(fit(checkerboard.where(checkerboard.item_codes < 4), estimator=EASE(l2=5)))
    own.use(second)
    secret = create_key(workspace, "ops", ["admin"])
    with serving(workspace) as server, server.client(secret) as client:
        assert client.post("/v1/models/rollback").status_code == 200
        assert client.post("/v1/models/2/activate").status_code == 200
        assert client.post(f"/v1/models/{few}/activate").status_code == 409
        assert client.post("/v1/models/7/activate").status_code == 404
        with server.client(create_key(workspace, "shop", ["read"])) as other:
            assert other.post("/v1/models/rollback").status_code == 403
    done, again, refused, unknown = told(workspace)
    assert done == {"by": "http:ops", "action": "roll back", "model": "1-ease", "outcome": "done"}
    assert again == {"by": "http:ops", "action": "use", "model": "2-ease", "outcome": "done"}
    assert "it knows 4 of 12 items" in refused.pop("reason")
    assert refused == {"by": "http:ops", "action": "use", "model": few, "outcome": "failed"}
    assert (unknown["model"], unknown["outcome"]) == ("7", "failed")
    assert secret not in (workspace / FILE).read_text(encoding="utf-8")


def test_a_user_who_is_forgotten_is_not_named(workspace: Path) -> None:
    with serving(workspace) as server, server.client(create_key(workspace, "shop", ["events", "people"])) as client:
        client.post("/v1/events", json={"events": [{"user": "somebody", "item": "i01"}]}).raise_for_status()
        for _ in range(2):
            client.delete("/v1/users/somebody").raise_for_status()
    forgotten = {"by": "http:shop", "action": "forget", "profile": False, "impressions": 0, "outcome": "done"}
    assert told(workspace) == [forgotten | {"events": 1}, forgotten | {"events": 0}]
    assert "somebody" not in (workspace / FILE).read_text(encoding="utf-8")


def test_a_training_is_told_of_when_it_starts_and_when_it_ends(workspace: Path, held: Path) -> None:
    with serving(workspace) as server, server.client(create_key(workspace, "ops", ["admin"])) as client:
        client.post("/v1/train", json={"model": "popularity"}).raise_for_status()
        refused = client.post("/v1/train")
        held.unlink()
        until(lambda: client.get("/v1/jobs/1").json()["state"] == "done")
    lines = told(workspace)
    assert lines[0] == {
        "by": "http:ops",
        "action": "start training",
        "model": "popularity",
        "seed": 0,
        "job": 1,
        "outcome": "done",
    }
    assert lines[-1] == {"by": "job 1", "action": "train", "model": "2-popularity", "without": [], "outcome": "done"}
    assert refused.status_code == 409
    assert [line["reason"] for line in lines[1:-1]] == ["job 1 is training already: wait until it is done"]


def test_a_training_that_is_due_has_started_itself(workspace: Path) -> None:
    with serving(workspace, "--retrain", "1s") as server, server.client() as client:
        until(lambda: client.get("/v1/jobs").json()["jobs"])
    started = {"by": "--retrain", "action": "start training", "job": 1, "outcome": "done"}
    assert [line for line in told(workspace) if line.get("job") == 1] == [started]


def test_actions_of_a_browser_are_recorded_under_its_session(workspace: Path) -> None:
    with serving(workspace, "--workers", "2") as server:
        link = (workspace / LINK_FILE).read_text(encoding="utf-8").strip()
        with httpx.Client(timeout=60, verify=False) as browser:
            assert browser.post(f"{server.url}/enter?code=none").status_code == 401
            assert browser.post(link).status_code == 303
            assert browser.post(f"{server.url}/v1/models/1/activate").status_code == 200
    (key,) = [key.name for key in read_keys(workspace) if key.name.startswith("page-")]
    entered, used = told(workspace)
    assert entered == {"by": "link", "action": "enter", "key": key, "outcome": "done"}
    assert used == {"by": f"http:{key}", "action": "use", "model": "1-ease", "outcome": "done"}


def test_without_keys_nobody_has_a_name(workspace: Path) -> None:
    with serving(workspace, "--no-auth") as server, server.client() as client:
        client.post("/v1/models/1/activate").raise_for_status()
    assert [line["by"] for line in told(workspace)] == ["http"]


def test_where_no_line_can_be_written_what_was_asked_is_done_and_the_log_says_so(workspace: Path) -> None:
    (workspace / FILE).mkdir()
    with serving(workspace) as server, server.client(create_key(workspace, "ops", ["admin"])) as client:
        assert client.post("/v1/models/1/activate").status_code == 200
        assert client.delete("/v1/users/u00").status_code == 200
        said = server.log.read_text(encoding="utf-8")
    errors = [json.loads(line) for line in said.splitlines() if '"level": "error"' in line]
    assert [f"{FILE} cannot be written (Is a directory)" in error["message"] for error in errors] == [True, True]
    assert all('"by": "http:ops"' in error["message"] for error in errors)
