"""What it costs to begin: `import foldin` against `import numpy`, and the command line's help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.measuring import Figure, seconds_of

ROUNDS = 15
COMMAND = Path(sys.executable).with_name("foldin")
ALL_NAMES = "import foldin; [getattr(foldin, name) for name in foldin.__all__]"


def figures() -> list[Figure]:
    statements = ("import foldin", ALL_NAMES, "import numpy")
    rounds = [[_seconds_inside(statement) for statement in statements] for _ in range(ROUNDS)]
    ours, everything, numpy = (min(times) for times in zip(*rounds, strict=True))
    imports = [
        Figure("import foldin; import numpy", ours, numpy, 1.5),
        Figure("import foldin and use all its names; import numpy", everything, numpy, None),
    ]
    return [*imports, Figure("foldin --help", min(_help() for _ in range(ROUNDS)), None, 0.3)]


def _seconds_inside(statement: str) -> float:
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def _help() -> float:
    return seconds_of(lambda: subprocess.run([COMMAND, "--help"], check=True, capture_output=True))
