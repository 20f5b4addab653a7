"""Losses: plain functions of what was given out and what was wanted."""

from __future__ import annotations

import torch
from torch import Tensor

from foldin.training.batches import SparseRows

__all__ = ["square_error"]


def square_error(logits: Tensor, wanted: SparseRows, unobserved: float) -> tuple[Tensor, Tensor]:
    """The weighted square error of sigmoid outputs, summed over the batch, and the sum of the weights.

    sum_ui w_ui (sigmoid(logit_ui) - t_ui)^2 over stored cells x and all others, which have t = 0, w = `unobserved`.
    With `unobserved` > 0 stored cells are interest: t = 1, and the strength x is the confidence, w = max(x, unobserved)
    (Hu, Koren & Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets"). With `unobserved` = 0 they
    are ratings, and only they count: t = min(x, 1), w = max(x, 1).
    """
    outputs = torch.sigmoid(logits)
    stored = outputs[wanted.rows(), wanted.columns]
    weights = wanted.values.clamp(min=unobserved or 1)
    targets = torch.ones_like(stored) if unobserved else wanted.values.clamp(max=1)
    observed = (weights * (stored - targets).square()).sum()
    if not unobserved:
        return observed, weights.sum()
    elsewhere = outputs.square().sum() - stored.square().sum()
    cells = outputs.numel() - stored.numel()
    return observed + unobserved * elsewhere, weights.sum() + unobserved * cells
