"""Reading a model's arrays back, refusing what does not fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.errors import BundleError
from foldin.models.protocols import Arrays

__all__ = ["matrix_named"]


def matrix_named(name: str, arrays: Arrays, *, dimensions: int) -> NDArray[np.float32]:
    """One float32 array of a model.

    Raises:
        BundleError: it is missing, of another type or number of dimensions, or holds NaN or infinity.
    """
    if name not in arrays:
        raise BundleError(f"the model's array '{name}' is missing; it has: {', '.join(sorted(arrays)) or 'none'}")
    array = arrays[name]
    if array.dtype != np.float32 or array.ndim != dimensions:
        raise BundleError(
            f"the model's array '{name}' is {array.dtype} of {array.ndim} dimensions, not float32 of {dimensions}"
        )
    if not np.isfinite(array).all():
        raise BundleError(f"the model's array '{name}' holds values that are not finite")
    return array.astype(np.float32, copy=False)
