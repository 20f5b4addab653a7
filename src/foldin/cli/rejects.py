"""Rows set aside: the files that `foldin ingest --skip-bad` writes them to, with the reasons."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.data.readers import Rejected

__all__ = ["in_the_way", "rejects_naming", "rejects_written"]

COLUMNS = ("file", "row", "field", "reason", "text")
HEADER = f"{','.join(COLUMNS)}\n"


def in_the_way(file: Path) -> ConfigurationError:
    """What to say where the file that was asked for is there already."""
    return ConfigurationError(f"{file} is there already: name another file for the rows set aside")


@contextmanager
def rejects_written(rejected: Sequence[Rejected], folder: Path, wanted: Path | None) -> Iterator[Path | None]:
    """Writes rows set aside at the end of what is done with them, to the file wanted or else to a numbered one of the
    folder; if that fails, there is no file. Gives its name, None where there are no rows.

    Raises:
        ConfigurationError: the file is there already or cannot be written.
    """
    from foldin.data.files import replaced

    if not rejected:
        yield None
        return
    try:
        with _claimed(folder, wanted) as file, replaced(file, private=wanted is None) as draft:
            _write(rejected, draft)
            yield file
    except OSError as error:
        raise ConfigurationError(f"cannot write {wanted or folder}: {error.strerror or error}") from error


def rejects_naming(user: str, folders: Iterable[Path]) -> list[Path]:
    """The files of rows set aside, directly in these folders, that have the id in a row."""
    distinct = {folder.resolve(): folder for folder in folders}
    return [file for folder in distinct.values() for file in sorted(folder.glob("*.csv")) if _names(file, user)]


@contextmanager
def _claimed(folder: Path, wanted: Path | None) -> Iterator[Path]:
    """A new file, so that of two imports at once neither writes over the other's; it vanishes when storing fails."""
    file = _numbered(folder) if wanted is None else wanted
    if wanted is not None and not _is_made(wanted):
        raise in_the_way(wanted)
    try:
        yield file
    except BaseException:
        if file.stat().st_size == 0:
            file.unlink()
        raise


def _write(rejected: Sequence[Rejected], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((row.file, row.row, row.field, row.reason, row.text) for row in rejected)


def _numbered(folder: Path) -> Path:
    return next(file for number in count(1) if _is_made(file := folder / f"rejected-{number}.csv"))


def _is_made(file: Path) -> bool:
    try:
        file.open("x").close()
    except FileExistsError:
        return False
    return True


def _names(file: Path, user: str) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return next(lines, "") == HEADER and any(_unquoted(user) in _unquoted(line) for line in lines)
    except OSError:
        return False


def _unquoted(text: str) -> str:
    # a row stands in a cell, with its quotation marks doubled
    return text.replace('"', "")
