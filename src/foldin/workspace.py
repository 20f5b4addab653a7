"""A workspace: a folder with a store and the bundles trained from it, one of them current."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from foldin.bundle import Manifest, check_bundle, load_bundle, read_manifest, save_bundle
from foldin.data.files import PRIVATE_FOLDER, locked_folder, replaced, sync_folder
from foldin.errors import BundleError, ConfigurationError, NotFoundError, TrainingError, WorkspaceError
from foldin.models.zoo import name_of
from foldin.recommender import Recommender
from foldin.store.contract import Store
from foldin.store.opening import open_store
from foldin.wording import command, counted

__all__ = [
    "SETTINGS",
    "Bundle",
    "Workspace",
    "create_workspace",
    "is_workspace",
    "open_workspace",
    "outdated",
    "usable",
]

SETTINGS = "workspace.toml"
LOCAL_STORE = "sqlite:///store.sqlite"
SETTINGS_TEXT = f"""# A foldin workspace. The store is a URL without a password; a path is relative to this folder.
store = "{LOCAL_STORE}"
"""

FEWEST_KEPT = 2
"""Bundles that automatic removal always leaves: the one in use, and the one before it for a rollback."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""How a system says that there is no room, on the disk or for this user."""


@dataclass(frozen=True)
class Bundle:
    """A bundle of the workspace: its number, its name `<number>-<model>`, what it is, and whether it is in use.

    `forgotten`: users it learned from who have been forgotten since. `damage`: what is wrong with a bundle that cannot
    be used; `manifest` is None where it cannot even be read. `checked`: whether the SHA-256 of its files was compared.
    """

    number: int
    name: str
    manifest: Manifest | None
    current: bool
    forgotten: int = 0
    damage: str | None = None
    checked: bool = True


@dataclass(frozen=True)
class Workspace:
    """A folder and where its store is."""

    folder: Path
    store_url: str

    def store(self, *, create: bool = False) -> Store:
        """The store, to be closed after use.

        `create`: whether a store that is not there is made. Beside bundles it never is: then it was lost.

        Raises:
            NotFoundError: nothing was ingested yet, and `create` was not asked for; or the store was lost.
        """
        trained = bool(self._names())
        try:
            return open_store(self.store_url, create=create and not trained)
        except NotFoundError as missing:
            raise NotFoundError(f"{missing}: {self._way_to_a_store(trained)}") from None

    @property
    def checkpoints(self) -> Path:
        """Where training keeps its checkpoints until it is done."""
        return self.folder / "checkpoints"

    def forget_checkpoints(self) -> None:
        """Removes the checkpoints, once what they led to is published."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)

    def publish(self, recommender: Recommender) -> str:
        """Adds a recommender as a bundle, makes it current, and returns its name; several may do so at once.

        Raises:
            TrainingError: it learned from users forgotten since, and from no fewer of them than the present bundle,
                which stays; it is removed again, as are its checkpoints and all other such bundles.
            WorkspaceError: the workspace cannot be written to.
            BundleError: the bundle cannot be written.
            StoreError: the store, which knows who is forgotten, cannot be read; the present bundle stays.
        """
        with self._claimed_number() as number:
            name = f"{number}-{name_of(recommender.estimator)}"
            save_bundle(recommender, self._path(name), private=True)
        self._refuse_no_better(name)
        self.make_current(name)
        return name

    def bundles(self, *, hashing: bool = True) -> list[Bundle]:
        """All bundles, oldest first; a damaged one has its `damage`.

        `hashing`: reads files that this process has not hashed as they are now; otherwise their bundles are not
        `checked`, but for the size of their files.

        Raises:
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        current = self._named_current()
        listed = [self._bundle(number, name, name == current, hashing) for number, name in self._names()]
        present = [bundle for bundle in listed if bundle.damage is None or self._path(bundle.name).is_dir()]
        forgotten = self._forgotten({bundle.name: self._position_of(bundle.name) for bundle in present})
        return [replace(bundle, forgotten=forgotten[bundle.name]) for bundle in present]

    def check(self, name: str) -> None:
        """Checks every byte of a bundle, without loading it; files that this process has hashed are not read again.

        Raises:
            BundleError: it is damaged, or not there.
        """
        check_bundle(self._path(name), self.manifest(name))

    def current_name(self) -> str | None:
        """The name of the bundle in use; None before the first training.

        Raises:
            BundleError: the bundle named is not there.
            WorkspaceError: the workspace cannot be read.
        """
        name = self._named_current()
        if name is not None and name not in [known for _, known in self._names()]:
            file = self.folder / "current"
            other = command("models use NUMBER", self.folder)
            raise BundleError(f"{file} names the bundle '{name}', which is not there: take another with `{other}`")
        return name

    def load(self, name: str) -> Recommender:
        """The recommender of a bundle, read whole; whether it is in use plays no part.

        Raises:
            NotFoundError: there is no such bundle.
            BundleError: it is damaged.
        """
        if name not in [known for _, known in self._names()]:
            raise NotFoundError(f"no bundle '{name}'")
        return load_bundle(self._path(name))

    def load_for_use(self, name: str) -> Recommender:
        """The recommender of a bundle that may be made current, read whole.

        Raises:
            BundleError: it is damaged, or learned from users forgotten since.
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        recommender = load_bundle(self._path(name))
        self._refuse_outdated(name)
        return recommender

    def current(self) -> Recommender:
        """The recommender in use.

        Raises:
            NotFoundError: nothing was trained yet.
            BundleError: it is damaged; `foldin models rollback` takes the one before.
        """
        name = self.current_name()
        if name is None:
            raise NotFoundError(f"no model in {self.folder} yet: train one with `{command('train', self.folder)}`")
        return load_bundle(self._path(name))

    def current_manifest(self) -> Manifest | None:
        """What the bundle in use says of itself; None before the first training.

        Raises:
            BundleError: it is damaged.
        """
        name = self.current_name()
        return None if name is None else self.manifest(name)

    def manifest(self, name: str) -> Manifest:
        """What a bundle says of itself.

        Raises:
            BundleError: it is damaged, or not there.
        """
        return read_manifest(self._path(name))

    def newest_manifest(self) -> Manifest | None:
        """What the bundle trained last says of itself, of those that can be read; None where there is none."""
        for _, name in reversed(self._names()):
            with suppress(BundleError):
                return self.manifest(name)
        return None

    def latest_position(self) -> int:
        """The latest position of a store that a bundle learned from; 0 where none says so."""
        return max((self._position_of(name) or 0 for _, name in self._names()), default=0)

    def use(self, version: str) -> str:
        """Makes a bundle current, by its name or number, after reading it whole; returns its name.

        Raises:
            NotFoundError: there is no such bundle.
            BundleError: it is damaged, or learned from users forgotten since; the current one stays.
            WorkspaceError: the workspace cannot be written to.
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        name = self.named(version)
        self.load_for_use(name)
        self.make_current(name)
        return name

    def named(self, version: str) -> str:
        """The name of the bundle that has this name or number.

        Raises:
            NotFoundError: there is none.
        """
        names = {str(number): name for number, name in self._names()}
        name = version if version in names.values() else names.get(version)
        if name is None:
            raise NotFoundError(f"no bundle '{version}'; there are: {', '.join(names.values()) or 'none'}")
        return name

    def make_current(self, name: str) -> None:
        """Makes a bundle current that was found fit for it; `use` is for all others.

        Raises:
            NotFoundError: it was removed since.
            WorkspaceError: the workspace cannot be written to.
        """
        file = self.folder / "current"
        with usable(file), self._locked():
            self.named(name)
            try:
                with replaced(file, private=True) as draft:
                    draft.write_text(name + "\n", encoding="utf-8")
            except OSError as error:
                if error.errno not in FULL or not file.exists():
                    raise
                _overwrite(file, name)  # a full disk must not keep a bad model in use

    def rollback(self) -> str:
        """Makes the bundle before the current one current, and returns its name.

        Raises:
            NotFoundError: there is none before it.
            BundleError, WorkspaceError, StoreError: as from `use`.
        """
        return self.use(self.name_before())

    def name_before(self) -> str:
        """The name of the bundle before the current one.

        Raises:
            NotFoundError: there is none before it.
            BundleError, WorkspaceError: as from `current_name`.
        """
        current = self.current_name()
        names = [name for _, name in self._names()]
        before = names[: names.index(current)] if current in names else names
        if not names:
            raise NotFoundError("there is no bundle yet")
        if not before:
            raise NotFoundError(
                f"no bundle is older than the current one, {current}: take another into use by its name"
            )
        return before[-1]

    def remove(self, version: str) -> str:
        """Removes a bundle that is not in use, by its name or number; returns its name.

        Raises:
            NotFoundError: there is no such bundle.
            ConfigurationError: it is in use.
            WorkspaceError: the workspace cannot be written to.
        """
        with usable(self._bundles), self._locked():
            name = self.named(version)
            self._refuse_current(name)
            removed = self._bundles / f".removed.{name}"
            shutil.rmtree(removed, ignore_errors=True)  # left by a process that was killed
            self._path(name).rename(removed)  # out of the list at once
            shutil.rmtree(removed)
        return name

    def remove_outdated(self) -> list[str]:
        """Removes the bundles that learned from users forgotten since, but for the one in use; returns their names.

        Raises:
            WorkspaceError: the workspace cannot be written to.
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        forgotten = self._forgotten({name: self._position_of(name) for _, name in self._names()})
        removed = []
        for name in (name for name, users in forgotten.items() if users and name != self._named_current()):
            with suppress(NotFoundError, ConfigurationError):  # another process removed it, or took it into use
                removed.append(self.remove(name))
        return removed

    def list_older(self, keep: int) -> list[str]:
        """The names of the bundles beyond the newest `keep`, oldest first, without the one in use and the one before
        it, which a rollback takes.

        Raises:
            ConfigurationError: `keep` is below 2.
            WorkspaceError: the workspace cannot be read.
        """
        if keep < FEWEST_KEPT:
            raise ConfigurationError(f"{keep} bundles are too few to keep: a rollback needs {FEWEST_KEPT}")
        names, current = [name for _, name in self._names()], self._named_current()
        at = names.index(current) if current in names else len(names)
        return [name for name in names[:-keep] if name not in names[max(at - 1, 0) : at + 1]]

    def forgotten(self, name: str) -> int:
        """How many users a bundle learned from who have been forgotten since; 0 without a store.

        Raises:
            StoreError: the store, which knows who is forgotten, cannot be read.
        """
        return self._forgotten({name: self._position_of(name)})[name]

    def _way_to_a_store(self, trained: bool) -> str:
        if not trained:
            return f"put data in with `{command('ingest FILE', self.folder)}`"
        return (
            "there are models trained from one, so it was lost or moved: bring a backup back with "
            f"`{command('restore FILE', self.folder)}`, or start with an empty store: "
            f"`{command('restore --empty', self.folder)}`"
        )

    @contextmanager
    def _claimed_number(self) -> Iterator[int]:
        claim = self._claim()
        try:
            yield int(claim.suffix.removeprefix("."))
        finally:
            with suppress(OSError):
                claim.rmdir()

    def _claim(self) -> Path:
        # a folder is made by one alone; whoever finds it there takes the number after
        with usable(self._bundles):
            self._bundles.mkdir(PRIVATE_FOLDER, exist_ok=True)
            for number in count(self._next_number()):
                claim = self._bundles / f".claim.{number}"
                with suppress(FileExistsError):
                    claim.mkdir(PRIVATE_FOLDER)
                    if number >= self._next_number():
                        return claim
                    claim.rmdir()  # published since we looked
        raise AssertionError("numbers do not end")

    def _next_number(self) -> int:
        return max((number for number, _ in self._names()), default=0) + 1

    def _locked(self) -> AbstractContextManager[None]:
        """Holds the lock under which bundles are removed and made current: what is current is there."""
        return locked_folder(self._bundles) if self._bundles.is_dir() else nullcontext()

    @property
    def _bundles(self) -> Path:
        return self.folder / "bundles"

    def _path(self, name: str) -> Path:
        return self._bundles / name

    def _refuse_current(self, name: str) -> None:
        if name == self._named_current():
            other = command("models use NUMBER", self.folder)
            raise ConfigurationError(f"{name} is in use: take another into use first, with `{other}`")

    def _refuse_outdated(self, name: str) -> None:
        users = self.forgotten(name)
        if users:
            raise BundleError(
                f"{name} learned from {counted(users, 'user')} forgotten since: "
                f"train another with `{command('train', self.folder)}`"
            )

    def _refuse_no_better(self, name: str) -> None:
        # one that learned from fewer of them goes into use: where there is always somebody to forget, no training would
        # otherwise replace a model that learned from all of them
        users, present = self.forgotten(name), self._sound_current()
        if users and present is not None and users >= self.forgotten(present):
            self.forget_checkpoints()
            self.remove_outdated()
            raise TrainingError(
                f"while this model was trained, users it learned from were forgotten ({users:,}): it is not taken into "
                f"use but removed, and {present} stays; train again"
            )

    def _sound_current(self) -> str | None:
        with suppress(BundleError):
            name = self.current_name()
            if name is not None:
                self.check(name)
            return name
        return None

    def _forgotten(self, positions: Mapping[str, int | None]) -> dict[str, int]:
        """How many users each bundle learned from who have been forgotten since, by name; 0 without a store.

        `positions`: of the store when the bundle's data was read; None where that is not known.
        """
        try:
            with self.store() as store:
                return {name: outdated(store, position) for name, position in positions.items()}
        except NotFoundError:
            return dict.fromkeys(positions, 0)

    def _position_of(self, name: str) -> int | None:
        with suppress(BundleError):
            return self.manifest(name).data_position
        return None  # not known, as where it is damaged: then it may have learned from all who are forgotten

    def _bundle(self, number: int, name: str, current: bool, hashing: bool) -> Bundle:
        manifest = None
        try:
            manifest = self.manifest(name)
            checked = check_bundle(self._path(name), manifest, hashing=hashing)
        except BundleError as damage:
            return Bundle(number, name, manifest, current, damage=str(damage))
        return Bundle(number, name, manifest, current, checked=checked)

    def _names(self) -> list[tuple[int, str]]:
        with usable(self._bundles):
            folders = [folder.name for folder in self._bundles.iterdir()] if self._bundles.is_dir() else []
        found = (re.fullmatch(r"(\d+)-[a-z0-9_]+", folder) for folder in folders)
        return sorted((int(match[1]), match[0]) for match in found if match)

    def _named_current(self) -> str | None:
        file = self.folder / "current"
        with usable(file):
            return file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else None


def is_workspace(folder: str | Path) -> bool:
    """Whether there is a workspace in a folder."""
    return (Path(folder) / SETTINGS).exists()


def create_workspace(folder: str | Path) -> Workspace:
    """Opens the workspace in a folder, made if it is not there.

    Raises:
        ConfigurationError: the folder holds other things, cannot be made, or its settings cannot be read.
    """
    folder = Path(folder)
    if not (folder / SETTINGS).exists():
        try:
            _make(folder)
        except OSError as error:
            raise ConfigurationError(f"no workspace can be made in {folder}: {error.strerror or error}") from error
    return open_workspace(folder)


def open_workspace(folder: str | Path) -> Workspace:
    """Opens the workspace in a folder.

    Raises:
        NotFoundError: there is none.
        ConfigurationError: its settings cannot be read.
    """
    folder = Path(folder)
    file = folder / SETTINGS
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(
            f"no workspace in {folder}: put data in with `{command('ingest FILE', folder)}`, or try `foldin demo`"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}") from error
    if not isinstance(settings.get("store"), str) or set(settings) != {"store"}:
        raise ConfigurationError(f'{file} must hold one setting, store = "{LOCAL_STORE}"')
    return Workspace(folder, _resolved(settings["store"], folder))


def outdated(store: Store, position: int | None) -> int:
    """How many users a bundle learned from who have been forgotten since.

    `position`: the store's when the bundle's data was read (`Summary.position`); None where nobody noted it, and then
    the bundle may have learned from all who are forgotten.
    """
    return store.summary().forgotten if position is None else store.forgotten_since(position)


@contextmanager
def usable(place: Path) -> Iterator[None]:
    """Says of whatever cannot be read or written in a workspace where that is, and what to do.

    Raises:
        WorkspaceError: what the block did failed for that.
    """
    try:
        yield
    except OSError as error:
        raise WorkspaceError(f"{place} cannot be used: {error.strerror or error}; {_remedy(error)}") from error


def _remedy(error: OSError) -> str:
    if error.errno in FULL:
        return "make room on its disk"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "raise the limit of open files (ulimit -n, or LimitNOFILE of systemd)"
    return "make the workspace readable and writable"


def _overwrite(file: Path, line: str) -> None:
    """Replaces the line in a short file by one write in place, which needs no room on the disk."""
    content = f"{line}\n".encode().ljust(file.stat().st_size, b"\n")
    with file.open("r+b", buffering=0) as opened:
        if opened.write(content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(opened.fileno())


def _make(folder: Path) -> None:
    _make_folder(folder)
    others = [file.name for file in folder.iterdir() if not file.name.startswith(f".{SETTINGS}.")]
    if (folder / SETTINGS).exists():
        return  # made by another process since we looked; only after that does it hold other things
    if others:
        raise ConfigurationError(f"{folder} is no workspace and not empty: choose another folder with -w")
    with replaced(folder / SETTINGS, private=True) as draft:
        draft.write_text(SETTINGS_TEXT, encoding="utf-8")


def _make_folder(folder: Path) -> None:
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)


def _resolved(url: str, folder: Path) -> str:
    scheme, separator, place = url.partition(":///")
    if scheme != "sqlite" or not separator or place.startswith("/"):
        return url
    return f"{scheme}:///{(folder / place).as_posix()}"
