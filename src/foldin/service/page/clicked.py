"""What came of a model's recommendations, as the page's table shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from foldin.store.contract import ClickThrough

__all__ = ["RANKS", "Clicked", "clicked_by_model"]

RANKS = 5
"""First ranks that have columns of their own."""


@dataclass(frozen=True)
class Clicked:
    """Of one model: items shown and clicked, and the share of the clicked at each of the first ranks, None where
    nothing was shown."""

    model: str
    shown: int
    clicked: int
    shares: tuple[float | None, ...]

    @property
    def share(self) -> float:
        """Clicked, of all that was shown."""
        return self.clicked / self.shown


def clicked_by_model(counted: Sequence[ClickThrough]) -> list[Clicked]:
    """The latest model first."""
    models = list(dict.fromkeys(one.model for one in counted))
    return [_of([one for one in counted if one.model == model]) for model in reversed(models)]


def _of(counted: Sequence[ClickThrough]) -> Clicked:
    shares = {one.rank: one.share for one in counted}
    return Clicked(
        counted[0].model,
        sum(one.shown for one in counted),
        sum(one.clicked for one in counted),
        tuple(shares.get(rank) for rank in range(1, RANKS + 1)),
    )
