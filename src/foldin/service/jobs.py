"""Training jobs: each a process of its own, and a small file in the workspace by which any process can tell of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Literal, TypeAlias

import psutil
from pydantic import TypeAdapter, ValidationError

from foldin.audit import BY
from foldin.data.files import PRIVATE_FOLDER, create_private, replaced
from foldin.errors import FoldinError, NotFoundError, WorkspaceError
from foldin.service.locks import locked
from foldin.service.processes import lives
from foldin.strict_json import parse_json
from foldin.workspace import usable

__all__ = ["Job", "Jobs", "RunningError", "State"]

State: TypeAlias = Literal["running", "done", "failed"]

FOLDER = "jobs"
KEPT = 100
"""Jobs that are remembered."""

NICE = 10
"""By how much a training is kinder than the requests beside it."""

DONE = "done"
SILENT = "it ended without a word: it was killed, or the memory did not suffice"
ENDED = "the service was ended, and the training with it"


class RunningError(FoldinError):
    """A training is running already; `job` is its number."""

    def __init__(self, job: int) -> None:
        super().__init__(f"job {job} is training already: wait until it is done")
        self.job = job


@dataclass(frozen=True)
class Job:
    """A training. `model`: as it was asked for, None for that of the bundle in use, and once it is done what came out.

    `process`, `born`: number of the process, and when it began in seconds since the epoch. `progress`: the last line it
    said, or that it is done. `bundle`: what it made; `error`: why it made none. Times are ISO 8601, UTC.
    """

    id: int
    model: str | None
    seed: int
    process: int
    born: float
    started: str
    state: State = "running"
    ended: str | None = None
    progress: str | None = None
    bundle: str | None = None
    error: str | None = None


_JOB = TypeAdapter(Job)


class Jobs:
    """The training jobs of a workspace, of which one runs at a time, whichever process of the service started it.

    A job ends with the process that started it, when that is closed; where that is killed, the job goes on.
    """

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace.absolute()
        self._folder = self._workspace / FOLDER
        self._own: dict[int, tuple[subprocess.Popen[bytes], Thread]] = {}

    def all(self) -> list[Job]:
        """What is remembered, oldest first.

        Raises:
            WorkspaceError: what is remembered cannot be read, or not be written, as where the disk is full.
        """
        return [self._present(job) for job in self._read_all()]

    def job(self, number: int) -> Job:
        """One of them.

        Raises:
            NotFoundError: there is none of that number.
            WorkspaceError: as from `all`.
        """
        return self._present(self._read(number))

    def start(
        self,
        model: str | None = None,
        seed: int = 0,
        *,
        wanted: Callable[[list[Job]], bool] = lambda _: True,
        keep: int | None = None,
    ) -> Job | None:
        """Starts a training as `foldin train` does it; None where, of the jobs so far, it turns out not to be `wanted`.

        `keep`: bundles that it leaves, as `foldin train --keep`; None removes none.

        Raises:
            RunningError: one is running.
            WorkspaceError: as from `all`.
        """
        with self._alone():
            jobs = [self._settled(job) for job in self._read_all()]
            running = [job.id for job in jobs if job.state == "running"]
            if running:
                raise RunningError(running[0])
            if not wanted(jobs):
                return None
            self._forget(jobs[: -KEPT + 1])
            return self._begun(max((job.id for job in jobs), default=0) + 1, model, seed, keep)

    def close(self) -> None:
        """Ends the jobs that this process started, and waits for their ends."""
        for number, (process, waiting) in list(self._own.items()):
            self._end(number, process)
            waiting.join()

    def _begun(self, number: int, model: str | None, seed: int, keep: int | None) -> Job:
        process = self._process(number, model, seed, keep)
        born = psutil.Process(process.pid).create_time()
        job = Job(number, model, seed, process.pid, born, _now())
        try:
            self._write(job)
        except WorkspaceError:  # nobody would ever hear of it
            process.kill()
            process.wait()
            raise
        waiting = Thread(target=self._await, args=(process, number), name=f"foldin-job-{number}", daemon=True)
        self._own[number] = process, waiting
        waiting.start()
        return job

    def _process(self, number: int, model: str | None, seed: int, keep: int | None) -> subprocess.Popen[bytes]:
        asked = [] if model is None else ["--model", model]
        asked += [] if keep is None else ["--keep", str(keep)]
        command = [sys.executable, "-m", "foldin", "train", "--workspace", str(self._workspace), "--as-current"]
        command += ["--seed", str(seed), "--json", "--progress", *asked]
        with create_private(self._answer(number)) as answer, create_private(self._log(number)) as log:
            # a session of its own: Ctrl-C at the service's terminal is for the service, which ends its jobs itself
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=log,
                start_new_session=True,
                env={**os.environ, BY: f"job {number}"},
            )
        if psutil.POSIX:
            with suppress(psutil.Error):
                psutil.Process(process.pid).nice(NICE)
        return process

    def _await(self, process: subprocess.Popen[bytes], number: int) -> None:
        process.wait()
        with suppress(FoldinError):  # whoever asks for the job finds out
            self.job(number)
        self._own.pop(number, None)

    def _end(self, number: int, process: subprocess.Popen[bytes]) -> None:
        with suppress(FoldinError), self._alone():
            job = self._read(number)
            if job.state == "running":
                self._write(replace(job, error=ENDED))
        process.terminate()

    def _present(self, job: Job) -> Job:
        """A job as it is now."""
        if job.state != "running":
            return job
        if lives(job.process, job.born):
            return replace(job, progress=_last_line(self._log(job.id)), error=None)
        with self._alone():
            return self._settled(self._read(job.id))

    def _settled(self, job: Job) -> Job:
        """A job whose process has ended with its outcome, which is written down; for one that is alone."""
        if job.state != "running" or lives(job.process, job.born):
            return job
        job = self._ended(replace(job, ended=_now()))
        self._write(job)
        self._answer(job.id).unlink(missing_ok=True)
        return job

    def _ended(self, job: Job) -> Job:
        bundle = _bundle(self._answer(job.id))
        if bundle is None:
            said = _last_line(self._log(job.id))
            return replace(job, state="failed", progress=said, error=job.error or _error(said))
        model = bundle.partition("-")[2]
        return replace(job, state="done", model=model, progress=f"{DONE}: {bundle}", bundle=bundle, error=None)

    def _forget(self, jobs: list[Job]) -> None:
        for job in jobs:
            for file in (self._log(job.id), self._file(job.id)):
                file.unlink(missing_ok=True)

    def _read_all(self) -> list[Job]:
        numbers = sorted(int(file.stem) for file in self._folder.glob("*.json") if file.stem.isdecimal())
        found = []
        for number in numbers:
            with suppress(NotFoundError):  # forgotten since
                found.append(self._read(number))
        return found

    def _read(self, number: int) -> Job:
        file = self._file(number)
        try:
            return _JOB.validate_python(parse_json(file.read_bytes()))
        except FileNotFoundError:
            raise NotFoundError(f"no job {number}") from None
        except (OSError, ValueError, ValidationError) as error:
            raise WorkspaceError(f"{file} cannot be read: remove it to go on") from error

    def _write(self, job: Job) -> None:
        file = self._file(job.id)
        with usable(file), replaced(file, private=True) as draft:
            draft.write_text(json.dumps(asdict(job), indent=2) + "\n", encoding="utf-8")

    def _file(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _log(self, number: int) -> Path:
        return self._folder / f"{number}.log"

    def _answer(self, number: int) -> Path:
        return self._folder / f"{number}.answer"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with usable(self._folder):
            self._folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
            with locked(self._folder / ".lock"):
                yield


def _last_line(log: Path) -> str | None:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return None
    return next((line.strip() for line in reversed(lines) if line.strip()), None)


def _bundle(answer: Path) -> str | None:
    """What a training made, by what it printed at its end; None where it did not come so far."""
    try:
        plain = parse_json(answer.read_bytes())
    except (OSError, ValueError):
        return None
    name = plain.get("bundle") if isinstance(plain, dict) else None
    return name if isinstance(name, str) else None


def _error(said: str | None) -> str:
    return said.removeprefix("error: ") if said is not None and said.startswith("error: ") else SILENT


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
