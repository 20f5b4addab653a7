"""Quota of something that all keys share, and of which one key may take a part."""

from __future__ import annotations

from collections import Counter

__all__ = ["KeyQuota"]


class KeyQuota:
    """Counts what is in use in total and by key. `most`: in total; `most_of_key`: by one key."""

    def __init__(self, most: int, most_of_key: int) -> None:
        self._most, self._most_of_key = most, most_of_key
        self._total = 0
        self._by_key = Counter[str]()

    def take(self, key: str, amount: int) -> None:
        """Count what a key begins to use, also beyond the limits."""
        self._total += amount
        self._by_key[key] += amount

    def give_back(self, key: str, amount: int) -> None:
        """Stop counting what a key has used."""
        self._total -= amount
        self._by_key[key] -= amount
        if not self._by_key[key]:
            del self._by_key[key]

    def is_exceeded(self) -> bool:
        """Return whether more is in use than there is."""
        return self._total > self._most

    def is_exceeded_by(self, key: str) -> bool:
        """Return whether one key uses more than its part."""
        return self._by_key[key] > self._most_of_key
