"""Checkpoints on disk: safetensors, replaced by rename, so that there is always a whole one. Free of torch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from foldin.data.files import PRIVATE_FOLDER, replaced
from foldin.errors import CheckpointError
from foldin.training.epoch import Checkpoint

__all__ = ["load_checkpoint", "save_checkpoint"]

FORMAT = "foldin-checkpoint-1"


def save_checkpoint(checkpoint: Checkpoint, file: Path) -> None:
    """Writes a checkpoint; one that was there stays whole until the new one is."""
    file.parent.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    # safetensors writes what is not contiguous in another order
    arrays = {name: array.copy(order="C") for name, array in checkpoint.arrays.items()}
    with replaced(file, private=True) as draft:
        save_file(arrays, draft, metadata={"format": FORMAT, "run": checkpoint.run, "sha256": _digest(arrays)})


def load_checkpoint(file: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged or no checkpoint.
    """
    try:
        with safe_open(file, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{file} cannot be read as a checkpoint ({error}); train without resuming") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{file} is no checkpoint of this version of foldin; train without resuming")
    if metadata.get("sha256") != _digest(arrays):
        raise CheckpointError(f"{file} is damaged: its SHA-256 is not that of its arrays; train without resuming")
    return Checkpoint(metadata.get("run", ""), arrays)


def _digest(arrays: Mapping[str, NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
