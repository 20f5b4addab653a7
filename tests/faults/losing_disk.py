"""A disk that forgets at a power failure what was not synchronised, as a VFS of SQLite."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias

import apsw
from typing_extensions import Buffer

__all__ = ["LosingDisk"]

SECTOR = 512
"""Bytes a disk writes whole or not at all."""

Change: TypeAlias = tuple[int, bytes] | int
"""Bytes written at an offset, or the length the file was cut to."""


@dataclass
class File:
    """What is on the platter, and what was written since and may never get there."""

    platter: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)

    def synchronise(self) -> None:
        for change in self.unsynced:
            _apply(self.platter, change)
        self.unsynced.clear()

    def survivor(self, random: Random) -> bytes:
        """The file as it may be found afterwards: of what was not synchronised any sectors, whatever their order."""
        found, share = bytearray(self.platter), random.choice([0.0, 0.5, 0.9, 1.0])
        for change in self.unsynced:
            for part in _sectors(change):
                if random.random() < share:
                    _apply(found, part)
        return bytes(found)


class LosingDisk(apsw.VFS):
    """While it is registered, SQLite opens all files on it; at its n-th change the power fails, and all calls do.

    A file's name and its removal are on the platter only once their folder is synchronised, which SQLite does with the
    first synchronisation of a new journal, and where it asks for it at a removal.
    """

    def __init__(self, power_fails_at: int) -> None:
        self.changes = 0
        self.failed = False
        self._power_fails_at = power_fails_at
        self._files: dict[str, File] = {}
        self._on_platter: dict[str, File] = {}
        super().__init__("losing", "unix", makedefault=True)

    def left_behind(self, folder: Path, random: Random) -> None:
        """Writes what is found when the power is back into another folder."""
        for name in sorted(self._files.keys() | self._on_platter.keys()):
            file = random.choice([self._files.get(name), self._on_platter.get(name)])
            if file is not None:
                (folder / Path(name).name).write_bytes(file.survivor(random))

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - apsw's name
        self._check_power()
        opened = LosingFile(self, name, flags)
        if opened.path and opened.path not in self._files:
            self._files[opened.path] = File()
            opened.folder_unsynced = True
            self.change()
        return opened

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's name
        self._check_power()
        super().xDelete(filename, syncdir)
        del self._files[filename]
        self.change()
        if syncdir:
            self.synchronise_folder()

    def file(self, path: str) -> File:
        self._check_power()
        return self._files[path] if path else File()

    def change(self) -> None:
        """Counts a change that was made; the last one may be on the platter or not."""
        self.changes += 1
        self.failed = self.changes >= self._power_fails_at
        self._check_power()

    def synchronise_folder(self) -> None:
        self._on_platter = dict(self._files)

    def _check_power(self) -> None:
        if self.failed:
            raise apsw.IOError("the power has failed")


class LosingFile(apsw.VFSFile):
    """A file of a `LosingDisk`: the programs see every change at once, the platter only what is synchronised."""

    def __init__(self, disk: LosingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self.folder_unsynced = False
        self._journal = not flags[0] & apsw.SQLITE_OPEN_MAIN_DB
        self._disk = disk
        super().__init__("unix", name, flags)

    def xWrite(self, data: Buffer, offset: int) -> None:  # noqa: N802 - apsw's name
        written = bytes(data)
        self._disk.file(self.path).unsynced.append((offset, written))
        super().xWrite(written, offset)
        self._disk.change()

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's name
        self._disk.file(self.path).unsynced.append(newsize)
        super().xTruncate(newsize)
        self._disk.change()

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802 - apsw's name and argument
        # nothing is asked of the real disk: it keeps its power
        file = self._disk.file(self.path)
        self._disk.change()
        file.synchronise()
        if self._journal and self.folder_unsynced:
            self.folder_unsynced = False
            self._disk.synchronise_folder()


def _apply(content: bytearray, change: Change) -> None:
    if isinstance(change, int):
        del content[change:]
        content.extend(bytes(change - len(content)))
        return
    offset, data = change
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _sectors(change: Change) -> list[Change]:
    if isinstance(change, int):
        return [change]
    offset, data = change
    first = SECTOR - offset % SECTOR
    starts = [0, *range(first, len(data), SECTOR)]
    return [(offset + start, data[start:end]) for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
