"""`foldin demo`: the whole way, from a simulated log to a person's top 10."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from socket import socket

    from foldin.cli.people import Person
    from foldin.recommender import Recommender
    from foldin.workspace import Workspace

__all__ = ["demo"]

PERSON = "nle"
OVER_HTTP = re.compile("http(:.*)?")
"""What the store calls where events are from that came to the service: with the name of the key they came by."""

NEXT_STEPS = """With a file of your own (CSV, Parquet or JSON lines with a user and an item per row):
  foldin inspect events.csv
  foldin ingest events.csv -w my-workspace
  foldin train -w my-workspace
  foldin recommend SOMEBODY -w my-workspace"""


def demo(
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another world.")] = 0,
    serve: Annotated[bool, typer.Option("--serve", help="Open the page on it afterwards, on this machine.")] = False,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Where --serve listens; else at a free one.")
    ] = None,
    json: Json = False,
) -> None:
    """Simulate people at hands-on labs, train on their clicks, compare, and recommend.

    Everything stays in the workspace: the data as files, the store, and the models. Where it ran already, it shows what
    is there and trains nothing; another folder (-w) starts afresh.

    Example: foldin demo
    """
    from foldin.cli.first_run import run_first
    from foldin.cli.serve import front_door
    from foldin.workspace import create_workspace

    if json and serve:
        raise ConfigurationError("--json is for programs and --serve for people: leave one of them out")
    if port is not None and not serve:
        raise ConfigurationError("--port is where the page is served: add --serve")
    with ExitStack() as ends:
        # what is missing or taken is better heard of now than after the training
        sockets = ends.enter_context(front_door(port=port or 0, workspace=workspace)) if serve else None
        opened = create_workspace(workspace)
        again = _ran_before(opened, seed)
        if not again:
            run_first(opened, seed, as_json=json)
        elif not json:
            _print_again(opened, briefly=serve)
        if json:
            _print_as_json(opened)
        elif not (again and serve):
            _print_person(opened)
        if sockets is not None:
            _serve(opened, sockets)


def _ran_before(workspace: Workspace, seed: int) -> bool:
    """Whether the demo with this seed ran to its end here; what has come to the service since is welcome.

    Raises:
        ConfigurationError: somebody's own data is here, or another demo's.
    """
    from foldin.cli.first_run import compared, source
    from foldin.wording import command

    with workspace.store(create=True) as store:
        sources = set(store.sources())
    ran = source(seed) in sources and workspace.current_name() is not None and compared(workspace) is not None
    others = {one for one in sources - {source(seed)} if not (ran and OVER_HTTP.fullmatch(one))}
    if others:
        named = ", ".join(dict.fromkeys(map(_named, sorted(others))))
        raise ConfigurationError(
            f"{workspace.folder} holds other data ({named}): choose another folder with -w, "
            f"or serve this one as it is: {command('serve', workspace.folder)}"
        )
    return ran


def _named(source: str) -> str:
    return "events that came over HTTP" if OVER_HTTP.fullmatch(source) else source


def _print_again(workspace: Workspace, *, briefly: bool) -> None:
    from foldin.cli.models import print_bundles
    from foldin.cli.output import print_line

    print_line(
        f"The demo ran in {workspace.folder} before, and nothing is trained again. "
        "To start afresh, name another folder with -w, or delete this one."
    )
    if not briefly:
        print_line()
        print_bundles(workspace.bundles(), workspace.folder)
        print_line()


def _print_as_json(workspace: Workspace) -> None:
    from dataclasses import asdict

    from foldin.cli.first_run import compared
    from foldin.cli.output import print_json

    person, recommender = _person(workspace), workspace.current()
    recommendations = recommender.recommend(person.history, profile=person.profile)
    print_json(
        {
            "ranking": compared(workspace),
            "model": workspace.current_name(),
            "person": person.name,
            "history": list(dict.fromkeys(person.history.item_ids)),
            "recommendations": [asdict(one) for one in recommendations],
        }
    )


def _print_person(workspace: Workspace) -> None:
    from foldin.cli.output import print_line
    from foldin.cli.rankings import print_ranking

    person, recommender = _person(workspace), workspace.current()
    _print_history(person, recommender)
    print_ranking(f"For {person.name}", recommender.recommend(person.history, profile=person.profile), recommender)
    print_line(NEXT_STEPS)


def _person(workspace: Workspace) -> Person:
    from foldin.cli.people import Person

    with workspace.store() as store:
        return Person(PERSON, store.history(PERSON), store.profile(PERSON))


def _print_history(person: Person, recommender: Recommender) -> None:
    from foldin.cli.output import print_table

    labs = dict.fromkeys(person.history.item_ids)
    known = [lab for lab, is_known in zip(labs, recommender.catalog.knows(list(labs)), strict=True) if is_known]
    indices = recommender.catalog.indices(known)
    rows = [[lab, recommender.catalog.title(int(index))] for lab, index in zip(known, indices, strict=True)]
    print_table(f"What {person.name} has done, oldest first", ["item", "title"], rows)


def _serve(workspace: Workspace, sockets: list[socket]) -> None:
    from foldin.cli.output import print_line
    from foldin.cli.serve import serve_page
    from foldin.service.settings import Settings

    print_line()
    serve_page(Settings(workspace.folder), sockets)
