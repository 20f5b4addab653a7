"""Remote files: fetched to a temporary place first, so that they are read, checked and named as any other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, closing
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import duckdb

from foldin.data.readers.session import literal
from foldin.data.readers.spooling import temporary_file
from foldin.errors import ConfigurationError, DataError

__all__ = ["fetched", "is_url"]

SCHEMES = ("http://", "https://", "s3://")
PATIENCE = 60
"""Seconds a server may be silent."""

NO_EXTENSION = (
    "s3:// needs DuckDB's extension httpfs, and it could not be had: {reason}. Fetch the file yourself and name it "
    "here, or, where there is a network, install the extension: "
    "python -c \"import duckdb; duckdb.connect().install_extension('httpfs')\""
)


def is_url(name: str) -> bool:
    """Whether a name is that of a file elsewhere."""
    return name.lower().startswith(SCHEMES)


def fetched(name: str, resources: ExitStack) -> list[tuple[Path, str]]:
    """The files behind a URL (of S3 also behind a glob), each with the name it has in errors.

    Over HTTP this is Python's own client; S3 is DuckDB's, with the keys in the usual variables of AWS.

    Raises:
        DataError: it cannot be fetched.
        ConfigurationError: S3's client is not installed and cannot be.
    """
    return _of_s3(name, resources) if name.lower().startswith("s3://") else [_of_http(name, resources)]


def _of_http(name: str, resources: ExitStack) -> tuple[Path, str]:
    target, shown = temporary_file(resources), _shown(name)
    try:
        with urlopen(Request(name, headers={"User-Agent": "foldin"}), timeout=PATIENCE) as answer:
            with target.open("wb") as file:
                shutil.copyfileobj(answer, file)
            length = answer.headers["Content-Length"]
    except HTTPError as error:
        error.close()
        raise DataError(f"cannot be fetched: {error}", file=shown) from None
    except (OSError, HTTPException, ValueError) as error:
        raise DataError(f"cannot be fetched: {getattr(error, 'reason', error)}", file=shown) from None
    if length is not None and int(length) != target.stat().st_size:
        problem = f"cannot be fetched: the connection ended after {target.stat().st_size:,} of {int(length):,} bytes"
        raise DataError(problem, file=shown)
    return target, shown


def _of_s3(name: str, resources: ExitStack) -> list[tuple[Path, str]]:
    with closing(duckdb.connect()) as connection:
        _load_httpfs(connection)
        try:
            connection.execute(f"CREATE SECRET (TYPE s3, {_settings(os.environ)})").fetchall()
            names = [one for (one,) in connection.execute("SELECT file FROM glob(?)", [name]).fetchall()]
            files = [(_blob(connection, one, temporary_file(resources)), one) for one in names]
        except duckdb.Error as error:
            raise DataError(f"cannot be fetched: {_first_line(error)}", file=name) from None
    if not files:
        raise DataError("no file matches", file=name)
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


def _shown(url: str) -> str:
    """The URL without user, password and query, in which signed URLs carry their key."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("?")[0].partition("#")[0]
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].strip().rstrip(".")
