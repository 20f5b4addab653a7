"""A network between the service and its database, which can fall silent: it takes connections and answers none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

__all__ = ["Network", "network_to"]


class Network:
    """Carries what is said to a Unix socket and back; `port` is where."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._silent = False
        self._ends: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Breaks what is connected; whoever connects from now on hears nothing."""
        self._silent = True
        self._break()

    def speak(self) -> None:
        """Is as before, for those who connect from now on."""
        self._silent = False
        self._break()

    def close(self) -> None:
        """Ends."""
        self._listening.close()
        self._break()

    def _break(self) -> None:
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                near, _ = self._listening.accept()
                self._ends.append(near)
                if not self._silent:
                    self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        far.connect(self._place)
        self._ends.append(far)
        for one, other in ((near, far), (far, near)):
            Thread(target=_carry, args=(one, other), daemon=True).start()


@contextmanager
def network_to(place: str) -> Iterator[Network]:
    network = Network(place)
    try:
        yield network
    finally:
        network.close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while said := one.recv(65_536):
            other.sendall(said)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)
