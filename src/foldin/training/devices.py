"""Where to train: cuda, mps or cpu."""

from __future__ import annotations

import torch

from foldin.errors import ConfigurationError

__all__ = ["chosen_device"]


def chosen_device(name: str | None) -> torch.device:
    """The device of that name, or without a name the fastest there is.

    Raises:
        ConfigurationError: there is no such device on this machine.
    """
    present = _present()
    if name is None:
        return torch.device(present[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        raise ConfigurationError(f"device '{name}' is not one of: cuda, mps, cpu") from None
    if device.type not in present or (device.index or 0) >= _count(device.type):
        raise ConfigurationError(f"device '{name}' is not on this machine, which has: {', '.join(present)}")
    return device


def _present() -> list[str]:
    cuda = ["cuda"] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def _count(kind: str) -> int:
    return torch.cuda.device_count() if kind == "cuda" else 1
