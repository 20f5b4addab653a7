"""Keeps the tests apart from the variables, the home folder and the current folder of the person who runs them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["clear_environment", "separate_folders"]

KEPT_NAMES = ("CHROMIUM", "CI", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SOAK", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV")
"""Variables without which programs are not found, or that ask the tests for something."""

KEPT_PREFIXES = ("APT_", "COV", "CUDA_", "DPKG_", "OPENBLAS_", "PIP_", "PYTEST_", "SSL_")
"""Variables of whole groups: what installs the browser, measures the tests, or makes this machine compute correctly."""

FIXED = {
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    # matrices as small as those of the tests only wait for more threads
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def clear_environment() -> None:
    """Leaves this process, and every process it starts, only the variables that the tests need.

    It comes before NumPy, torch and rich are imported, since they read some of theirs at import.
    """
    browsers = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(Path.home() / ".cache" / "ms-playwright")
    for name in set(os.environ) - set(KEPT_NAMES):
        if not (name.startswith(KEPT_PREFIXES) or name.lower().endswith("_proxy")):
            del os.environ[name]
    os.environ |= FIXED | {"PLAYWRIGHT_BROWSERS_PATH": browsers}
    time.tzset()
    # PYTHONDONTWRITEBYTECODE was read already: without bytecode each process would compile all of foldin again
    sys.dont_write_bytecode = False


@contextmanager
def separate_folders(home: Path, current: Path) -> Iterator[None]:
    """An empty home and an empty current folder until the end of the block, at which the latter must still be empty."""
    before = Path.cwd()
    os.environ["HOME"] = str(home)
    os.chdir(current)
    yield
    os.chdir(before)
    left = sorted(path.name for path in current.iterdir())
    assert not left, f"tests left files in the current folder: {left}"
