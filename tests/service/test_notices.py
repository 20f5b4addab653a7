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


def test_of_values_that_were_not_looked_at_nothing_is_claimed(profiled: Recommender) -> None:
    live = Live("1-ease", profiled, datetime.now(UTC))
    profile = {f"rloe{number}": "|".join(f"{number} {piece}" for piece in range(20)) for number in range(64)}
    people = [profile, *({"rloe": f"nobody {number}"} for number in range(MOST_LOOKED_AT))]
    told = [notice for notices in completed(Notices().of(live, people)) for notice in notices]
    assert told
    assert all(notice.startswith("says nothing to the model: rloe") for notice in told)


def test_what_is_said_does_not_depend_on_who_asked_before(profiled: Recommender) -> None:
    live, notices = Live("1-ease", profiled, datetime.now(UTC)), Notices()
    many = "|".join(f"hobby {piece}" for piece in range(20))
    ordinary = {"interests": "storage|networks|cloud", "region": "eu|us", "rloe": "admin"}
    for profile in (ordinary, {**{f"likes{number}": many for number in range(63)}, "rloe": "admin"}):
        first, second = (completed(notices.of(live, [profile])) for _ in range(2))
        assert first == second
        assert "rloe=admin (did you mean 'role'?)" in first[0][0]


def test_what_was_looked_at_before_takes_no_room(profiled: Recommender) -> None:
    live, notices = Live("1-ease", profiled, datetime.now(UTC)), Notices()
    profiles = [{"role": f"nobody {number}"} for number in range(MOST_LOOKED_AT)]
    for _ in range(2):
        told = completed(notices.of(live, profiles))
    assert [len(noticed) for noticed in told] == [1] * MOST_LOOKED_AT
