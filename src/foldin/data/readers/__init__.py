"""Readers: files and frames become interactions, catalogues and profiles."""
