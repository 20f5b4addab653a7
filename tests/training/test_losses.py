from __future__ import annotations

from math import exp

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from foldin.training.batches import on_device
from foldin.training.losses import square_error

WANTED = csr_array(np.array([[1, 0, 0.5, 0], [0, 0, 0, 0], [3, 1, 0, 0.2]], dtype=np.float32))
LOGITS = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)


def slow_square_error(unobserved: float) -> tuple[float, float]:
    error = weight = 0.0
    for logits, wanted in zip(LOGITS, WANTED.toarray(), strict=True):
        for logit, x in zip(logits, wanted, strict=True):
            interest, rating = (1, max(x, unobserved)), (min(x, 1), max(x, 1))
            target, w = (0, unobserved) if not x else interest if unobserved else rating
            error += w * (1 / (1 + exp(-logit)) - target) ** 2
            weight += w
    return error, weight


@pytest.mark.parametrize("unobserved", [0, 0.3, 1])
def test_is_what_a_slow_loop_sums(unobserved: float) -> None:
    error, weight = square_error(torch.from_numpy(LOGITS), on_device(WANTED, torch.device("cpu")), unobserved)
    assert (float(error), float(weight)) == pytest.approx(slow_square_error(unobserved), rel=1e-6)


@pytest.mark.parametrize("unobserved", [0, 0.3])
def test_only_what_is_weighted_has_a_gradient(unobserved: float) -> None:
    logits = torch.from_numpy(LOGITS.copy()).requires_grad_()
    error, _ = square_error(logits, on_device(WANTED, torch.device("cpu")), unobserved)
    (gradient,) = torch.autograd.grad(error, logits)
    felt = (gradient != 0).numpy()
    assert (felt == ((WANTED.toarray() > 0) | (unobserved > 0))).all()


def test_a_faint_interest_is_still_an_interest() -> None:
    """Strengths below 1 say how sure a yes is; as targets they would teach a network that its positives are none."""
    faint = csr_array(np.array([[0.05, 0]], dtype=np.float32))
    logits = torch.zeros((1, 2), requires_grad=True)
    error, _ = square_error(logits, on_device(faint, torch.device("cpu")), 0.1)
    (gradient,) = torch.autograd.grad(error, logits)
    assert gradient[0, 0] < 0 < gradient[0, 1]
