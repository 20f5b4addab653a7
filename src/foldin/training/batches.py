"""Sparse rows on the device, and batches of them by slices, never through dense copies of the matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from scipy.sparse import csr_array
from torch import Tensor

__all__ = ["SparseRows", "batches", "on_device"]


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows in CSR form. Shapes: `starts` (rows + 1,), `columns` and `values` (stored cells,)."""

    starts: Tensor
    columns: Tensor
    values: Tensor
    width: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: Tensor) -> SparseRows:
        """Some of the rows, in the order given."""
        lengths = self.starts[rows + 1] - self.starts[rows]
        starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)])
        within = torch.arange(int(starts[-1]), device=starts.device) - starts[:-1].repeat_interleave(lengths)
        cells = self.starts[rows].repeat_interleave(lengths) + within
        return SparseRows(starts, self.columns[cells], self.values[cells], self.width)

    def rows(self) -> Tensor:
        """The row of each stored cell."""
        lengths = self.starts.diff()
        return torch.arange(len(self), device=lengths.device).repeat_interleave(lengths)


def on_device(matrix: csr_array, device: torch.device) -> SparseRows:
    """A SciPy matrix as tensors on the device."""
    return SparseRows(
        torch.as_tensor(matrix.indptr, dtype=torch.int64, device=device),
        torch.as_tensor(matrix.indices, dtype=torch.int64, device=device),
        torch.as_tensor(matrix.data, dtype=torch.float32, device=device),
        matrix.shape[1],
    )


def batches(rows: SparseRows, size: int, generator: torch.Generator) -> Iterator[SparseRows]:
    """All rows once, shuffled, `size` at a time; the last batch may be smaller."""
    order = torch.randperm(len(rows), generator=generator).to(rows.starts.device)
    return (rows.take(chunk) for chunk in order.split(size))
