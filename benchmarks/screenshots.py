"""The pictures of docs/how-to/page.md: the page on the simulated labs, in a real browser. `make screenshots`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from foldin.cli.demo import demo
from foldin.workspace import open_workspace
from tests.service.page.browser import chromium, sign_in
from tests.service.server import Server, serving

FOLDER = Path(__file__).parents[1] / "docs" / "images"
VISITORS = 400
"""Users who come by beforehand, so that there is something to say of clicks."""

CURIOSITY = 0.3
"""How likely the best item is clicked; the second half as likely, and so on. Drawn, as all of the labs is."""

COLOURS = 256
"""In a picture: as many as it takes to look the same, for a third of the bytes."""


@dataclass(frozen=True)
class Shot:
    """A picture of a page: its name, where it is, and how it is looked at."""

    name: str
    address: str
    scheme: Literal["light", "dark"] = "light"
    width: int = 1200
    height: int = 900


SHOTS = (
    Shot("recommend", "/?user=nle"),
    Shot("what-if", "/what-if?user=nle", "dark"),
    Shot("catalogue", "/catalogue/item?item=HOL-2205-01-STO", "dark"),
    Shot("models", "/models?bundle=1-autoencoder", height=1_700),
    Shot("data", "/data"),
    Shot("phone", "/?user=nle", "dark", 390, 844),
)


def main() -> None:
    """Makes them all anew."""
    FOLDER.mkdir(exist_ok=True)
    with _labs() as labs, chromium() as browser:
        for shot in SHOTS:
            size = _take(shot, labs, browser)
            print(f"{shot.name}: {size:,} bytes")


@contextmanager
def _labs() -> Iterator[Server]:
    with TemporaryDirectory() as folder:
        demo(Path(folder) / "labs")
        with serving(Path(folder) / "labs") as running:
            _visit(running)
            yield running


def _visit(labs: Server) -> None:
    """Some users are recommended something, and click."""
    draws = Random(0)
    with labs.client() as client:
        with open_workspace(labs.log.parent).store() as store:
            users = draws.sample(store.user_ids(), VISITORS)
        for user in users:
            told = client.get("/v1/recommendations", params={"user": user}).json()
            clicks = [
                {"user": user, "item": one["item"], "recommendation_id": told["recommendation_id"]}
                for rank, one in enumerate(told["items"], start=1)
                if draws.random() < CURIOSITY / rank
            ]
            if clicks:
                client.post("/v1/events", json={"events": clicks}).raise_for_status()


def _take(shot: Shot, labs: Server, browser: Browser) -> int:
    context = browser.new_context(
        base_url=labs.url, color_scheme=shot.scheme, viewport={"width": shot.width, "height": shot.height}
    )
    page = context.new_page()
    sign_in(page, labs.log.parent)
    page.goto(shot.address)
    page.wait_for_load_state("networkidle")
    if shot.name == "what-if":
        _try(page)
    page.wait_for_timeout(1_500)  # until counts, reasons and charts are there
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    file = FOLDER / f"{shot.name}.png"
    picture.save(file, optimize=True)
    context.close()
    return file.stat().st_size


def _try(page: Page) -> None:
    """Takes another interest, so that the ranking moves."""
    page.get_by_role("checkbox", name="security").check()
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
