"""`foldin explain`: why an item has its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, Json, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.recommender import Contribution, Explanation, Recommender

__all__ = ["explain"]

SHOWN = 20


def explain(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="USER ITEM", help="For whom, and which item; with --history the item.")
    ] = None,
    history: HistoryOption = None,
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
    """Explain a score: what each item of the history adds to it.

    Example: foldin explain nle HOL-2002-01-CMP
    """
    from foldin.cli.histories import checked_ids, stored_history, typed_history
    from foldin.cli.output import print_json
    from foldin.workspace import open_workspace

    user, item = _user_and_item(names or [], history)
    opened = open_workspace(workspace)
    recommender = opened.current()
    shown = stored_history(opened, user) if history is None else typed_history(history, recommender.catalog)
    explanation = recommender.explain(shown, *checked_ids([item]))
    if json:
        print_json(asdict(replace(explanation, contributions=tuple(_most(explanation.contributions, k)))))
    else:
        _print(explanation, recommender, user or "this history", k or SHOWN)


def _user_and_item(names: Sequence[str], history: str | None) -> tuple[str, str]:
    wanted = ["USER", "ITEM"] if history is None else ["ITEM"]
    if len(names) != len(wanted):
        raise ConfigurationError(f"say {' and '.join(wanted)}, or --history A,B,C and ITEM; got {len(names)} names")
    return (names[0] if history is None else "", names[-1])


def _print(explanation: Explanation, recommender: Recommender, who: str, k: int) -> None:
    from foldin.cli.output import print_line, print_table

    what = f"{_title(recommender, explanation.item_id)} for {who}"
    if explanation.basis == "popularity":
        print_line(f"{what}: {explanation.score:.4f}, the share of people who chose it")
        print_line("No item of the history is known to the model, so there is nothing else to explain it by.")
        return
    column = "adds" if explanation.additive else "changes the score by"
    print_table(
        f"{what}: score {explanation.score:.4f}",
        ["item", "title", column],
        _rows(explanation, recommender, k),
        numbers=[column],
    )
    print_line(
        "What the items add makes up the score exactly."
        if explanation.additive
        else "Each figure is by how much the score would fall if that item alone were left out; they need not add up."
    )


def _rows(explanation: Explanation, recommender: Recommender, k: int) -> list[list[str]]:
    most = _most(explanation.contributions, k)
    rows = [[one.item_id, _title(recommender, one.item_id), f"{one.amount:+.4f}"] for one in most]
    others = [one for one in explanation.contributions if one not in most]
    return [*rows, *_rest(others, explanation.additive), *_total(explanation)]


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


def _total(explanation: Explanation) -> list[list[str]]:
    return [["", "score", f"{explanation.score:.4f}"]] if explanation.additive else []


def _title(recommender: Recommender, item_id: str) -> str:
    return recommender.catalog.title(int(recommender.catalog.indices([item_id])[0]))
