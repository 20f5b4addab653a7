"""URLs of databases: what they say, and how they are shown without what is secret in them."""

from __future__ import annotations

import re
from urllib.parse import unquote

from foldin.errors import ConfigurationError

__all__ = ["file_of", "masked", "scheme_of", "without_secrets"]

HIDDEN = "***"
END_OF_AUTHORITY = re.compile("[/?#]")
END_OF_OPTION = re.compile("[&;]")


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
    login, place = _login_and_place(rest if separator else url)
    user = login.partition(":")[0]
    return f"{scheme}://{user}{place}" if separator else place.removeprefix("@")


def without_secrets(text: str, url: str) -> str:
    """A driver's message without what `masked` leaves out."""
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _login_and_place(rest: str) -> tuple[str, str]:
    """User and password, and the place with the @ before it; where they cannot be told apart, no place."""
    before, _, options = rest.partition("?")
    authority = END_OF_AUTHORITY.split(rest, maxsplit=1)[0]
    if "@" in options and "@" not in authority and ":" in authority:
        return authority, ""  # either an option or, with signs that had to be encoded, the password goes up to an @
    # a password may hold an @ too: whatever stands before the last one is user and password
    login, at, place = before.rpartition("@")
    return login, at + place


def _secrets(url: str) -> set[str]:
    rest = url.partition("://")[2]
    logins = [rest.rpartition("@")[0], rest.partition("?")[0].rpartition("@")[0]]
    parts = [*(login.partition(":")[2] for login in logins), *END_OF_OPTION.split(unquote(rest.partition("?")[2]))]
    parts += END_OF_OPTION.split(rest.partition("?")[2])
    values = {value for part in parts for value in (part, part.partition("=")[2])}
    return {form for value in values for form in (value, unquote(value)) if form}
