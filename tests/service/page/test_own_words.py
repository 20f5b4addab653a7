from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, expect

import foldin
from foldin.service.page.own_words import MOST_WORDS, unheard, unweighed, word_cells
from foldin.workspace import open_workspace
from tests.service.page.browser import sign_in
from tests.service.server import serving


def says(_: str, text: str) -> bool:
    """A catalogue about storage."""
    return "storage" in text.lower()


def test_what_says_nothing_is_named_word_by_word() -> None:
    assert unheard("Storage in c, of zzqqy", says) == "says nothing to the model: in, of, zzqqy"
    assert unheard("c", says) == "says nothing to the model: c"
    assert not unheard("storage", says)
    assert not unheard("", says)
    assert not unheard("zzqqy", lambda *_: None)


def test_it_is_said_why_no_word_counts() -> None:
    assert unweighed("storage", 0, 0, 3) == "changes nothing: this model gives the look-up of words the weight 0"
    assert unweighed("storage", 2, 0.004, 1).startswith("changes next to nothing: beside 1 known item words hardly")
    assert not unweighed("storage", 2, 0.005, 18)
    assert not unweighed("", 0, 0, 18)


def test_where_the_model_gives_words_no_weight_it_is_said_beside_their_field(workspace: Path, browser: Browser) -> None:
    opened = open_workspace(workspace)
    fitted = foldin.load(workspace / "bundles" / opened.bundles()[-1].name)
    prior = fitted.blend.prior
    assert prior.content is not None
    opened.publish(replace(fitted, blend=replace(fitted.blend, prior=prior.with_weights(content=0))))
    with serving(workspace) as server, browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        sign_in(page, workspace)
        page.goto("/what-if")
        words = page.get_by_role("textbox", name="In their own words")
        expect(words).to_have_accessible_description(re.compile("learned on held-out people, .* here, nothing"))
        expect(page.locator("#unheard")).to_be_hidden()
        words.fill("even")
        said = "Changes nothing: this model gives the look-up of words the weight 0."
        expect(page.locator("#unheard")).to_have_text(said)
        words.fill("")
        expect(page.locator("#unheard")).to_be_hidden()


def test_of_very_many_words_the_first_are_looked_at() -> None:
    many = " ".join(f"word{number}" for number in range(1_000))
    assert len(word_cells(many)) == MOST_WORDS + 1
    assert not word_cells("")
