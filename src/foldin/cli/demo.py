"""`foldin demo`: the whole way, from a simulated log to a person's top 10."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from foldin.choosing import Training
    from foldin.cli.people import Person
    from foldin.contest import Contest
    from foldin.data.synthetic import World
    from foldin.models.protocols import Estimator
    from foldin.recommender import Recommender
    from foldin.store.contract import Snapshot
    from foldin.workspace import Workspace

__all__ = ["demo"]

PERSON = "nle"
CONTENDERS = ("popularity", "edlae", "autoencoder")
METRICS = ("ndcg@10", "ndcg@100", "recall@10", "hit_rate@10", "coverage@10")
NEXT_STEPS = """With a file of your own (CSV, Parquet or JSON lines with a user and an item per row):
  foldin inspect events.csv
  foldin ingest events.csv -w my-workspace
  foldin train -w my-workspace
  foldin recommend SOMEBODY -w my-workspace"""


def demo(
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another world.")] = 0,
    serve: Annotated[bool, typer.Option("--serve", help="Open the page on it afterwards, on this machine.")] = False,
    json: Json = False,
) -> None:
    """Simulate people at hands-on labs, train on their clicks, compare, and recommend.

    Everything stays in the workspace: the data as files, the store, and the models.

    Example: foldin demo
    """
    from foldin.cli.output import print_json, print_line, progress
    from foldin.cli.people import Person
    from foldin.cli.serve import runner
    from foldin.contest import contest
    from foldin.data.synthetic import simulate
    from foldin.workspace import create_workspace

    if json and serve:
        raise ConfigurationError("--json is for programs and --serve for people: leave one of them out")
    if serve:
        runner()  # what is missing is better heard of now than after the training
    opened = create_workspace(workspace)
    _refuse_other_data(opened, seed)
    with progress("simulating people at hands-on labs") as tell:
        world = simulate(seed=seed)
        tell("writing and reading the data")
        stored = _stored(opened, world, seed)
        if not json:
            _print_data(world, workspace)
        result = contest(
            stored.interactions,
            _contenders(),
            catalog=stored.catalog,
            profiles=stored.profiles,
            truth=world.truth,
            metrics=METRICS,
            fixed=(),
            training=_training(tell, seed, lines=not json),
        )
        if not json:
            _print_contest(result)
        tell("learning from everyone")
        recommender = _published(opened, result, stored.position)
    with opened.store() as store:
        person = Person(PERSON, store.history(PERSON), store.profile(PERSON))
    if json:
        print_json(_as_json(result, person, recommender))
        return
    _print_person(person, recommender)
    print_line(NEXT_STEPS)
    if serve:
        _serve(workspace)


def _serve(workspace: Path) -> None:
    from foldin.cli.output import print_line
    from foldin.cli.serve import serve_page
    from foldin.service.settings import Settings

    print_line()
    serve_page(Settings(workspace), port=0)


def _as_json(result: Contest, person: Person, recommender: Recommender) -> dict[str, object]:
    from dataclasses import asdict

    from foldin.evaluation.report import as_json

    return {
        "ranking": as_json(result.comparison),
        "person": person.name,
        "history": list(dict.fromkeys(person.history.item_ids)),
        "recommendations": [asdict(one) for one in recommender.recommend(person.history, profile=person.profile)],
    }


def _source(seed: int) -> str:
    return f"demo, seed {seed}"


def _refuse_other_data(workspace: Workspace, seed: int) -> None:
    with workspace.store(create=True) as store:
        others = [source for source in store.sources() if source != _source(seed)]
    if others:
        raise ConfigurationError(
            f"{workspace.folder} holds other data ({', '.join(others)}): choose another folder with -w, or delete it"
        )


def _stored(workspace: Workspace, world: World, seed: int) -> Snapshot:
    from foldin.data.readers import read, read_catalog, read_profiles
    from foldin.data.synthetic import write_world
    from foldin.store.contract import Batch

    folder = workspace.folder / "data"
    write_world(world, folder)
    _plotted(world, folder)
    with workspace.store() as store:
        if not store.sources():
            store.ingest(
                [Batch(read(folder / "events.csv"), _source(seed))],
                catalog=read_catalog(folder / "items.csv"),
                profiles=read_profiles(folder / "users.csv"),
            )
        return store.snapshot()


def _plotted(world: World, folder: Path) -> None:
    from foldin.cli.output import print_note
    from foldin.data.synthetic import plot_feedback

    try:
        plot_feedback(world.ratings, folder / "feedback.png")
    except ConfigurationError as missing:
        print_note(str(missing))


def _print_data(world: World, workspace: Path) -> None:
    from foldin.cli.output import print_line, print_table

    events, ratings = world.events, world.ratings
    assert ratings.values is not None
    rows = [
        ["people", f"{len(world.profiles):,}", "with a role, interests and experience"],
        ["hands-on labs", f"{len(world.catalog):,}", "with a title, topics, a level and a duration"],
        ["clicks", f"{len(events):,}", "by interest, popularity and position on the page"],
        ["ratings", f"{len(ratings):,}", f"mean {ratings.values.mean():.2f}, deviation {ratings.values.std():.2f}"],
    ]
    print_table("The simulated world", ["", "number", ""], rows, numbers=["number"])
    print_line(f"As files in {workspace / 'data'}; feedback.png there shows how the ratings are spread.")
    print_line()
    print_line("Training the autoencoder on the clicks:")


def _contenders() -> dict[str, Estimator]:
    from foldin.models.zoo import estimator_named

    return {name: estimator_named(name) for name in CONTENDERS}


def _training(tell: Callable[[str], None], seed: int, *, lines: bool) -> Training:
    from foldin.choosing import Training
    from foldin.cli.epochs import shown_progress

    return Training(seed=seed, progress=shown_progress(tell, lines=lines))


def _print_contest(result: Contest) -> None:
    from foldin.cli.figures import print_figures
    from foldin.cli.output import print_line
    from foldin.evaluation.report import rows
    from foldin.models.autoencoder import AutoEncoder
    from foldin.models.network import Network

    choice = result.choices["autoencoder"]
    if isinstance(choice.estimator, AutoEncoder) and isinstance(choice.model, Network):
        error = choice.estimator.error(choice.model, result.split.test)
        print_line(f"Best epoch {choice.estimator.epochs}, test error {error:.5f}")
    print_line()
    people = len(result.split.test)
    print_figures(
        f"{people:,} test people, of whom models are shown about four fifths of the clicks",
        rows(result.comparison),
    )


def _published(workspace: Workspace, result: Contest, position: int) -> Recommender:
    from dataclasses import replace

    for name in ("edlae", "autoencoder"):
        recommender = result.recommender(name)
        workspace.publish(replace(recommender, data_position=position))
    return recommender


def _print_person(person: Person, recommender: Recommender) -> None:
    from foldin.cli.output import print_table
    from foldin.cli.rankings import print_ranking

    labs = dict.fromkeys(person.history.item_ids)
    indices = recommender.catalog.indices(list(labs))
    rows = [[lab, recommender.catalog.title(int(index))] for lab, index in zip(labs, indices, strict=True)]
    print_table(f"What {person.name} has done, oldest first", ["item", "title"], rows)
    print_ranking(f"For {person.name}", recommender.recommend(person.history, profile=person.profile), recommender)
