"""Arrays are read as the library reads them, with no second copy in memory."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

from foldin.data.safetensors_stream import DTYPES, read_arrays


class Stream:
    """Bytes in memory as a file."""

    def __init__(self, content: bytes) -> None:
        self._file, self.size = BytesIO(content), len(content)

    def read_into(self, buffer: memoryview) -> None:
        if self._file.readinto(buffer) != len(buffer):
            raise ValueError("the file ends too early")


def of_every_type() -> dict[str, NDArray[np.generic]]:
    arrays = {name: np.arange(6).reshape(2, 3).astype(dtype) for name, dtype in DTYPES.items()}
    return arrays | {"scalar": np.array(1.5), "empty": np.zeros((0, 7), np.float32), "ä": np.ones(1, np.int64)}


def test_arrays_of_every_type_and_shape_are_read_as_by_the_library() -> None:
    content = save(of_every_type(), metadata={"by": "a test"})
    read, expected = read_arrays(Stream(content)), load(content)
    assert read.keys() == expected.keys()
    for name, array in expected.items():
        assert (read[name].dtype, read[name].shape, read[name].flags.owndata) == (array.dtype, array.shape, True), name
        np.testing.assert_array_equal(read[name], array)


def test_an_array_is_in_memory_once() -> None:
    array = np.zeros(2**20)
    stream = Stream(save({"weights": array}))
    tracemalloc.start()
    read_arrays(stream)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert array.nbytes <= peak < 1.2 * array.nbytes


def file_of(header: object, data: bytes = bytes(8)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: str = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        bytes(8),
        (2**63).to_bytes(8, "little") + b"{}",
        file_of(b"{"),
        file_of([]),
        file_of({"a": 7}),
        file_of({"a": entry("F8_E4M3")}),
        file_of({"a": entry(shape=[3])}),
        file_of({"a": entry(shape=[-1, -2])}),
        file_of({"a": entry(shape=[0, 2**70], offsets=[0, 0])}, b""),
        file_of({"a": entry(shape=[1], offsets=[4, 8])}),
        file_of({"a": entry(offsets=[0, 8]), "b": entry(offsets=[0, 8])}),
        file_of({"a": entry(shape=[2**40], offsets=[0, 2**42])}),
        file_of({"a": entry(shape=[1], offsets=[0, 4])}),
        file_of({"a": entry()}, bytes(9)),
    ],
)
def test_a_malformed_file_is_refused_before_memory_is_taken(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic, JSON and this reader word it in their own ways
        read_arrays(Stream(content))
