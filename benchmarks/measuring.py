"""How we measure: ours and theirs in turn, the fastest of several rounds, memory in processes of their own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Figure", "fastest", "in_own_process", "peak_memory", "seconds_of", "table"]

ROOT = Path(__file__).parent.parent
GIGABYTE = 1e9


@dataclass(frozen=True)
class Figure:
    """One line of the table. `ours` and `theirs` are in `unit`; the limit is on their ratio, or on `ours` alone where
    there is no `theirs`; without a limit the line only informs.
    """

    what: str
    ours: float
    theirs: float | None
    limit: float | None
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """Ours over theirs."""
        return None if self.theirs is None else self.ours / self.theirs

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        judged = self.ours if self.ratio is None else self.ratio
        return self.limit is None or judged <= self.limit

    @property
    def cells(self) -> tuple[str, ...]:
        """What, ours, theirs, ratio, limit, verdict."""
        return (
            self.what,
            f"{self.ours:.3f} {self.unit}",
            "" if self.theirs is None else f"{self.theirs:.3f} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            "" if self.limit is None else f"{self.limit:g}" + ("" if self.theirs is not None else f" {self.unit}"),
            "" if self.limit is None else "holds" if self.holds else "EXCEEDED",
        )


def table(figures: Sequence[Figure]) -> str:
    """The figures, one line each."""
    rows = [("what", "ours", "theirs", "ratio", "limit", "verdict"), *(figure.cells for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def fastest(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """The shortest time of each action in seconds; they take turns, so that a noisy moment hits them all."""
    times = [[seconds_of(action) for action in actions] for _ in range(rounds)]
    return [min(of_action) for of_action in zip(*times, strict=True)]


def seconds_of(action: Callable[[], object]) -> float:
    """How long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_own_process(function: Callable[..., dict[str, float | str]], *arguments: str) -> dict[str, float | str]:
    """What a function of a benchmark's module returns when called in a fresh process."""
    code = (
        f"import json; from {function.__module__} import {function.__name__} as f; print(json.dumps(f(*{arguments})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    result: dict[str, float | str] = json.loads(done.stdout)
    return result


def peak_memory() -> float:
    """The most memory this process ever held, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux ru_maxrss begins with what the parent held
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return 1024 * float(peak.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return float(unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
