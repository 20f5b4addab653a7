from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

import foldin
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE
from foldin.store.contract import Batch
from foldin.workspace import create_workspace, open_workspace
from tests.service.page.browser import chromium, sign_in, wait_until_settled
from tests.service.server import Server, serving


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service for a small simulated world with two models, the second of them live."""
    world = foldin.simulate(users=400, items=60)
    workspace = create_workspace(tmp_path_factory.mktemp("page") / "labs")
    with workspace.store(create=True) as store:
        store.ingest([Batch(world.events, "tests")], catalog=world.catalog, profiles=world.profiles)
        position = store.summary().position
    for estimator in (AutoEncoder(hidden=(16,), latent=8, epochs=3), EASE(l2=50)):
        fitted = foldin.fit(world.events, estimator=estimator, catalog=world.catalog, profiles=world.profiles)
        workspace.publish(replace(fitted, data_position=position))
    with serving(workspace.folder) as running:
        yield running


@pytest.fixture
def open_page(labs: Server, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody who has come in; afterwards nothing was complained of, and nothing left the machine."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(address: str) -> Page:
        context = browser.new_context(base_url=labs.url, viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        _watch(page, labs, faults)
        sign_in(page, labs.log.parent)
        page.goto(address)
        wait_until_settled(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not faults


def _watch(page: Page, labs: Server, faults: list[str]) -> None:
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: (
            faults.append(request.url) if urlsplit(request.url).netloc != urlsplit(labs.url).netloc else None
        ),
    )


@pytest.fixture(scope="package")
def somebody(labs: Server) -> str:
    """A user with a history of 10 items or more."""
    with open_workspace(labs.log.parent).store() as store:
        return next(user for user in store.user_ids() if len(set(store.history(user).item_ids)) >= 10)
