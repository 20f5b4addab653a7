"""The log: a JSON object per line on standard error, without anybody's id."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

__all__ = ["LOGGING", "JsonLines"]


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


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "loggers": {name: {"handlers": ["lines"], "level": "INFO", "propagate": False} for name in ("uvicorn", "foldin")},
}
"""For `logging.config.dictConfig`."""
