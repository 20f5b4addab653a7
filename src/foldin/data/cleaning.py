"""Cleaning: leaving out users and items with too few interactions to learn from or to be judged by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foldin.data.interactions import Interactions
from foldin.errors import ConfigurationError

__all__ = ["k_core", "with_minimum"]


def with_minimum(log: Interactions, *, per_user: int = 1, per_item: int = 1) -> Interactions:
    """The events of users with at least `per_user` distinct items, then of items with at least `per_item` distinct
    users among them. One pass: afterwards a user may again be below the minimum (`k_core` repeats until none is).

    Raises:
        ConfigurationError: a minimum is below 1, or nothing is left.
    """
    _check(per_user=per_user, per_item=per_item)
    if per_user > 1:
        log = log.where(_users_of_pairs(log)[log.user_codes] >= per_user)
    if per_item > 1:
        log = log.where(_items_of_pairs(log)[log.item_codes] >= per_item)
    return _not_empty(log, f"at least {per_user} items per user and {per_item} users per item")


def k_core(log: Interactions, k: int) -> Interactions:
    """The largest part of the log in which every user has at least `k` items and every item at least `k` users.

    Raises:
        ConfigurationError: `k` is below 1, or nothing is left.
    """
    _check(k=k)
    while len(log):
        enough = (_users_of_pairs(log)[log.user_codes] >= k) & (_items_of_pairs(log)[log.item_codes] >= k)
        if enough.all():
            break
        log = log.where(enough)
    return _not_empty(log, f"a {k}-core")


def _pairs(log: Interactions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    width = len(log.item_ids)
    pairs = np.unique(log.user_codes.astype(np.int64) * width + log.item_codes)
    return pairs // width, pairs % width


def _users_of_pairs(log: Interactions) -> NDArray[np.intp]:
    return np.bincount(_pairs(log)[0], minlength=len(log.user_ids))


def _items_of_pairs(log: Interactions) -> NDArray[np.intp]:
    return np.bincount(_pairs(log)[1], minlength=len(log.item_ids))


def _check(**minimums: int) -> None:
    for name, minimum in minimums.items():
        if minimum < 1:
            raise ConfigurationError(f"{name} is {minimum}; it must be 1 or more")


def _not_empty(log: Interactions, what: str) -> Interactions:
    if not len(log):
        raise ConfigurationError(f"the log has no part with {what}; lower the minimum")
    return log
