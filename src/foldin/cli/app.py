"""The command `foldin`: its commands, and what an error looks like at a prompt."""

from __future__ import annotations

import os
import sys
import warnings

import typer

from foldin.cli.compare import compare
from foldin.cli.demo import demo
from foldin.cli.embeddings import embeddings
from foldin.cli.explain import explain
from foldin.cli.ingest import ingest
from foldin.cli.inspect import inspect
from foldin.cli.models import models
from foldin.cli.predict import predict
from foldin.cli.recommend import recommend
from foldin.cli.similar import similar
from foldin.cli.simulate import simulate
from foldin.cli.train import train
from foldin.errors import DataWarning, FoldinError

__all__ = ["app", "main"]

app = typer.Typer(
    name="foldin",
    help="Recommendations from the autoencoder family, from an event log to a top 10.",
    epilog="Start with: foldin demo. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 not found, "
    "5 store, bundle or checkpoint unusable, 6 too large for this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    demo,
    simulate,
    inspect,
    ingest,
    train,
    compare,
    recommend,
    similar,
    predict,
    explain,
    embeddings,
):
    app.command()(command)
app.add_typer(models, name="models")


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
    """Runs the command line; an error is one line on standard error and an exit code, never a traceback."""
    warnings.showwarning = _shown
    try:
        app()
    except FoldinError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `foldin ... | head` closed its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _shown(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    if issubclass(category, DataWarning):
        typer.secho(f"note: {message}", fg="yellow", err=True)
