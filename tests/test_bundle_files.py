"""Files of bundles are hashed once until they change, and special files are refused without reading them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from foldin.bundle import load_bundle
from foldin.bundle_files import MAX_DIGESTS, FileFacts, check_file, open_verified
from foldin.data.catalog import Catalog, ids_of
from foldin.errors import BundleError
from foldin.recommender import Recommender
from foldin.workspace import Workspace, create_workspace

FILES = ["manifest.json", "model.safetensors", "catalog.json"]
BUNDLES = 3
TITLE_BYTES = 2**22


@pytest.fixture
def workspace(linear: Recommender, tmp_path: Path) -> Workspace:
    """Three bundles of 4 MiB each."""
    item_ids = linear.catalog.item_ids
    titles = ids_of(["x" * TITLE_BYTES, *item_ids[1:]])
    own = create_workspace(tmp_path / "w")
    for _ in range(BUNDLES):
        own.publish(replace(linear, catalog=Catalog(item_ids, {"title": titles})))
    for file in own.folder.glob("bundles/*/*"):
        os.utime(file)  # to publish checks the bundle in use, and so would remember it
    return own


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed, one after another."""
    names: list[str] = []
    file_digest = hashlib.file_digest

    def recorded(file: Any, digest: str) -> Any:
        names.append(Path(f"/proc/self/fd/{file.fileno()}").readlink().name)
        return file_digest(file, digest)

    monkeypatch.setattr(hashlib, "file_digest", recorded)
    return names


def bytes_read(act: Callable[[], object]) -> int:
    process = psutil.Process()
    before = process.io_counters().read_chars
    act()
    return process.io_counters().read_chars - before


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    with file.open("r+b") as opened:
        opened.write(content)


def test_a_second_look_at_the_bundles_reads_none_of_their_files(workspace: Workspace) -> None:
    first, second = bytes_read(workspace.bundles), bytes_read(workspace.bundles)
    assert BUNDLES * TITLE_BYTES < first < 1.5 * BUNDLES * TITLE_BYTES
    assert second < TITLE_BYTES / 4


def test_looks_at_the_same_time_hash_every_file_once(workspace: Workspace, hashed: list[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        looks = list(threads.map(lambda _: workspace.bundles(), range(8)))
    assert {bundle.damage for bundles in looks for bundle in bundles} == {None}
    assert sorted(hashed) == ["catalog.json"] * BUNDLES + ["model.safetensors"] * BUNDLES


def test_a_bundle_that_was_loaded_is_not_hashed_again(workspace: Workspace, hashed: list[str]) -> None:
    workspace.current()
    workspace.bundles()
    assert len(hashed) == 2 * (BUNDLES - 1)


def test_a_file_that_changes_is_hashed_again(workspace: Workspace) -> None:
    file = workspace.folder / "bundles/2-ease/catalog.json"
    os.utime(file, ns=(0, 0))
    assert [bundle.damage for bundle in workspace.bundles()] == [None] * BUNDLES
    flip(file)
    os.utime(file, ns=(0, 0))  # the change of the metadata is still seen
    whole, damaged, _ = workspace.bundles()
    assert whole.damage is None
    assert damaged.damage == f"{file} is damaged: its SHA-256 is not the manifest's"


def test_a_look_without_hashing_knows_what_was_hashed_before(workspace: Workspace, hashed: list[str]) -> None:
    assert [bundle.checked for bundle in workspace.bundles(hashing=False)] == [False] * BUNDLES
    flip(workspace.folder / "bundles/1-ease/model.safetensors")
    with pytest.raises(BundleError, match=r"model\.safetensors is damaged"):
        workspace.check("1-ease")
    workspace.check("2-ease")
    count = len(hashed)
    damaged, whole, unknown = workspace.bundles(hashing=False)
    assert "is damaged" in str(damaged.damage)
    assert (whole.checked, whole.damage) == (True, None)
    assert (unknown.checked, unknown.damage) == (False, None)
    assert len(hashed) == count


def test_a_look_without_hashing_finds_a_truncated_file(workspace: Workspace) -> None:
    os.truncate(workspace.folder / "bundles/1-ease/catalog.json", 7)
    first, *_ = workspace.bundles(hashing=False)
    assert "has 7 bytes instead of" in str(first.damage)


def test_a_bundle_removed_during_a_look_is_not_listed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Workspace.manifest

    def removing(own: Workspace, name: str) -> object:
        shutil.rmtree(own.folder / "bundles/2-ease", ignore_errors=True)
        return manifest(own, name)

    monkeypatch.setattr(Workspace, "manifest", removing)
    assert [bundle.name for bundle in workspace.bundles()] == ["1-ease", "3-ease"]


def make_pipe(file: Path) -> None:
    os.mkfifo(file)


def link_to_device(file: Path) -> None:
    file.symlink_to("/dev/zero")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("make", [make_pipe, link_to_device])
def test_a_special_file_is_refused_without_reading_it(
    workspace: Workspace, name: str, make: Callable[[Path], None]
) -> None:
    folder = workspace.folder / "bundles/1-ease"
    (folder / name).unlink()
    make(folder / name)
    with pytest.raises(BundleError, match=f"{name} cannot be read: it is not a regular file"):
        load_bundle(folder)
    first, second, _ = workspace.bundles()
    assert "it is not a regular file" in str(first.damage)
    assert second.damage is None


def test_a_manifest_that_is_too_large_is_not_read(workspace: Workspace) -> None:
    os.truncate(workspace.folder / "bundles/1-ease/manifest.json", 2**30)
    assert bytes_read(lambda: workspace.bundles(hashing=False)) < 2**20
    first, *_ = workspace.bundles(hashing=False)
    assert "manifest.json is damaged: it has more than 67,108,864 bytes" in str(first.damage)


def test_files_that_are_remembered_are_bounded(tmp_path: Path, hashed: list[str]) -> None:
    file, facts = tmp_path / "file", FileFacts(1, hashlib.sha256(b"x").hexdigest())
    file.write_bytes(b"x")
    for second in [*range(MAX_DIGESTS + 1), 0]:
        os.utime(file, (second, second))
        assert check_file(file, facts)
    assert len(hashed) == MAX_DIGESTS + 2


def test_contents_that_make_no_sense_are_called_damaged_where_they_are(tmp_path: Path) -> None:
    file, facts = tmp_path / "file", FileFacts(1, hashlib.sha256(b"x").hexdigest())
    file.write_bytes(b"y")
    with pytest.raises(BundleError, match="its SHA-256 is not the manifest's"), open_verified(file, facts):
        raise ValueError("no sense")
    file.write_bytes(b"x")
    with pytest.raises(ValueError, match="no sense"), open_verified(file, facts):
        raise ValueError("no sense")
