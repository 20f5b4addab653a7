"""How training looks while it goes on: a line per epoch, below the name of its stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from foldin.cli.output import print_line, print_note
from foldin.wording import counted, duration

if TYPE_CHECKING:
    from foldin.choosing import Progress
    from foldin.forecast import Forecast
    from foldin.training.epoch import Epoch
    from foldin.tuning import Trial

__all__ = ["described", "shown_progress"]

WORTH_A_NOTE_SECONDS = 10


def shown_progress(tell: Callable[[str], None], *, lines: bool = True) -> Progress:
    """Stages and trials on the progress line that `tell` writes to; epochs as lines, if wanted, below their stage."""
    from foldin.choosing import Progress

    untitled: list[str] = []  # the stage whose name stands above no line yet

    def stage(name: str) -> None:
        tell(name)
        untitled[:] = [name]

    def trial(tried: Trial) -> None:
        tell(f"tried {tried.estimator}: NDCG@100 {tried.quality:.4f}")

    def epoch(passed: Epoch) -> None:
        tell(f"epoch {passed.number}")
        if lines and (passed.diverged or passed.validation_error is not None):
            _print_below(untitled, _line(passed))
        elif passed.diverged:
            print_note(_line(passed))

    return Progress(forecast=_print_forecast, stage=stage, trial=trial, epoch=epoch)


def _print_forecast(expected: Forecast) -> None:
    """A note, on a terminal or not, where a wait of ten seconds or more is ahead."""
    if expected.seconds >= WORTH_A_NOTE_SECONDS:
        print_note(f"training {described(expected)}")


def described(expected: Forecast) -> str:
    """About how long a training takes on this machine, and what would make a long one quick."""
    text = f"{expected.model}: "
    if expected.seconds_per_fit >= 1:
        text += f"about {expected.fits} fits of {_short(expected.seconds_per_fit)} each, "
        text += f"{duration(expected.seconds)} in all"
    else:
        text += duration(expected.seconds)
    if expected.fewer is not None:
        minimum, items = expected.fewer
        text += f"; --min-per-item {minimum} leaves about {counted(items, 'item')}"
    return text


def _short(seconds: float) -> str:
    return counted(round(seconds), "second") if seconds < 10 else duration(seconds)


def _print_below(untitled: list[str], line: str) -> None:
    if untitled:
        name = untitled.pop()
        print_line(f"{name[:1].upper()}{name[1:]}")
    print_line(line)


def _line(epoch: Epoch) -> str:
    if epoch.diverged:
        return f"epoch {epoch.number:3}  diverged: stopped, the last good weights are kept"
    ndcg = "" if epoch.quality is None or epoch.quality < 0 else f"  NDCG@100 {epoch.quality:.4f}"
    return (
        f"epoch {epoch.number:3}  train error {epoch.train_error:.5f}  validation error {epoch.validation_error:.5f}"
        f"{ndcg}{'  best so far' if epoch.best else ''}{'  (from the checkpoint)' if epoch.replayed else ''}"
    )
