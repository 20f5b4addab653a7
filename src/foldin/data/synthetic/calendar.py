"""The weeks of the log, and when in a week people are at work on labs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

__all__ = ["WEEKS", "date_of_week", "moments"]

FIRST_DAY = date(2021, 1, 4)  # a Monday
WEEKS = 78  # 18 months of log

# Shares of a week's visits, Monday first: learning is done at work, least of it on Fridays and weekends.
WEEKDAYS = np.array([0.19, 0.21, 0.20, 0.18, 0.12, 0.045, 0.055])
# Shares of a day's visits by hour UTC: office hours with a dip at lunch, and an evening shoulder.
HOURS = np.array([1, 1, 1, 1, 1, 2, 3, 6, 11, 14, 14, 12, 8, 12, 14, 13, 11, 8, 6, 6, 6, 5, 3, 2]) / 161

MICROSECONDS = 1_000_000  # per second
HOUR = 3600  # seconds
DAY = 24 * HOUR
WEEK = 7 * DAY


def date_of_week(week: int) -> date:
    """The Monday of a week of the log; weeks before the log are negative."""
    return FIRST_DAY + timedelta(weeks=week)


def moments(weeks: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """A moment in each of the weeks, by the habits of the week: whole seconds, in microseconds since the epoch, UTC."""
    days = rng.choice(7, size=len(weeks), p=WEEKDAYS)
    hours = rng.choice(24, size=len(weeks), p=HOURS)
    seconds = rng.integers(HOUR, size=len(weeks))
    start = int(datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC).timestamp())
    total: NDArray[np.int64] = (
        start + weeks.astype(np.int64) * WEEK + days * DAY + hours * HOUR + seconds
    ) * MICROSECONDS
    return total
