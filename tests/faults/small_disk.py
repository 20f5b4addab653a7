"""A real disk of the tests' own, so small that it can be filled, and taken from whoever writes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["SmallDisk", "small_disk"]

SIZE = 4 * 1024 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """A disk that is mounted at a folder."""

    folder: Path

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte more goes on it, until the end of the block."""
        filler = self.folder / ".filler"
        with filler.open("wb", buffering=0) as file:
            for size in (65_536, 1):
                _fill(file.fileno(), size)
        try:
            yield
        finally:
            filler.unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nothing on it can be changed, until the end of the block."""
        _run("mount", "-o", "remount,ro", str(self.folder))
        try:
            yield
        finally:
            _run("mount", "-o", "remount,rw", str(self.folder))


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A disk in memory, mounted at a folder that is made for it; without the right to mount, the test is skipped."""
    folder.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted here: {error}")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _fill(descriptor: int, size: int) -> None:
    try:
        while True:
            os.write(descriptor, bytes(size))
    except OSError:
        return


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
