"""The routes of the API, a file for each noun."""

from __future__ import annotations
