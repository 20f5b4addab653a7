"""URLs of databases: what they say, and how they are shown without what is secret in them."""

from __future__ import annotations

from urllib.parse import unquote

from foldin.errors import ConfigurationError

__all__ = ["file_of", "masked", "scheme_of", "without_secrets"]

HIDDEN = "***"


def scheme_of(url: str) -> str:
    """The part before `://`, which names the kind of database and perhaps the driver.

    Raises:
        ConfigurationError: there is none.
    """
    scheme, separator, _ = url.partition("://")
    if not separator or not scheme:
        kinds = "postgresql://, sqlite:///, duckdb:/// or the like"
        raise ConfigurationError(f"'{masked(url)}' is no URL of a database; one begins with {kinds}")
    return scheme.lower()


def file_of(url: str) -> str:
    """The file behind `sqlite:///` or `duckdb:///`.

    Raises:
        ConfigurationError: the URL names none.
    """
    scheme, _, rest = url.partition("://")
    if not rest.startswith("/") or len(rest) < 2:
        raise ConfigurationError(f"'{masked(url)}' names no file; write {scheme}:///events.db, for example")
    return rest[1:]


def masked(url: str) -> str:
    """The URL without its password and without its options, which may hold one."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url.rpartition("@")[2].partition("?")[0]
    # a password may hold any sign: whatever stands before the last @ is user and password
    login, at, place = rest.rpartition("@")
    return f"{scheme}://{login.partition(':')[0]}{at}{place.partition('?')[0]}"


def without_secrets(text: str, url: str) -> str:
    """A driver's message without what `masked` leaves out."""
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(url: str) -> set[str]:
    rest = url.partition("://")[2]
    login, _, place = rest.rpartition("@")
    parts = [login.partition(":")[2], *place.partition("?")[2].split("&")]
    values = {value for part in parts for value in (part, part.partition("=")[2])}
    return {form for value in values for form in (value, unquote(value)) if form}
