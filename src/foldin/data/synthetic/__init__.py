"""A synthetic world whose truth is known: people, hands-on labs, clicks and ratings."""

from __future__ import annotations

from foldin.data.synthetic.world import Truth, World, simulate

__all__ = ["Truth", "World", "simulate"]
