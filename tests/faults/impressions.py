"""What a store must hold of what was shown and clicked, in lists and dicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from foldin.store.contract import ClickThrough, Impression, Shown

__all__ = ["Cited", "Impressions"]

Cited: TypeAlias = tuple[str, str, str]
"""A recommendation, and the user and item of an event that came from it."""


@dataclass
class Impressions:
    """`stored`: by recommendation, in the order of arrival; `waiting`: what cites recommendations that are not."""

    stored: dict[str, Impression] = field(default_factory=dict)
    clicked: set[tuple[str, str]] = field(default_factory=set)
    waiting: list[Cited] = field(default_factory=list)
    counts: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    models: list[str] = field(default_factory=list)

    def show(self, impressions: list[Impression]) -> None:
        new = [one for one in impressions if one.recommendation_id not in self.stored]
        self.models += sorted({one.model for one in impressions} - set(self.models))
        for one in new:
            self.stored[one.recommendation_id] = one
            for rank in range(1, len(one.item_ids) + 1):
                self.counts.setdefault((one.model, rank), [0, 0])[0] += 1
        came_before, self.waiting = self.waiting, []
        self.cite(came_before)

    def cite(self, citations: list[Cited]) -> None:
        for cited in citations:
            shown = self.stored.get(cited[0])
            if shown is None:
                self.waiting.append(cited)
            elif shown.user_id in (None, cited[1]) and cited[2] in shown.item_ids:
                self._click(shown, cited[2])

    def _click(self, shown: Impression, item: str) -> None:
        if (shown.recommendation_id, item) not in self.clicked:
            self.clicked.add((shown.recommendation_id, item))
            self.counts[shown.model, shown.item_ids.index(item) + 1][1] += 1

    def forget(self, user: str) -> int:
        erased = [key for key, one in self.stored.items() if one.user_id == user]
        for key in erased:
            del self.stored[key]
        self.clicked = {click for click in self.clicked if click[0] in self.stored}
        self.waiting = [cited for cited in self.waiting if cited[1] != user]
        return len(erased)

    def shown_to(self, user: str) -> list[Shown]:
        mine = sorted((one for one in self.stored.values() if one.user_id == user), key=lambda one: one.time)
        return [
            Shown(one, tuple(item for item in one.item_ids if (one.recommendation_id, item) in self.clicked))
            for one in mine
        ]

    def click_through(self) -> list[ClickThrough]:
        places = sorted(self.counts, key=lambda place: (self.models.index(place[0]), place[1]))
        return [ClickThrough(*place, *self.counts[place]) for place in places]
