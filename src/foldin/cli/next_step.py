"""The next step after an import: the command that fits what the store holds now, and why."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from foldin.errors import BundleError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foldin.bundle import Manifest
    from foldin.cli.intake import Intake, Stored
    from foldin.data.feedback import Feedback
    from foldin.data.interactions import Interactions
    from foldin.workspace import Workspace

__all__ = ["NextStep", "find_next_step"]


@dataclass(frozen=True)
class NextStep:
    """A command that works as it stands; `reason`: a sentence, empty where there is nothing to say."""

    command: str
    reason: str = ""


def find_next_step(workspace: Workspace, intake: Intake, stored: Stored) -> NextStep:
    """What to do once an import is stored."""
    from foldin.data.training_hint import training_hint
    from foldin.wording import command

    folder, logs = workspace.folder, [part.reading.log for part in intake.parts]
    if not stored.summary.events:
        described = intake.catalog is not None and intake.catalog.attributes
        return NextStep(command("train" if described else "ingest FILE", folder), "The store holds no events yet.")
    current = _current(workspace)
    if current is not None and all(_fits(current.feedback.feedback, log) for log in logs):
        return _again(workspace)
    hint = training_hint(_stored_values(workspace, logs, stored.summary.events))
    if current is not None and not hint.options:
        return _again(workspace)
    reason = f"{hint.reason[:1].upper()}{hint.reason[1:]}." if hint.reason else ""
    if current is not None:
        reason = f"The model in use was trained by a rule that does not fit what is new. {reason}"
    return NextStep(command(f"train {hint.options}".rstrip(), folder), reason)


def _current(workspace: Workspace) -> Manifest | None:
    with suppress(BundleError):
        return workspace.current_manifest()
    return None


def _again(workspace: Workspace) -> NextStep:
    from foldin.wording import command

    reason = f"The model in use, {workspace.current_name()}, has not learned what is new: train it again as it was."
    return NextStep(command("train --as-current", workspace.folder), reason)


def _fits(feedback: Feedback, log: Interactions) -> bool:
    """Whether a rule that was settled before takes new events as well."""
    from foldin.data.value_scale import scale_of

    scale = scale_of(log.values)
    if feedback.weights and log.kind_names is not None and not set(log.kind_names) <= set(feedback.weights):
        return False
    if scale is None or (feedback.positive_from is not None and feedback.form == "implicit"):
        return True
    return scale.minimum > 0 if feedback.form == "explicit" else feedback.strength is not None and not scale.negative


def _stored_values(workspace: Workspace, logs: Sequence[Interactions], events: int) -> NDArray[np.float32] | None:
    if len(logs) == 1 and len(logs[0]) == events:  # the store held none before
        return logs[0].values
    with workspace.store() as store:
        return store.snapshot().interactions.values
