from __future__ import annotations

import pytest

from foldin.coldstart.notices import cells_of, profile_notices

KNOWN = {"interests": ["networking", "storage"], "role": ["admin"], "age": ()}


def says(name: str, value: str) -> bool:
    """A model that knows administrators, networks and storage, and a catalogue about storage."""
    learned = {("role", "admin"), ("interests", "networking"), ("interests", "storage")}
    return any((name, part) in learned or part == "storage" for part in value.split("|"))


def test_a_profile_that_counts_in_full_needs_no_word() -> None:
    assert not profile_notices({"role": "admin", "interests": "networking|storage"}, KNOWN, says)
    assert not profile_notices({}, KNOWN, says)


@pytest.mark.parametrize("missing", ["N/A", "unknown", "None", "-", "\\N", " "])
def test_a_missing_value_needs_no_notice(missing: str) -> None:
    profile = {"role": missing, "interests": f"storage|{missing}", "rloe": missing}
    assert not profile_notices(profile, KNOWN, says)
    assert cells_of([profile]) == [("interests", f"storage|{missing}"), ("interests", "storage")]


def test_what_says_nothing_is_named_and_what_it_may_be_meant_for() -> None:
    knows = "(it knows interests, role, age)"
    assert profile_notices({"rloe": "admin", "interests": "storage|knitting"}, KNOWN, says) == [
        "says nothing to the model: rloe=admin (did you mean 'role'?), interests=knitting "
        "(of interests it knows networking, storage)"
    ]
    assert profile_notices({"about": "storage"}, KNOWN, says) == [
        f"unknown to the model, so its words count as a query: about {knows}"
    ]
    assert profile_notices({"role": "x" * 2_000}, {}, says) == [
        f"says nothing to the model: role={'x' * 64} (it knows no attributes)"
    ]


def test_a_value_that_is_unknown_is_told_with_those_that_are_known() -> None:
    assert profile_notices({"role": "admn", "interests": "storage|knitting"}, KNOWN, says) == [
        "says nothing to the model: role=admn (did you mean 'admin'?), interests=knitting "
        "(of interests it knows networking, storage)"
    ]
    assert profile_notices({"rloe": "admin", "interests": "storgae"}, KNOWN, says) == [
        "says nothing to the model: rloe=admin (did you mean 'role'?), interests=storgae (did you mean 'storage'?)"
    ]
    many = {"role": [f"role {number}" for number in range(20)]}
    (notice,) = profile_notices({"role": "x"}, many, says)
    assert notice.endswith("(of role it knows " + ", ".join(many["role"][:8]) + " and 12 more)")
    assert profile_notices({"age": "old"}, KNOWN, says) == [
        "says nothing to the model: age=old (it knows interests, role, age)"
    ]


def test_of_what_was_not_looked_at_nothing_is_claimed() -> None:
    profile = {"rloe": "admin", "interests": "storage|knitting", "about": "storage"}
    assert not profile_notices(profile, KNOWN, lambda *_: None)


def test_of_very_many_values_the_first_are_looked_at() -> None:
    many = "|".join(str(number) for number in range(1_000))
    assert cells_of([{"interests": many}])[:3] == [("interests", many), ("interests", "0"), ("interests", "1")]
    assert len(cells_of([{"interests": many}])) == 21


def test_whole_values_of_all_are_looked_at_before_their_pieces_and_each_once() -> None:
    assert cells_of([{"interests": "a|b", "role": "c"}, {"interests": "b", "role": "c|b"}]) == [
        ("interests", "a|b"),
        ("role", "c"),
        ("interests", "b"),
        ("role", "c|b"),
        ("interests", "a"),
        ("role", "b"),
    ]
