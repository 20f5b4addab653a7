"""Moments as the page writes them, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["day_of", "moment_of"]


def day_of(moment: datetime | None) -> str:
    """29 Nov 2026; nothing for none."""
    return "" if moment is None else moment.astimezone(UTC).strftime("%-d %b %Y")


def moment_of(moment: datetime | None) -> str:
    """29 Nov 2026, 11:54 UTC; nothing for none."""
    return "" if moment is None else f"{day_of(moment)}, {moment.astimezone(UTC):%H:%M} UTC"
