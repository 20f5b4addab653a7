"""A draft of a person: somebody of the store or nobody, with items added and left out and another profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

import numpy as np
from numpy.typing import NDArray

from foldin.data.feedback import FeedbackRule
from foldin.data.identifiers import checked_id
from foldin.data.interactions import NO_TIME, History
from foldin.errors import DataError

__all__ = ["Draft", "read_draft", "revised"]

PROFILE = "profile."
"""Fields of this beginning are of the profile."""

MOST_FIELDS = 2_000


@dataclass(frozen=True)
class Draft:
    """`user`: whose history it starts from; `profile`: the values of each attribute; `before`: the items shown."""

    user: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    profile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    before: tuple[str, ...] = ()


def read_draft(body: bytes) -> Draft:
    """The draft that the page's form sends, with what its button adds or takes away.

    Raises:
        DataError: it is no form, too long, or holds an id that cannot be one.
    """
    form = _form(body)
    user = next((text for text in form.get("user", []) if text), None)
    draft = Draft(
        None if user is None else checked_id(user, "user"),
        _ids(form, "added"),
        _ids(form, "removed"),
        _profile(form),
        _ids(form, "before"),
    )
    for item in _ids(form, "add"):
        draft = _with(draft, item)
    for item in _ids(form, "remove"):
        draft = _without(draft, item)
    return draft


def revised(history: History, draft: Draft, rule: FeedbackRule) -> History:
    """A history as the draft has it; an item that was added is an event that counts in full."""
    kept = np.array([item_id not in draft.removed for item_id in history.item_ids], dtype=np.bool_)
    added, items = len(draft.added), np.array(history.item_ids, dtype=np.object_)
    values = history.values
    if values is None and rule.explicit:
        values = np.full(len(history), np.nan, dtype=np.float32)
    return History(
        (*items[kept].tolist(), *draft.added),
        None if history.kinds is None else (*_kept(history.kinds, kept), *[None] * added),
        None if values is None else np.append(values[kept], np.full(added, _liked(rule), dtype=np.float32)),
        None if history.times is None else np.append(history.times[kept], np.full(added, NO_TIME)),
    )


def _liked(rule: FeedbackRule) -> float:
    """The value of an event by which somebody likes an item; NaN where none is needed."""
    return rule.highest if rule.explicit else np.nan


def _kept(kinds: tuple[str | None, ...], kept: NDArray[np.bool_]) -> list[str | None]:
    return [kind for kind, stays in zip(kinds, kept, strict=True) if stays]


def _with(draft: Draft, item: str) -> Draft:
    if item in draft.removed:
        return replace(draft, removed=tuple(other for other in draft.removed if other != item))
    return replace(draft, added=tuple(dict.fromkeys((*draft.added, item))))


def _without(draft: Draft, item: str) -> Draft:
    added = tuple(other for other in draft.added if other != item)
    if draft.user is None:
        return replace(draft, added=added)
    return replace(draft, added=added, removed=tuple(dict.fromkeys((*draft.removed, item))))


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("ascii"), strict_parsing=bool(body), errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise DataError(f"this is no form, or over {MOST_FIELDS:,} fields long: {error}") from None


def _ids(form: Mapping[str, list[str]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_id(text, "item") for text in form.get(name, []) if text))


def _profile(form: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    values = {
        name.removeprefix(PROFILE): tuple(dict.fromkeys(filter(None, (text.strip() for text in texts))))
        for name, texts in form.items()
        if name.startswith(PROFILE)
    }
    return {name: given for name, given in values.items() if name and given}
