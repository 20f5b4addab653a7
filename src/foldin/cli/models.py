"""`foldin models`."""

from __future__ import annotations

import typer

__all__ = ["models"]

models = typer.Typer(help="To be written.")
