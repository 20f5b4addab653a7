"""What the machine can hold, asked before any work."""

from __future__ import annotations

from importlib.util import find_spec

import psutil

from foldin.errors import ConfigurationError, ResourceError
from foldin.models.protocols import Need

__all__ = ["refuse_beyond_memory", "require_torch"]

GIGABYTE = 1e9


def refuse_beyond_memory(need: Need, what: str) -> None:
    """Passes if the machine has the memory now.

    Raises:
        ResourceError: it has not; the message holds the estimate.
    """
    available = psutil.virtual_memory().available
    if need.bytes > available:
        raise ResourceError(
            f"{what} needs about {need.bytes / GIGABYTE:,.1f} GB of memory and the machine has "
            f"{available / GIGABYTE:,.1f} GB free; take fewer items (a minimum per item) or another model"
        )


def require_torch() -> None:
    """Passes if torch is installed; only training a network needs it.

    Raises:
        ConfigurationError: it is not.
    """
    if find_spec("torch") is None:
        raise ConfigurationError("training a network needs torch, which is not installed: pip install 'foldin[torch]'")
