"""`foldin train`: from the store to a bundle."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import (
    DEFAULT_FOLDER,
    AmountsAsRatings,
    FeedbackForm,
    HalfLife,
    Json,
    KCore,
    Language,
    MinPerItem,
    MinPerUser,
    PositiveFrom,
    Recent,
    Strength,
    Weights,
    Without,
    WorkspaceFolder,
)
from foldin.errors import BundleError, ConfigurationError, FoldinError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foldin.bundle import Manifest
    from foldin.data.feedback import Feedback
    from foldin.data.interactions import Interactions
    from foldin.models.protocols import Estimator
    from foldin.recommender import Recommender
    from foldin.store.contract import Store
    from foldin.workspace import Workspace

__all__ = ["train"]

TRIED = 100
"""Items among whose words one is looked for that finds something."""


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
    amounts_as_ratings: AmountsAsRatings = False,
    recent: Recent = None,
    language: Language = None,
    min_per_user: MinPerUser = 1,
    min_per_item: MinPerItem = 1,
    k_core: KCore = 1,
    without: Without = None,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu; the fastest there is, if not said.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides who is held out, and how a network starts.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of an interrupted run.")] = False,
    refit: Annotated[bool, typer.Option(help="Learn from the held-out users too, in the end.")] = True,
    as_current: Annotated[
        bool,
        typer.Option(
            "--as-current",
            help="Model, feedback and language of the bundle in use, without what it left out; "
            "without one, what fits the data.",
        ),
    ] = False,
    keep: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Keep so many of the newest bundles, and the last two in use; remove the others. Default: keep all.",
        ),
    ] = None,
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

    from foldin.audit import BY, COMMAND_LINE, audited
    from foldin.choosing import Training
    from foldin.cli.epochs import shown_progress
    from foldin.cli.output import print_line, progress
    from foldin.cli.settings import check_sources, cleaned, days, feedback_from, pairs_from
    from foldin.data.feedback import Feedback
    from foldin.data.training_hint import TrainingHint, training_hint
    from foldin.fitting import fit
    from foldin.workspace import open_workspace

    fields = pairs_from(settings or [], "--set")
    rule = feedback_from(feedback, positive_from, weights, strength, half_life, amounts_as_ratings=amounts_as_ratings)
    opened, left_out = open_workspace(workspace), tuple(dict.fromkeys(without or ()))
    current = opened.current_manifest() if as_current else None
    if current is not None:
        model, rule, left_out = _as_current(current, model, rule, left_out)
        language = language or current.prior.language
    estimator = _estimator(model, fields, of_network=resume or device is not None)
    by = os.environ.get(BY, COMMAND_LINE)
    with (
        audited(opened.folder, by, "train", model=model, without=left_out) as said,
        progress("reading the store", lines=log_progress) as tell,
    ):
        with opened.store() as store:
            check_sources(store, without or ())
            stored = store.snapshot(without=left_out)
        log = cleaned(stored.interactions, min_per_user, min_per_item, k_core)
        # a first training that the service starts has no rule to keep, and its page does not ask for one
        hint = training_hint(log.values) if as_current and current is None and rule == Feedback() else TrainingHint()
        shown = shown_progress(tell, lines=not json)
        recommender = fit(
            log,
            estimator=estimator,
            catalog=stored.catalog,
            profiles=stored.profiles,
            feedback=hint.feedback if hint.options else rule,
            recent=days(recent, "--recent"),
            language=language,
            fixed=fields,
            refit=refit,
            training=Training(device=device, checkpoints=opened.checkpoints, resume=resume, progress=shown),
            seed=seed,
        )
        recommender = _reporting(recommender, left_out, [hint.reason] if hint.options else [])
        before = _in_use(opened)
        said["model"] = name = opened.publish(replace(recommender, data_position=stored.position))
    opened.forget_checkpoints()
    removed, forgotten = opened.remove_outdated(), opened.forgotten(name)  # while it was trained
    older = [] if keep is None else _remove_older(opened, keep, before, by)
    _print_report(name, recommender, removed, older, forgotten, as_json=json)
    if not json:
        print_line(f"Bundle {name} is written and current. Try: {_worth_a_try(opened, recommender, log)}")
        _print_way_back(opened, before if before not in removed else None)


def _remove_older(workspace: Workspace, keep: int, before: str | None, by: str) -> list[str]:
    """Removes bundles beyond the newest `keep`, but not the one in use before; returns their names.

    The new model is in use already: a bundle that cannot be removed is left to the next training.
    """
    from foldin.audit import audited
    from foldin.cli.output import print_note

    removed: list[str] = []
    for name in workspace.list_older(keep):
        if name == before:
            continue
        try:
            with audited(workspace.folder, by, "remove", model=name):
                removed.append(workspace.remove(name))
        except FoldinError as error:
            print_note(f"{name} is not removed: {error}")
    return removed


def _in_use(workspace: Workspace) -> str | None:
    with suppress(BundleError):
        return workspace.current_name()
    return None


def _print_way_back(workspace: Workspace, before: str | None) -> None:
    from foldin.cli.output import print_line
    from foldin.wording import command

    if before is not None:
        print_line(f"{before} was in use. Take it back: {command('models use', workspace.folder, before)}")


def _as_current(
    current: Manifest, model: str | None, rule: Feedback, without: tuple[str, ...]
) -> tuple[str | None, Feedback, tuple[str, ...]]:
    """Model and feedback of the bundle in use, and what it left out beside this."""
    from foldin.data.feedback import Feedback

    if rule != Feedback():
        raise ConfigurationError("--as-current takes the feedback of the bundle in use: say no other beside it")
    before = () if current.report is None else current.report.without
    return model or current.model, current.feedback.feedback, tuple(dict.fromkeys((*before, *without)))


def _reporting(recommender: Recommender, without: tuple[str, ...], notes: Sequence[str]) -> Recommender:
    from dataclasses import replace

    assert recommender.report is not None
    report = replace(recommender.report, without=without, notes=(*notes, *recommender.report.notes))
    return replace(recommender, report=report)


def _estimator(model: str | None, fields: Mapping[str, str], *, of_network: bool) -> Estimator:
    from foldin.models.zoo import DEFAULT, estimator_named, settings_of

    estimator = estimator_named(model or DEFAULT, fields)
    if of_network and "epochs" not in settings_of(estimator):
        raise ConfigurationError(f"{model or DEFAULT} is solved in one step: --resume and --device are for networks")
    return estimator


def _worth_a_try(workspace: Workspace, recommender: Recommender, log: Interactions) -> str:
    """A command that works as it stands: for a user of the log, or, where there is none, for a profile."""
    from foldin.wording import command

    with workspace.store() as store:
        user = _usual_user(log, store)
    if user is not None:
        return command("recommend", workspace.folder, user)
    # a model of no events knows no user: only a profile finds anything
    return command(f"recommend --profile interests={_word(recommender)}", workspace.folder)


def _usual_user(log: Interactions, store: Store) -> str | None:
    """Who has neither few interactions nor many, among those whose id can be typed and whom nobody has forgotten."""
    from itertools import chain

    import numpy as np

    counts = np.bincount(log.user_codes, minlength=len(log.user_ids))
    ascending = np.argsort(counts, kind="stable")[np.count_nonzero(counts == 0) :]
    middle = len(ascending) // 2
    users = (str(log.user_ids[code]) for code in chain(ascending[middle:], ascending[:middle][::-1]))
    return next((user for user in users if user.isprintable() and _holds(store, user)), None)


def _holds(store: Store, user: str) -> bool:
    try:
        store.history(user)
    except NotFoundError:
        return False
    return True


def _word(recommender: Recommender) -> str:
    """A word of the catalogue that finds an item."""
    texts = " ".join(str(text) for column in recommender.catalog.attributes.values() for text in column[:TRIED])
    words = dict.fromkeys(re.findall(r"[^\W\d_]{3,}", texts))
    return next((word for word in words if recommender.says("interests", word)), "WORDS")


def _print_report(
    name: str, recommender: Recommender, removed: list[str], older: list[str], forgotten: int, *, as_json: bool
) -> None:
    from dataclasses import asdict

    from foldin.cli.figures import print_calibration_error, print_figures, print_rating_figures
    from foldin.cli.output import print_json, print_line
    from foldin.wording import counted

    report = recommender.report
    assert report is not None
    if as_json:
        answer = {"bundle": name, "estimator": repr(recommender.estimator), "report": asdict(report)}
        print_json({**answer, "removed": [*removed, *older], "forgotten": forgotten})
        return
    print_line(f"{recommender.estimator}")
    learned = [(report.users, "user"), (report.items, "item"), (report.interactions, "interaction")]
    print_line(", ".join(counted(number, noun) for number, noun in learned))
    if report.without:
        print_line(f"Left out: the events of {', '.join(report.without)}")
    for note in report.notes:
        print_line(f"Note: {note}")
    for old in removed:
        print_line(f"{old} is removed: it learned from users who have been forgotten since")
    for old in older:
        print_line(f"{old} is removed, as --keep asks")
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
        print_calibration_error(figures.calibration_error, figures.untold_error)
