from __future__ import annotations

import socket

import pytest

from foldin.errors import ConfigurationError
from foldin.service.listening import listening, port_of

LOOPBACK = "127.0.0.1"


def test_whoever_connects_before_anybody_serves_waits() -> None:
    with (
        listening(LOOPBACK, 0) as sockets,
        socket.create_connection((LOOPBACK, port_of(sockets)), timeout=10) as asking,
    ):
        asking.sendall(b"hello")
        taken, _ = sockets[0].accept()
        with taken:
            assert taken.recv(5) == b"hello"


def test_a_port_that_somebody_has_is_refused_with_what_to_do() -> None:
    with listening(LOOPBACK, 0) as sockets:
        port = port_of(sockets)
        told = f"port {port} of 127.0.0.1 is taken by another program: choose another with --port"
        with pytest.raises(ConfigurationError, match=told), listening(LOOPBACK, port):
            pass
    with listening(LOOPBACK, port) as sockets:
        assert port_of(sockets) == port


def test_all_addresses_of_a_name_are_listened_at_by_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [LOOPBACK, "127.0.0.2"]  # a name of so many cannot be counted on to be known here
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with listening("labs", 0) as sockets:
        assert [one.getsockname() for one in sockets] == [(address, port_of(sockets)) for address in addresses]


@pytest.mark.parametrize(
    ("host", "told"),
    [("192.0.2.1", "192.0.2.1 is no address of this machine"), ("nowhere.invalid", "at --host nowhere.invalid: ")],
)
def test_a_host_that_is_not_here_is_refused(host: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told), listening(host, 0):
        pass
