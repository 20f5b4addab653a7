from __future__ import annotations

from foldin.service.crowd import FEW, Crowd

MOST = 256


def filled(pace: float, *, seconds: float = 1.0) -> int:
    """How many a crowd lets in that has seen answers come at a pace."""
    crowd = Crowd(MOST, seconds)
    for _ in range(2 * FEW):
        crowd.enter(0.0)
    for number in range(2 * FEW):
        crowd.leave(pace * (number + 1))
    inside = 0
    while crowd.has_room():
        crowd.enter(100.0)  # what passed with nobody inside says nothing of the pace
        inside += 1
    return inside


def test_no_more_come_in_than_can_be_answered_in_time() -> None:
    assert filled(0.01) == 100
    assert filled(0.02) == 50
    assert filled(0.02, seconds=2.0) == 100


def test_a_few_always_come_in_and_never_more_than_the_most() -> None:
    assert filled(10.0) == FEW
    assert filled(0.0001) == MOST


def test_a_pace_that_was_bad_is_forgotten_as_soon_as_it_is_better() -> None:
    crowd = Crowd(MOST, 1.0)
    for now in (0.0, 10.0):
        crowd.enter(now)
        crowd.leave(now + 2.0)
    for number in range(2 * FEW):
        crowd.enter(20.0 + number)
        crowd.leave(20.0 + number + 0.001)
    for _ in range(2 * FEW):
        crowd.enter(100.0)
    assert crowd.has_room()
