"""The service under load: `python -m benchmarks.service [--python PYTHON] [--only PART ...]`; about seven minutes.

20,000 items, histories of about 30 that are sent along, and two models: a network as large as Mult-VAE
(items-600-200-600-items) and EDLAE (items x items). Their weights are random: the question is speed alone. The load
generator is on the same machine, in a process of its own, and what it can do is measured against a server that does
nothing. What is compared takes turns in one run, and the median of the rounds' ratios counts. On a busy machine the
processor time of an answer says more than requests per second.

`afternoon.py` is the other side: it needs the package `implicit`, which foldin does not; PYTHON is an interpreter that
has it (`pip install implicit fastapi uvicorn httptools uvloop`), and without one that part is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix, save_npz
from threadpoolctl import threadpool_limits

from benchmarks.load import Found, Load, load, request
from benchmarks.measuring import Figure, table
from benchmarks.worlds import skewed_histories
from foldin.coldstart.blend import Blend
from foldin.coldstart.handover import spread_unit, usual_handover
from foldin.coldstart.prior import fit_prior
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import Feedback, FeedbackRule
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EDLAE
from foldin.models.protocols import Estimator, Model
from foldin.recommender import Recommender
from foldin.service.keys import create_key
from foldin.workspace import create_workspace, open_workspace

ITEMS, USERS, PER_USER = 20_000, 1_500, 30
CONNECTIONS, ROUNDS, SECONDS = 32, 5, 3.0
BATCH, BATCHES = 64, 4
"""People in a request, and how many of such requests are sent at once."""
MANY = 100_000
MULT_VAE = AutoEncoder(hidden=(600,), latent=200)
PARTS = ("product", "bare", "batching", "workers", "alone", "afternoon", "memory")


@dataclass(frozen=True)
class Measured:
    """What a server did under load, and the milliseconds of processor it took for an answer."""

    found: Found
    cost: float


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    port: int
    requests: Path

    def load(self, connections: int = CONNECTIONS, seconds: float = SECONDS, most: int = 10**9) -> Measured:
        """What it does under load; says so where the machine is too busy for all of it."""
        before = self._processor()
        found = load(Load(self.port, str(self.requests), connections, seconds, most))
        if found.refused:
            print(f"{found.refused} requests were refused, {found.answered} answered")
        return Measured(found, 1_000 * (self._processor() - before) / max(found.answered, 1))

    def _processor(self) -> float:
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(time.user + time.system for time in times))

    @property
    def memory(self) -> float:
        """What it holds, in MB."""
        return float(sum(process.memory_info().rss for process in self._processes())) / 1e6

    def _processes(self) -> list[psutil.Process]:
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description="the service under load")
    parser.add_argument("--python", help="an interpreter with implicit, fastapi and uvicorn, for the other side")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of it")
    given = parser.parse_args()
    histories = skewed_histories(USERS, ITEMS, PER_USER)
    with tempfile.TemporaryDirectory(prefix="foldin-bench-") as name:
        folder = Path(name)
        network = workspace(folder / "network", histories, MULT_VAE)
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        generator(folder)
        found: list[Figure] = []
        if "product" in given.only:
            found += product()
        if "bare" in given.only:
            found += bare(network, histories)
        if "batching" in given.only:
            found += batching(network, histories)
        if "workers" in given.only:
            found += workers(network, histories)
        if "alone" in given.only:
            found += alone(network, histories)
        if "afternoon" in given.only and given.python:
            edlae = workspace(folder / "edlae", histories, EDLAE())
            for what, place in (("network", network), ("EDLAE", edlae)):
                found += afternoon(what, place, histories, given.python)
        if "memory" in given.only:
            found += memory(network, histories)
        print(table(found))
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def product() -> list[Figure]:
    """What the last layer alone takes of a core for a history, in batches of 64 and 32: no answer is cheaper."""
    draws, width = np.random.default_rng(0), MULT_VAE.widths[-1]
    weights = draws.standard_normal((width, ITEMS), dtype=np.float32)
    times: list[float] = []
    for batch in (64, 32):
        hidden = draws.standard_normal((batch, width), dtype=np.float32)
        with threadpool_limits(1, "blas"):
            rounds = timeit.repeat(partial(np.matmul, hidden, weights), number=1, repeat=20)
        times.append(1_000 * min(rounds) / batch)
    of_64, of_32 = times
    return [Figure("network, the last layer alone for a history, in batches of 64; of 32", of_64, of_32, None, "ms")]


def bare(place: Path, histories: csr_array) -> list[Figure]:
    """What is left of it all where nothing is worked out."""
    port = _free_port()
    command = [sys.executable, str(Path(__file__).with_name("bare.py")), str(port)]
    with _started(command, port, _requests(place, histories, "/recommend", "")) as nothing:
        rounds = [nothing.load() for _ in range(ROUNDS)]
        one_by_one = statistics.median(nothing.load(1).found.p50 for _ in range(ROUNDS))
    speed, cost = (statistics.median(of) for of in zip(*((r.found.per_second, r.cost) for r in rounds), strict=True))
    return [
        Figure("FastAPI that answers always the same: requests per second", speed, None, None, "/s"),
        Figure("the same, processor time of an answer; one request, p50", cost, one_by_one, None, "ms"),
    ]


def batching(place: Path, histories: csr_array) -> list[Figure]:
    """Many at once, scored together and each alone."""
    with serving(place, histories) as together, serving(place, histories, "--batch", "1") as each:
        rounds = [(together.load(), each.load()) for _ in range(ROUNDS)]
    what = f"network, {CONNECTIONS} connections: requests per second of --batch 1; batched"
    speeds = [(one.found.per_second, batched.found.per_second) for batched, one in rounds]
    return [
        _middle(what, speeds, 1 / 2.5, "/s"),
        _middle("processor time of an answer, batched; --batch 1", [(b.cost, o.cost) for b, o in rounds], None, "ms"),
        Figure("p99, batched", statistics.median(batched.found.p99 for batched, _ in rounds), None, 50, "ms"),
    ]


def workers(place: Path, histories: csr_array) -> list[Figure]:
    """Two processes, and one."""
    with serving(place, histories, "--workers", "2") as two, serving(place, histories) as one:
        rounds = [(one.load(), two.load()) for _ in range(ROUNDS)]
    what = f"network, {CONNECTIONS} connections: requests per second of one worker; two"
    speeds = [(single.found.per_second, both.found.per_second) for single, both in rounds]
    return [
        _middle(what, speeds, None, "/s"),
        Figure("p99, two workers", statistics.median(both.found.p99 for _, both in rounds), None, 50, "ms"),
    ]


def alone(place: Path, histories: csr_array) -> list[Figure]:
    """One request at a time, above what it takes to recommend in the same process, on one core as the service does."""
    recommender = open_workspace(place).current()
    item_ids = recommender.catalog.item_ids
    people = [item_ids[histories[[row]].indices].tolist() for row in range(200)]
    with serving(place, histories) as server:
        rounds = []
        for _ in range(ROUNDS):
            with threadpool_limits(1, "blas"):
                times = [_milliseconds(recommender, person) for person in people]
            rounds.append((server.load(1).found.p50, statistics.median(times)))
    above = statistics.median(served - inside for served, inside in rounds)
    served, inside = (statistics.median(column) for column in zip(*rounds, strict=True))
    return [
        Figure("network, one request, p50; in the process", served, inside, None, "ms"),
        Figure("the difference", above, None, 1.5, "ms"),
    ]


def afternoon(what: str, place: Path, histories: csr_array, python: str) -> list[Figure]:
    """Fold-ins against those of a service written in an afternoon."""
    with serving(place, histories) as ours, plain_serving(place, histories, python) as theirs:
        together = replace(ours, requests=_batches(ours.requests))
        rounds = [(ours.load(), theirs.load(), together.load(BATCHES)) for _ in range(ROUNDS)]
    speeds = [(their.found.per_second, our.found.per_second) for our, their, _ in rounds]
    in_batches = [(their.found.per_second, BATCH * batches.found.per_second) for _, their, batches in rounds]
    return [
        _middle(f"requests per second of FastAPI and implicit; {what}", speeds, 1 / 8, "/s"),
        _middle("processor time of an answer, ours; theirs", [(o.cost, t.cost) for o, t, _ in rounds], None, "ms"),
        Figure(f"{what}, p99", statistics.median(our.found.p99 for our, _, _ in rounds), None, None, "ms"),
        _middle(f"fold-ins per second, theirs; ours, {BATCH} in a request", in_batches, None, "/s"),
    ]


def memory(place: Path, histories: csr_array) -> list[Figure]:
    """What the process holds before and after many requests."""
    with serving(place, histories) as server:
        server.load(most=5_000, seconds=60)
        before = server.memory
        server.load(most=MANY, seconds=900)
        return [Figure(f"memory after {MANY:,} requests; before", server.memory, before, 1.05, "MB")]


def generator(folder: Path) -> None:
    """Prints what the load generator can do at most."""
    (folder / "trivial.json").write_text(json.dumps([request("/", {})]), encoding="utf-8")
    port = _free_port()
    server = multiprocessing.get_context("spawn").Process(target=_answer_nothing, args=(port,), daemon=True)
    server.start()
    _wait_for(port)
    most = load(Load(port, str(folder / "trivial.json"), CONNECTIONS))
    print(f"the generator at most: {most.per_second:,.0f} requests per second, {most.processor:.0%} of a core")
    server.terminate()


def workspace(folder: Path, histories: csr_array, estimator: Estimator) -> Path:
    """A workspace with a model of random weights, and a catalogue."""
    opened = create_workspace(folder)
    topics = [f"topic {index % 50}" for index in range(ITEMS)]
    columns = {"title": ids_of(f"Item {index}" for index in range(ITEMS)), "topics": ids_of(topics)}
    catalog = Catalog(ids_of(f"item-{index:05d}" for index in range(ITEMS)), columns)
    with opened.store(create=True) as store:
        store.put_catalog(catalog)
    model: Model = estimator.restore(_random(estimator))
    blend = Blend(model, fit_prior(histories, {}), usual_handover(spread_unit(model.score(histories[:4]))))
    opened.publish(Recommender(catalog, FeedbackRule(Feedback()), estimator, blend))
    return folder


@contextmanager
def serving(place: Path, histories: csr_array, *options: str) -> Iterator[Running]:
    """foldin's service on a free port; its log goes nowhere, as it would to a collector."""
    port = _free_port()
    key = create_key(place, f"benchmark {port}", ["read"])
    command = [sys.executable, "-m", "foldin", "serve", "-w", str(place), "--port", str(port), "--rate", "1000000"]
    with _started([*command, *options], port, _requests(place, histories, "/v1/recommend", key)) as running:
        yield running


@contextmanager
def plain_serving(place: Path, histories: csr_array, python: str) -> Iterator[Running]:
    """The service written in an afternoon."""
    port, file = _free_port(), place / "histories.npz"
    save_npz(file, csr_matrix(histories))
    command = [python, str(Path(__file__).with_name("afternoon.py")), str(file), str(port)]
    with _started(command, port, _requests(place, histories, "/recommend", "")) as running:
        yield running


@contextmanager
def _started(command: list[str], port: int, requests: Path) -> Iterator[Running]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        load(Load(port, str(requests), CONNECTIONS, seconds=2))  # warms up
        yield Running(process, port, requests)
    finally:
        process.terminate()
        process.wait()


def _requests(place: Path, histories: csr_array, path: str, key: str) -> Path:
    rows = (indices for start, end in pairwise(histories.indptr) if len(indices := histories.indices[start:end]))
    bodies = [{"history": [f"item-{index:05d}" for index in row], "k": 10} for row in rows]
    file = place / f"{path.rpartition('/')[2]}-{key[-6:]}.json"
    file.write_text(json.dumps([request(path, body, key) for body in bodies]), encoding="utf-8")
    return file


def _batches(requests: Path) -> Path:
    """The same people, many in a request."""
    texts = json.loads(requests.read_text(encoding="utf-8"))
    people = [{"history": json.loads(text.partition("\r\n\r\n")[2])["history"]} for text in texts]
    key = texts[0].partition("Bearer ")[2].partition("\r\n")[0]
    bodies = [{"people": people[start : start + BATCH]} for start in range(0, len(people) - BATCH + 1, BATCH)]
    file = requests.with_suffix(".batches.json")
    whole = [request("/v1/recommend/batch", body, key) for body in bodies]
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file


def _middle(what: str, pairs: list[tuple[float, float]], limit: float | None, unit: str) -> Figure:
    """The pair whose ratio is the median."""
    ours, theirs = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
    return Figure(what, ours, theirs, limit, unit)


def _milliseconds(recommender: Recommender, history: list[str]) -> float:
    start = time.perf_counter()
    recommender.recommend(history)
    return 1_000 * (time.perf_counter() - start)


def _random(estimator: Estimator) -> dict[str, NDArray[np.float32]]:
    draws = np.random.default_rng(0)
    if isinstance(estimator, EDLAE):
        weights = draws.standard_normal((ITEMS, ITEMS), dtype=np.float32)
        np.fill_diagonal(weights, 0)
        return {"weights": weights}
    assert isinstance(estimator, AutoEncoder)
    arrays: dict[str, NDArray[np.float32]] = {}
    for layer, (width, following) in enumerate(pairwise((ITEMS, *estimator.widths, ITEMS))):
        scale = np.float32(1 / np.sqrt(width))
        arrays[f"weights.{layer}"] = scale * draws.standard_normal((width, following), dtype=np.float32)
        arrays[f"biases.{layer}"] = np.zeros(following, dtype=np.float32)
    return arrays


class _Nothing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def _answer_nothing(port: int) -> None:
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Nothing, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nobody listens on port {port}")


if __name__ == "__main__":
    main()
