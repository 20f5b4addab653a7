"""A synthetic world whose truth is known: people, hands-on labs, clicks and ratings."""

from __future__ import annotations

from foldin.data.synthetic.files import read_truth, write_world
from foldin.data.synthetic.plot import plot_feedback
from foldin.data.synthetic.world import Truth, World, simulate

__all__ = ["Truth", "World", "plot_feedback", "read_truth", "simulate", "write_world"]
