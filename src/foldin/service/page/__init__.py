"""The page: what people see of a running service."""
