"""`foldin backup` and `foldin restore`: a copy of the store, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, WorkspaceFolder
from foldin.errors import ConfigurationError, StoreError

__all__ = ["backup", "restore"]


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
) -> None:
    """Copy the store to a file, also while a service uses it; the copy is checked before it gets its name.

    It holds all events, profiles and items; models, keys and audit are other files of the workspace.

    Example: foldin backup store-2026-03-01.sqlite
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.output import print_line, progress
    from foldin.store.backup import back_up
    from foldin.wording import command
    from foldin.workspace import open_workspace

    opened = open_workspace(workspace)
    with audited(opened.folder, COMMAND_LINE, "back up"), progress("copying and checking the store"):
        back_up(opened.store_url, file, force=force)
    print_line(f"{file} holds the store; bring it back with `{command(f'restore {file}', workspace)}`")


def restore(
    file: Annotated[Path | None, typer.Argument(help="A backup of `foldin backup`.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Start with an empty store, where there is none.")] = False,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
) -> None:
    """Put a backup in the place of the store, which is kept under another name; no service may be using it.

    What came after the backup is missing then, also who was forgotten since: forget these users again.

    Example: foldin restore store-2026-03-01.sqlite
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.output import print_line, progress
    from foldin.store import backup as backups
    from foldin.workspace import create_workspace

    if (file is None) != empty:
        raise ConfigurationError("name a backup, or say --empty to start with an empty store")
    opened = create_workspace(workspace)
    _refuse_running(opened.folder)
    with audited(opened.folder, COMMAND_LINE, "restore"), progress("copying and checking the backup"):
        url, learned = opened.store_url, opened.latest_position()
        kept = (
            backups.start_empty(url, learned=learned) if file is None else backups.restore(url, file, learned=learned)
        )
    print_line(f"The store is {'a new one, and empty' if file is None else f'that of {file}'}")
    if kept is not None:
        print_line(f"The store before is kept as {kept}: delete it once all is as it should be,")
        print_line("as it still holds users who are forgotten from now on")


def _refuse_running(folder: Path) -> None:
    try:
        from foldin.service.addresses import addresses
    except ImportError:
        return  # without the extra `serve` there is no service
    for one in addresses(folder):
        raise StoreError(f"a service of {folder} runs at {one.url}: end it, restore the store, and start it again")
