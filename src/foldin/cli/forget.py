"""`foldin forget`: erases a user from the workspace's store, and keeps them out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.store.contract import Forgotten

__all__ = ["forget"]


def forget(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="Take the user's data in again from now on; what was erased stays erased.")
    ] = False,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    json: Json = False,
) -> None:
    """Erase a user's interactions, profile and what they were shown, for good, and leave out what comes of them later.

    After --lift, events with ids come back by taking the same file in again. Without ids a log that was taken in before
    is left out whole: take in a file of that user's rows alone.

    Example: foldin forget ann --yes
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.output import print_json
    from foldin.cli.rejects import rejects_naming
    from foldin.data.identifiers import checked_id
    from foldin.workspace import open_workspace

    user = checked_id(user, "user")
    opened = open_workspace(workspace)
    with opened.store() as store:
        if lift:
            with audited(opened.folder, COMMAND_LINE, "lift", nameless=True) as said:
                said["lifted"] = lifted = store.readmit(user)
            print_json({"user": user, "lifted": lifted}) if json else _print_lifted(user, lifted)
            return
        if not yes:
            _ask(user)
        with audited(opened.folder, COMMAND_LINE, "forget", nameless=True) as said:
            said |= asdict(forgotten := store.forget(user))
    if forgotten.events:
        opened.forget_checkpoints()  # they may be of a training that learned from the user
    named_in = rejects_naming(user, (workspace, Path()))
    print_json(_as_json(user, forgotten, named_in)) if json else _print(user, forgotten, named_in, workspace)


def _ask(user: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError("what is erased cannot be brought back: say --yes if you mean it")
    typer.confirm(f"Erase {user!r}? It cannot be undone.", abort=True, err=True)


def _as_json(user: str, forgotten: Forgotten, named_in: Sequence[Path]) -> dict[str, object]:
    files = [str(file) for file in named_in]
    return {"user": user, **asdict(forgotten), "rejected_files": files}


def _print(user: str, forgotten: Forgotten, named_in: Sequence[Path], workspace: Path) -> None:
    from foldin.cli.output import print_line
    from foldin.wording import command

    print_line(_erased(user, forgotten))
    print_line("What comes of this user later is left out (--lift ends that)")
    if forgotten.events:
        print_line(f"Models that learned from this user are replaced at the next `{command('train', workspace)}`")
    for file in named_in:
        print_line(f"{file} has rows set aside by an import that name this user: delete them yourself")


def _erased(user: str, forgotten: Forgotten) -> str:
    from foldin.wording import counted

    if not any(asdict(forgotten).values()):
        return f"Nothing was erased: the store has no user {user!r}. If it should, look for how it spells the id"
    profile = "the profile" if forgotten.profile else "no profile"
    shown = f", and {counted(forgotten.impressions, 'recommendation')} shown" if forgotten.impressions else ""
    return f"Erased of {user}: {counted(forgotten.events, 'interaction')} and {profile}{shown}"


def _print_lifted(user: str, lifted: bool) -> None:
    from foldin.cli.output import print_line

    if not lifted:
        print_line(f"{user} was not forgotten; nothing has changed")
        return
    print_line(f"{user} is taken in again from now on")
    print_line(
        "A log without event ids that was taken in before stays left out: take in a file of this user's rows alone"
    )
