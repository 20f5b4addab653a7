"""Sources: SQL databases whose answers become logs, catalogues and profiles."""

from foldin.sources.queries import SqlReading, read_sql, read_sql_catalog, read_sql_profiles, source_name

__all__ = ["SqlReading", "read_sql", "read_sql_catalog", "read_sql_profiles", "source_name"]
