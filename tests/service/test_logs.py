"""The log is written a moment's lines at a time, and nothing of it is lost or out of order."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from threading import Event

import pytest

from foldin.service import logs
from foldin.service.logs import MOST_WAITING, PAUSE, PIPE, JsonLines, Written
from tests.service.server import until

PATIENCE = 60.0
"""Seconds that a busy machine may take; they pass only where a test fails."""


class Pieces(io.StringIO):
    """Remembers what was written at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        if text:
            self.pieces.append(text)
        return len(text)

    @property
    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in "".join(self.pieces).splitlines()]


class Closed(io.StringIO):
    """Of which the reader is gone; `tried` is set by whoever writes to it."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = Event()

    def write(self, text: str) -> int:  # noqa: ARG002
        self.tried.set()
        raise BrokenPipeError


@pytest.fixture
def stream() -> Pieces:
    return Pieces()


@pytest.fixture
def log(stream: Pieces) -> Iterator[logging.Logger]:
    yield from logger_on(stream)


def logger_on(stream: io.StringIO) -> Iterator[logging.Logger]:
    logger, handler = logging.getLogger("tests.logs"), Written(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)


def test_lines_of_a_moment_are_written_together_and_in_order(
    log: logging.Logger, stream: Pieces, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, over = list[float](), Event()

    def paused(seconds: float) -> None:
        pauses.append(seconds)
        assert over.wait(PATIENCE)

    monkeypatch.setattr(logs, "sleep", paused)
    said = [f"line {number}" for number in range(40)]
    for line in said:
        log.info(line)
    assert stream.messages == []
    over.set()
    until(lambda: len(stream.messages) == len(said))
    assert set(pauses) == {PAUSE}
    assert stream.messages == said
    assert len(stream.pieces) < len(said) / 2


def test_a_warning_is_written_at_once_after_what_came_before(log: logging.Logger, stream: Pieces) -> None:
    log.info("before")
    log.warning("now")
    assert stream.messages == ["before", "now"]


def test_whole_lines_are_written_and_no_more_than_a_pipe_takes_at_once(log: logging.Logger, stream: Pieces) -> None:
    said = [f"{number} {'ä' * (number % 300)}" for number in range(400)] + ["long " * PIPE, "the last"]
    for line in said:
        log.info(line)
    written(log).flush()
    assert stream.messages == said
    assert all(piece.endswith("\n") for piece in stream.pieces)
    assert [len(piece.encode()) > PIPE for piece in stream.pieces].count(True) == 1
    assert len(stream.pieces) < len(said) / 4


def test_after_the_end_each_line_is_written_at_once(log: logging.Logger, stream: Pieces) -> None:
    log.info("before")
    written(log).end()
    assert stream.messages == ["before"]
    log.info("after")
    assert stream.messages == ["before", "after"]


def test_what_is_left_at_the_end_is_written(log: logging.Logger, stream: Pieces) -> None:
    log.info("the last")
    written(log).flush()
    assert stream.messages == ["the last"]


def test_more_than_may_wait_is_written_at_once(log: logging.Logger, stream: Pieces) -> None:
    written(log)._some.set = lambda: None  # type: ignore[method-assign] # nobody writes by itself
    for number in range(MOST_WAITING + 1):
        log.info("%d", number)
    assert len(stream.messages) == MOST_WAITING + 1


def test_all_goes_on_where_nobody_reads() -> None:
    closed = Closed()
    for log in logger_on(closed):
        for _ in range(2):
            log.info("unheard")
            assert closed.tried.wait(PATIENCE)
            closed.tried.clear()
        log.warning("unheard")
        thread = written(log)._thread
        assert thread is not None
        assert thread.is_alive()


def written(log: logging.Logger) -> Written:
    """The logger's own handler, beside those of the tests."""
    return next(handler for handler in log.handlers if isinstance(handler, Written))
