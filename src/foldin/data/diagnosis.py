"""The diagnosis of a log: what the data doctor found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from foldin.data.readers.rejects import Rejected
from foldin.data.training_hint import TrainingHint
from foldin.data.value_scale import Meaning

__all__ = [
    "Alike",
    "BadRows",
    "Bar",
    "Bot",
    "Diagnosis",
    "Duplicates",
    "Memory",
    "Spread",
    "TimeRange",
    "Values",
    "as_json",
    "Json",
]

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


@dataclass(frozen=True)
class Spread:
    """How a count is spread over users or items."""

    minimum: int
    median: float
    mean: float
    p90: float
    maximum: int


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram: values from `low` to `high` (included in the last bar, and where both are the same)."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Values:
    """The values, and what they look like: ratings, amounts, or one number throughout. `negative`: how many are below
    0."""

    looks_like: Meaning
    minimum: float
    maximum: float
    distinct: int
    missing: int
    negative: int
    histogram: tuple[Bar, ...]


@dataclass(frozen=True)
class TimeRange:
    """First and last time (ISO 8601, UTC), how many are missing, and how many have no time zone."""

    first: str
    last: str
    missing: int
    naive: int


@dataclass(frozen=True)
class Duplicates:
    """Events beyond the first that repeat a whole row, and that repeat a user and item."""

    rows: int
    pairs: int


@dataclass(frozen=True)
class BadRows:
    """Rows that cannot be taken for one reason, with the first of them."""

    reason: str
    field: str | None
    count: int
    example: Rejected


@dataclass(frozen=True)
class Alike:
    """Ids that differ only by case, space or Unicode normal form: how many groups, and some of them."""

    groups: int
    examples: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Bot:
    """A user who is hardly a person, and why we think so."""

    user_id: str
    events: int
    reason: str


@dataclass(frozen=True)
class Memory:
    """Bytes that training needs: the sparse user-item matrix, a dense linear model (items x items, float32), and a
    network's weights with gradient and optimiser state (hidden layers of 128, 64 and 128).
    """

    matrix: int
    linear: int
    network: int
    available: int


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor found.

    `columns`: the column taken for each role. `rows`: of the source; `events`: those that can be taken, on which all
        other figures rest. `pairs`: distinct users and items. `density`: pairs / (users x items).
    `few_users`, `few_items`: the share with fewer than 5 events.
    `hint`: the options of `foldin train` that fit the values. `warnings`: ready sentences, the most serious first.
    """

    files: tuple[str, ...]
    columns: Mapping[str, str]
    other_columns: tuple[str, ...]
    rows: int
    events: int
    users: int
    items: int
    pairs: int
    density: float
    kinds: Mapping[str, int]
    values: Values | None
    per_user: Spread
    per_item: Spread
    few_users: float
    few_items: float
    times: TimeRange | None
    duplicates: Duplicates
    bad_rows: tuple[BadRows, ...]
    alike_users: Alike
    alike_items: Alike
    bots: tuple[Bot, ...]
    memory: Memory
    hint: TrainingHint
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def as_json(diagnosis: Diagnosis) -> dict[str, Json]:
    """The diagnosis in the types of JSON."""
    return {name: _plain(value) for name, value in asdict(diagnosis).items()}


def _plain(value: object) -> Json:
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a diagnosis holds no {type(value).__name__}")
