"""How training looks while it goes on: a line per epoch, below the name of its stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from foldin.cli.output import print_line, print_note

if TYPE_CHECKING:
    from foldin.choosing import Progress
    from foldin.training.epoch import Epoch
    from foldin.tuning import Trial

__all__ = ["shown_progress"]


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

    return Progress(stage=stage, trial=trial, epoch=epoch)


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
