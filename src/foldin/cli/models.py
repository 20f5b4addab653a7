"""`foldin models`: the workspace's bundles, and which of them is in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder

if TYPE_CHECKING:
    from foldin.evaluation.training_report import TrainingReport
    from foldin.workspace import Bundle

__all__ = ["models", "print_bundles"]

METRICS = ("ndcg@10", "recall@10")

models = typer.Typer(invoke_without_command=True)


@models.callback()
def list_models(context: typer.Context, workspace: WorkspaceFolder = DEFAULT_FOLDER, json: Json = False) -> None:
    """List the trained models, how good they are beside popularity, and which one is in use (*).

    Example: foldin models -w foldin-workspace
    """
    if context.invoked_subcommand is not None:
        return
    from foldin.cli.output import print_json, print_line, progress
    from foldin.wording import command
    from foldin.workspace import open_workspace

    with progress("checking the bundles"):
        bundles = open_workspace(workspace).bundles()
    if json:
        print_json([_as_json(bundle) for bundle in bundles])
    elif bundles:
        print_bundles(bundles, workspace)
    else:
        print_line(f"No model in {workspace} yet: train one with `{command('train', workspace)}`")


@models.command()
def use(
    context: typer.Context,
    version: Annotated[str, typer.Argument(help="The number or name of a bundle.")],
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Take another model into use, after checking it whole.

    Example: foldin models use 1
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.workspace import open_workspace

    opened = open_workspace(_folder(context, workspace))
    with audited(opened.folder, COMMAND_LINE, "use", model=version) as said:
        said["model"] = name = opened.use(version)
    _print_current(name, as_json=_wants_json(context, json))


@models.command()
def rollback(context: typer.Context, workspace: WorkspaceFolder = DEFAULT_FOLDER, json: Json = False) -> None:
    """Take the next older model, by number, into use.

    Example: foldin models rollback
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.workspace import open_workspace

    opened = open_workspace(_folder(context, workspace))
    with audited(opened.folder, COMMAND_LINE, "roll back") as said:
        said["model"] = name = opened.rollback()
    _print_current(name, as_json=_wants_json(context, json))


@models.command()
def remove(
    context: typer.Context,
    versions: Annotated[list[str], typer.Argument(metavar="VERSION...", help="Numbers or names of bundles.")],
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Remove bundles that are not in use, for good.

    Example: foldin models remove 1 2
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.output import print_json, print_line
    from foldin.workspace import open_workspace

    opened, removed, as_json = open_workspace(_folder(context, workspace)), [], _wants_json(context, json)
    for version in dict.fromkeys(versions):
        with audited(opened.folder, COMMAND_LINE, "remove", model=version) as said:
            said["model"] = name = opened.remove(version)
        removed.append(name)
        if not as_json:
            print_line(f"{name} is removed")
    if as_json:
        print_json({"removed": removed})


def _folder(context: typer.Context, workspace: Path) -> Path:
    # `foldin models -w A use 1` means A as well as `foldin models use 1 -w A` does
    source = context.get_parameter_source("workspace")
    if context.parent is None or (source is not None and source.name == "COMMANDLINE"):
        return workspace
    folder: Path = context.parent.params["workspace"]
    return folder


def _wants_json(context: typer.Context, json: bool) -> bool:
    return json or (context.parent is not None and bool(context.parent.params["json"]))


def _print_current(name: str, *, as_json: bool) -> None:
    from foldin.cli.output import print_json, print_line

    if as_json:
        print_json({"number": int(name.partition("-")[0]), "name": name})
    else:
        print_line(f"{name} is in use")


def print_bundles(bundles: list[Bundle], workspace: Path) -> None:
    """A line per bundle, and what is wrong with whom."""
    from foldin.cli.output import print_line, print_table
    from foldin.evaluation.titles import title_of
    from foldin.wording import command, counted

    numbers = ["users", "items", "interactions", *map(title_of, METRICS)]
    columns = ["", "bundle", "created (UTC)", *numbers]
    print_table(f"Models of {workspace}", columns, [_row(bundle) for bundle in bundles], numbers=numbers)
    print_line("Figures are of test users, in brackets popularity's.")
    print_line(f"Take one into use: {command('models use NUMBER', workspace)}")
    for bundle in bundles:
        if bundle.damage is not None:
            print_line(f"{bundle.name} is damaged: {bundle.damage}")
        if bundle.forgotten:
            print_line(f"{bundle.name} learned from {counted(bundle.forgotten, 'user')} since forgotten: train again")


def _row(bundle: Bundle) -> list[str]:
    mark = "*" if bundle.current else ""
    if bundle.manifest is None or bundle.damage is not None:
        return [mark, bundle.name, "damaged", *[""] * (3 + len(METRICS))]
    created = bundle.manifest.created.replace("T", " ")[:16]
    report = bundle.manifest.report
    sizes = [f"{n:,}" for n in (report.users, report.items, report.interactions)] if report else ["-"] * 3
    return [mark, bundle.name, created, *sizes, *_figures(report)]


def _figures(report: TrainingReport | None) -> list[str]:
    if report is None or report.figures is None:
        return ["-"] * len(METRICS)
    # popularity comes first; where it is the model, it is the only one
    popularity, own = report.figures.test[0].means, report.figures.test[-1].means
    return [f"{own[metric]:.3f} ({popularity[metric]:.3f})" if metric in own else "-" for metric in METRICS]


def _as_json(bundle: Bundle) -> dict[str, object]:
    from dataclasses import asdict

    manifest = bundle.manifest
    return {
        "number": bundle.number,
        "name": bundle.name,
        "current": bundle.current,
        "forgotten": bundle.forgotten,
        "damage": bundle.damage,
        "model": None if manifest is None else manifest.model,
        "settings": None if manifest is None else manifest.settings,
        "created": None if manifest is None else manifest.created,
        "report": None if manifest is None or manifest.report is None else asdict(manifest.report),
    }
