"""The command `foldin`: its commands, and what an error looks like at a prompt."""

from __future__ import annotations

import os
import sys
import warnings
from functools import cache
from io import TextIOWrapper
from typing import Any

import typer

from foldin.cli.backup import backup, restore
from foldin.cli.compare import compare
from foldin.cli.dashed_ids import CommandWithIds
from foldin.cli.demo import demo
from foldin.cli.embeddings import embeddings
from foldin.cli.explain import explain
from foldin.cli.forget import forget
from foldin.cli.ingest import ingest
from foldin.cli.inspect import inspect
from foldin.cli.items import items
from foldin.cli.keys import keys
from foldin.cli.link import link
from foldin.cli.models import models
from foldin.cli.output import print_error, print_note
from foldin.cli.predict import predict
from foldin.cli.recommend import recommend
from foldin.cli.serve import serve
from foldin.cli.similar import similar
from foldin.cli.simulate import simulate
from foldin.cli.train import train
from foldin.errors import DataWarning, FoldinError

__all__ = ["app", "main"]

app = typer.Typer(
    name="foldin",
    help="Recommendations from the autoencoder family, from an event log to a top 10.",
    epilog="Start with: foldin demo. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 not found, "
    "5 workspace, store, bundle or checkpoint unusable, 6 too large for this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    demo,
    simulate,
    inspect,
    ingest,
    forget,
    backup,
    restore,
    train,
    compare,
    items,
    recommend,
    similar,
    predict,
    explain,
    embeddings,
    serve,
    link,
):
    app.command(cls=CommandWithIds)(command)
app.add_typer(models, name="models")
app.add_typer(keys, name="keys")


def version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        import foldin

        typer.echo(foldin.__version__)
        raise typer.Exit


@app.callback()
def options(
    wanted: bool = typer.Option(False, "--version", callback=version, is_eager=True, help="Print the version."),
) -> None:
    """Recommendations from the autoencoder family, from an event log to a top 10."""


def main() -> None:
    """Runs the command line; an error is one line on standard error and an exit code, never a traceback.

    Raises:
        KeyboardInterrupt: Ctrl-C outside a command; `foldin.__main__` ends quietly on it.
    """
    warnings.showwarning = _shown
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a title the terminal's encoding lacks is no reason to stop
            stream.reconfigure(errors="replace")
    try:
        _run()
    except FoldinError as error:
        print_error(str(error))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `foldin ... | head` closed its end
        _drop_output()
        sys.exit(141)
    except OSError as error:
        _drop_output()
        print_error(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
        sys.exit(1)


def _run() -> None:
    try:
        _command()()
    finally:
        # at the interpreter's end it would be too late to say that the disk is full
        if sys.stdout is not None:
            sys.stdout.flush()


@cache
def _command() -> Any:
    # Typer looks at every signature to make it, which takes longer than most commands do
    return typer.main.get_command(app)


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _shown(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    if issubclass(category, DataWarning):
        print_note(str(message))
