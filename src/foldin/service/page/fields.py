"""The fields of a form for a profile: what the model knows of people, each as something to choose or to write."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from foldin.coldstart.blocks import Bins, Block, Values
from foldin.data.cells import pieces_of
from foldin.data.profiles import Profile
from foldin.recommender import Recommender

__all__ = ["Field", "Option", "changes", "fields_of", "laid_over", "profile_of"]


@dataclass(frozen=True)
class Option:
    """A value to choose, and whether it is chosen."""

    value: str
    chosen: bool


@dataclass(frozen=True)
class Field:
    """An attribute: one of `options` to choose, or `several`; `text` where it is written. `hint`: as what."""

    name: str
    options: tuple[Option, ...] = ()
    several: bool = False
    text: str = ""
    hint: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """What the form sends of it."""
        text = self.text.strip()
        return tuple(option.value for option in self.options if option.chosen) + ((text,) if text else ())


def fields_of(recommender: Recommender, profile: Mapping[str, str]) -> list[Field]:
    """The attributes a model learned from, then those that only the profile has."""
    learned = {block.name: _field(block, profile.get(block.name, "")) for block in _blocks(recommender)}
    others = [Field(name, text=value) for name, value in profile.items() if name not in learned]
    return [*learned.values(), *others]


def profile_of(recommender: Recommender, values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A profile of what was chosen and written, several values parted as they were where the model learned them."""
    separators = {block.name: block.separator for block in _blocks(recommender) if isinstance(block, Values)}
    return {name: _cell(given, separators.get(name)) for name, given in values.items() if given}


def laid_over(recommender: Recommender, profile: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> Profile:
    """A profile with other values in places, an empty cell where one is taken away."""
    emptied = {name: "" for name, given in values.items() if not given}
    return {**profile, **emptied, **profile_of(recommender, values)}


def changes(fields: Sequence[Field], values: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The attributes whose values are others than those of the fields, empty where they are taken away."""
    known = {field.name: field.values for field in fields}
    given = {name: tuple(values.get(name, ())) for name in {**known, **values}}
    return {name: now for name, now in given.items() if now != known.get(name, ())}


def _cell(values: Sequence[str], separator: str | None) -> str:
    if len(values) == 1:
        return values[0]
    return json.dumps(values, ensure_ascii=False) if separator == "[]" else (separator or "|").join(values)


def _blocks(recommender: Recommender) -> Iterable[Block]:
    learned = recommender.blend.prior.profile
    return () if learned is None else learned.encoder.blocks


def _field(block: Block, cell: str) -> Field:
    if isinstance(block, Values):
        chosen = set(pieces_of(cell, block.separator))
        known = tuple(Option(value, value in chosen) for value in block.values)
        unknown = tuple(Option(value, chosen=True) for value in sorted(chosen - set(block.values)))
        return Field(block.name, known + unknown, several=block.separator is not None)
    hint = f"{block.lows[0]:g} to {block.highs[-1]:g}" if isinstance(block, Bins) else "free text"
    return Field(block.name, text=cell, hint=hint)
