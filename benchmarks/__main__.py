"""Runs every benchmark and prints one table: `python -m benchmarks`; leaves with 1 where a limit is exceeded."""

from __future__ import annotations

import sys

from benchmarks import fitting, loading, ranking, starting
from benchmarks.measuring import table


def main() -> int:
    found = []
    for benchmark in (starting, loading, fitting, ranking):
        print(f"{benchmark.__name__.rpartition('.')[2]} ...", file=sys.stderr, flush=True)
        found += benchmark.figures()
    print(table(found))
    return 0 if all(figure.holds for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
