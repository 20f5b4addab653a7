"""The store in a PostgreSQL database. Nothing here is imported before a URL asks for it: psycopg is an extra."""
