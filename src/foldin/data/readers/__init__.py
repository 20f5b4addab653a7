"""Readers: files and frames become interactions, catalogues and profiles."""

from foldin.data.readers.logs import Reading, read, read_events
from foldin.data.readers.rejects import Rejected
from foldin.data.readers.sources import Source
from foldin.data.readers.tables import read_catalog, read_profiles

__all__ = ["Reading", "Rejected", "Source", "read", "read_catalog", "read_events", "read_profiles"]
