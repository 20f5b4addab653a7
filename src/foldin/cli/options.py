"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from foldin.wording import DEFAULT_FOLDER, WORKSPACE_VARIABLE

__all__ = [
    "DEFAULT_FOLDER",
    "WORKSPACE_VARIABLE",
    "DecimalMark",
    "Encoding",
    "AmountsAsRatings",
    "FeedbackForm",
    "HalfLife",
    "Header",
    "HistoryOption",
    "HowMany",
    "ItemColumn",
    "ItemsId",
    "Json",
    "KCore",
    "KindColumn",
    "Language",
    "MinPerItem",
    "MinPerUser",
    "PositiveFrom",
    "ProfileOption",
    "QueryOption",
    "Recent",
    "Strength",
    "TimeColumn",
    "TimeFormat",
    "TimeZone",
    "UserColumn",
    "UsersId",
    "ValueColumn",
    "Weights",
    "Without",
    "WorkspaceFolder",
]

WorkspaceFolder = Annotated[
    Path, typer.Option("--workspace", "-w", envvar=WORKSPACE_VARIABLE, help="Folder with the store and the models.")
]
HowMany = Annotated[int, typer.Option("-k", min=1, help="How many items.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

FeedbackForm = Annotated[
    Literal["implicit", "explicit"] | None,
    typer.Option("--feedback", help="explicit learns ratings; implicit (the default) learns interest."),
]
AmountsAsRatings = Annotated[
    bool, typer.Option("--amounts-as-ratings", help="Explicit feedback on values that look like amounts, too.")
]
PositiveFrom = Annotated[
    float | None,
    typer.Option(help="The rating from which an item counts as liked; ratings below only mark it as seen."),
]
Weights = Annotated[
    str | None, typer.Option(help="What an event of each kind counts, as view=1,buy=5; 0 only marks the item as seen.")
]
Strength = Annotated[
    Literal["cap", "log", "none"] | None,
    typer.Option(help="How amounts (plays, repeated events) count: cap, log or none (the plain sum)."),
]
HalfLife = Annotated[str | None, typer.Option(help="Age at which an event counts half, in days, as 90d.")]

Recent = Annotated[
    str | None, typer.Option(help="Age at which an event counts half in the prior's popularity, in days, as 30d.")
]

Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        help="Of the catalogue, whose words are stemmed: english, german, ... or none; detected, if not said.",
    ),
]

MinPerUser = Annotated[int, typer.Option(min=1, help="Leave out users with fewer distinct items.")]
MinPerItem = Annotated[int, typer.Option(min=1, help="Leave out items with fewer distinct users.")]
KCore = Annotated[int, typer.Option(min=1, help="Keep only users and items with at least so many of each other.")]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="Leave out the events of this source, as http:shop; may be given again."),
]

TimeZone = Annotated[
    str | None, typer.Option("--timezone", help="Where times without an offset were written, as Europe/Berlin or UTC.")
]
TimeFormat = Annotated[
    str | None, typer.Option("--time-format", help="How times are written, as '%d/%m/%Y %H:%M' (of strptime).")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="The encoding of files that are not UTF-8, as latin-1 or windows-1252.")
]
Header = Annotated[
    str | None,
    typer.Option("--header", metavar="NAMES", help="The columns of a file without a header, as user,item,time."),
]
DecimalMark = Annotated[
    str | None,
    typer.Option("--decimal", metavar="MARK", help="The decimal mark of values, a comma where 3,5 is meant."),
]

UserColumn = Annotated[str | None, typer.Option("--user", help="The column of users, where its name is unusual.")]
ItemColumn = Annotated[str | None, typer.Option("--item", help="The column of items.")]
KindColumn = Annotated[
    str | None, typer.Option("--kind", help="The column of kinds of events (view, buy, ...); none: no column is.")
]
ValueColumn = Annotated[
    str | None, typer.Option("--value", help="The column of ratings or amounts; none: no column is.")
]
TimeColumn = Annotated[str | None, typer.Option("--time", help="The column of times; none: no column is.")]

ItemsId = Annotated[
    str | None, typer.Option(help="The catalogue's column of ids, where it is called otherwise than the log's.")
]
UsersId = Annotated[str | None, typer.Option(help="The profiles' column of ids, likewise.")]

ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="What is known of the person, as role=admin,interests=networking|storage.",
    ),
]
QueryOption = Annotated[
    str | None,
    typer.Option("--query", help="What the person looks for, as 'pivot tables'; items that match come first."),
]
HistoryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--history",
        help="Items, as A,B,C, of a person the store need not know; quote one with a comma, or give the option again.",
    ),
]
