"""`foldin simulate`: a world of people and hands-on labs, as files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foldin.cli.options import Json
from foldin.errors import ConfigurationError

if TYPE_CHECKING:
    from foldin.data.synthetic import World

__all__ = ["simulate"]

PLOT, TRUTH = "feedback.png", "truth.safetensors"
FILES = ("events.csv", "ratings.csv", "items.csv", "users.csv", TRUTH, PLOT)


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the files; made if it is not there.")],
    users: Annotated[int, typer.Option(help="How many people.")] = 5200,
    items: Annotated[int, typer.Option(help="How many hands-on labs.")] = 252,
    seed: Annotated[int, typer.Option(help="Another seed is another world.")] = 0,
    json: Json = False,
) -> None:
    """Simulate people at hands-on labs: clicks, ratings, catalogue, profiles, and the truth behind them.

    Example: foldin simulate world --users 1000 --seed 7
    """
    from foldin.cli.output import progress
    from foldin.data.synthetic import simulate as simulated
    from foldin.data.synthetic import write_world

    _refuse_other_files(folder)
    with progress(f"simulating {users:,} people and {items:,} labs") as tell:
        world = simulated(users, items, seed)
        tell("writing")
        write_world(world, folder)
        plotted = _plotted(world, folder)
    _print_written(world, folder, plotted, as_json=json)


def _refuse_other_files(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file; name a folder")
    present = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    # without a truth, files of these names are somebody's own
    others = [name for name in present if name not in FILES or TRUTH not in present]
    if others:
        raise ConfigurationError(f"{folder} holds other files ({', '.join(others[:3])}): choose an empty folder")


def _plotted(world: World, folder: Path) -> bool:
    from foldin.data.synthetic import plot_feedback

    if find_spec("matplotlib") is None:
        (folder / PLOT).unlink(missing_ok=True)  # of another world
        return False
    plot_feedback(world.ratings, folder / PLOT)
    return True


def _print_written(world: World, folder: Path, plotted: bool, *, as_json: bool) -> None:
    from foldin.cli.output import print_json, print_line, print_note, print_table

    contents = _contents(world, plotted)
    if not plotted:
        print_note(f"no {PLOT}, as drawing needs matplotlib: pip install 'foldin[plot]', then simulate again")
    if as_json:
        print_json({"folder": str(folder), "files": {name: rows for name, rows, _ in contents}})
        return
    rows = [[name, "" if count is None else f"{count:,}", text] for name, count, text in contents]
    print_table(f"Written to {folder}", ["file", "rows", "what it holds"], rows, numbers=["rows"])
    print_line(f"Look at it:  foldin inspect {folder / 'events.csv'}")
    print_line(
        f"Take it in:  foldin ingest {folder / 'events.csv'} --items {folder / 'items.csv'} "
        f"--users {folder / 'users.csv'}"
    )


def _contents(world: World, plotted: bool) -> list[tuple[str, int | None, str]]:
    contents: list[tuple[str, int | None, str]] = [
        ("events.csv", len(world.events), "clicks: user, item, kind, time"),
        ("ratings.csv", len(world.ratings), "ratings from 1 to 5"),
        ("items.csv", len(world.catalog), f"the labs: {', '.join(world.catalog.attributes)}"),
        ("users.csv", len(world.profiles), f"the people: {', '.join(world.profiles.attributes)}"),
        ("truth.safetensors", None, "what each person is really drawn to, for `foldin compare`"),
    ]
    return [*contents, (PLOT, None, "histogram of the ratings")] if plotted else contents
