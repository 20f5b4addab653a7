"""Where in which PostgreSQL server a store is, read from a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from foldin.errors import ConfigurationError

__all__ = ["FORM", "Address", "address_of"]

FORM = "postgresql://user@host:port/database"
SCHEMA = "foldin"
SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
LONGEST_NAME = 63
"""Bytes of a schema's name; PostgreSQL cuts a longer one short without a word."""


@dataclass(frozen=True)
class Address:
    """`conninfo` is what psycopg connects to; `name` is what messages call the store, and holds nothing secret."""

    conninfo: str
    schema: str
    name: str


def address_of(url: str) -> Address:
    """Reads `postgresql://user@host:port/database?schema=name`; further parameters are libpq's (sslmode, ...).

    Raises:
        ConfigurationError: the URL cannot be read, holds a password or key, or names a schema that cannot be.
    """
    place, _, query = url.partition("?")
    parameters = [part for part in query.split("&") if part]
    schema = next((unquote(part[7:]) for part in parameters if part.startswith("schema=")), SCHEMA)
    kept = "&".join(part for part in parameters if not part.startswith("schema="))
    conninfo = f"{place}?{kept}" if kept else place
    return Address(conninfo, _checked_schema(schema), f"{_place(_read(conninfo))}, schema {schema}")


def _read(conninfo: str) -> Mapping[str, object]:
    # no message repeats the URL, which may hold a password, nor libpq's, which quotes from it
    try:
        known = conninfo_to_dict(conninfo)
    except ProgrammingError:
        raise ConfigurationError(f"the PostgreSQL URL of the store cannot be read; write {FORM}") from None
    for secret in SECRETS:
        if known.get(secret):
            raise ConfigurationError(_refusal(secret))
    return known


def _refusal(secret: str) -> str:
    if secret == "password":
        problem, way_out = "a password", f"put that in ~/.pgpass or PGPASSWORD, and write {FORM}"
    else:
        problem, way_out = f"its {secret}", "put that in ~/.pg_service.conf, and write ?service=name instead"
    return f"the PostgreSQL URL of the store holds {problem}; {way_out}"


def _checked_schema(schema: str) -> str:
    # what stands for another name in a search path does so in quotes, too
    reserved = schema.startswith("pg_") or schema == "$user"
    if reserved or not schema.isprintable() or not 0 < len(schema.encode()) <= LONGEST_NAME:
        raise ConfigurationError(f"no schema can be called {schema!r}; write ?schema=name, up to {LONGEST_NAME} bytes")
    return schema


def _place(known: Mapping[str, object]) -> str:
    host, port, database = (known.get(part) for part in ("host", "port", "dbname"))
    server = f"{host or 'localhost'}{f':{port}' if port else ''}"
    return f"PostgreSQL database {database or known.get('user') or ''} at {server}"
