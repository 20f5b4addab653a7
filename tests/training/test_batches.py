from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from foldin.training.batches import SparseRows, batches, on_device

MATRIX = csr_array(np.array([[1, 0, 2], [0, 0, 0], [0, 3, 0], [4, 5, 6]], dtype=np.float32))


def rows() -> SparseRows:
    return on_device(MATRIX, torch.device("cpu"))


def dense(part: SparseRows) -> list[list[float]]:
    cells = (part.values.numpy(), part.columns.numpy(), part.starts.numpy())
    whole: list[list[float]] = csr_array(cells, shape=(len(part), part.width)).toarray().tolist()
    return whole


def test_rows_are_those_of_the_matrix() -> None:
    assert len(rows()) == 4
    assert dense(rows()) == MATRIX.toarray().tolist()
    assert rows().rows().tolist() == [0, 0, 2, 3, 3, 3]


def test_take_takes_rows_in_the_order_given() -> None:
    for chosen in ([3, 1, 0], [1], [2, 2]):
        assert dense(rows().take(torch.tensor(chosen))) == MATRIX.toarray()[chosen].tolist()


def test_batches_hold_every_row_once_and_the_last_may_be_smaller() -> None:
    for size, sizes in ((1, [1, 1, 1, 1]), (3, [3, 1]), (9, [4])):
        made = list(batches(rows(), size, torch.Generator().manual_seed(2)))
        assert [len(batch) for batch in made] == sizes
        held = [row for batch in made for row in dense(batch)]
        assert sorted(held) == sorted(MATRIX.toarray().tolist())


def test_batches_are_shuffled_by_the_generator() -> None:
    def order(seed: int) -> list[list[float]]:
        return [row for batch in batches(rows(), 2, torch.Generator().manual_seed(seed)) for row in dense(batch)]

    assert order(1) == order(1)
    assert len({str(order(seed)) for seed in range(8)}) > 1
