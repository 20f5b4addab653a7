"""`foldin keys`: API keys of the service, and the sessions of browsers that have signed in."""

from __future__ import annotations

from typing import Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, Json, WorkspaceFolder

__all__ = ["keys"]

keys = typer.Typer(
    no_args_is_help=True,
    help="Make keys of the service; list and revoke keys and sessions of the page.\n\n"
    "Example: foldin keys create shop --scope read",
)


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for; lists show it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may do: read, events, catalogue, people or admin; may be given again; read by default."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="After so many days it ends.")] = None,
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
) -> None:
    """Make a key and print it: it is kept as a hash, and cannot be shown again.

    read asks for recommendations; events writes events; catalogue writes items; people reads, writes and erases what
    is stored of users, and explains it; admin does everything.

    Example: foldin keys create shop --scope read --scope events
    """
    from datetime import UTC, datetime, timedelta

    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.extra import from_service
    from foldin.cli.output import print_line
    from foldin.workspace import open_workspace

    with from_service():
        from foldin.service.keys import create_key

    folder, scopes = open_workspace(workspace).folder, scope or ["read"]
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with audited(folder, COMMAND_LINE, "create key", key=name, scopes=scopes):
        secret = create_key(folder, name, scopes, expires)
    print_line(secret)


@keys.command(name="list")
def listed(workspace: WorkspaceFolder = DEFAULT_FOLDER, json: Json = False) -> None:
    """List the keys and the sessions of the page: their names, scopes, and until when they are valid.

    Example: foldin keys list
    """
    from foldin.cli.extra import from_service
    from foldin.cli.output import print_json, print_table
    from foldin.workspace import open_workspace

    with from_service():
        from foldin.service.keys import read_keys

    found = read_keys(open_workspace(workspace).folder)
    if json:
        columns = ("name", "kind", "scopes", "created", "expires")
        print_json([{column: getattr(key, column) for column in columns} for key in found])
        return
    rows = [[key.name, key.kind, ", ".join(key.scopes), key.created, key.expires or "never"] for key in found]
    print_table("Keys and sessions", ["name", "kind", "scopes", "created", "expires"], rows)


@keys.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The name of the key or session.")],
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
) -> None:
    """Revoke a key or a session of the page: the next request with it is refused.

    Example: foldin keys revoke shop
    """
    from foldin.audit import COMMAND_LINE, audited
    from foldin.cli.extra import from_service
    from foldin.cli.output import print_line
    from foldin.workspace import open_workspace

    with from_service():
        from foldin.service.keys import revoke_key

    folder = open_workspace(workspace).folder
    with audited(folder, COMMAND_LINE, "revoke key", key=name):
        revoke_key(folder, name)
    print_line(f"Revoked '{name}'.")
