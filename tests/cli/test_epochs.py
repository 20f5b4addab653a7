from __future__ import annotations

import math

import pytest

from foldin.cli.epochs import shown_progress
from foldin.forecast import Forecast
from foldin.models import speed
from foldin.training.epoch import Epoch


@pytest.mark.parametrize("lines", [True, False])
def test_a_diverged_epoch_is_a_line_or_a_note(capsys: pytest.CaptureFixture[str], lines: bool) -> None:
    shown_progress(lambda _: None, lines=lines).epoch(Epoch(3, math.nan, math.nan, None, best=False))
    out, err = capsys.readouterr()
    assert ("epoch   3  diverged" in out, "note: epoch   3  diverged" in err) == (lines, not lines)


def test_epochs_stand_below_the_name_of_their_stage(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    progress = shown_progress(told.append)
    for stage, epochs in (("reading", 0), ("choosing by few", 2), ("measuring", 0), ("choosing by others", 1)):
        progress.stage(stage)
        for number in range(epochs):
            progress.epoch(Epoch(number + 1, 0.5, 0.5, 0.2, best=False))
    lines = [" ".join(line.split()[:2]) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Choosing by", "epoch 1", "epoch 2", "Choosing by", "epoch 1"]
    assert told == ["reading", "choosing by few", "epoch 1", "epoch 2", "measuring", "choosing by others", "epoch 1"]


def test_an_epoch_is_silent_where_no_lines_are_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    shown_progress(lambda _: None, lines=False).epoch(Epoch(3, 0.5, 0.5, 0.2, best=True))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("expected", "note"),
    [
        (Forecast("edlae", 20, 10**12, 10**12), "edlae: about 20 fits of 2 minutes each, 35 minutes in all"),
        (
            Forecast("edlae", 20, 10**11, 0, fewer=(3, 900)),
            "edlae: about 20 fits of 10 seconds each, 3 minutes in all; --min-per-item 3 leaves about 900 items",
        ),
        (Forecast("ease", 2, 10**9, 4 * 10**11), "ease: 40 seconds"),
        (Forecast("ease", 2, 10**10, 10**10), None),
    ],
)
def test_a_long_wait_is_announced_on_standard_error(
    expected: Forecast, note: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "_flops_per_second", lambda: 1e10)
    shown_progress(lambda _: None).forecast(expected)
    assert capsys.readouterr() == ("", "" if note is None else f"note: training {note}\n")
