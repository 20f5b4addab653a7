from __future__ import annotations

import pytest
from typer.testing import CliRunner

from foldin.cli.app import app


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (["recommend", "-8845", "-w", "W"], "-w W -- -8845"),
        (["similar", "-k", "3", "-abc"], "-k 3 -- -abc"),
        (["explain", "ann", "-88"], "ann -- -88"),
    ],
)
def test_an_id_with_a_dash_first_is_answered_with_the_way_to_give_it(words: list[str], way: str) -> None:
    answer = CliRunner().invoke(app, words, env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    said = " ".join(answer.output.replace("│", " ").split())
    assert answer.exit_code == 2
    assert f"an id that begins with a dash goes behind --: {words[0]} {way}" in said.replace(": root ", ": ").replace(
        "foldin ", ""
    )


@pytest.mark.parametrize(
    "words", [["recommend", "-w", "W", "--", "-8845"], ["recommend", "--history", "-88,-9", "-w", "W"]]
)
def test_behind_two_dashes_and_as_a_value_it_is_taken(words: list[str]) -> None:
    answer = CliRunner().invoke(app, words)
    assert "no workspace in W" in str(answer.exception)
