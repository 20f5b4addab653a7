"""What only the service needs, and a plain installation lacks: the extra `serve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foldin.errors import ConfigurationError

__all__ = ["from_service"]


@contextmanager
def from_service() -> Iterator[None]:
    """For imports from the service: says what to install where something that they need is missing.

    Raises:
        ConfigurationError: the extra `serve` is missing.
    """
    try:
        yield
    except ImportError as missing:
        raise ConfigurationError(f"the service needs more: pip install 'foldin[serve]' ({missing})") from None
