"""What several processes measure, added up, so that whichever of them is asked tells of all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import TypeAlias

import psutil
from prometheus_client import Metric
from prometheus_client.samples import Sample

from foldin.service.outage import Outage
from foldin.service.processes import lives

__all__ = ["Tallies"]

PAUSE = 1.0
"""Seconds between two times that a process writes what it has: so much is lost where it is killed."""

ADDED = ("foldin_queue",)
"""Gauges of which there is the sum; of the others there is the greatest."""

COUNTS = ("counter", "histogram")
"""What must never go down: it stays when the process that counted it has ended."""

Place: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""A series: the name and the labels."""


class Tallies:
    """One folder for all the processes of a service, in which each keeps a file with its measures; to be closed.

    `measured` gives this process's own.
    """

    def __init__(self, folder: Path, measured: Callable[[], Sequence[Metric]]) -> None:
        self._folder, self._measured = folder, measured
        self._file = folder / f"{os.getpid()}-{psutil.Process().create_time()}.json"
        self._outage = Outage("measures not shared")
        self._ended = Event()
        self._thread = Thread(target=self._work, name="foldin-tallies", daemon=True)
        self._thread.start()

    def total(self) -> list[Metric]:
        """The measures of all. This process writes its own first: whoever is asked next finds no less than was told."""
        own = self._write()
        others = [file for file in self._folder.glob("*.json") if file != self._file]
        return _total([own, *map(_read, others)])

    def close(self) -> None:
        """Leaves what was counted to the others."""
        self._ended.set()
        self._thread.join()
        self._write()

    def _work(self) -> None:
        while not self._ended.wait(PAUSE):
            self._write()

    def _write(self) -> Sequence[Metric]:
        measured = self._measured()
        draft = self._file.with_suffix(f".{os.urandom(4).hex()}")
        try:
            draft.write_text(json.dumps([_plain(metric) for metric in measured]), encoding="utf-8")
            draft.replace(self._file)
        except OSError as error:  # measures are worth no answer: they tell less until there is room again
            draft.unlink(missing_ok=True)
            self._outage.goes_on(error)
        else:
            self._outage.is_over()
        return measured


def _plain(metric: Metric) -> list[object]:
    samples = [[sample.name, sample.labels, sample.value] for sample in metric.samples]
    return [metric.name, metric.documentation, metric.type, samples]


def _read(file: Path) -> list[Metric]:
    """What another process wrote; only its counts where it has ended."""
    number, _, born = file.stem.partition("-")
    alive = lives(int(number), float(born))
    metrics = [_metric(*plain) for plain in json.loads(file.read_bytes())]
    return [metric for metric in metrics if alive or metric.type in COUNTS]


def _metric(name: str, documentation: str, kind: str, samples: Iterable[tuple[str, dict[str, str], float]]) -> Metric:
    metric = Metric(name, documentation, kind)
    metric.samples = [Sample(*sample) for sample in samples]
    return metric


def _total(processes: Iterable[Iterable[Metric]]) -> list[Metric]:
    totals: dict[str, tuple[Metric, dict[Place, float]]] = {}
    for metric in (metric for metrics in processes for metric in metrics):
        _, values = totals.setdefault(metric.name, (metric, {}))
        for sample in metric.samples:
            place = sample.name, tuple(sorted(sample.labels.items()))
            values[place] = _together(metric, sample, values[place]) if place in values else sample.value
    return [_summed(metric, values) for metric, values in totals.values()]


def _together(metric: Metric, sample: Sample, value: float) -> float:
    if sample.name.endswith("_created"):
        return min(value, sample.value)
    added = metric.type in COUNTS or metric.name in ADDED
    return value + sample.value if added else max(value, sample.value)


def _summed(metric: Metric, values: dict[Place, float]) -> Metric:
    samples = ((name, dict(labels), value) for (name, labels), value in values.items())
    return _metric(metric.name, metric.documentation, metric.type, samples)
