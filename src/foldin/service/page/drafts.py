"""A draft of a person: somebody of the store or nobody, with items added and left out and another profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlencode

import numpy as np
from numpy.typing import NDArray

from foldin.data.feedback import FeedbackRule
from foldin.data.identifiers import checked_id
from foldin.data.interactions import NO_TIME, History
from foldin.errors import DataError
from foldin.service.field_types import MAX_QUERY_LENGTH

__all__ = ["Draft", "read_draft", "revised", "settled"]

PROFILE = "profile."
"""Fields of this beginning are of the profile."""

MOST_FIELDS = 2_000

LONGEST_ADDRESS = 2_000
"""Letters; what stands between takes so many, be it a browser, a proxy, a chat or a mail."""


@dataclass(frozen=True)
class Draft:
    """`user`: whose history it starts from; `profile`: the values of each attribute, none where it is emptied; `query`:
    what is looked for; `before`: the items shown. `address`: where the page opens with it again, None where that would
    be too long."""

    user: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    profile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    query: str = ""
    before: tuple[str, ...] = ()
    address: str | None = None

    @property
    def start(self) -> str:
        """Where the page opens with nothing changed."""
        return _address([("user", self.user)] if self.user else [])


def read_draft(sent: bytes) -> Draft:
    """The draft that the page's form sends, with what its button adds or takes away, or that an address holds.

    Raises:
        DataError: it is not UTF-8, has too many fields, a query that is too long, or an id that cannot be one.
    """
    form = _form(sent)
    user = next((text for text in form.get("user", []) if text), None)
    added, removed = dict.fromkeys(_ids(form, "added")), dict.fromkeys(_ids(form, "removed"))
    for item in _ids(form, "add"):
        if item in removed:
            del removed[item]
        else:
            added[item] = None
    for item in _ids(form, "remove"):
        added.pop(item, None)
        if user is not None:
            removed[item] = None
    return Draft(
        None if user is None else checked_id(user, "user"),
        tuple(added),
        tuple(removed),
        _profile(form),
        _query(form),
        _ids(form, "before"),
    )


def settled(draft: Draft, history: History, changes: Mapping[str, Sequence[str]]) -> Draft:
    """A draft with its address, in which of the profile stands only what changes, empty where something is taken away.

    It leaves out only what there is in the history it starts from.
    """
    there = set(history.item_ids)
    draft = replace(draft, removed=tuple(item for item in draft.removed if item in there))
    fields = [("user", draft.user)] if draft.user else []
    fields += [("added", item) for item in draft.added] + [("removed", item) for item in draft.removed]
    fields += [(PROFILE + name, value) for name, values in changes.items() for value in values or ("",)]
    fields += [("query", draft.query)] if draft.query else []
    address = _address(fields)
    return replace(draft, address=address if len(address) <= LONGEST_ADDRESS else None)


def revised(history: History, draft: Draft, rule: FeedbackRule) -> History:
    """A history as the draft has it; an item that was added is an event that counts in full."""
    removed = frozenset(draft.removed)
    kept = np.array([item_id not in removed for item_id in history.item_ids], dtype=np.bool_)
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


def _address(fields: Sequence[tuple[str, str]]) -> str:
    return "/what-if?" + urlencode(fields) if fields else "/what-if"


def _liked(rule: FeedbackRule) -> float:
    """The value of an event by which somebody likes an item; NaN where none is needed."""
    return rule.highest if rule.explicit else np.nan


def _kept(kinds: tuple[str | None, ...], kept: NDArray[np.bool_]) -> list[str | None]:
    return [kind for kind, stays in zip(kinds, kept, strict=True) if stays]


def _form(sent: bytes) -> dict[str, list[str]]:
    # an address comes by many hands, which leave an & at its end; curl sends letters of a form as they are
    try:
        return parse_qs(sent.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise DataError("the letters of an address or a form are UTF-8, and these are not") from None
    except ValueError:
        raise DataError(f"over {MOST_FIELDS:,} fields: send fewer") from None


def _ids(form: Mapping[str, list[str]], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_id(text, "item") for text in form.get(name, []) if text))


def _query(form: Mapping[str, list[str]]) -> str:
    query = " ".join(form.get("query", [])).strip()
    if len(query) > MAX_QUERY_LENGTH:
        raise DataError(f"the query has {len(query):,} letters, and at most {MAX_QUERY_LENGTH} are taken")
    return query


def _profile(form: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {
        name.removeprefix(PROFILE): tuple(dict.fromkeys(filter(None, (text.strip() for text in texts))))
        for name, texts in form.items()
        if name.startswith(PROFILE) and name != PROFILE
    }
