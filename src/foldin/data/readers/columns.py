"""Columns: which of a table's columns is the user, the item, the kind, the value, the time and the event's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from foldin.data.normalisation import bare
from foldin.errors import DataError

__all__ = [
    "NO_COLUMN",
    "ROLES",
    "Column",
    "ColumnName",
    "Role",
    "find_column",
    "find_columns",
    "plain_name",
    "refuse_unreadable",
]

Role: TypeAlias = Literal["user", "item", "kind", "value", "time", "event"]
ROLES: tuple[Role, ...] = ("user", "item", "kind", "value", "time", "event")
REQUIRED: tuple[Role, ...] = ("user", "item")

ColumnName: TypeAlias = str | int
"""A column's name; a frame's may be a number."""
NO_COLUMN = "none"
"""In place of a name: no column plays this role, whatever the columns are called; a column of this name comes first."""


@dataclass(frozen=True)
class Column:
    """A column of a scan.

    `sql`: the expression that gives its cells.
    `type`: DuckDB's type of that expression.
    `null_is_nan`: whether a missing cell is a NaN (pandas' float columns know no other).
    `mixed`: whether numbers and texts stand in it (pandas' object columns may hold both).
    `holds`: what the Python objects of a column are that can be no id, such as `list`; else empty.
    `readable`: whether its cells can be had at all.
    `by_name`: whether it was taken for its role by its usual name, and was not given for it.
    """

    name: str
    sql: str
    type: str
    null_is_nan: bool = False
    mixed: bool = False
    holds: str = ""
    readable: bool = True
    by_name: bool = False

    def way_out(self, role: Role) -> str:
        """What to do where the column cannot be read in this role; nothing where it was named for it."""
        if not self.by_name or role in REQUIRED:
            return ""
        return f" ('{self.name}' was taken for the {role} by its name; {role}='none' / --{role} none leaves it alone)"


def _split(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# The usual names, letters and digits only. An earlier group is preferred; within a group all fit equally.
USUAL_NAMES: Mapping[Role, tuple[frozenset[str], ...]] = {
    "user": (
        frozenset({"user"}),
        frozenset({"userid", "uid"}),
        _split(
            "username person personid people visitor visitorid customer customerid client clientid member memberid "
            "reviewerid viewer viewerid learner learnerid student studentid account accountid sessionid"
        ),
    ),
    "item": (
        frozenset({"item"}),
        frozenset({"itemid", "iid"}),
        _split(
            "itemname movie movieid film filmid product productid sku asin parentasin track trackid song songid artist "
            "artistid book bookid isbn lab labid course courseid article articleid news newsid business businessid "
            "game gameid video videoid contentid docid"
        ),
    ),
    "kind": (frozenset({"kind"}), _split("event eventtype eventkind action behavior behaviour")),
    "value": (
        frozenset({"value"}),
        _split("rating score stars count plays playcount n quantity weight"),
    ),
    "time": (
        frozenset({"time"}),
        _split("timestamp ts date datetime createdat eventtime unixtimestamp"),
    ),
    # `event` is a kind to most, and `id` or `uuid` may be anything's
    "event": (frozenset({"eventid"}), _split("eventuuid eventguid")),
}

MOST_LISTED = 30
LONGEST_NAME = 60

RECBOLE_TYPES = ("token", "token_seq", "float", "float_seq")


def find_columns(
    columns: Sequence[Column], given: Mapping[Role, ColumnName | None], file: str | None
) -> dict[Role, Column]:
    """The column of every role that `given` has a key for and that has one: as given, else by its usual names.

    Raises:
        DataError: a given column is not there, two columns fit equally, or users or items have none.
    """
    named = {role: name for role, name in given.items() if name is not None and _is_meant(columns, name)}
    found = {role: _named(columns, name, role, file) for role, name in named.items()}
    free = [column for column in columns if column not in found.values()]
    for role in (role for role, name in given.items() if name is None):
        fitting = _fitting(free, role, file)
        if fitting:
            found[role] = replace(fitting[0], by_name=True)
    for role in REQUIRED:
        if role not in found:
            raise _no_column(columns, role, file)
    for role, column in found.items():
        refuse_unreadable(column, role, file)
    return {role: found[role] for role in ROLES if role in found}


def find_column(columns: Sequence[Column], role: Role, given: ColumnName | None, file: str | None) -> Column:
    """The id column of a catalogue ("item") or of profiles ("user"), which may also be called `id`.

    Raises:
        DataError: the given column is not there, none fits, or two fit equally.
    """
    if given is not None:
        fitting = [_named(columns, given, role, file)]
    else:
        option = f"{role} / --{role}s-id"
        fitting = _fitting(columns, role, file, option) or [column for column in columns if _key(column.name) == "id"]
        if len(fitting) != 1:
            raise _no_column(columns, role, file, option)
    refuse_unreadable(fitting[0], role, file)
    return fitting[0]


def refuse_unreadable(column: Column, role: str, file: str | None) -> None:
    """Refuses a column of a type that cannot be read.

    Raises:
        DataError: its cells cannot be had at all.
    """
    if not column.readable:
        problem = f"the {role} is of type {column.type}, which cannot be read; cast it to text, numbers or timestamps"
        raise DataError(problem, file=file, field=column.name)


def plain_name(name: str) -> str:
    """A header's name without the type that RecBole writes behind it: `user_id:token` is `user_id`."""
    head, colon, kind = name.strip().rpartition(":")
    return head if colon and kind in RECBOLE_TYPES else name.strip()


def usual(name: str) -> bool:
    """Whether a name is one of the usual names of any role."""
    return any(_key(name) in group for groups in USUAL_NAMES.values() for group in groups)


def _is_meant(columns: Sequence[Column], name: ColumnName) -> bool:
    """Whether what was given for a role is a column."""
    return name != NO_COLUMN or bool(_called(columns, NO_COLUMN))


def _called(columns: Sequence[Column], name: ColumnName) -> list[Column]:
    exactly = [column for column in columns if column.name == str(name)]
    return exactly or [column for column in columns if plain_name(column.name) == str(name)]


def _named(columns: Sequence[Column], name: ColumnName, role: Role, file: str | None) -> Column:
    fitting = _called(columns, name)
    if len(fitting) > 1:
        raise DataError(_why_not_one(fitting, role, _option(role)), file=file, field=role)
    if not fitting:
        raise DataError(f"no column '{name}' for {role}; {_listed(columns)}", file=file, field=role)
    return fitting[0]


def _fitting(columns: Sequence[Column], role: Role, file: str | None, option: str | None = None) -> list[Column]:
    for group in USUAL_NAMES[role]:
        fitting = [column for column in columns if _key(column.name) in group]
        if len(fitting) > 1:
            raise DataError(_why_not_one(fitting, role, option or _option(role)), file=file, field=role)
        if fitting:
            return fitting
    return []


def _why_not_one(fitting: Sequence[Column], role: Role, option: str) -> str:
    names = dict.fromkeys(f"'{column.name}'" for column in fitting)
    if len(names) < len(fitting):
        return f"the header has the column {next(iter(names))} more than once"
    return f"the columns {' and '.join(names)} could each be the {role}; name it with {option}"


def _key(name: str) -> str:
    return bare(plain_name(name))


def _no_column(columns: Sequence[Column], role: Role, file: str | None, option: str | None = None) -> DataError:
    article = "an" if role in ("item", "event") else "a"
    problem = f"no column is called like {article} {role}; {_listed(columns)}; name it with {option or _option(role)}"
    return DataError(problem, file=file)


def _option(role: Role) -> str:
    return f"{role} / --{role}"


def _listed(columns: Sequence[Column]) -> str:
    shown = ", ".join(f"'{column.name[:LONGEST_NAME]}'" for column in columns[:MOST_LISTED])
    more = f" and {len(columns) - MOST_LISTED} more" if len(columns) > MOST_LISTED else ""
    return f"the columns are {shown}{more}" if columns else "there are no columns"
