"""Recommendations from the autoencoder family, from an event log to a top 10, for people the model has never met."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin.data.catalog import Catalog
    from foldin.data.feedback import Feedback
    from foldin.data.interactions import History, Interactions
    from foldin.data.profiles import Profiles

__version__ = "0.1.0"

__all__ = [
    "Catalog",
    "Feedback",
    "History",
    "Interactions",
    "Profiles",
]

# Names are resolved on first use, so that `import foldin` costs no SciPy (PEP 562).
_HOMES = {
    "Catalog": "foldin.data.catalog",
    "Feedback": "foldin.data.feedback",
    "History": "foldin.data.interactions",
    "Interactions": "foldin.data.interactions",
    "Profiles": "foldin.data.profiles",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'foldin' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
