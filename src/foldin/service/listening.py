"""Where the service listens: its addresses are taken before anything is made or shown, or refused with what to do."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from foldin.errors import ConfigurationError

__all__ = ["BACKLOG", "listening", "port_of"]

BACKLOG = 2_048
"""Connections that may wait to be taken."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets that listen at a port of every address that the host has; port 0 takes a free one.

    Whoever connects waits until somebody takes their connections.

    Raises:
        ConfigurationError: the host is none of this machine's, or the port is taken or not allowed.
    """
    with ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in _addresses(host, port):
            # where the port was free to choose, the addresses after the first have the same
            chosen = (address[0], port_of(sockets) if sockets else port, *address[2:])
            sockets.append(opened.enter_context(_socket(family, chosen, host, port)))
        yield sockets


def port_of(sockets: list[socket.socket]) -> int:
    """The port at which they listen."""
    return int(sockets[0].getsockname()[1])


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"nothing can listen at --host {host}: {_told(error)}") from error
    return list(dict.fromkeys((family, tuple(address)) for family, _, _, _, address in found))


def _socket(family: socket.AddressFamily, address: tuple[Any, ...], host: str, port: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would share the address with whoever has it
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        # until somebody listens, others may bind the same address
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise ConfigurationError(_refusal(error, host, port)) from error
    return opened


def _refusal(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is taken by another program: choose another with --port, 0 takes a free one"
        case errno.EACCES:
            return f"port {port} of {host} is not for everybody: choose one from 1024 with --port"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: choose one that is with --host"
    return f"nothing can listen at port {port} of {host}: {_told(error)}"


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
