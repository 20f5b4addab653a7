"""`foldin recommend`: the best items for a person."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, HistoryOption, HowMany, Json, ProfileOption, QueryOption, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.cli.item_filters import ItemFilters
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import Interactions
    from foldin.data.profiles import Profiles
    from foldin.recommender import Recommender, Seen
    from foldin.store.contract import Snapshot
    from foldin.workspace import Workspace

__all__ = ["recommend"]


def recommend(
    user: Annotated[str | None, typer.Argument(help="Whose recommendations; asked for in a terminal.")] = None,
    history: HistoryOption = None,
    profile: ProfileOption = None,
    query: QueryOption = None,
    everybody: Annotated[bool, typer.Option("--all", help="For every user with events; needs -o.")] = False,
    with_profiles: Annotated[
        bool, typer.Option("--with-profiles", help="With --all: also for users of whom there is a profile alone.")
    ] = False,
    users: Annotated[
        Path | None,
        typer.Option(help="With --all: for the users of this file instead; its attributes go before the stored ones."),
    ] = None,
    users_id: Annotated[str | None, typer.Option(help="The column of ids of that file, if it is unusual.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for --all: .parquet, .csv or .jsonl.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the file of --all if it is there already.")
    ] = False,
    k: HowMany = 10,
    only: Annotated[
        list[str] | None, typer.Option(help="Choose from these items, as A,B,C; may be given again.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Leave these items out, as A,B,C; may be given again.")
    ] = None,
    categories: Annotated[
        list[str] | None,
        typer.Option("--category", help="Only items of this category, topic, genre or tag; may be given again."),
    ] = None,
    seen: Annotated[bool, typer.Option("--seen", help="Items of the history may be recommended too.")] = False,
    diversity: Annotated[
        float, typer.Option(min=0, max=1, help="From 0, the order of the scores, to 1, as different as can be.")
    ] = 0,
    attributes: Annotated[
        list[str] | None,
        typer.Option("--with", help="A column more: this attribute of the items, as title; may be given again."),
    ] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Recommend items for a user, for a history, for a profile, for a query, or for everybody.

    Items that the catalogue hides, or that are not there yet or any more, are left out.

    Example: foldin recommend --profile role=admin,interests=networking
    """
    from foldin.cli.item_filters import ItemFilters
    from foldin.cli.people import person_of, stored_catalog
    from foldin.cli.rankings import print_ranking
    from foldin.workspace import open_workspace

    _check(user, history, profile, query, everybody, output)
    _check_whom(everybody, with_profiles, users, users_id)
    _check_file(output, replace)
    rules = _Rules(ItemFilters(only, exclude or (), categories or ()), k, "include" if seen else "exclude", diversity)
    shown = list(dict.fromkeys(attributes or ()))
    opened = open_workspace(workspace)
    if output is not None:
        _write_all(opened, _Whom(with_profiles, users, users_id), output, rules, shown, as_json=json)
        return
    recommender = opened.current()
    columns = _columns(shown, recommender.catalog)
    if user is None and history is None and profile is None and query is None:
        user = _asked_for()
    person = person_of(opened, recommender, user=user, history=history, profile=profile, query=query)
    chosen = rules.filters.choose(recommender.catalog, stored_catalog(opened))
    ranking = recommender.recommend(
        person.history,
        profile=person.profile,
        query=query,
        k=k,
        only=chosen.only,
        exclude=chosen.exclude,
        seen=rules.seen,
        diversity=diversity,
    )
    known = recommender.knows(person.history)
    print_ranking(f"For {person.name}", ranking, recommender, as_json=json, known=known, extra=columns)


@dataclass(frozen=True)
class _Rules:
    """What a ranking may hold."""

    filters: ItemFilters
    k: int
    seen: Seen
    diversity: float


@dataclass(frozen=True)
class _Whom:
    """For whom of the store: those with events, also those with a profile alone, or those of a file; `column`: of the
    file's ids."""

    with_profiles: bool
    file: Path | None
    column: str | None


def _check(
    user: str | None,
    history: list[str] | None,
    profile: str | None,
    query: str | None,
    everybody: bool,
    output: Path | None,
) -> None:
    described = profile is not None or query is not None
    if sum([user is not None, history is not None, everybody]) > 1 or (everybody and described):
        raise ConfigurationError(
            "give one of: a user, --history, --all; --profile and --query go alone or with the first two"
        )
    if everybody != (output is not None):
        raise ConfigurationError("--all and -o FILE go together")


def _check_whom(everybody: bool, with_profiles: bool, users: Path | None, users_id: str | None) -> None:
    if not everybody and (with_profiles or users is not None):
        raise ConfigurationError("--users and --with-profiles go with --all -o FILE")
    if with_profiles and users is not None:
        raise ConfigurationError("give --users FILE or --with-profiles: a file names everybody it is for")
    if users is None and users_id is not None:
        raise ConfigurationError("--users-id names a column of --users FILE")


def _check_file(output: Path | None, replace: bool) -> None:
    if output is None and replace:
        raise ConfigurationError("--replace goes with --all -o FILE")
    if output is not None and output.exists() and not replace:
        raise ConfigurationError(f"{output} is there already: name another file, or allow it to be replaced: --replace")


def _columns(attributes: Sequence[str], catalog: Catalog) -> dict[str, dict[str, str]]:
    """Columns for a table, each with its cells by item id; a title stands there already."""
    from foldin.exporting import check_attributes

    check_attributes(attributes, catalog)
    return {
        name: {item_id: cell for item_id, cell in zip(catalog.item_ids, catalog.attributes[name], strict=True) if cell}
        for name in attributes
        if name != "title"
    }


def _asked_for() -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "say for whom: a user, --history A,B,C, --profile role=admin, --query words or --all -o FILE"
        )
    name: str = typer.prompt("Your name")
    return name.strip()


def _write_all(
    workspace: Workspace, whom: _Whom, output: Path, rules: _Rules, attributes: Sequence[str], *, as_json: bool
) -> None:
    from foldin.cli.output import print_json, print_line, progress
    from foldin.exporting import check_ending, write_rankings
    from foldin.wording import counted

    check_ending(output)
    with progress("reading the store") as tell, workspace.store() as store:
        recommender, stored = workspace.current(), store.snapshot()
        log, profiles = _people(whom, stored, recommender)
        chosen = rules.filters.choose(recommender.catalog, stored.catalog)
        written = write_rankings(
            recommender,
            log,
            output,
            profiles=profiles,
            k=rules.k,
            only=chosen.only,
            exclude=chosen.exclude,
            seen=rules.seen,
            diversity=rules.diversity,
            attributes=attributes,
            on_block=lambda done: tell(counted(done, "user")),
        )
    users = len(log.user_ids)
    if as_json:
        print_json({"file": str(output), "users": users, "recommendations": written})
    else:
        print_line(f"Wrote {counted(written, 'recommendation')} for {counted(users, 'user')} to {output}")


def _people(whom: _Whom, stored: Snapshot, recommender: Recommender) -> tuple[Interactions, Profiles]:
    """The events and the profiles of those who are ranked for."""
    from foldin.data.readers import read_profiles

    log, profiles = stored.interactions, stored.profiles
    if whom.with_profiles:
        return log.of_users([*log.user_ids, *profiles.user_ids]), profiles
    if whom.file is None:
        return log, profiles
    given = read_profiles(whom.file, user=whom.column)
    _note_attributes(given, recommender)
    return log.of_users(given.user_ids), given.laid_over(profiles)


def _note_attributes(given: Profiles, recommender: Recommender) -> None:
    """Says which attributes of a file the model does not know."""
    from foldin.cli.output import print_note
    from foldin.data.spelling import perhaps

    known = recommender.attributes
    unknown = [f"{name}{perhaps(name, known)}" for name in given.attributes if name not in known]
    if known and unknown:
        print_note(f"unknown to the model, so only its words count: {', '.join(unknown)} (it knows {', '.join(known)})")
