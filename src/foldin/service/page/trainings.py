"""How the trainings stand, as an open page knows them: whether it shows the last one as it is."""

from __future__ import annotations

from collections.abc import Sequence

from foldin.service.jobs import Job

__all__ = ["stand_of"]


def stand_of(jobs: Sequence[Job]) -> str:
    """The last training and how it stands; empty where there was none."""
    return f"{jobs[-1].id}-{jobs[-1].state}" if jobs else ""
