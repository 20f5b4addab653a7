"""A browser for the tests: the one this machine has, or else one that is put there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

__all__ = ["chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALLING = 900.0
"""Seconds that installing a browser may take."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window, until the end of the block."""
    with sync_playwright() as playwright:
        browser = _launched(playwright)
        try:
            yield browser
        finally:
            browser.close()


def _launched(playwright: Playwright) -> Browser:
    # a sandbox within the sandbox is refused to root
    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    path = _present() or _own(playwright) or _installed(playwright)
    return playwright.chromium.launch(executable_path=path, args=options)


def _present() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def _own(playwright: Playwright) -> str | None:
    path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _installed(playwright: Playwright) -> str:
    with FileLock(Path(gettempdir()) / "foldin-tests-chromium.lock"):  # the tests' other processes want one as well
        _install()
    found = _present() or _own(playwright)
    if found is None:
        raise Error("these tests need Chromium: apt-get install chromium, or say where it is: CHROMIUM=/path/to/it")
    return found


def _install() -> None:
    if not _present() and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        wait = ("-o", f"DPkg::Lock::Timeout={INSTALLING:g}")  # others on this machine may be installing something
        _run("apt-get", *wait, "update")
        _run("apt-get", *wait, "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core")
    if not _present():
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, timeout=INSTALLING, check=False, capture_output=True)
