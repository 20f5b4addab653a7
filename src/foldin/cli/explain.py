"""`foldin explain`: why an item has its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, Json, ProfileOption, QueryOption, WorkspaceFolder
from foldin.errors import ConfigurationError
from foldin.wording import counted

if TYPE_CHECKING:
    from foldin.cli.people import Person
    from foldin.recommendation import Contribution, Explanation
    from foldin.recommender import Recommender

__all__ = ["explain"]

SHOWN = 20


def explain(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="USER ITEM", help="For whom, and which item; with --history, --profile or --query alone the item."
        ),
    ] = None,
    history: HistoryOption = None,
    profile: ProfileOption = None,
    query: QueryOption = None,
    k: Annotated[
        int | None,
        typer.Option(
            "-k",
            min=1,
            help=f"How many items of the history, those that do most; {SHOWN} in a table, all in JSON, if not said.",
        ),
    ] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Explain a score: its terms, and what items of the history, attributes of the profile and words of the query add.

    Example: foldin explain nle HOL-2002-01-CMP
    """
    from foldin.cli.item_arguments import find_items
    from foldin.cli.output import print_json
    from foldin.cli.people import person_of
    from foldin.workspace import open_workspace

    alone = query is not None and len(names or []) == 1
    user, item = _user_and_item(names or [], described=history is not None or profile is not None or alone)
    opened = open_workspace(workspace)
    recommender = opened.current()
    person = person_of(opened, recommender, user=user, history=history, profile=profile, query=query)
    (item_id,) = find_items([item], recommender.catalog)
    explanation = recommender.explain(person.history, item_id, profile=person.profile, query=query)
    if json:
        print_json(asdict(replace(explanation, items=tuple(_most(explanation.items, k)))))
    else:
        _print(explanation, recommender, person, k or SHOWN)


def _user_and_item(names: Sequence[str], *, described: bool) -> tuple[str | None, str]:
    wanted = ["ITEM"] if described else ["USER", "ITEM"]
    if len(names) != len(wanted):
        raise ConfigurationError(
            f"say {' and '.join(wanted)}, or --history A,B,C or --profile role=admin and ITEM; "
            f"got {counted(len(names), 'name')}"
        )
    return (None if described else names[0], names[-1])


def _print(explanation: Explanation, recommender: Recommender, person: Person, k: int) -> None:
    from foldin.cli.output import print_line, print_table

    what = f"{_title(recommender, explanation.item_id)} for {person.name}"
    lines = [*_terms(explanation), ["score", f"{explanation.score:+.4f}"]]
    print_table(f"{what}: score {explanation.score:.4f}", ["term", "adds"], lines, numbers=["adds"])
    if explanation.attributes:
        rows = [[one.name, f"{one.amount:+.4f}"] for one in explanation.attributes]
        print_table("What of the profile makes up its term", ["attribute", "adds"], rows, numbers=["adds"])
    if explanation.words:
        rows = [[one.name, f"{one.amount:+.4f}"] for one in explanation.words]
        print_table("What of the query makes up its term", ["word", "adds"], rows, numbers=["adds"])
    if not explanation.items:
        if len(person.history):
            print_line("No item of the history is known to the model.")
        return
    column = "adds" if explanation.additive else "changes the term by"
    rows = _rows(explanation, recommender, k)
    print_table("What of the history makes up its term", ["item", "title", column], rows, numbers=[column])
    if not explanation.additive:
        print_line(
            "Each figure is by how much the term would fall if that item alone were left out; they need not add up."
        )


def _terms(explanation: Explanation) -> list[list[str]]:
    return [[name, f"{amount:+.4f}"] for name, amount in asdict(explanation.basis).items() if amount]


def _rows(explanation: Explanation, recommender: Recommender, k: int) -> list[list[str]]:
    most = _most(explanation.items, k)
    rows = [[one.name, _title(recommender, one.name), f"{one.amount:+.4f}"] for one in most]
    others = [one for one in explanation.items if one not in most]
    return [*rows, *_rest(others, explanation.additive)]


def _most(contributions: Sequence[Contribution], k: int | None) -> list[Contribution]:
    # those that do most, in the order they had
    most = set(sorted(contributions, key=lambda one: -abs(one.amount))[:k])
    return [one for one in contributions if one in most]


def _rest(others: Sequence[Contribution], additive: bool) -> list[list[str]]:
    if not others:
        return []
    together = f"{sum(one.amount for one in others):+.4f}" if additive else "less"
    noun = "other item" if len(others) == 1 else "other items, together" if additive else "other items, each"
    return [["", f"{len(others):,} {noun}", together]]


def _title(recommender: Recommender, item_id: str) -> str:
    return recommender.catalog.title(int(recommender.catalog.indices([item_id])[0]))
