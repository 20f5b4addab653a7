"""Every exception a user can catch: what was wrong, where, and what to do."""

from __future__ import annotations

__all__ = [
    "BundleError",
    "CheckpointError",
    "ConfigurationError",
    "ConflictError",
    "DataError",
    "DataWarning",
    "FoldinError",
    "NoRowsError",
    "NotFoundError",
    "ResourceError",
    "RowError",
    "StoreError",
    "TrainingError",
    "UnreadableError",
    "WorkspaceError",
]


class FoldinError(Exception):
    """What all of foldin's errors are; `exit_code` is what the command line leaves with."""

    exit_code = 1


class ConfigurationError(FoldinError):
    """A setting, hyperparameter or option is wrong, or two of them contradict each other."""

    exit_code = 2


class DataError(FoldinError):
    """A file, frame or row cannot be taken as it is; the message names file, row and field where they are known."""

    exit_code = 3

    def __init__(
        self, problem: str, *, file: str | None = None, row: int | None = None, field: str | None = None
    ) -> None:
        place = [file or "", f"row {row}" if row is not None else "", f"field '{field}'" if field else ""]
        where = ", ".join(part for part in place if part)
        super().__init__(f"{where}: {problem}" if where else problem)
        self.problem = problem
        self.file = file
        self.row = row
        self.field = field


class NoRowsError(DataError):
    """A file or frame has no rows at all; among several it is passed over."""


class RowError(DataError):
    """One row cannot be taken; the rows beside it may be."""


class NotFoundError(FoldinError):
    """A user, item, model, bundle or workspace of that name is not there."""

    exit_code = 4


class StoreError(FoldinError):
    """The store cannot be opened, read or written; what it held before is untouched."""

    exit_code = 5


class ConflictError(StoreError):
    """An event id is stored already, with another event, another import of the source was faster, or a user is
    forgotten; nothing of it was stored."""


class WorkspaceError(FoldinError):
    """The workspace cannot be read or written, as where its disk is full, or its keys are damaged; what it held before
    is untouched."""

    exit_code = 5


class BundleError(FoldinError):
    """A bundle is damaged, incomplete, newer than this foldin, or learned from users forgotten since; nothing of it was
    used."""

    exit_code = 5


class UnreadableError(BundleError):
    """A bundle's files cannot be read, as where their disk fails or they are somebody else's; whether they are damaged
    is not known."""


class CheckpointError(FoldinError):
    """A checkpoint is damaged or belongs to another run."""

    exit_code = 5


class ResourceError(FoldinError):
    """The machine cannot hold what was asked for; refused before any work, with the estimate."""

    exit_code = 6


class TrainingError(FoldinError):
    """Training could not produce a usable model."""

    exit_code = 1


class DataWarning(UserWarning):
    """Data was taken, but not quite as it stood: an id was normalised, or columns were left alone."""
