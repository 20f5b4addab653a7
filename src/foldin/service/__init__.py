"""Recommendations over HTTP: one process that answers, and takes events as they happen."""

from __future__ import annotations
