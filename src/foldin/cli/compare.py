"""`foldin compare`: several models on the same split."""

from __future__ import annotations

import json as json_text
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from foldin.cli.options import (
    DEFAULT_FOLDER,
    WORKSPACE_VARIABLE,
    AmountsAsRatings,
    DecimalMark,
    Encoding,
    FeedbackForm,
    HalfLife,
    Header,
    ItemColumn,
    ItemsId,
    Json,
    KCore,
    KindColumn,
    MinPerItem,
    MinPerUser,
    PositiveFrom,
    Recent,
    Strength,
    TimeColumn,
    TimeFormat,
    TimeZone,
    UserColumn,
    UsersId,
    ValueColumn,
    Weights,
    Without,
)
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.cli.cells import Apart, Wish
    from foldin.contest import Contest
    from foldin.data.catalog import Catalog
    from foldin.data.interactions import Interactions
    from foldin.data.profiles import Profiles
    from foldin.data.readers.text import TextFormat
    from foldin.data.synthetic import Truth
    from foldin.evaluation.cells import Contender

__all__ = ["compare"]

TRUTH = "truth.safetensors"

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Data:
    """What is compared on, and what is known of the items and the users."""

    log: Interactions
    catalog: Catalog | None
    profiles: Profiles | None


def compare(
    file: Annotated[Path | None, typer.Argument(help="A log of events; or give -w for a workspace's store.")] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            help=f"Take the events of this workspace's store; without a file, {WORKSPACE_VARIABLE}'s.",
        ),
    ] = None,
    models: Annotated[str, typer.Option(help="Which, as a,b,c.")] = "popularity,ease,edlae,autoencoder",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A field of a model, as edlae.l2=100; may be given again, with another value to compare the two.",
        ),
    ] = None,
    protocol: Annotated[
        Literal["strong", "last", "time", "random"],
        typer.Option(
            help="strong holds out users; last each user's last item; time all after a moment; "
            "random some items of every user."
        ),
    ] = "strong",
    folds: Annotated[
        int | None,
        typer.Option(min=2, max=20, help="Test on all users in turn, in so many parts; trains so many times."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1_000, help="How many items the rankings have.")] = 10,
    full: Annotated[bool, typer.Option("--full", help="Print all metrics, not four.")] = False,
    by_history_length: Annotated[
        bool, typer.Option("--by-history-length", help="Also with only 0, 1, 2, 3, 5, ... items of each history shown.")
    ] = False,
    segments: Annotated[
        str | None, typer.Option(help="Also apart for each value of this attribute of the users' profiles.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Also draw history lengths and segments, to this .png, .svg or .pdf."),
    ] = None,
    users: Annotated[
        Path | None, typer.Option(help="Profiles of the users, beside a file of events: the prior learns from them.")
    ] = None,
    items: Annotated[Path | None, typer.Option(help="The catalogue, beside a file of events.")] = None,
    items_id: ItemsId = None,
    users_id: UsersId = None,
    report: Annotated[Path | None, typer.Option(help="Also write everything measured to this JSON file.")] = None,
    truth: Annotated[
        Path | None, typer.Option(help=f"Truth of a simulated world; {TRUTH} beside the events is found by itself.")
    ] = None,
    feedback: FeedbackForm = None,
    positive_from: PositiveFrom = None,
    weights: Weights = None,
    strength: Strength = None,
    half_life: HalfLife = None,
    amounts_as_ratings: AmountsAsRatings = False,
    recent: Recent = None,
    prior: Annotated[
        bool, typer.Option(help="Judge models with the prior, as they are used; --no-prior judges them alone.")
    ] = True,
    min_per_user: MinPerUser = 1,
    min_per_item: MinPerItem = 1,
    k_core: KCore = 1,
    without: Without = None,
    user: UserColumn = None,
    item: ItemColumn = None,
    kind: KindColumn = None,
    value: ValueColumn = None,
    time: TimeColumn = None,
    timezone: TimeZone = None,
    decimal: DecimalMark = None,
    time_format: TimeFormat = None,
    encoding: Encoding = None,
    header: Header = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides who is held out, and how a network starts.")] = 0,
    json: Json = False,
) -> None:
    """Compare models on the same split: fields chosen on validation users, figures from test users.

    Example: foldin compare events.csv --models popularity,edlae --by-history-length
    """
    from foldin.choosing import Training
    from foldin.cli.cells import Wish
    from foldin.cli.comparison import Outcome, as_json, print_outcome
    from foldin.cli.contenders import contenders_from
    from foldin.cli.epochs import shown_progress
    from foldin.cli.output import print_json, progress
    from foldin.cli.settings import cleaned, days, feedback_from, text_format
    from foldin.contest import contest, cross_validate
    from foldin.evaluation.evaluate import metrics_at

    _check_report(report)
    wish = Wish(by_history_length, segments, plot, k)
    wish.check()
    _check_folds(folds, protocol, wish)
    columns = {"user": user, "item": item, "kind": kind, "value": value, "time": time}
    columns |= {"timezone": timezone, "decimal": decimal, "time_format": time_format}
    tables = {"--users": users, "--items": items, "--users-id": users_id, "--items-id": items_id}
    form, written = text_format(encoding, header), {"encoding": encoding, "header": header}
    workspace = _workspace(file, workspace, columns | written, tables)
    left_out = tuple(dict.fromkeys(without or ()))
    if left_out and workspace is None:
        raise ConfigurationError("--without: sources are those of a workspace's store, not of a file")
    if segments is not None and workspace is None and users is None:
        raise ConfigurationError(f"--segments {segments} needs the users' profiles: give --users FILE")
    contenders = contenders_from(models, settings or ())
    rule = feedback_from(feedback, positive_from, weights, strength, half_life, amounts_as_ratings=amounts_as_ratings)
    with progress("reading") as tell:
        data = _data(file, workspace, columns, form, items, users, left_out, (items_id, users_id))
        wish.check_profiles(data.profiles)
        log = cleaned(data.log, min_per_user, min_per_item, k_core)
        hold = partial(
            contest,
            log,
            contenders.estimators,
            catalog=data.catalog,
            profiles=data.profiles,
            feedback=rule,
            protocol=protocol,
            truth=_truth(truth, file, workspace, data.log),
            metrics=metrics_at(k),
            fixed=contenders.fixed,
            recent=days(recent, "--recent"),
            prior=prior,
            training=Training(seed=seed, progress=shown_progress(tell, lines=False)),
        )
        if folds is None:
            held = hold()
            apart = _taken_apart(held, wish, data.profiles, seed, tell)
            outcome = Outcome([held.summary()], held.comparison, held.ratings, apart, k, left_out)
        else:
            all_held = cross_validate(lambda fold: hold(fold=fold), folds)
            outcome = Outcome(all_held.folds, all_held.comparison, all_held.ratings, None, k, left_out)
    if report is not None:
        _write(report, as_json(outcome))
    if json:
        print_json(as_json(outcome))
    else:
        print_outcome(outcome, full=full)


def _check_folds(folds: int | None, protocol: str, wish: Wish) -> None:
    if folds is None:
        return
    if protocol != "strong":
        raise ConfigurationError(f"--folds are of users, and the protocol '{protocol}' tests on all of them at once")
    if wish.anything:
        raise ConfigurationError("--folds goes without --by-history-length and --segments, which are of one split")


def _check_report(file: Path | None) -> None:
    # before any training, which may take an hour
    if file is not None and (not file.parent.is_dir() or (file.exists() and not file.is_file())):
        raise ConfigurationError(f"no report can be written to {file}: give a file in a folder that is there")


def _workspace(
    file: Path | None, given: Path | None, columns: Mapping[str, str | None], tables: Mapping[str, Path | str | None]
) -> Path | None:
    workspace = _found() if file is None and given is None else given
    if (file is None) == (workspace is None):
        raise ConfigurationError(f"give either a file or -w WORKSPACE{', not both' if file else ''}")
    unused = [f"--{name.replace('_', '-')}" for name, value in columns.items() if value is not None]
    if workspace is not None and unused:
        raise ConfigurationError(f"{', '.join(unused)}: columns are those of a file, not of a workspace's store")
    beside = [name for name, table in tables.items() if table is not None]
    if workspace is not None and beside:
        raise ConfigurationError(f"{', '.join(beside)}: a workspace's store has profiles and catalogue of its own")
    return workspace


def _found() -> Path | None:
    """The workspace that a command finds by itself."""
    named = os.environ.get(WORKSPACE_VARIABLE)
    return Path(named) if named else DEFAULT_FOLDER if DEFAULT_FOLDER.is_dir() else None


def _data(
    file: Path | None,
    workspace: Path | None,
    columns: Mapping[str, str | None],
    form: TextFormat,
    items: Path | None,
    users: Path | None,
    without: Sequence[str],
    ids: tuple[str | None, str | None],
) -> _Data:
    from foldin.cli.intake import TableIds
    from foldin.cli.settings import check_sources
    from foldin.data.readers import read, read_catalog, read_profiles
    from foldin.workspace import open_workspace

    if workspace is None:
        assert file is not None
        log, encoding = read(file, **columns, encoding=form.encoding, header=form.header), form.encoding
        of_items, of_users = TableIds(*ids).beside(columns)
        catalog = (
            None if items is None else of_items.read(lambda item: read_catalog(items, item=item, encoding=encoding))
        )
        profiles = (
            None if users is None else of_users.read(lambda user: read_profiles(users, user=user, encoding=encoding))
        )
        return _Data(log, catalog, profiles)
    with open_workspace(workspace).store() as store:
        check_sources(store, without)
        stored = store.snapshot(without=without)
    return _Data(stored.interactions, stored.catalog, stored.profiles)


def _truth(given: Path | None, file: Path | None, workspace: Path | None, log: Interactions) -> Truth | None:
    from foldin.data.synthetic import read_truth

    if given is not None:
        return read_truth(given)
    folder = workspace if workspace is not None else file.parent if file is not None else Path()
    # the truth is of clicks: beside ratings it is not meant
    return read_truth(folder / TRUTH) if log.values is None and (folder / TRUTH).exists() else None


def _taken_apart(
    result: Contest, wish: Wish, profiles: Profiles | None, seed: int, tell: Callable[[str], None]
) -> Apart | None:
    from foldin.cli.cells import taken_apart

    return taken_apart(
        wish,
        _contenders(result),
        result.split,
        liked=result.evidence.rule.positive,
        segments=wish.segments(profiles, result.evidence.log.user_ids, result.split.test),
        seed=seed,
        tell=tell,
    )


def _contenders(result: Contest) -> dict[str, Contender]:
    """What is compared at every history length: each model as it is used, and alone where that is without a prior."""
    from foldin.cli.cells import ALONE

    contenders: dict[str, Contender] = {}
    for name in result.choices:
        contenders[name] = partial(result.scores, name)
        if name in result.blends:
            contenders[f"{name}{ALONE}"] = partial(result.scores_alone, name)
    return contenders


def _write(file: Path, content: dict[str, object]) -> None:
    from foldin.data.files import replaced

    text = json_text.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        with replaced(file) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write {file}: {error.strerror or error}") from error
