"""Reads a safetensors file front to back, each array straight into memory of its own.

The library needs the whole file in memory beside the arrays, or maps it, and a mapped file that is truncated meanwhile
ends the process with SIGBUS. The format: https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from foldin.strict_json import parse_json

__all__ = ["ByteStream", "read_arrays"]

LENGTH_BYTES = 8

DTYPES: Mapping[str, type[np.generic]] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "U64": np.uint64,
    "I32": np.int32,
    "U32": np.uint32,
    "I16": np.int16,
    "U16": np.uint16,
    "I8": np.int8,
    "U8": np.uint8,
    "BOOL": np.bool_,
}

METADATA = "__metadata__"


class ByteStream(Protocol):
    """A file of known size that is read once, from its beginning."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""

    def read_into(self, buffer: memoryview) -> None:
        """Fills a buffer with the next bytes.

        Raises:
            ValueError: the file ends before.
        """


@dataclass(frozen=True)
class _Entry:
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


_HEADER = TypeAdapter(dict[str, _Entry])


def read_arrays(file: ByteStream) -> dict[str, NDArray[np.generic]]:
    """Reads all arrays of a safetensors file, in the order of their bytes.

    NumPy asks for large pages for arrays that it allocates, which takes a sixth off a product.

    Raises:
        ValueError: the file is not of that format.
    """
    length = int.from_bytes(_read(file, LENGTH_BYTES), "little")
    if length > file.size - LENGTH_BYTES:
        raise ValueError(f"its header has {length:,} bytes, more than the file")
    header = parse_json(_read(file, length))
    arrays = {}
    for name, array in _allocate(header, file.size - LENGTH_BYTES - length):
        file.read_into(array.reshape(-1).view(np.uint8).data)
        arrays[name] = array
    return arrays


def _read(file: ByteStream, size: int) -> bytes:
    content = bytearray(size)
    file.read_into(memoryview(content))
    return bytes(content)


def _allocate(header: object, data_bytes: int) -> Iterator[tuple[str, NDArray[np.generic]]]:
    """Names and empty arrays in the order of their bytes, which follow each other without a gap."""
    if isinstance(header, dict):
        header.pop(METADATA, None)
    entries = _HEADER.validate_python(header)
    end = 0
    for name, entry in sorted(entries.items(), key=lambda named: named[1].data_offsets):
        begin, after = entry.data_offsets
        dtype = DTYPES.get(entry.dtype)
        if dtype is None:
            raise ValueError(f"array '{name}' is of the unknown type {entry.dtype}")
        if not all(0 <= length <= sys.maxsize for length in entry.shape) or begin != end or after > data_bytes:
            raise ValueError(f"the place of array '{name}' in the file is wrong")
        if after - begin != math.prod(entry.shape) * np.dtype(dtype).itemsize:
            raise ValueError(f"array '{name}' has another size than its shape")
        end = after
        yield name, np.empty(entry.shape, dtype)
    if end != data_bytes:
        raise ValueError("bytes follow the last array")
