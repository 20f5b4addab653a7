"""What the store knows of somebody."""

from __future__ import annotations

from dataclasses import dataclass

from foldin.data.interactions import History
from foldin.data.profiles import Profile
from foldin.errors import NotFoundError
from foldin.store.contract import Store

__all__ = ["Known", "known_of"]


@dataclass(frozen=True, eq=False)
class Known:
    """A history and a profile; `heard_of`: whether the store knows the user, and else both are empty."""

    history: History
    profile: Profile
    heard_of: bool


def known_of(store: Store, user: str) -> Known:
    """What is known of a user; nothing of one whom the store has never heard of."""
    try:
        return Known(store.history(user), store.profile(user), heard_of=True)
    except NotFoundError:
        return Known(History(()), {}, heard_of=False)
