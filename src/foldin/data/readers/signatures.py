"""Signatures: what the first bytes of a file say it is, where that is nothing a reader takes."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from foldin.data.readers.text import opened_bytes
from foldin.errors import DataError

__all__ = ["refuse_by_signature"]

LONGEST_SIGNATURE = 512

UNPACK = "unpack it; gzip can be read as it is"
SIGNATURES: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), sentence)
    for pattern, sentence in (
        (rb"PK\x03\x04|PK\x05\x06", f"is a ZIP archive: {UNPACK}"),
        (
            rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "is a document of Microsoft Office, perhaps an Excel workbook: save it as CSV",
        ),
        (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", f"is packed with bzip2: {UNPACK}"),
        (rb"\xfd7zXZ\x00", f"is packed with xz: {UNPACK}"),
        (rb"\x28\xb5\x2f\xfd", f"is packed with Zstandard: {UNPACK}"),
        (rb"\x04\x22\x4d\x18", f"is packed with LZ4: {UNPACK}"),
        (rb"7z\xbc\xaf\x27\x1c", f"is a 7-Zip archive: {UNPACK}"),
        (rb"Rar!\x1a\x07", f"is a RAR archive: {UNPACK}"),
        (rb".{257}ustar", "is a tar archive: unpack it, and name the files inside"),
        (rb"ARROW1|FEA1", "is a Feather or Arrow file: save it as Parquet, or read it in Python and give the table"),
        (
            rb"\x80[\x02-\x05][^\n]",
            "is a pickle, which may run any program when it is opened: save it as Parquet or CSV",
        ),
        (rb"\x93NUMPY", "is an array of NumPy: save it as CSV, with names of columns"),
        (rb"Obj\x01", "is an Avro file: save it as Parquet or JSON lines"),
        (rb"ORC[^\x20-\x7e\t\r\n]", "is an ORC file: save it as Parquet"),
        (rb"\x89HDF\r\n\x1a\n", "is an HDF5 file: save it as Parquet or CSV"),
        (rb"SQLite format 3\x00", "is an SQLite database: read it by a query, with --from sqlite:///FILE"),
        (rb".{8}DUCK[\x00-\xff]\x00", "is a DuckDB database: read it by a query, with --from duckdb:///FILE"),
        (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a", "is a picture, no table"),
        (rb"%PDF-", "is a PDF document: find the table as CSV"),
        (
            rb"(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body|\?xml|!--)",
            "is an HTML or XML page, no table; a download may have brought a page in place of the file: fetch it again",
        ),
        (
            rb"version https://git-lfs",
            "is a pointer of Git LFS, not the file itself: fetch the file with `git lfs pull`",
        ),
    )
)
PARTS_OF_WORKBOOK = ("xl/", "content.xml")


def refuse_by_signature(path: Path, name: str) -> None:
    """Refuses a file whose first bytes say that it holds no table a reader takes.

    Raises:
        DataError: it is an archive, a workbook, a database, a page or the like; the message says what to do.
    """
    with opened_bytes(path) as file:
        beginning = file.read(LONGEST_SIGNATURE)
    for pattern, sentence in SIGNATURES:
        if pattern.match(beginning):
            raise DataError(_of_workbook(path) or sentence, file=name)


def _of_workbook(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            is_workbook = any(part.startswith(PARTS_OF_WORKBOOK) for part in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return None
    return "is an Excel or OpenDocument workbook: save it as CSV" if is_workbook else None
