from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import psutil
import pytest

from foldin.data.feedback import Feedback
from foldin.data.interactions import Interactions
from foldin.fitting import fit
from foldin.models.popularity import Popularity
from foldin.service.jobs import Jobs
from foldin.workspace import Workspace, open_workspace
from tests.service.server import Server, serving, until

EVENT = {"user": "late", "item": "i01"}


def ended(client: httpx.Client, job: int) -> dict[str, Any]:
    def told() -> dict[str, Any] | None:
        answer: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        return None if answer["state"] == "running" else answer

    found: dict[str, Any] = until(told)
    return found


def live(client: httpx.Client) -> str:
    answer: str = client.get("/v1/models").json()["live"]
    return answer


def process_of(server: Server, job: int) -> int:
    return Jobs(server.log.parent).job(job).process


def test_a_training_makes_a_bundle_that_goes_live_by_itself(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        started = client.post("/v1/train", json={"model": "popularity", "seed": 3})
        assert started.status_code == 202
        assert started.headers["Location"] == "/v1/jobs/1"
        assert started.json()["state"] == "running"
        job = ended(client, 1)
        assert (job["state"], job["bundle"], job["error"]) == ("done", "2-popularity", None)
        assert (job["model"], job["seed"]) == ("popularity", 3)
        assert job["started"] <= job["ended"]
        until(lambda: live(client) == "2-popularity")
        assert client.post("/v1/recommend", json={}).json()["model"] == "2-popularity"
        assert client.get("/v1/jobs").json()["jobs"] == [job]


def test_one_at_a_time_and_every_worker_knows_of_it(workspace: Path, held: Path) -> None:
    with serving(workspace, "--workers", "2") as server:
        with server.client() as client:
            assert client.post("/v1/train").json()["id"] == 1
        for _ in range(8):  # each on a connection of its own, so that either worker is asked
            with server.client() as client:
                refused = client.post("/v1/train")
                assert (refused.status_code, refused.json()["errors"]) == (409, [{"field": "job", "message": "1"}])
                assert client.get("/v1/jobs/1").json()["state"] == "running"
        held.unlink()
        with server.client() as client:
            job = ended(client, 1)
            assert (job["state"], job["bundle"]) == ("done", "2-ease"), "as the bundle in use"
            assert (job["model"], job["progress"]) == ("ease", "done: 2-ease")
            assert client.post("/v1/train").json()["id"] == 2


def test_a_training_that_was_killed_has_failed_and_another_may_begin(workspace: Path, held: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        client.post("/v1/train")
        os.kill(process_of(server, 1), signal.SIGKILL)
        job = ended(client, 1)
        assert job["state"] == "failed"
        assert "killed" in job["error"]
        assert job["bundle"] is None
        held.unlink()
        assert client.post("/v1/train").status_code == 202
        assert ended(client, 2)["state"] == "done"


def test_a_training_says_what_stood_in_its_way(workspace: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        client.post("/v1/events", json={"events": [EVENT | {"value": value} for value in (2.0, 5.0)]})
        client.post("/v1/train")
        assert "--positive-from" in ended(client, 1)["error"]


FULL = """
import resource, sys
import psutil
from pathlib import Path
from foldin.errors import WorkspaceError
from foldin.service.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
try:
    jobs.start()
except WorkspaceError as error:
    print(error, psutil.Process().children())
"""


def test_a_training_that_nobody_would_hear_of_is_none(workspace: Path, held: Path) -> None:
    told = subprocess.run([sys.executable, "-c", FULL, str(workspace)], capture_output=True, text=True, check=True)
    assert "1.json cannot be used: File too large; make the workspace readable and writable []" in told.stdout
    assert Jobs(workspace).all() == []


def test_where_jobs_cannot_be_written_the_service_has_failed_and_nobody_else(workspace: Path) -> None:
    (workspace / "jobs").touch()
    with serving(workspace) as server, server.client() as client:
        answer = client.post("/v1/train")
        assert answer.status_code == 503, answer.text
        assert answer.headers["Retry-After"]
        assert "the workspace cannot be used just now" in answer.json()["detail"]
        assert "/" not in answer.json()["detail"]
        assert "/jobs cannot be used: " in server.log.read_text(encoding="utf-8")


def test_what_is_damaged_is_the_services_fault_and_it_says_not_where(workspace: Path) -> None:
    (workspace / "jobs").mkdir()
    (workspace / "jobs" / "1.json").write_text("[", encoding="utf-8")
    with serving(workspace) as server, server.client() as client:
        for answer in (client.get("/v1/jobs"), client.get("/v1/jobs/1"), client.post("/v1/train")):
            assert answer.status_code == 503
            assert str(workspace) not in answer.text


def test_the_service_ends_its_training_and_a_later_one_tells_of_it(workspace: Path, held: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        client.post("/v1/train")
        process = process_of(server, 1)
        server.stop()
        assert not psutil.pid_exists(process)
    with serving(workspace) as server, server.client() as client:
        job = client.get("/v1/jobs/1").json()
        assert (job["state"], job["error"]) == ("failed", "the service was ended, and the training with it")


def test_a_training_outlives_a_service_that_is_killed(workspace: Path, held: Path) -> None:
    with serving(workspace) as server, server.client() as client:
        client.post("/v1/train")
        server.process.kill()
        server.process.wait()
    with serving(workspace) as server, server.client() as client:
        assert client.get("/v1/jobs/1").json()["state"] == "running"
        held.unlink()
        assert ended(client, 1)["bundle"] == "2-ease"


@pytest.mark.parametrize("body", [{"model": "gpt"}, {"seed": -1}, {"seed": "1"}, {"settings": {}}])
def test_what_cannot_be_trained_starts_nothing(body: dict[str, object], client: httpx.Client) -> None:
    assert client.post("/v1/train", json=body).status_code == 422
    assert client.get("/v1/jobs").json() == {"jobs": []}
    assert client.get("/v1/jobs/1").status_code == 404


def test_only_an_admin_trains(client: httpx.Client, server: Server) -> None:
    from foldin.service.keys import create_key

    with server.client(create_key(server.log.parent, "no admin", ["read", "events", "catalogue", "people"])) as other:
        for answer in (other.post("/v1/train"), other.get("/v1/jobs"), other.get("/v1/jobs/1")):
            assert answer.status_code == 403


def test_it_trains_again_where_there_is_something_new_and_once(workspace: Path) -> None:
    before = open_workspace(workspace)
    with before.store() as store:
        stored = store.snapshot()
        _publish(before, stored.interactions, stored.position)
    with serving(workspace, "--retrain", "1s", "--workers", "2") as server, server.client() as client:
        sleep(2)  # two intervals, in which nothing is new
        assert client.get("/v1/jobs").json() == {"jobs": []}
        client.post("/v1/events", json={"events": [EVENT]})
        until(lambda: live(client) == "3-popularity")
        sleep(2)
        assert [job["bundle"] for job in client.get("/v1/jobs").json()["jobs"]] == ["3-popularity"]


def test_what_events_mean_stays_when_it_trains_again(workspace: Path) -> None:
    before = open_workspace(workspace)
    with before.store() as store:
        log = store.snapshot().interactions
    before.publish(fit(log, estimator=Popularity(), feedback=Feedback(strength="log")))
    with serving(workspace) as server, server.client() as client:
        client.post("/v1/train")
        assert ended(client, 1)["bundle"] == "3-popularity"
    newest = before.newest_manifest()
    assert newest is not None
    assert newest.feedback.feedback == Feedback(strength="log")


def _publish(workspace: Workspace, log: Interactions, position: int) -> None:
    from dataclasses import replace

    workspace.publish(replace(fit(log, estimator=Popularity()), data_position=position))
