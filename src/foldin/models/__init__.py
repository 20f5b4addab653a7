"""The models layer: estimators and models behind one small contract. Importing it imports no torch."""

from __future__ import annotations

from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EASE, EDLAE
from foldin.models.popularity import Popularity

__all__ = ["AutoEncoder", "EASE", "EDLAE", "Popularity"]
