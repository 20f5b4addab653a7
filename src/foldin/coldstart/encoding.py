"""Profiles as sparse rows of features: what a person says of themselves, as numbers a model can learn from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack

from foldin.coldstart.blocks import NOTHING, Block, fit_block
from foldin.data.catalog import Attributes
from foldin.data.cells import value_of
from foldin.data.columns import recognise
from foldin.data.interactions import Ids
from foldin.errors import BundleError, DataError
from foldin.wording import counted

__all__ = ["ProfileEncoder", "fit_encoder"]


@dataclass(frozen=True)
class ProfileEncoder:
    """What was learned of the training users' attributes, one block of features per attribute that tells people apart.

    Each attribute's block of a row has norm 1, or 0 where nothing is known, so that no attribute outweighs another by
    having many values.
    """

    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        if len({block.name for block in self.blocks}) < len(self.blocks):
            raise ValueError("an attribute has two blocks of features")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A readable name per feature, such as "role = admin", "age 25 to 31" or "interests: networking"."""
        return tuple(name for block in self.blocks for name in block.names)

    def encode(self, attributes: Attributes, count: int) -> csr_array:  # (count, features)
        """The feature rows of `count` users, float32; an attribute or value that training did not know is no feature.

        Raises:
            DataError: an attribute has not `count` cells.
        """
        parts = [_encoded(block, attributes.get(block.name), count) for block in self.blocks]
        return hstack(parts, format="csr", dtype=np.float32) if parts else _nothing(count, 0)

    def as_json(self) -> dict[str, Any]:
        """All there is, in the types JSON has; `from_json` makes the same of it."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, plain: object) -> ProfileEncoder:
        """The encoder that `plain` came from.

        Raises:
            BundleError: it came from none.
        """
        from pydantic import TypeAdapter

        try:
            encoder = TypeAdapter(ProfileEncoder).validate_json(json.dumps(plain), strict=True)
        except (TypeError, ValueError, RecursionError) as error:  # pydantic's errors are ValueErrors
            raise BundleError(f"the encoding of profiles is damaged: {error}") from error
        if encoder.as_json() != plain:
            raise BundleError("the encoding of profiles is damaged: it holds what no encoding has")
        return encoder


def fit_encoder(attributes: Attributes, *, rarest: int = 5, bins: int = 8, most: int = 300) -> ProfileEncoder:
    """Learns from the training users' attributes what kinds they are, and which values, bins and words to tell apart.

    `rarest`: users a value, bin or word needs to be a feature (>= 1); rarer ones are left out, as are values that all
        users have.
    `bins`: of an attribute of numbers, at most (>= 2).
    `most`: values or words of one attribute, the most frequent ones (>= 1).
    """
    fitted = [
        fit_block(name, cells, recognise(cells, rarest=rarest), rarest=rarest, bins=bins, most=most)
        for name, cells in sorted(attributes.items())
    ]
    return ProfileEncoder(tuple(block for block in fitted if block is not None))


def _encoded(block: Block, cells: Ids | None, count: int) -> csr_array:
    width = len(block.names)
    if cells is None:
        return _nothing(count, width)
    if len(cells) != count:
        raise DataError(f"{counted(len(cells), 'cell')} for {counted(count, 'user')}", field=block.name)
    known = {cell: block.features(cell) for cell in set(cells) if value_of(cell) is not None}
    rows = [known.get(cell, NOTHING) for cell in cells]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.array([place for row, _ in rows for place in row], dtype=np.int32)
    weights = np.array([weight for _, row in rows for weight in row], dtype=np.float32)
    encoded = csr_array((weights, places, ends.astype(np.int32)), shape=(count, width))
    encoded.sort_indices()
    return encoded


def _nothing(count: int, width: int) -> csr_array:
    return csr_array(np.zeros((count, width), dtype=np.float32))
