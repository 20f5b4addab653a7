"""Losses: plain functions of what was given out and what was wanted."""

from __future__ import annotations

import torch
from torch import Tensor

from foldin.training.batches import SparseRows

__all__ = ["square_error"]


def square_error(logits: Tensor, wanted: SparseRows, unobserved: float) -> tuple[Tensor, Tensor]:
    """The weighted square error of sigmoid outputs, summed over the batch, and the sum of the weights.

    sum_ui w_ui (sigmoid(logit_ui) - t_ui)^2; a stored cell has t = min(x, 1), w = max(x, 1), any other t = 0,
    w = `unobserved`. Ratings (x <= 1) thus weigh 1 each, and strengths above 1 count as confidence, as in
    Hu, Koren & Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets".
    """
    outputs = torch.sigmoid(logits)
    stored = outputs[wanted.rows(), wanted.columns]
    weights = wanted.values.clamp(min=1)
    observed = (weights * (stored - wanted.values.clamp(max=1)).square()).sum()
    if not unobserved:
        return observed, weights.sum()
    elsewhere = outputs.square().sum() - stored.square().sum()
    cells = outputs.numel() - stored.numel()
    return observed + unobserved * elsewhere, weights.sum() + unobserved * cells
