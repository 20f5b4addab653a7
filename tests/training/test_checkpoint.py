from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from foldin.errors import CheckpointError
from foldin.training.checkpoint import load_checkpoint, save_checkpoint
from foldin.training.epoch import Checkpoint

CHECKPOINT = Checkpoint("abc", {"weights": np.arange(6, dtype=np.float32).reshape(2, 3).T, "step": np.array(7.0)})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "checkpoint.safetensors"
    save_checkpoint(CHECKPOINT, file)
    return file


def test_a_checkpoint_comes_back_as_it_was(file: Path) -> None:
    loaded = load_checkpoint(file)
    assert loaded.run == "abc"
    assert loaded.arrays.keys() == CHECKPOINT.arrays.keys()
    for name, array in CHECKPOINT.arrays.items():
        assert loaded.arrays[name].dtype == array.dtype
        assert np.array_equal(loaded.arrays[name], array)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_checkpoint_is_replaced(file: Path) -> None:
    save_checkpoint(Checkpoint("later", {}), file)
    assert load_checkpoint(file).run == "later"


@pytest.mark.parametrize("length", [0, 4, 40, -1])
def test_a_truncated_checkpoint_is_refused(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(CheckpointError, match="train without resuming"):
        load_checkpoint(file)


def test_a_flipped_bit_anywhere_is_noticed(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            loaded = load_checkpoint(file)
        except CheckpointError:
            continue
        # what is left are bits of the run's name, which is compared, and blanks of the header
        same = all(np.array_equal(loaded.arrays[name], array) for name, array in CHECKPOINT.arrays.items())
        assert same
        assert loaded.arrays.keys() == CHECKPOINT.arrays.keys()


def test_what_is_not_there_or_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="missing"):
        load_checkpoint(tmp_path / "missing")
    save_file({"x": np.ones(1)}, tmp_path / "other")
    with pytest.raises(CheckpointError, match="no checkpoint of this version"):
        load_checkpoint(tmp_path / "other")
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path)
