"""Files of a bundle: regular files of a known size and SHA-256, read in pieces, and hashed once until they change."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from foldin.errors import BundleError, UnreadableError
from foldin.wording import counted

__all__ = ["FileFacts", "HashingReader", "check_file", "open_verified", "read_limited"]

PIECE_BYTES = 2**20
"""What is read and hashed at a time; it stays in the processor's cache in between."""

MAX_DIGESTS = 1_024
"""SHA-256 digests that are remembered."""

ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""How a system says that no such file is there; all other errors are not the bundle's fault."""

OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A pipe without a writer is opened at once, and refused."""

Identity: TypeAlias = tuple[int, int, int, int, int]
"""Device, inode, times of the last change of contents and of metadata, and size: as long as they stay, so do the
contents. The time of the contents alone can be set back by any copy."""


@dataclass(frozen=True)
class FileFacts:
    """Size and SHA-256 of a file of the bundle."""

    bytes: int
    sha256: str


class HashingReader:
    """A file that is read once, from its beginning; all that is read is hashed."""

    def __init__(self, file: FileIO, size: int) -> None:
        self._file, self._sha256 = file, hashlib.sha256()
        self.size = size

    def read(self) -> bytes:
        """The contents of the whole file.

        Raises:
            ValueError: the file is shorter.
        """
        content = bytearray(self.size)
        self.read_into(memoryview(content))
        return bytes(content)

    def read_into(self, buffer: memoryview) -> None:
        """Fills a buffer with the next bytes.

        Raises:
            ValueError: the file ends before.
        """
        filled = 0
        while filled < len(buffer):
            count = self._read_piece(buffer[filled : filled + PIECE_BYTES])
            if not count:
                raise ValueError("the file ends too early")
            filled += count

    def digest(self) -> str:
        """SHA-256 of the whole file; the rest of it is read."""
        buffer = memoryview(bytearray(PIECE_BYTES))
        while self._read_piece(buffer):
            pass
        return self._sha256.hexdigest()

    def _read_piece(self, buffer: memoryview) -> int:
        count = self._file.readinto(buffer) or 0
        self._sha256.update(buffer[:count])
        return count


class _Digests:
    """SHA-256 digests of files in this process. One file is hashed at a time: concurrent checks share the result."""

    def __init__(self) -> None:
        self._hashing, self._lock = Lock(), Lock()
        self._by_identity: OrderedDict[Identity, str] = OrderedDict()

    def find(self, identity: Identity) -> str | None:
        with self._lock:
            return self._by_identity.get(identity)

    def remember(self, identity: Identity, digest: str) -> None:
        with self._lock:
            self._by_identity[identity] = digest
            self._by_identity.move_to_end(identity)
            while len(self._by_identity) > MAX_DIGESTS:
                self._by_identity.popitem(last=False)

    def compute(self, file: FileIO) -> str:
        with self._hashing:
            identity = _identity(file)
            known = self.find(identity)
            if known is not None:
                return known
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if _identity(file) == identity:
                self.remember(identity, digest)
            return digest


_digests = _Digests()


@contextmanager
def open_verified(file: Path, facts: FileFacts) -> Iterator[HashingReader]:
    """Opens a file to read; what was read may be used after the block, when its SHA-256 was compared.

    Raises:
        BundleError: it is missing, not a regular file, or not of that size and SHA-256.
        UnreadableError: it is there, and cannot be read.
    """
    with _opened(file) as opened:
        _check_size(file, opened, facts.bytes)
        identity, reader = _identity(opened), HashingReader(opened, facts.bytes)
        try:
            yield reader
        except ValueError:
            _check_digest(file, reader.digest(), facts)  # damage explains why the contents make no sense
            raise
        digest = reader.digest()
        if _identity(opened) == identity:
            _digests.remember(identity, digest)
        _check_digest(file, digest, facts)


def check_file(file: Path, facts: FileFacts, *, hashing: bool = True) -> bool:
    """Checks a file without using it; returns whether its SHA-256 was compared.

    `hashing`: reads and hashes a file whose SHA-256 is not remembered; otherwise only its size is checked.

    Raises:
        BundleError, UnreadableError: as from `open_verified`.
    """
    with _opened(file) as opened:
        _check_size(file, opened, facts.bytes)
        digest = _digests.compute(opened) if hashing else _digests.find(_identity(opened))
        if digest is not None:
            _check_digest(file, digest, facts)
        return digest is not None


def read_limited(file: Path, limit: int) -> bytes:
    """The contents of a file of at most `limit` bytes.

    Raises:
        BundleError: it is missing, not a regular file, or larger.
        UnreadableError: it is there, and cannot be read.
    """
    with _opened(file) as opened:
        size = os.fstat(opened.fileno()).st_size
        content = b"" if size > limit else _read_all(opened, limit + 1)
        if max(size, len(content)) > limit:
            raise BundleError(f"{file} is damaged: it has more than {limit:,} bytes")
        return content


def _read_all(file: FileIO, limit: int) -> bytes:
    content = b""
    while len(content) < limit and (piece := file.read(limit - len(content))):
        content += piece
    return content


@contextmanager
def _opened(file: Path) -> Iterator[FileIO]:
    """Opens a regular file; a pipe, device or folder is refused without reading from it."""
    try:
        descriptor = os.open(file, OPEN_FLAGS)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise BundleError(f"{file} cannot be read: it is not a regular file")
        with FileIO(descriptor) as opened:
            yield opened
    except ABSENT as error:
        raise BundleError(f"{file} cannot be read: {error.strerror}") from error
    except OSError as error:
        reason = f"{file} cannot be read: {error.strerror or error}"
        raise UnreadableError(f"{reason}; make it readable, or see to its disk") from error


def _identity(file: FileIO) -> Identity:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def _check_size(file: Path, opened: FileIO, expected: int) -> None:
    size = os.fstat(opened.fileno()).st_size
    if size == expected:
        return
    opened.read(1)  # a file that cannot be read may have no size; that is another error than a truncated one
    raise BundleError(f"{file} has {counted(size, 'byte')} instead of {expected:,}: it is truncated or changed")


def _check_digest(file: Path, digest: str, facts: FileFacts) -> None:
    if digest != facts.sha256:
        raise BundleError(f"{file} is damaged: its SHA-256 is not the manifest's")
