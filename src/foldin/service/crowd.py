"""How many ask at once, and whether one more would be answered in time."""

from __future__ import annotations

__all__ = ["Crowd"]

FEW = 16
"""As many always come in: so few tell little of the pace."""

WINDOW = 0.5
"""Seconds in which the pace is taken, of those with somebody inside; or as soon as twice as many as `FEW` have left."""


class Crowd:
    """Those who are being answered. Another waits as long as all of them take (Little's law), and had better hear at
    once that it would be too long: past their time they only keep the others from being answered.

    `most`: inside at once, whatever the pace; `seconds`: that one may wait.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._inside = 0
        self._pace = 0.0
        self._since = self._busy = 0.0
        self._left = 0

    def has_room(self) -> bool:
        """Whether one more would be answered in time."""
        in_time = self._inside < FEW or self._inside * self._pace < self._seconds
        return in_time and self._inside < self._most

    def enter(self, now: float) -> None:
        """Somebody comes in; `now` in seconds."""
        if not self._inside:
            self._since = now  # what passed with nobody inside says nothing of the pace
        self._inside += 1

    def leave(self, now: float) -> None:
        """Somebody was answered."""
        self._inside -= 1
        self._left += 1
        self._busy += now - self._since
        self._since = now
        if self._busy > WINDOW or self._left == 2 * FEW:
            self._pace = self._busy / self._left
            self._left, self._busy = 0, 0.0
