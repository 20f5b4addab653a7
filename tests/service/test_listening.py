from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foldin.errors import ConfigurationError
from foldin.service.listening import listening, port_of

LOOPBACK, OTHER = "127.0.0.1", "127.0.0.2"
NO_FAMILY = 4_095
"""Of addresses no kernel has, as one without IPv6 has none of that."""


def test_whoever_connects_before_anybody_serves_waits() -> None:
    with (
        listening(LOOPBACK, 0) as sockets,
        socket.create_connection((LOOPBACK, port_of(sockets)), timeout=60) as asking,
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


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Gives every name these addresses: one of several cannot be counted on to be known here."""

    def name(*addresses: str, absent: int | None = None) -> None:
        families: list[tuple[int, str]] = [(socket.AF_INET, address) for address in addresses]
        if absent is not None:
            families.insert(0, (absent, "::1"))
        found = [(family, socket.SOCK_STREAM, 6, "", (address, 0)) for family, address in families]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return name


def test_all_addresses_of_a_name_are_listened_at_by_the_same_port(named: Callable[..., None]) -> None:
    named(LOOPBACK, OTHER)
    with listening("labs", 0) as sockets:
        assert [one.getsockname() for one in sockets] == [(address, port_of(sockets)) for address in (LOOPBACK, OTHER)]


@pytest.mark.parametrize(
    ("elsewhere", "absent"), [([], NO_FAMILY), (["192.0.2.1"], None), (["192.0.2.1"], NO_FAMILY)], ids=str
)
def test_addresses_that_this_machine_lacks_are_passed_over_where_it_has_another(
    elsewhere: list[str], absent: int | None, named: Callable[..., None]
) -> None:
    named(*elsewhere, LOOPBACK, absent=absent)
    with listening("labs", 0) as sockets:
        assert [one.getsockname()[0] for one in sockets] == [LOOPBACK]


def test_where_it_has_none_of_them_it_is_refused(named: Callable[..., None]) -> None:
    named("203.0.113.1", "203.0.113.2")
    with pytest.raises(ConfigurationError, match="labs is no address of this machine"), listening("labs", 8000):
        pass
    named(absent=NO_FAMILY)
    with pytest.raises(ConfigurationError, match="nothing can listen at port 8000 of labs: "), listening("labs", 8000):
        pass


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[socket.socket]]:
    """Somebody who takes the port of the second address just before it is bound, the first time; what they took."""
    taken: list[socket.socket] = []

    class Overtaken(socket.socket):
        def bind(self, address: Any) -> None:
            if address[0] == OTHER and address[1] and not taken:
                taken.append(socket.socket())
                taken[0].bind(address)
                taken[0].listen()
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Overtaken)
    yield taken
    for one in taken:
        one.close()


def test_where_a_free_port_is_taken_on_another_address_another_is_drawn(
    named: Callable[..., None], hurried: list[socket.socket]
) -> None:
    named(LOOPBACK, OTHER)
    with listening("labs", 0) as sockets:
        assert [one.getsockname() for one in sockets] == [(address, port_of(sockets)) for address in (LOOPBACK, OTHER)]
        assert port_of(sockets) != hurried[0].getsockname()[1]


def test_where_no_port_is_free_on_all_the_one_that_was_tried_is_named(named: Callable[..., None]) -> None:
    named(LOOPBACK, "0.0.0.0")  # who listens at the first has the port of the second, too
    with pytest.raises(ConfigurationError, match=r"port [1-9]\d+ of labs is taken"), listening("labs", 0):
        pass


@pytest.mark.parametrize(
    ("host", "told"),
    [("192.0.2.1", "192.0.2.1 is no address of this machine"), ("nowhere.invalid", "at --host nowhere.invalid: ")],
)
def test_a_host_that_is_not_here_is_refused(host: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told), listening(host, 0):
        pass
