"""Which stores a service can have behind it."""

from __future__ import annotations

import pytest

__all__ = ["on_every_store"]

on_every_store = pytest.mark.parametrize(
    "client", ["server", "server_on_postgresql"], ids=["sqlite", "postgresql"], indirect=True
)
"""Asks the shared service of each kind of store in turn."""
