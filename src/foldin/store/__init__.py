"""The store: events, profiles and catalogue in a database, behind one small contract."""
