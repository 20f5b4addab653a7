from __future__ import annotations

import math

import pytest

from foldin.cli.epochs import shown_progress
from foldin.training.epoch import Epoch


@pytest.mark.parametrize("lines", [True, False])
def test_a_diverged_epoch_is_a_line_or_a_note(capsys: pytest.CaptureFixture[str], lines: bool) -> None:
    shown_progress(lambda _: None, lines=lines).epoch(Epoch(3, math.nan, math.nan, None, best=False))
    out, err = capsys.readouterr()
    assert ("epoch   3  diverged" in out, "note: epoch   3  diverged" in err) == (lines, not lines)


def test_an_epoch_is_silent_where_no_lines_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    shown_progress(lambda _: None, lines=False).epoch(Epoch(3, 0.5, 0.5, 0.2, best=True))
    assert capsys.readouterr() == ("", "")
