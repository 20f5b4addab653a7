"""What to do where a workspace cannot be used, by the reason."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from foldin.errors import WorkspaceError
from foldin.workspace import usable


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "make the workspace readable and writable"),
        (errno.ENOSPC, "make room on its disk"),
        (errno.EMFILE, "raise the limit of open files"),
        (errno.ENFILE, "raise the limit of open files"),
    ],
)
def test_the_remedy_fits_the_reason(number: int, remedy: str) -> None:
    with pytest.raises(WorkspaceError, match=remedy), usable(Path("workspace")):
        raise OSError(number, os.strerror(number))
