"""`foldin serve`: answers over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import DEFAULT_FOLDER, WorkspaceFolder
from foldin.errors import BundleError, ConfigurationError, WorkspaceError

if TYPE_CHECKING:
    from socket import socket

    from foldin.service.settings import Settings
    from foldin.workspace import Workspace

__all__ = ["front_door", "serve", "serve_page"]

KEY_FILE = "first-key.txt"
LINK_FILE = "page-link.txt"
"""Files in the workspace for what is not shown, where standard output is no terminal."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    workspace: WorkspaceFolder = DEFAULT_FOLDER,
    host: Annotated[str, typer.Option(help="Where to listen; 127.0.0.1 is this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer; they share the store.")] = 1,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Ask for no key; on this machine alone.")] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Of a page elsewhere that may ask (CORS), as https://labs.example.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=1_024, help="Rankings scored together at most.")] = 64,
    rate: Annotated[float, typer.Option(min=0.1, help="Requests per second of one key, on average.")] = 1_000.0,
    impressions: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the recommendations that the store remembers.")
    ] = 1.0,
    retrain: Annotated[
        str | None, typer.Option(help="Train again in that interval, as 30m, 6h or 1d, where there are new events.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=2, help="Bundles that --retrain keeps: it removes older ones; 5, if not said.")
    ] = None,
) -> None:
    """Answer recommendations over HTTP, take events as they happen, and show the page.

    Every start makes a link to the page that lets one browser in, once; foldin link prints another. The first start
    also makes a key. Both are shown on a terminal; without one they are written to files in the workspace that only
    its owner can read.
    The routes are described at /docs.

    Example: foldin serve --port 8000
    """
    from foldin.cli.settings import seconds
    from foldin.service.settings import DEFAULT_KEEP, Settings

    if no_auth and host not in LOOPBACK:
        raise ConfigurationError(f"--no-auth is for this machine alone, and {host} is not: leave one of them out")
    if keep is not None and retrain is None:
        raise ConfigurationError("--keep is for --retrain, which removes old bundles: give that too, or leave it out")
    every = None if retrain is None else seconds(retrain, "--retrain")
    settings = Settings(
        workspace,
        host,
        auth=not no_auth,
        origins=tuple(origin or ()),
        most_at_once=batch,
        rate=rate,
        burst=int(2 * rate) + 1,
        impressions=impressions,
        retrain=every,
        keep=DEFAULT_KEEP if keep is None else keep,
    )
    with front_door(host, port, workspace) as sockets:
        serve_page(settings, sockets, workers)


@contextmanager
def front_door(host: str = "127.0.0.1", port: int = 0, workspace: Path | None = None) -> Iterator[list[socket]]:
    """Sockets at which the service will listen, opened before anything is made, trained or shown.

    `workspace`: which it will serve, and somebody may serve there already.

    Raises:
        ConfigurationError: the extra `serve` is missing, or the address cannot be had.
    """
    from foldin.cli.extra import from_service

    with from_service():
        import foldin.service.running  # noqa: F401
        from foldin.service.listening import TakenError, listening
    with ExitStack() as opened:
        try:
            sockets = opened.enter_context(listening(host, port))
        except TakenError:
            if workspace is not None:
                _refuse_second(workspace, port)
            raise
        yield sockets


def _refuse_second(workspace: Path, port: int) -> None:
    from foldin.service.addresses import addresses
    from foldin.wording import command

    running = next((one.url for one in addresses(workspace) if one.url.endswith(f":{port}/")), None)
    if running is not None:
        raise ConfigurationError(
            f"foldin serves {workspace} at {running} already: `{command('link', workspace)}` prints a link to its "
            "page; for another service beside it choose another port with --port, 0 takes a free one"
        )


def serve_page(settings: Settings, sockets: list[socket], workers: int = 1) -> None:
    """Says how to get in, and answers until it is ended; the workspace is made if it is not there.

    Raises:
        ConfigurationError: there is no workspace, and none can be made.
        NotFoundError, StoreError: the store is lost, or cannot be opened.
    """
    from foldin.cli.output import print_line, print_note
    from foldin.service.addresses import announced
    from foldin.service.listening import port_of
    from foldin.service.running import run
    from foldin.workspace import create_workspace, is_workspace

    folder, url = settings.workspace, _url(settings.host, port_of(sockets))
    is_new = not is_workspace(folder)
    workspace = create_workspace(folder)
    if is_new:  # a mistyped name would else answer as a workspace that lost its data
        print_note(
            f"there was no workspace in {folder}, and an empty one is made: where another was meant, end this "
            "and name it with -w"
        )
    workspace.store(create=True).close()  # one that cannot be used is reported before a link is made
    answers = _what_answers(workspace)
    if settings.auth:
        with _skipped("No key was made"):
            _first_key(folder)
    print_line(answers)
    _warn_if_readable(folder)
    with ExitStack() as ends:
        with _skipped("`foldin link` will not find this service"):
            ends.enter_context(announced(folder, url, auth=settings.auth))
        with _skipped("There is no link to the page"):
            print_line(f"The page: {_sign_in_link(folder, url) if settings.auth else url}")
        run(settings, sockets, workers)


def _warn_if_readable(folder: Path) -> None:
    from shlex import quote

    from foldin.cli.output import print_note

    if os.name == "posix" and folder.stat().st_mode & 0o077:
        print_note(f"other accounts of this machine can read {folder}: `chmod -R go= {quote(str(folder))}` ends that")


@contextmanager
def _skipped(loss: str) -> Iterator[None]:
    """Continues where the workspace cannot be written, as on a full disk: recommendations are still possible."""
    from foldin.cli.output import print_note

    try:
        yield
    except WorkspaceError as error:
        print_note(f"{loss}: {error}")


def _sign_in_link(workspace: Path, url: str) -> str:
    from foldin.cli.secret_file import may_show, write_secret
    from foldin.service.link import USES, link_to

    link, file = link_to(workspace, url), workspace / LINK_FILE
    if may_show():
        return f"{link} ({USES})"
    write_secret(link, file)
    return f"{url} (the link that lets a browser in, {USES}, is in {file})"


def _url(host: str, port: int) -> str:
    name = "127.0.0.1" if host == "0.0.0.0" else "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/"


def _what_answers(workspace: Workspace) -> str:
    from foldin.wording import command

    try:
        name, manifest = workspace.current_name(), workspace.current_manifest()
    except BundleError as damage:
        return f"No model that can be used: {damage}"
    if manifest is not None:
        return f"The model: {name}, trained {manifest.created.replace('T', ' ')[:16]} UTC"
    train = f"`{command('train', workspace.folder)}`, and it goes live by itself"
    with workspace.store(create=True) as store:
        held = store.summary()
    if held.events or held.items:
        return f"No model yet, so nothing is recommended: train one with {train}"
    ingest = f"`{command('ingest FILE', workspace.folder)}`"
    return f"No data and no model yet, so nothing is recommended: put data in with {ingest}, then train with {train}"


def _first_key(workspace: Path) -> None:
    from foldin.audit import COMMAND_LINE, audited
    from foldin.service.keys import create_key, read_keys, revoke_key

    if not any(key.kind == "key" for key in read_keys(workspace)):
        with audited(workspace, COMMAND_LINE, "create key", key="first", scopes=["admin"]):
            secret = create_key(workspace, "first", ["admin"])
        try:
            _print_first_key(workspace, secret)
        except WorkspaceError:  # a key that cannot be read is of no use, and the next start is to make one
            with audited(workspace, COMMAND_LINE, "revoke key", key="first"):
                revoke_key(workspace, "first")
            raise


def _print_first_key(workspace: Path, secret: str) -> None:
    from foldin.cli.output import print_line
    from foldin.cli.secret_file import may_show, write_secret
    from foldin.wording import command

    others, file = command("keys create NAME", workspace), workspace / KEY_FILE
    if may_show():
        print_line(f"This key opens everything, and is shown this once: {others} makes others, with less.")
        print_line(f"  {secret}")
        return
    write_secret(secret, file)
    print_line(f"A key that opens everything is in {file}: move it from there; {others} makes others, with less.")
