"""The log: a JSON object per line on standard error, without anybody's id."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from time import sleep
from typing import Any

__all__ = ["LOGGING", "JsonLines", "Written", "end_gathering", "log_uncaught_errors"]

PAUSE = 0.1
"""Seconds for which lines are gathered: writing each by itself takes as long as putting it together, and lets every
other thread go first."""

PIPE = 4_096
"""Bytes that every pipe takes in one piece (POSIX lets it be less, and no system has less)."""

MOST_WAITING = 10_000
"""Lines that may wait; whoever brings more of them waits until they are written, as where nobody reads them."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON; what stands in its `fields` are keys of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _as_json(line)


_as_json = json.JSONEncoder(ensure_ascii=False).encode


class Written(logging.StreamHandler[Any]):
    """Writes lines in order, a moment's at a time; a warning, and whatever came before it, at once."""

    def __init__(self, stream: Any = None) -> None:
        super().__init__(stream)
        self._at_once = False
        self._lines: deque[str] = deque()
        self._some = Event()
        self._writing = Lock()
        self._thread: Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Takes a record in."""
        try:
            self._lines.append(self.format(record) + self.terminator)
        except Exception:  # as every handler of the library: nothing fails for its log
            self.handleError(record)
            return
        if self._at_once or record.levelno >= logging.WARNING or len(self._lines) > MOST_WAITING:
            self.flush()
        else:
            self._write_soon()

    def flush(self) -> None:
        """Writes all that came until now; nobody may read it any more, or the disk may be full, and all goes on."""
        with self._writing, suppress(OSError, ValueError):
            while self._lines:
                self.stream.write(self._piece())
                self.stream.flush()

    def end(self) -> None:
        """Writes all that came, and from here on each line at once: a signal may be the end of the process."""
        self._at_once = True
        self.flush()

    def _piece(self) -> str:
        """The next lines, whole, and as many as a pipe takes at once: other processes write to it as well."""
        lines = [self._lines.popleft()]
        size = len(lines[0].encode())
        while self._lines and (size := size + len(self._lines[0].encode())) <= PIPE:
            lines.append(self._lines.popleft())
        return "".join(lines)

    def _write_soon(self) -> None:
        if self._thread is None:  # not before, as a process that logs nothing needs none
            self._thread = Thread(target=self._work, name="foldin-log", daemon=True)
            self._thread.start()
        self._some.set()

    def _work(self) -> None:
        while True:
            self._some.wait()
            sleep(PAUSE)
            self._some.clear()
            self.flush()


def end_gathering() -> None:
    """Has what the service still says written line by line, at its end."""
    for handler in logging.getLogger("foldin").handlers:
        if isinstance(handler, Written):
            handler.end()


def log_uncaught_errors() -> None:
    """Log warnings and the errors that end a thread or a destructor, which Python prints as plain text otherwise."""
    logging.captureWarnings(True)
    threading.excepthook = _log_end_of_thread
    sys.unraisablehook = _log_unraisable


def _log_end_of_thread(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread is not None else "unknown"
    _log.error("thread ended by an error", extra={"fields": {"thread": name}}, exc_info=ended.exc_value)


def _log_unraisable(ignored: sys.UnraisableHookArgs) -> None:
    message = ignored.err_msg or "error ignored in"
    _log.error("%s %r", message, ignored.object, exc_info=ignored.exc_value)


_log = logging.getLogger("foldin.service")

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"lines": {"()": Written, "formatter": "json", "stream": "ext://sys.stderr", "level": "INFO"}},
    "root": {"handlers": ["lines"], "level": "WARNING"},  # asyncio's logger, and those of other libraries
    "loggers": {name: {"handlers": ["lines"], "level": "INFO", "propagate": False} for name in ("uvicorn", "foldin")},
}
"""For `logging.config.dictConfig`."""
