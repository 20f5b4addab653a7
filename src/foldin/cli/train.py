"""`foldin train`: from the store to a bundle."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import (
    DEFAULT_FOLDER,
    FeedbackForm,
    HalfLife,
    Json,
    KCore,
    MinPerItem,
    MinPerUser,
    PositiveFrom,
    Recent,
    Strength,
    Weights,
    WorkspaceFolder,
)
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.recommender import Recommender

__all__ = ["train"]


def train(
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    model: Annotated[str | None, typer.Option(help="popularity, ease, edlae (the default) or autoencoder.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyperparameter, as l2=100 or hidden=256,128; the others are chosen or default."),
    ] = None,
    feedback: FeedbackForm = None,
    positive_from: PositiveFrom = None,
    weights: Weights = None,
    strength: Strength = None,
    half_life: HalfLife = None,
    recent: Recent = None,
    min_per_user: MinPerUser = 1,
    min_per_item: MinPerItem = 1,
    k_core: KCore = 1,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu; the fastest there is, if not said.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides who is held out, and how a network starts.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted run.")] = False,
    refit: Annotated[bool, typer.Option(help="Learn from the held-out users too, in the end.")] = True,
    as_current: Annotated[
        bool, typer.Option("--as-current", help="Model and feedback of the bundle in use, where there is one.")
    ] = False,
    log_progress: Annotated[
        bool, typer.Option("--progress", help="Progress as lines on standard error, where that is no terminal.")
    ] = False,
    json: Json = False,
) -> None:
    """Train a model on the store's events, write it as a bundle and make it current.

    What is not set is chosen on held-out users; figures are of test users no model has seen.

    Example: foldin train --model autoencoder --set latent=32 --set l2=0.01
    """
    from dataclasses import replace

    from foldin.choosing import Training
    from foldin.cli.epochs import shown_progress
    from foldin.cli.output import print_line, progress
    from foldin.cli.settings import cleaned, days, feedback_from, pairs_from
    from foldin.data.feedback import Feedback
    from foldin.fitting import fit
    from foldin.models.zoo import DEFAULT, estimator_named, settings_of
    from foldin.workspace import open_workspace

    fields = pairs_from(settings or [], "--set")
    rule = feedback_from(feedback, positive_from, weights, strength, half_life)
    opened = open_workspace(workspace)
    current = opened.current_manifest() if as_current else None
    if current is not None:
        if rule != Feedback():
            raise ConfigurationError("--as-current takes the feedback of the bundle in use: say no other beside it")
        model, rule = model or current.model, current.feedback.feedback
    estimator = estimator_named(model or DEFAULT, fields)
    if (resume or device is not None) and "epochs" not in settings_of(estimator):
        raise ConfigurationError(f"{model or DEFAULT} is solved in one step: --resume and --device are for networks")
    with progress("reading the store", lines=log_progress) as tell:
        with opened.store() as store:
            stored = store.snapshot()
        training = Training(
            device=device,
            checkpoints=opened.checkpoints,
            resume=resume,
            progress=shown_progress(tell, lines=not json),
        )
        recommender = fit(
            cleaned(stored.interactions, min_per_user, min_per_item, k_core),
            estimator=estimator,
            catalog=stored.catalog,
            profiles=stored.profiles,
            feedback=rule,
            recent=days(recent, "--recent"),
            fixed=fields,
            refit=refit,
            training=training,
            seed=seed,
        )
        name = opened.publish(replace(recommender, data_position=stored.position))
    opened.forget_checkpoints()
    removed = opened.remove_outdated()
    forgotten = opened.forgotten(name)  # while it was trained
    _print_report(name, recommender, removed, forgotten, as_json=json)
    if not json:
        place = "" if workspace == Path("foldin-workspace") else f" -w {shlex.quote(str(workspace))}"
        print_line(f"Bundle {name} is written and current. Try: foldin recommend{_asked(recommender)}{place}")


def _asked(recommender: Recommender) -> str:
    # a model of no events knows no user: only a profile finds anything
    return "" if recommender.report and recommender.report.users else " --profile interests=WORDS"


def _print_report(name: str, recommender: Recommender, removed: list[str], forgotten: int, *, as_json: bool) -> None:
    from dataclasses import asdict

    from foldin.cli.figures import print_figures, print_rating_figures
    from foldin.cli.output import print_json, print_line
    from foldin.wording import counted

    report = recommender.report
    assert report is not None
    if as_json:
        answer = {"bundle": name, "estimator": repr(recommender.estimator), "report": asdict(report)}
        print_json({**answer, "removed": removed, "forgotten": forgotten})
        return
    print_line(f"{recommender.estimator}")
    learned = [(report.users, "user"), (report.items, "item"), (report.interactions, "interaction")]
    print_line(", ".join(counted(number, noun) for number, noun in learned))
    for note in report.notes:
        print_line(f"Note: {note}")
    for old in removed:
        print_line(f"{old} is removed: it learned from users who have been forgotten since")
    if forgotten:
        print_line(f"{name} learned from {counted(forgotten, 'user')} forgotten while it was trained: train again")
    if report.figures is None:
        return
    figures = report.figures
    if figures.test_error is not None:
        print_line(f"Test error {figures.test_error:.5f}")
    print_figures(
        f"{counted(figures.test_users, 'test user')}, of whom the model has seen nothing but the history", figures.test
    )
    if figures.ratings:
        print_rating_figures("Predicted ratings", figures.ratings)
    if figures.calibration_error is not None:
        print_line(
            f"Probabilities are off by {figures.calibration_error:.3f} on average among the best-scored percent."
        )
