"""What of profiles says nothing is told, at a bounded cost."""

from __future__ import annotations

from datetime import UTC, datetime

from foldin.recommender import Recommender
from foldin.service.live import Live
from foldin.service.notices import MOST_LOOKED_AT, Notices
from tests.service.loops import completed


def test_of_many_values_only_the_first_are_looked_at(profiled: Recommender) -> None:
    live = Live("1-ease", profiled, datetime.now(UTC))
    profiles = [{"role": f"nobody {number}"} for number in range(MOST_LOOKED_AT + 50)]
    notices = completed(Notices().of(live, [{}, *profiles]))
    assert [len(noticed) for noticed in notices] == [0, *[1] * MOST_LOOKED_AT, *[0] * 50]


def test_what_was_looked_at_before_takes_no_room(profiled: Recommender) -> None:
    live, notices = Live("1-ease", profiled, datetime.now(UTC)), Notices()
    profiles = [{"role": f"nobody {number}"} for number in range(MOST_LOOKED_AT)]
    for _ in range(2):
        told = completed(notices.of(live, profiles))
    assert [len(noticed) for noticed in told] == [1] * MOST_LOOKED_AT
