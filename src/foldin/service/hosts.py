"""Hosts: the names under which a browser may ask. A page can have its own name lead here (DNS rebinding); an address it
cannot choose."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

__all__ = ["host_of", "is_own", "netloc_of"]


def host_of(url: str) -> str:
    """The name or address in a URL, or in `//` and a Host header, without the port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def netloc_of(url: str) -> str:
    """The same with the port, as it is written in a Host header."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def is_own(host: str, own: Collection[str]) -> bool:
    """Whether a name or address is the machine's for itself, or one of `own`."""
    return host == "localhost" or _is_loopback(host) or (host != "" and _plain(host) in map(_plain, own))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(_plain(host)).is_loopback
    except ValueError:
        return False


def _plain(host: str) -> str:
    """An address in the form that all who mean it share; a name in small letters."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower()
    return str(address.ipv4_mapped or address) if isinstance(address, IPv6Address) else str(address)
