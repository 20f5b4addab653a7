"""What is drawn over time is drawn so that something can be seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from foldin.data.interactions import Interactions
from foldin.service.page.charts import daily_chart
from foldin.service.page.digest import SPELLS, Outside, digest_of

DAY = 86_400_000_000


def test_an_event_long_after_the_others_squashes_nothing(log_of: Callable[..., Interactions]) -> None:
    days = [*range(100, 300), 3_000]
    log = log_of([(f"u{day}", "i0") for day in days], times=[day * DAY for day in days])
    digest = digest_of(log, 0)
    assert digest.span is not None
    assert (digest.span.first // DAY, digest.span.last // DAY, digest.span.outside) == (100, 299, 1)
    assert digest.daily is not None
    assert digest.daily.ys.tolist() == [1] * 200
    numbers = digest.items["i0"]
    assert numbers.outside == Outside(1, (datetime(1978, 3, 20, tzinfo=UTC),), 0)
    assert np.array(numbers.spells).tolist() == [5] * SPELLS
    assert numbers.last is not None
    assert numbers.last.year == 1978
    chart = daily_chart(digest)
    assert chart is not None
    assert chart.note == "1 event of 20 Mar 1978 is not drawn: it lies long after the others."


@pytest.mark.parametrize(
    ("far", "note"),
    [
        ([3_000, 3_000], "2 events of 20 Mar 1978 are not drawn: they lie long after the others."),
        ([3_000, 3_001], "2 events of 20 Mar 1978 to 21 Mar 1978 are not drawn: they lie long after the others."),
        ([0], "1 event of 1 Jan 1970 is not drawn: it lies long before the others."),
        (
            [0, 3_000],
            "1 event of 1 Jan 1970 is not drawn: it lies long before the others. "
            "1 event of 20 Mar 1978 is not drawn: it lies long after the others.",
        ),
    ],
)
def test_of_which_days_it_is_what_is_not_drawn(log_of: Callable[..., Interactions], far: list[int], note: str) -> None:
    days = [*range(1_000, 1_300), *far]
    log = log_of([(f"u{place}", "i0") for place in range(len(days))], times=[day * DAY for day in days])
    chart = daily_chart(digest_of(log, 0))
    assert chart is not None
    assert chart.note == note


def test_of_each_item_the_first_days_that_are_not_drawn_are_kept(log_of: Callable[..., Interactions]) -> None:
    near = [("near", day) for day in range(1_000, 2_000)]
    far = [("many", 3_000), ("few", 0), ("many", 3_003), ("many", 3_000), ("many", 3_002), ("many", 3_004)]
    times = [day * DAY + 7 for _, day in (*near, *far)]
    log = log_of([(f"u{place}", item) for place, (item, _) in enumerate((*near, *far))], times=times)
    outside = {item: numbers.outside for item, numbers in digest_of(log, 0).items.items()}
    days = tuple(datetime(1978, 3, day, tzinfo=UTC) for day in (20, 22, 23))
    assert outside == {
        "near": None,
        "few": Outside(1, (datetime(1970, 1, 1, tzinfo=UTC),), 0),
        "many": Outside(5, days, 1),
    }


def test_events_that_are_all_near_are_all_drawn(log_of: Callable[..., Interactions]) -> None:
    for days in ([7], [7, 8], list(range(50)), [*range(50), 52]):
        log = log_of([(f"u{day}", "i0") for day in days], times=[day * DAY for day in days])
        digest = digest_of(log, 0)
        assert digest.span is not None
        assert (digest.span.outside, sum(digest.items["i0"].spells)) == (0, len(days))
        chart = daily_chart(digest)
        assert chart is not None
        assert not chart.note
