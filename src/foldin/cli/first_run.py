"""The demo's first run in a folder: it simulates a world, compares models on it, and leaves the best in use."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING

from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from foldin.choosing import Training
    from foldin.contest import Contest
    from foldin.data.synthetic import World
    from foldin.models.protocols import Estimator
    from foldin.recommender import Recommender
    from foldin.store.contract import Snapshot
    from foldin.workspace import Workspace

__all__ = ["compared", "run_first", "source"]

CONTENDERS = ("popularity", "edlae", "autoencoder")
TAUGHT = ("edlae", "autoencoder")
"""Those that become bundles."""

METRICS = ("ndcg@10", "ndcg@100", "recall@10", "hit_rate@10", "coverage@10")
DECIDES = "ndcg@100"
"""By which the best is found on validation users, as everything else is chosen."""

COMPARISON = "comparison.json"


def run_first(workspace: Workspace, seed: int, *, as_json: bool) -> None:
    """From nothing to bundles, the best of them in use; what is found on the way is printed, unless JSON comes later.

    Raises:
        TrainingError: a model could not be trained.
    """
    from foldin.cli.output import progress
    from foldin.data.synthetic import simulate

    with progress("simulating people at hands-on labs") as tell:
        world = simulate(seed=seed)
        tell("writing and reading the data")
        stored = _stored(workspace, world, seed)
        if not as_json:
            _print_data(world, workspace.folder / "data")
        result = _contest(world, stored, _training(tell, seed, lines=not as_json))
        if not as_json:
            _print_contest(result)
        tell("learning from everyone")
        figures = _published(workspace, result, stored.position)
    if not as_json:
        _print_choice(workspace, figures)


def source(seed: int) -> str:
    """What the store calls where the demo's events are from."""
    return f"demo, seed {seed}"


def compared(workspace: Workspace) -> object:
    """The figures of the first run as JSON; None where it has not come to its end."""
    from foldin.strict_json import parse_json

    try:
        return parse_json((workspace.folder / "data" / COMPARISON).read_bytes())
    except (OSError, ValueError):
        return None


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
                [Batch(read(folder / "events.csv"), source(seed))],
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


def _print_data(world: World, folder: Path) -> None:
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
    print_line(f"As files in {folder}; feedback.png there shows how the ratings are spread.")
    print_line()
    print_line("Training the autoencoder on the clicks:")


def _contest(world: World, stored: Snapshot, training: Training) -> Contest:
    from foldin.contest import contest

    return contest(
        stored.interactions,
        _contenders(),
        catalog=stored.catalog,
        profiles=stored.profiles,
        truth=world.truth,
        metrics=METRICS,
        fixed={},
        training=training,
    )


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


def _published(workspace: Workspace, result: Contest, position: int) -> Mapping[str, float]:
    """The bundles' figures on validation users, by their names, the best last: that one is in use."""
    from dataclasses import replace

    figures = result.validated(DECIDES)
    ascending = sorted(TAUGHT, key=lambda name: figures[name])
    # all are made before the first is published: whoever ends it while they learn is not left with the worse
    made = {name: replace(result.recommender(name), data_position=position) for name in ascending}
    published = {_in_use(workspace, recommender): figures[name] for name, recommender in made.items()}
    _note(workspace, result)
    return published


def _in_use(workspace: Workspace, recommender: Recommender) -> str:
    """The name of the bundle that is made of a recommender."""
    from foldin.audit import COMMAND_LINE, audited

    with audited(workspace.folder, COMMAND_LINE, "train") as said:
        said["model"] = name = workspace.publish(recommender)
    return name


def _note(workspace: Workspace, result: Contest) -> None:
    """Keeps the figures of all models: the last thing that a first run does, by which it is known to have ended."""
    from foldin.data.files import replaced
    from foldin.evaluation.report import as_json

    with replaced(workspace.folder / "data" / COMPARISON) as draft:
        draft.write_text(json_text.dumps(as_json(result.comparison), indent=2) + "\n", encoding="utf-8")


def _print_choice(workspace: Workspace, figures: Mapping[str, float]) -> None:
    from foldin.cli.output import print_line
    from foldin.evaluation.titles import title_of
    from foldin.wording import command

    *others, best = figures
    against = ", ".join(f"{figures[name]:.3f} of {name}" for name in others)
    print_line(
        f"{best} is in use: the best by {title_of(DECIDES)} on the validation people, {figures[best]:.3f} against "
        f"{against}. Test people only report."
    )
    number = others[-1].partition("-")[0]
    print_line(f"Take the other into use: {command(f'models use {number}', workspace.folder)}")
    print_line()
