"""Scores of held-out users, block by block: a model and the truth of a simulated world are judged the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from foldin.data.splitting import Holdout
from foldin.errors import ConfigurationError
from foldin.models.protocols import Model

__all__ = ["Score", "blocks", "known_scores", "model_scores", "scores_of"]

Score: TypeAlias = Callable[[slice], NDArray[np.float32]]
"""From a block of a holdout's users to a score for each and every item, (users of the block, items)."""


def model_scores(model: Model, holdout: Holdout) -> Score:
    """What a model makes of the histories it is shown."""
    return lambda block: model.score(holdout.fold_in[block])


def known_scores(affinity: NDArray[np.floating], holdout: Holdout) -> Score:
    """Scores known for every row of the whole matrix, (all users, items): the truth of a simulated world."""
    return lambda block: affinity[holdout.rows[block]].astype(np.float32)


def scores_of(score: Score, holdout: Holdout, block: slice) -> NDArray[np.float32]:
    """The scores of a block, in an array that may be written on.

    Raises:
        ConfigurationError: the scores are not one for each user and item.
    """
    scores = score(block)
    expected = (len(holdout.rows[block]), holdout.fold_in.shape[1])
    if scores.shape != expected:
        raise ConfigurationError(f"scores are of shape {scores.shape}; these users and items need {expected}")
    # a view may look on an array that its owner still needs
    ours = scores.base is None and scores.flags.writeable and scores.dtype == np.float32
    return scores if ours else np.array(scores, dtype=np.float32)


def blocks(users: int, size: int) -> Iterator[slice]:
    """The users, `size` at a time.

    Raises:
        ConfigurationError: `size` is below 1.
    """
    if size < 1:
        raise ConfigurationError(f"block is {size}; a block has 1 user or more")
    return (slice(first, min(first + size, users)) for first in range(0, users, size))
