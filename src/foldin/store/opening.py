"""Where a store is, as a URL, and the one way to open it."""

from __future__ import annotations

from pathlib import Path

from foldin.errors import ConfigurationError, NotFoundError
from foldin.store.contract import Store
from foldin.store.sqlite import SqliteStore

__all__ = ["open_store", "sqlite_file"]


def open_store(url: str, *, create: bool = False) -> Store:
    """Opens the store at a URL.

    `url`: `sqlite:///folder/store.sqlite` is relative to the present folder, `sqlite:////var/store.sqlite` absolute;
    `postgresql://user@host:port/database` is a PostgreSQL server's, in its schema `foldin` or another (`?schema=name`).
    `create`: whether a store that is not there is made.

    Raises:
        ConfigurationError: the URL names no known kind of store or no place, or psycopg is missing for PostgreSQL.
        NotFoundError: there is no store, and `create` was not asked for.
        StoreError: it is there and cannot be opened.
    """
    scheme, _, place = url.partition("://")
    if not place or scheme not in _OPENERS:
        # of an unknown URL only the scheme is repeated: the rest may hold a password
        raise ConfigurationError(f"no store can be opened at '{scheme}://...'; known are: {', '.join(_FORMS.values())}")
    return _OPENERS[scheme](url, create)


def sqlite_file(url: str) -> Path | None:
    """Returns the absolute path of the file of a SQLite store, links followed; None for another kind of store.

    SQLite puts the write-ahead log beside the file that a link points to.

    Raises:
        ConfigurationError: the URL names no file.
    """
    scheme, _, place = url.partition("://")
    if scheme != "sqlite":
        return None
    if not place.startswith("/") or place == "/":
        raise ConfigurationError(f"'sqlite://{place}' names no file; write {_FORMS['sqlite']}")
    return Path(place[1:]).resolve()


def _open_sqlite(url: str, create: bool) -> Store:
    path = sqlite_file(url)
    assert path is not None
    if not create and not path.exists():
        raise NotFoundError(f"no store at {path}")
    return SqliteStore(path, create=create)


def _open_postgres(url: str, create: bool) -> Store:
    try:
        import psycopg  # noqa: F401
    except ImportError as missing:
        raise ConfigurationError(f"PostgreSQL needs psycopg: pip install 'foldin[postgres]' ({missing})") from None
    from foldin.store.postgres.store import PostgresStore

    return PostgresStore(url, create=create)


_OPENERS = {"sqlite": _open_sqlite, "postgresql": _open_postgres, "postgres": _open_postgres}
_FORMS = {"sqlite": "sqlite:///path/to/store.sqlite", "postgresql": "postgresql://user@host:port/database"}
