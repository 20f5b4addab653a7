"""Remote files: fetched to a temporary place first, so that they are read, checked and named as any other."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http.client import HTTPException, InvalidURL
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import duckdb

from foldin.data.readers.session import literal
from foldin.data.readers.spooling import temporary_file
from foldin.errors import ConfigurationError, DataError

__all__ = ["fetched", "is_url", "shown"]

SCHEMES = ("http://", "https://", "s3://")
PATIENCE = 60
"""Seconds a server may be silent."""

END_OF_AUTHORITY = re.compile("[/?#]")
HOST = re.compile(r"(\[.*\]|[^:]*)(:[0-9]*)?")

NO_URL = (
    "cannot be fetched: it is no URL that can be read; encode spaces and letters other than those of English (%20), "
    "and leave out user and password"
)
NO_EXTENSION = (
    "s3:// needs DuckDB's extension httpfs, and it could not be had: {reason}. Fetch the file yourself and name it "
    "here, or, where there is a network, install the extension: "
    "python -c \"import duckdb; duckdb.connect().install_extension('httpfs')\""
)


def is_url(name: str) -> bool:
    """Whether a name is that of a file elsewhere."""
    return name.lower().startswith(SCHEMES)


def shown(name: str) -> str:
    """A URL without user, password and query, in which signed URLs carry their key; any other name as it is."""
    if not is_url(name):
        return name
    scheme, _, rest = name.partition("://")
    authority = END_OF_AUTHORITY.split(rest, maxsplit=1)[0]
    if "@" in authority:
        rest = rest[authority.rindex("@") + 1 :]
    elif not HOST.fullmatch(authority):  # a password with signs that had to be encoded
        rest = rest.rpartition("@")[2]
    return f"{scheme}://{rest.partition('?')[0].partition('#')[0]}"


def fetched(name: str, resources: ExitStack) -> list[tuple[Path, str]]:
    """The files behind a URL (of S3 also behind a glob), each with the name it has in errors.

    Over HTTP this is Python's own client; S3 is DuckDB's, with the keys in the usual variables of AWS.

    Raises:
        DataError: it cannot be fetched.
        ConfigurationError: S3's client is not installed and cannot be.
    """
    return _of_s3(name, resources) if name.lower().startswith("s3://") else [_of_http(name, resources)]


def _of_http(name: str, resources: ExitStack) -> tuple[Path, str]:
    target, called = temporary_file(resources), shown(name)
    try:
        _refuse_login(name)
        with urlopen(Request(name, headers={"User-Agent": "foldin"}), timeout=PATIENCE) as answer:
            with target.open("wb") as file:
                shutil.copyfileobj(answer, file)
            length = answer.headers["Content-Length"]
    except HTTPError as error:
        error.close()
        raise DataError(f"cannot be fetched: {error}", file=called) from None
    except (InvalidURL, ValueError):  # Python's message quotes the part it cannot read, perhaps a password or key
        raise DataError(NO_URL, file=called) from None
    except (OSError, HTTPException) as error:
        raise DataError(f"cannot be fetched: {getattr(error, 'reason', error)}", file=called) from None
    if length is not None and int(length) != target.stat().st_size:
        problem = f"cannot be fetched: the connection ended after {target.stat().st_size:,} of {int(length):,} bytes"
        raise DataError(problem, file=called)
    return target, called


def _refuse_login(url: str) -> None:
    # Python would look for a host of that name
    if "@" in urlsplit(url).netloc:
        raise ValueError("user and password stand in the URL")


def _of_s3(name: str, resources: ExitStack) -> list[tuple[Path, str]]:
    with closing(duckdb.connect()) as connection:
        _load_httpfs(connection)
        try:
            connection.execute(f"CREATE SECRET (TYPE s3, {_settings(os.environ)})").fetchall()
            names = [one for (one,) in connection.execute("SELECT file FROM glob(?)", [name]).fetchall()]
            files = [(_blob(connection, one, temporary_file(resources)), shown(one)) for one in names]
        except duckdb.Error as error:
            raise DataError(f"cannot be fetched: {_first_line(error)}", file=shown(name)) from None
    if not files:
        raise DataError("no file matches", file=shown(name))
    return files


def _load_httpfs(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.load_extension("httpfs")
    except duckdb.Error:
        try:
            connection.install_extension("httpfs")
            connection.load_extension("httpfs")
        except duckdb.Error as error:
            raise ConfigurationError(NO_EXTENSION.format(reason=_first_line(error))) from None


def _settings(environment: Mapping[str, str]) -> str:
    """The options of DuckDB's secret, from the variables that AWS's own tools read."""
    given = {
        "KEY_ID": environment.get("AWS_ACCESS_KEY_ID"),
        "SECRET": environment.get("AWS_SECRET_ACCESS_KEY"),
        "SESSION_TOKEN": environment.get("AWS_SESSION_TOKEN"),
        "REGION": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1",
    }
    endpoint = urlsplit(environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or "")
    if endpoint.netloc:
        given |= {"ENDPOINT": endpoint.netloc, "URL_STYLE": "path", "USE_SSL": str(endpoint.scheme == "https").lower()}
    return ", ".join(f"{option} {literal(value)}" for option, value in given.items() if value)


def _blob(connection: duckdb.DuckDBPyConnection, name: str, target: Path) -> Path:
    for (content,) in connection.execute("SELECT content FROM read_blob(?)", [name]).fetchall():
        target.write_bytes(content)
    return target


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].strip().rstrip(".")
