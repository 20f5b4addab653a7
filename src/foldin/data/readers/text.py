"""The text of a file: unpacked and decoded, whatever encoding it is in."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from foldin.errors import ConfigurationError

__all__ = [
    "UTF8",
    "TextFormat",
    "encoding_of",
    "is_decoded",
    "is_gzip",
    "opened",
    "opened_bytes",
    "printable",
    "undecoded",
]

UTF8 = "utf-8"
GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UNDECODED = re.compile("[\udc80-\udcff]")
WINDOWS_ONLY = frozenset(range(0x80, 0xA0)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D}


@dataclass(frozen=True)
class TextFormat:
    """How a file of text is written, where it does not say so itself.

    `encoding`: the name Python has for it; None for UTF-8, or UTF-16 with a mark. `header`: the names of the columns
    of a delimited file that has no line with them.

    Raises:
        ConfigurationError: there is no such encoding, or the names are not at least two different ones.
    """

    encoding: str | None = None
    header: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.encoding is not None:
            _check_encoding(self.encoding)
        if self.header is not None and (len(set(self.header)) != len(self.header) or not all(self.header)):
            raise ConfigurationError(f"header is {','.join(self.header)!r}: give every column a name of its own")

    @classmethod
    def given(cls, encoding: str | None, header: Sequence[str] | None) -> TextFormat:
        """The format that was asked for.

        Raises:
            ConfigurationError: there is no such encoding, or `header` is no list of different names.
        """
        if isinstance(header, str):
            raise ConfigurationError("header is a list of names, as ['user', 'item']")
        return cls(encoding, None if header is None else tuple(header))


def opened(path: Path, encoding: str = UTF8) -> TextIO:
    """The file's text, unpacked and without a byte order mark; bytes that are no text become halves of surrogates."""
    codec = "utf-8-sig" if encoding == UTF8 else encoding
    return io.TextIOWrapper(opened_bytes(path), encoding=codec, errors="surrogateescape", newline="")


def opened_bytes(path: Path) -> io.BufferedReader | gzip.GzipFile:
    """The file's bytes, unpacked."""
    return gzip.GzipFile(path, "rb") if is_gzip(path) else path.open("rb")


def is_gzip(path: Path) -> bool:
    """Whether the file is gzipped, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def encoding_of(path: Path, given: str | None) -> str:
    """The encoding of a file: the one given, UTF-16 where its mark stands first, else UTF-8."""
    if given is not None:
        return UTF8 if codecs.lookup(given).name == UTF8 else given
    with opened_bytes(path) as file:
        return "utf-16" if file.read(2) in UTF16_MARKS else UTF8


def is_decoded(text: str) -> bool:
    """Whether all bytes of a text from `opened` were of its encoding."""
    return text.isascii() or UNDECODED.search(text) is None


def undecoded(what: str, text: str) -> str:
    """What to say of a text that is not in its encoding, with the one that it is likely to be in."""
    beyond = {ord(letter) - 0xDC00 for letter in UNDECODED.findall(text)}
    likely = "windows-1252" if beyond & WINDOWS_ONLY else "latin-1"
    return f"{what} is not UTF-8 text; if it is {likely}, say so with encoding='{likely}' / --encoding {likely}"


def printable(text: str) -> str:
    """The text with a sign of its own for bytes that were not of its encoding."""
    return UNDECODED.sub("\ufffd", text)


def _check_encoding(name: str) -> None:
    try:
        b"".decode(name)
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise ConfigurationError(f"no encoding '{name}'; give a name like 'latin-1' or 'windows-1252'") from error
