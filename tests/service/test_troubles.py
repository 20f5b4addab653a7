"""Why requests failed is in the log: each reason once a second, and nobody's id."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foldin.errors import StoreError
from foldin.service import troubles
from foldin.service.troubles import MOST_REASONS, Troubles


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """The fields of what was logged."""
    monkeypatch.setattr(troubles._log, "propagate", True)
    lines: list[dict[str, object]] = []
    with caplog.at_level("INFO", logger="foldin.service"):
        monkeypatch.setattr(caplog.handler, "emit", lambda record: lines.append(record.fields))
        yield lines


def test_a_reason_is_said_once_a_second_with_a_request(
    said: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(troubles, "monotonic", lambda: now[0])
    told = Troubles()
    for moment in (0.0, 0.5, 0.9, 1.5):
        now[0] = moment
        told.tell(StoreError("away"), f"at {moment}", 503)
        told.tell(StoreError("full"), f"at {moment}", 503)
    assert [line["request_id"] for line in said if line["reason"] == "away"] == ["at 0.0", "at 1.5"]
    assert len(said) == 4


def test_reasons_without_end_are_not_all_said(said: list[dict[str, object]]) -> None:
    told = Troubles()
    for number in range(1_000):
        told.tell(StoreError(f"reason {number}"), "request", 503)
    assert MOST_REASONS <= len(said) <= 10 * MOST_REASONS


def test_a_row_is_not_said(said: list[dict[str, object]]) -> None:
    Troubles().tell(StoreError("events: nothing was changed (no room DETAIL: Key (user)=(u02) is too long"), "r", 503)
    assert [line["reason"] for line in said] == ["events: nothing was changed (no room"]
