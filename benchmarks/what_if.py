"""How soon What if shows what a change does: `python -m benchmarks.what_if`; about a minute.

The page on the simulated labs, in a real browser on the same machine: from a click to the frame in which the new
ranking and the new share of the handover stand in the page.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from benchmarks.measuring import Figure, table
from foldin.cli.demo import demo
from tests.service.page.browser import chromium, sign_in
from tests.service.server import serving

ROUNDS = 60
LIMIT = 100
USER = "nle"

INTERESTS = "input[type=checkbox]"
HELD = "button.remove"

CHANGE = """
([controls, place]) => new Promise(done => {
  const parts = ["ranking", "handover"].map(id => document.getElementById(id));
  const found = document.querySelectorAll(controls);
  const began = performance.now();
  new MutationObserver((_, watching) => {
    if (parts.some(part => part.isConnected)) return;
    watching.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  }).observe(document.body, {childList: true, subtree: true});
  found[place % found.length].click();
})
"""
"""Clicks on one of the controls; the milliseconds until both parts of the page were put in anew."""


def main() -> None:
    with TemporaryDirectory() as folder:
        demo(Path(folder) / "labs")
        with serving(Path(folder) / "labs") as labs, chromium() as browser:
            page = browser.new_page(base_url=labs.url)
            sign_in(page, labs.log.parent)
            print(table([*figures(page)]))


def figures(page: Page) -> list[Figure]:
    """For somebody of whom nothing is known, and for somebody with a history."""
    of_nobody = _times(page, "/what-if", INTERESTS, ROUNDS)
    of_somebody = _times(page, f"/what-if?user={USER}", INTERESTS, ROUNDS)
    left_out = [time for _ in range(4) for time in _times(page, f"/what-if?user={USER}", HELD, 8)]
    return [
        *_figures("an interest of nobody", of_nobody),
        *_figures("an interest of somebody with a history", of_somebody),
        *_figures("an item left out of a history", left_out),
    ]


def _times(page: Page, address: str, controls: str, rounds: int) -> list[float]:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return [float(page.evaluate(CHANGE, [controls, place])) for place in range(rounds)]


def _figures(what: str, times: list[float]) -> list[Figure]:
    return [
        Figure(f"{what}, until it is seen: median", statistics.median(times), None, LIMIT, "ms"),
        Figure("the slowest of twenty", sorted(times)[int(0.95 * len(times))], None, LIMIT, "ms"),
    ]


if __name__ == "__main__":
    main()
