"""Where the service listens: its addresses are taken before anything is made or shown, or refused with what to do."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeAlias

from foldin.errors import ConfigurationError

__all__ = ["BACKLOG", "TakenError", "listening", "port_of"]

BACKLOG = 2_048
"""Connections that may wait to be taken."""

DRAWN_AGAIN = 4
"""Times that another port is drawn, where the free one of the first address is somebody's on another."""

ABSENT = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""How a machine says that it has no such addresses, or not this one."""

Address: TypeAlias = tuple[Any, ...]
Found: TypeAlias = list[tuple[socket.AddressFamily, Address]]


class TakenError(ConfigurationError):
    """Somebody listens there already."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets that listen at a port of every address of this machine that the host has; port 0 takes a free one.

    Whoever connects waits until somebody takes their connections.

    Raises:
        ConfigurationError: the host is none of this machine's, or the port is not allowed.
        TakenError: the port is taken.
    """
    found = _present(_addresses(host, port))
    with ExitStack() as opened:
        sockets = _drawn(found, host) if port == 0 else _sockets(found, host, port)
        for one in sockets:
            opened.enter_context(one)
        yield sockets


def port_of(sockets: list[socket.socket]) -> int:
    """The port at which they listen."""
    return int(sockets[0].getsockname()[1])


def _addresses(host: str, port: int) -> Found:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"nothing can listen at --host {host}: {_reason(error)}") from error
    return list(dict.fromkeys((family, tuple(address)) for family, _, _, _, address in found))


def _present(found: Found) -> Found:
    """Those that this machine has, as `localhost` may mean ::1 where there is no IPv6; all where it has none."""
    return [(family, address) for family, address in found if _is_here(family, address)] or found


def _is_here(family: socket.AddressFamily, address: Address) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind((address[0], 0, *address[2:]))
    except OSError as error:
        return error.errno not in ABSENT
    return True


def _drawn(found: Found, host: str) -> list[socket.socket]:
    for _ in range(DRAWN_AGAIN):
        with suppress(ConfigurationError):
            return _sockets(found, host, 0)
    return _sockets(found, host, 0)


def _sockets(found: Found, host: str, port: int) -> list[socket.socket]:
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in found:
            # where the port was free to choose, the addresses after the first have the same
            chosen = (address[0], port_of(sockets) if sockets else port, *address[2:])
            sockets.append(opened.enter_context(_socket(family, chosen, host)))
        opened.pop_all()
        return sockets


def _socket(family: socket.AddressFamily, address: Address, host: str) -> socket.socket:
    with ExitStack() as opened:
        try:
            made = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            _listen(made, address)
        except OSError as error:
            kind = TakenError if error.errno == errno.EADDRINUSE else ConfigurationError
            raise kind(_refusal(error, host, port=address[1])) from error
        opened.pop_all()
        return made


def _listen(made: socket.socket, address: Address) -> None:
    if os.name == "posix":  # elsewhere it would share the address with whoever has it
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(address)
    # until somebody listens, others may bind the same address
    made.listen(BACKLOG)


def _refusal(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is taken by another program: choose another with --port, 0 takes a free one"
        case errno.EACCES:
            return f"port {port} of {host} is not for everybody: choose one from 1024 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: choose one that is with --host"
    return f"nothing can listen at port {port} of {host}: {_reason(error)}"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
