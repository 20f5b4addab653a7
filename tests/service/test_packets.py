"""What goes out together, and that nothing is kept for good."""

from __future__ import annotations

import asyncio

import pytest

from foldin.service.packets import Packets

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Sent(asyncio.Transport):
    """A transport whose packets can be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.packets.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sent() -> Sent:
    return Sent()


def test_a_head_goes_with_what_follows(sent: Sent) -> None:
    packets = Packets(sent)
    for part in (HEAD, b"{}", HEAD, b"[", b"]"):
        packets.write(part)
    assert sent.packets == [HEAD + b"{}", HEAD + b"[", b"]"]


def test_a_head_alone_goes_once_nothing_follows(sent: Sent) -> None:
    packets = Packets(sent)
    packets.write(HEAD)
    packets.flush()
    packets.flush()
    assert sent.packets == [HEAD]


def test_a_head_goes_before_the_end(sent: Sent) -> None:
    packets = Packets(sent)
    packets.write(HEAD)
    packets.close()
    assert sent.packets == [HEAD]
    assert packets.is_closing()


def test_who_waits_for_a_word_before_sending_a_body_is_not_kept_waiting(sent: Sent) -> None:
    Packets(sent).write(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert sent.packets == [b"HTTP/1.1 100 Continue\r\n\r\n"]
