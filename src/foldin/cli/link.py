"""`foldin link`: another link to the page of a service that runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, WorkspaceFolder
from foldin.errors import ConfigurationError, NotFoundError

if TYPE_CHECKING:
    from foldin.service.addresses import Address

__all__ = ["link"]


def link(
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    address: Annotated[
        str | None,
        typer.Option(help="Where the page is, as https://recommend.example, if it is reached under another name."),
    ] = None,
) -> None:
    """Print another link to the page of a service that runs; it lets one browser in, once, within 12 hours.

    Example: foldin link -w foldin-workspace
    """
    from foldin.cli.extra import from_service
    from foldin.cli.output import print_line, print_note
    from foldin.workspace import open_workspace

    with from_service():
        from foldin.service.link import USES, link_to
    folder = open_workspace(workspace).folder
    if address is not None:
        print_line(link_to(folder, _checked(address)))
        print_note(f"the link signs one browser in, {USES}")
        return
    for one in _running(folder):
        print_line(link_to(folder, one.url) if one.auth else one.url)
        if one.auth:
            print_note(f"the link signs one browser in, {USES}")


def _checked(address: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(f"--address is '{address}': write it as https://recommend.example")
    return f"{parts.scheme}://{parts.netloc}/"


def _running(folder: Path) -> list[Address]:
    from foldin.service.addresses import addresses
    from foldin.wording import command

    running = addresses(folder)
    if not running:
        raise NotFoundError(
            f"no service of {folder} runs on this machine: start it with `{command('serve', folder)}`, which prints a "
            "link, or say with --address where the page is"
        )
    return running
