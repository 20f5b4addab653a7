"""Recommendations from the autoencoder family, from an event log to a top 10, for people the model has never met."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldin import errors, models
    from foldin.bundle import load_bundle as load
    from foldin.bundle import save_bundle as save
    from foldin.choosing import Progress, Training
    from foldin.contest import contest as compare
    from foldin.data.availability import unavailable
    from foldin.data.catalog import Catalog
    from foldin.data.cleaning import k_core, with_minimum
    from foldin.data.feedback import Feedback
    from foldin.data.interactions import History, Interactions
    from foldin.data.profiles import Profile, Profiles
    from foldin.data.readers import read, read_catalog, read_profiles
    from foldin.data.synthetic import simulate
    from foldin.fitting import fit
    from foldin.recommendation import Basis, Explanation, Recommendation
    from foldin.recommender import Recommender

__version__ = "0.1.0"

__all__ = [
    "Basis",
    "Catalog",
    "Explanation",
    "Feedback",
    "History",
    "Interactions",
    "Profile",
    "Profiles",
    "Progress",
    "Recommendation",
    "Recommender",
    "Training",
    "compare",
    "errors",
    "fit",
    "k_core",
    "load",
    "models",
    "read",
    "read_catalog",
    "read_profiles",
    "save",
    "simulate",
    "unavailable",
    "with_minimum",
]

# Names are resolved on first use, so that `import foldin` costs no SciPy (PEP 562).
_HOMES = {
    "Basis": "foldin.recommendation:Basis",
    "Catalog": "foldin.data.catalog:Catalog",
    "Explanation": "foldin.recommendation:Explanation",
    "Feedback": "foldin.data.feedback:Feedback",
    "History": "foldin.data.interactions:History",
    "Interactions": "foldin.data.interactions:Interactions",
    "Profile": "foldin.data.profiles:Profile",
    "Profiles": "foldin.data.profiles:Profiles",
    "Progress": "foldin.choosing:Progress",
    "Recommendation": "foldin.recommendation:Recommendation",
    "Recommender": "foldin.recommender:Recommender",
    "Training": "foldin.choosing:Training",
    "compare": "foldin.contest:contest",
    "fit": "foldin.fitting:fit",
    "k_core": "foldin.data.cleaning:k_core",
    "load": "foldin.bundle:load_bundle",
    "read": "foldin.data.readers:read",
    "read_catalog": "foldin.data.readers:read_catalog",
    "read_profiles": "foldin.data.readers:read_profiles",
    "save": "foldin.bundle:save_bundle",
    "simulate": "foldin.data.synthetic:simulate",
    "unavailable": "foldin.data.availability:unavailable",
    "with_minimum": "foldin.data.cleaning:with_minimum",
}


def __getattr__(name: str) -> object:
    if name in ("errors", "models"):
        return import_module(f"foldin.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'foldin' has no attribute '{name}'")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
