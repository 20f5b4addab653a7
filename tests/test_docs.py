"""The docs are true: their examples run, and every command, option, hyperparameter and link is where it should be."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest
import typer.main
from typer.testing import CliRunner

import foldin
from foldin import errors
from foldin.cli.app import app
from foldin.coldstart import crossfit
from foldin.data.feedback import Feedback
from foldin.data.splitting import PROTOCOLS
from foldin.data.synthetic import write_world
from foldin.models.autoencoder import AutoEncoder
from foldin.models.ease import EDLAE
from foldin.models.zoo import ESTIMATORS
from foldin.ranking.metrics import FINDING, SPREAD, TASTE
from foldin.store.contract import Batch
from foldin.workspace import create_workspace

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
NOT_RUN = {DOCS / "real-data.md"}  # needs data we do not ship

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`]+)`")
COMMAND_LINE = re.compile(r"^(?:\$ )?(foldin .+)$", re.MULTILINE)


Command: TypeAlias = typer.core.TyperCommand | typer.core.TyperGroup


@dataclass(frozen=True)
class Fence:
    """A block of code on a page, and the line it stands on."""

    language: str
    text: str
    line: int

    @property
    def commands(self) -> list[list[str]]:
        """The words after `foldin` of every command line in the block."""
        return [shlex.split(command, comments=True)[1:] for command in COMMAND_LINE.findall(self.text)]


def fences(page: Path) -> list[Fence]:
    text = page.read_text(encoding="utf-8")
    return [Fence(found[1], found[2], text[: found.start()].count("\n") + 1) for found in FENCE.finditer(text)]


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def runnable(page: Path) -> list[Fence]:
    return [fence for fence in fences(page) if fence.language in ("python", "console")]


def name_of_page(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def sections(text: str) -> dict[str, str]:
    """The text under each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader has it after the demo, but smaller: files of a world, and a workspace with two models."""
    folder = tmp_path_factory.mktemp("ground")
    world = foldin.simulate(users=300, items=120)
    write_world(world, folder)
    workspace = create_workspace(folder / "foldin-workspace")
    with workspace.store(create=True) as store:
        store.ingest([Batch(world.events, "events.csv")], catalog=world.catalog, profiles=world.profiles)
    for estimator in (AutoEncoder(hidden=(16,), latent=8, epochs=2), EDLAE()):
        workspace.publish(foldin.fit(world.events, estimator=estimator, catalog=world.catalog))
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if page not in NOT_RUN and runnable(page)], ids=name_of_page)
def test_the_examples_of_a_page_run(page: Path, ground: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ground, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crossfit, "MOST_DRAWS", 1)  # how well a model learns plays no part
    for fence in runnable(page):
        if fence.language == "python":
            exec(compile(fence.text, f"{name_of_page(page)}, line {fence.line}", "exec"), {"__name__": "example"})
        for words in fence.commands if fence.language == "console" else ():
            result = CliRunner().invoke(app, words, catch_exceptions=False)
            assert result.exit_code == 0, f"{name_of_page(page)}: foldin {shlex.join(words)}\n{result.output}"


@cache
def root() -> typer.core.TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return group


def commands_of(group: typer.core.TyperGroup, prefix: str = "") -> dict[str, Command]:
    """Every command by its name, `models use` and its like included."""
    found: dict[str, Command] = {}
    for name, command in group.commands.items():
        assert isinstance(command, typer.core.TyperCommand | typer.core.TyperGroup)
        found[prefix + name] = command
        if isinstance(command, typer.core.TyperGroup):
            found |= commands_of(command, f"{prefix}{name} ")
    return found


COMMANDS = commands_of(root())


def command_pages() -> dict[str, str]:
    """The section of each command, by its heading."""
    texts = [page.read_text(encoding="utf-8") for page in sorted((REFERENCE / "commands").glob("*.md"))]
    return {heading: text for page in texts for heading, text in sections(page).items()}


def options_of(command: Command) -> set[str]:
    return {
        name
        for parameter in command.params
        if parameter.param_type_name == "option"
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_all_of_its_options_are_in_the_reference(name: str) -> None:
    section = command_pages()[f"foldin {name}"]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    told = {code for cell in first_cells for code in CODE.findall(cell) if code.startswith("-")}
    assert told == options_of(COMMANDS[name])


@pytest.mark.parametrize("page", PAGES, ids=name_of_page)
def test_every_command_line_in_a_page_can_be_parsed(page: Path) -> None:
    for fence in fences(page):
        for words in fence.commands:
            parse(words)


def parse(words: list[str]) -> None:
    """Fails as the command line would, without running anything."""
    top = root()
    command: Command = top
    while isinstance(command, typer.core.TyperGroup) and words and words[0] in command.commands:
        command, words = commands_of(command)[words[0]], words[1:]
    if words and words[-1] in ("--help", "--version"):
        return
    assert command is not top, f"no command foldin {shlex.join(words)}"
    words = [word for word in words if word not in ("|", "||")]
    command.make_context("foldin", words[: words.index("case")] if "case" in words else words)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [("train --modle ease", "--modle"), ("trian", "no command"), ("compare a.csv --protocol weak", "'weak'")],
)
def test_a_wrong_command_line_does_not_pass(words: str, wrong: str) -> None:
    with pytest.raises(Exception, match=wrong):
        parse(words.split())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_hyperparameter_is_in_the_reference_with_its_default(name: str) -> None:
    kind = ESTIMATORS[name]
    section = sections((REFERENCE / "models.md").read_text(encoding="utf-8"))[kind.__name__]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| `")]
    told = {CODE.findall(row[0])[0]: row[1].replace("`", "") for row in rows}
    assert set(told) == {field.name for field in fields(kind)}
    for field in fields(kind):
        assert field.default is None or told[field.name] == as_told(field.default)


def as_told(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return f"{default:g}" if isinstance(default, float) else str(default)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("reference/metrics.md", [f"{metric}@k" for metric in (*FINDING, *TASTE, *SPREAD)]),
        ("reference/feedback.md", [field.name for field in fields(Feedback)]),
        ("reference/models.md", list(ESTIMATORS)),
        ("how-to/compare.md", list(PROTOCOLS)),
    ],
)
def test_a_page_names_all_there_is(page: str, names: list[str]) -> None:
    told = set(CODE.findall(prose(DOCS / page)))
    assert set(names) <= told


def test_every_protocol_is_drawn() -> None:
    drawn = sections((DOCS / "explanation/protocols.md").read_text(encoding="utf-8"))
    assert [heading.split()[0] for heading in drawn][: len(PROTOCOLS)] == list(PROTOCOLS)


def test_every_public_name_is_in_the_reference() -> None:
    text = "\n".join(prose(page) for page in REFERENCE.rglob("*.md"))
    names = set(re.findall(r"\w+", " ".join(CODE.findall(text))))
    assert set(foldin.__all__) <= names


def test_every_error_stands_beside_its_exit_code() -> None:
    rows = [line for line in (REFERENCE / "exit-codes.md").read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.FoldinError)]
    for kind in kinds:
        assert any(row.startswith(f"| {kind.exit_code} |") and f"`{kind.__name__}`" in row for row in rows), kind


def test_the_layers_are_told_in_their_order() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = [layer.removeprefix("foldin.") for layer in settings["tool"]["importlinter"]["contracts"][0]["layers"]]
    for page in (ROOT / "CONTRIBUTING.md", DOCS / "explanation/layers.md"):
        blocks = [re.findall(r"^(\w+) {2,}\S", fence.text, re.MULTILINE) for fence in fences(page)]
        assert layers in blocks, page


@pytest.mark.parametrize("page", PAGES, ids=name_of_page)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if not re.match(r"https?://", link):
            file, _, anchor = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            assert target.is_file(), f"{name_of_page(page)}: {link}"
            assert not anchor or anchor in anchors(target), f"{name_of_page(page)}: {link}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    told = set(re.findall(r"([\w./-]+\.md)$", navigation, re.MULTILINE))
    assert told == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def test_no_file_holds_a_path_of_some_machine() -> None:
    tops = ("home", "Users", "root", "work")
    of_a_machine = re.compile(rf"(?<![\w.:/$}}-])/(?:{'|'.join(tops)})/\w")
    for name, text in texts().items():
        lines = [line for line in text.splitlines() if any(f"/{top}/" in line for top in tops)]
        assert not [line for line in lines if of_a_machine.search(line)], name


def texts() -> Mapping[str, str]:
    """All that is committed and is text, by name."""
    endings = {".py", ".md", ".toml", ".yml", ".txt", ""}
    places = [*ROOT.glob("*"), ROOT / ".ci/run"]
    places += [file for folder in ("src", "tests", "docs", "benchmarks") for file in (ROOT / folder).rglob("*")]
    wanted = [place for place in places if place.is_file() and place.suffix in endings]
    return {name_of_page(file): file.read_text(encoding="utf-8") for file in wanted}
