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
from playwright.sync_api import Browser, Error, Page, Playwright, expect, sync_playwright

from foldin.service.link import create_code
from tests.service.server import PATIENCE

__all__ = ["chromium", "sign_in", "wait_until_settled"]

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first takes the least processor time: it draws no window of its own."""

INSTALLING = 900.0
"""Seconds that installing a browser may take."""

BUSY = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added, #ranking .waiting"
"""What a page has while it asks for something, or has not put all of an answer in its place."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window, until the end of the block."""
    expect.set_options(timeout=PATIENCE * 1_000)
    with sync_playwright() as playwright:
        browser = _launched(playwright)
        try:
            yield browser
        finally:
            browser.close()


def wait_until_settled(page: Page) -> None:
    """Waits until a page is loaded, and all that it asked for by then is shown."""
    page.wait_for_load_state()
    expect(page.locator(BUSY)).to_have_count(0)


def sign_in(page: Page, workspace: Path) -> None:
    """Follows a one-time link to the page of a workspace's service, and confirms it."""
    page.goto(f"/enter?code={create_code(workspace)}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("/")


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
        raise Error("these tests need Chromium: apt-get install chromium-headless-shell, or set CHROMIUM=/path/to/it")
    return found


def _install() -> None:
    if not _present() and hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        wait = ("-o", f"DPkg::Lock::Timeout={INSTALLING:g}")  # others on this machine may be installing something
        _run("apt-get", *wait, "update")
        _run(
            "apt-get", *wait, "install", "-y", "--no-install-recommends", "chromium-headless-shell", "fonts-dejavu-core"
        )
    if not _present():
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, timeout=INSTALLING, check=False, capture_output=True)
