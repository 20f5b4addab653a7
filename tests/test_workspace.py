from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from foldin.data.interactions import Interactions
from foldin.errors import BundleError, ConfigurationError, NotFoundError, TrainingError, WorkspaceError
from foldin.recommender import Recommender
from foldin.store.contract import Batch
from foldin.workspace import Workspace, create_workspace, open_workspace, outdated
from tests.faults.small_disk import SmallDisk


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return create_workspace(tmp_path / "w")


def names(workspace: Workspace) -> list[str]:
    return [bundle.name for bundle in workspace.bundles()]


def current(workspace: Workspace) -> list[str]:
    return [bundle.name for bundle in workspace.bundles() if bundle.current]


def damage(workspace: Workspace, name: str) -> None:
    file = workspace.folder / "bundles" / name / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def test_a_new_workspace_is_empty(workspace: Workspace) -> None:
    assert workspace.bundles() == []
    with pytest.raises(NotFoundError, match=r"no model in .* yet: train one with `foldin train -w .*`"):
        workspace.current()
    with pytest.raises(NotFoundError, match="there is no bundle yet"):
        workspace.rollback()
    with pytest.raises(NotFoundError, match="no bundle '1'; there are: none"):
        workspace.use("1")
    with pytest.raises(NotFoundError, match=r"no store at .*: put data in with `foldin ingest FILE -w .*`"):
        workspace.store()
    assert open_workspace(workspace.folder) == workspace
    assert create_workspace(workspace.folder) == workspace


def test_a_workspace_that_another_process_makes_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(folder: Path, *_: object, **__: object) -> None:
        monkeypatch.undo()
        create_workspace(folder).store(create=True).close()

    monkeypatch.setattr(Path, "mkdir", overtaken)
    assert create_workspace(tmp_path / "w").store_url == f"sqlite:///{tmp_path}/w/store.sqlite"


def test_a_folder_in_which_another_process_is_writing_the_settings_is_empty(tmp_path: Path) -> None:
    (tmp_path / ".workspace.toml.01234567.tmp").write_text("sto")
    create_workspace(tmp_path)
    assert (tmp_path / "workspace.toml").read_text().endswith('store = "sqlite:///store.sqlite"\n')


def test_a_new_workspace_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    write = Path.write_text

    def watched(file: Path, text: str, encoding: str) -> int:
        written.append(file)
        return write(file, text, encoding=encoding)

    monkeypatch.setattr(Path, "write_text", watched)
    folder = create_workspace(tmp_path / "w").folder
    assert (len(written), folder / "workspace.toml" in written) == (1, False)


def test_a_new_workspace_survives_a_power_cut_with_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    create_workspace(tmp_path / "of" / "the" / "shop")
    files = [tmp_path, tmp_path / "of", tmp_path / "of" / "the", tmp_path / "of" / "the" / "shop"]
    assert {file.stat().st_ino for file in [*files, files[-1] / "workspace.toml"]} <= set(synced)


def test_publishing_numbers_bundles_and_makes_the_newest_current(
    workspace: Workspace, linear: Recommender, network: Recommender
) -> None:
    assert workspace.publish(linear) == "1-ease"
    assert workspace.publish(network) == "2-autoencoder"
    assert names(workspace) == ["1-ease", "2-autoencoder"]
    assert current(workspace) == ["2-autoencoder"]
    assert (workspace.folder / "current").read_text() == "2-autoencoder\n"
    assert workspace.current().recommend(["i00"]) == network.recommend(["i00"])
    assert workspace.bundles()[0].manifest is not None


def test_bundles_are_in_the_order_of_their_numbers(workspace: Workspace, linear: Recommender) -> None:
    for _ in range(11):
        workspace.publish(linear)
    assert names(workspace)[-2:] == ["10-ease", "11-ease"]
    assert current(workspace) == ["11-ease"]


def test_numbers_are_not_given_twice(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    workspace.publish(linear)
    workspace.use("1")
    assert workspace.publish(linear) == "3-ease"


def test_models_published_at_once_all_stay(workspace: Workspace, linear: Recommender, network: Recommender) -> None:
    with ThreadPoolExecutor(4) as threads:
        published = list(threads.map(workspace.publish, [linear, network] * 8))
    assert len({int(name.split("-")[0]) for name in published}) == 16
    assert sorted(names(workspace)) == sorted(published)
    assert [bundle.damage for bundle in workspace.bundles()] == [None] * 16
    assert len(current(workspace)) == 1
    assert [place.name for place in (workspace.folder / "bundles").glob(".*")] == []


def test_a_number_that_somebody_died_with_is_passed_over(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    (workspace.folder / "bundles" / ".claim.2").mkdir()
    assert workspace.publish(linear) == "3-ease"


def test_a_current_that_is_a_folder_is_refused(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    (workspace.folder / "current").unlink()
    (workspace.folder / "current").mkdir()
    attempts: list[Callable[[], object]] = [
        workspace.current,
        workspace.bundles,
        lambda: workspace.use("1"),
        lambda: workspace.publish(linear),
    ]
    for refused in attempts:
        with pytest.raises(WorkspaceError, match=r"current cannot be used: Is a directory; make the workspace"):
            refused()


def test_a_workspace_that_cannot_be_written_to_is_refused(
    workspace: Workspace, linear: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    workspace.publish(linear)
    monkeypatch.setattr(Path, "write_text", read_only)
    monkeypatch.setattr(Path, "mkdir", read_only)
    attempts: list[Callable[[], object]] = [lambda: workspace.use("1"), lambda: workspace.publish(linear)]
    for refused in attempts:
        with pytest.raises(WorkspaceError, match="Permission denied; make the workspace readable and writable"):
            refused()


def test_another_bundle_is_taken_into_use_on_a_full_disk_and_not_on_a_read_only_one(
    disk: SmallDisk, linear: Recommender
) -> None:
    workspace = create_workspace(disk.folder / "w")
    for _ in range(2):
        workspace.publish(linear)
    with disk.full():
        assert workspace.use("1") == "1-ease"
        assert current(workspace) == ["1-ease"]
        assert workspace.use("2") == "2-ease"
    assert current(workspace) == ["2-ease"]
    assert sorted(file.name for file in workspace.folder.iterdir()) == ["bundles", "current", "workspace.toml"]
    with disk.read_only(), pytest.raises(WorkspaceError, match="Read-only file system; make the workspace readable"):
        workspace.use("1")
    assert workspace.use("1") == "1-ease"


def test_use_takes_a_name_or_a_number(workspace: Workspace, linear: Recommender) -> None:
    for _ in range(3):
        workspace.publish(linear)
    assert workspace.use("1") == "1-ease"
    assert current(workspace) == ["1-ease"]
    assert workspace.use("2-ease") == "2-ease"
    for wrong in ("4", "", "ease", "../1-ease", "1-", "01"):
        with pytest.raises(NotFoundError, match=r"there are: 1-ease, 2-ease, 3-ease"):
            workspace.use(wrong)
    assert current(workspace) == ["2-ease"]


def test_rollback_goes_one_back_at_a_time(workspace: Workspace, linear: Recommender, network: Recommender) -> None:
    workspace.publish(network)
    workspace.publish(linear)
    workspace.publish(network)
    assert [workspace.rollback(), workspace.rollback()] == ["2-ease", "1-autoencoder"]
    assert workspace.current().recommend(["i00"]) == network.recommend(["i00"])
    with pytest.raises(NotFoundError, match="no bundle is older than the current one, 1-autoencoder"):
        workspace.rollback()
    assert current(workspace) == ["1-autoencoder"]


def test_a_damaged_current_bundle_is_refused_and_can_be_rolled_back(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    workspace.publish(linear)
    damage(workspace, "2-ease")
    with pytest.raises(BundleError, match=r"2-ease/model\.safetensors"):
        workspace.current()
    assert names(workspace) == ["1-ease", "2-ease"]
    assert [bundle.damage is None for bundle in workspace.bundles()] == [True, False]
    assert workspace.rollback() == "1-ease"
    workspace.current()


def test_a_damaged_bundle_does_not_become_current(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    workspace.publish(linear)
    damage(workspace, "1-ease")
    with pytest.raises(BundleError, match="1-ease"):
        workspace.use("1")
    with pytest.raises(BundleError, match="1-ease"):
        workspace.rollback()
    assert current(workspace) == ["2-ease"]
    assert workspace.current().recommend(["i00"]) == linear.recommend(["i00"])


@pytest.mark.parametrize("content", [b"9-ease\n", b"", b"\xff\xfe", b"../../etc", b"1-ease\n2-ease"])
def test_a_current_that_names_nothing_is_refused(workspace: Workspace, linear: Recommender, content: bytes) -> None:
    workspace.publish(linear)
    (workspace.folder / "current").write_bytes(content)
    with pytest.raises(BundleError, match="which is not there: take another with `foldin models use NUMBER -w "):
        workspace.current()
    assert workspace.use("1") == "1-ease"
    workspace.current()


def test_other_files_among_the_bundles_are_no_trouble(workspace: Workspace, linear: Recommender) -> None:
    workspace.publish(linear)
    (workspace.folder / "bundles" / ".2-ease-unfinished").mkdir()
    (workspace.folder / "bundles" / "notes.txt").write_text("mine")
    assert names(workspace) == ["1-ease"]
    assert workspace.publish(linear) == "2-ease"


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_text("miaow")
    with pytest.raises(ConfigurationError, match="no workspace and not empty"):
        create_workspace(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cat.jpg"]
    with pytest.raises(ConfigurationError, match=r"no workspace can be made in .*cat\.jpg"):
        create_workspace(tmp_path / "cat.jpg")
    for place in (tmp_path, tmp_path / "cat.jpg", tmp_path / "missing"):
        with pytest.raises(NotFoundError, match=r"no workspace in .*: put data in with `foldin ingest FILE -w "):
            open_workspace(place)


@pytest.mark.parametrize("text", ["", "store = 7", 'store = "a"\nother = 1', "store =", "\0"])
def test_settings_that_cannot_be_read_are_refused(workspace: Workspace, text: str) -> None:
    (workspace.folder / "workspace.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"workspace\.toml"):
        open_workspace(workspace.folder)


def test_the_store_is_relative_to_the_workspace(workspace: Workspace) -> None:
    workspace.store(create=True).close()
    assert (workspace.folder / "store.sqlite").exists()
    (workspace.folder / "workspace.toml").write_text('store = "sqlite:////somewhere/else.sqlite"')
    assert open_workspace(workspace.folder).store_url == "sqlite:////somewhere/else.sqlite"


def test_a_removed_bundle_is_gone_and_its_number_is_not_given_again(workspace: Workspace, linear: Recommender) -> None:
    first, second = workspace.publish(linear), workspace.publish(linear)
    workspace.remove(first)
    assert names(workspace) == [second]
    assert not [file for file in (workspace.folder / "bundles").iterdir() if file.name != second]
    assert workspace.publish(linear).startswith("3-")
    with pytest.raises(NotFoundError, match=f"no bundle '{first}'"):
        workspace.remove(first)


def test_the_bundle_in_use_is_not_removed(workspace: Workspace, linear: Recommender) -> None:
    name = workspace.publish(linear)
    with pytest.raises(ConfigurationError, match=f"{name} is in use"):
        workspace.remove(name)
    assert names(workspace) == [name]


def test_a_bundle_is_removed_by_its_number_too(workspace: Workspace, linear: Recommender) -> None:
    first, second = workspace.publish(linear), workspace.publish(linear)
    assert workspace.remove("1") == first
    assert names(workspace) == [second]


def test_what_a_killed_removal_left_stops_no_other(workspace: Workspace, linear: Recommender) -> None:
    first, second = workspace.publish(linear), workspace.publish(linear)
    (workspace.folder / "bundles" / f".removed.{first}" / "catalog.json").mkdir(parents=True)
    workspace.remove(first)
    assert [place.name for place in (workspace.folder / "bundles").iterdir()] == [second]


@pytest.mark.parametrize(
    ("used", "keep", "older"),
    [
        (5, 2, [1, 2, 3]),
        (5, 4, [1]),
        (5, 5, []),
        (5, 9, []),
        (3, 2, [1]),  # a rollback from 3 takes 2
        (1, 2, [2, 3]),
    ],
)
def test_older_bundles_are_listed_without_the_one_in_use_and_the_one_before(
    workspace: Workspace, linear: Recommender, used: int, keep: int, older: list[int]
) -> None:
    for _ in range(5):
        workspace.publish(linear)
    workspace.make_current(f"{used}-ease")
    assert workspace.list_older(keep) == [f"{number}-ease" for number in older]


def test_fewer_bundles_than_a_rollback_needs_are_not_kept(workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match="1 bundles are too few to keep: a rollback needs 2"):
        workspace.list_older(1)


def test_a_bundle_is_outdated_by_those_forgotten_after_its_data_was_read(
    workspace: Workspace, checkerboard: Interactions
) -> None:
    with workspace.store(create=True) as store:
        store.ingest([Batch(checkerboard, "a")])
        before = store.summary().position
        store.forget("u00")
        store.forget("u01")
        after = store.summary().position
        assert [outdated(store, position) for position in (None, 0, before, after)] == [2, 0, 2, 0]


@pytest.fixture
def forgetful(workspace: Workspace, linear: Recommender, checkerboard: Interactions) -> Workspace:
    """Bundles of unknown data, of data before and of data after a user was forgotten; the last is in use."""
    with workspace.store(create=True) as store:
        store.ingest([Batch(checkerboard, "a")])
        for position in (None, store.snapshot().position):
            workspace.publish(replace(linear, data_position=position))
        store.forget("u00")
        workspace.publish(replace(linear, data_position=store.snapshot().position))
    return workspace


def forget(workspace: Workspace, *user_ids: str) -> int:
    """The position of the store before the users are forgotten."""
    with workspace.store() as store:
        before = store.snapshot().position
        for user_id in user_ids:
            assert store.forget(user_id).events
    return before


def test_bundles_know_how_many_they_learned_from_are_forgotten(forgetful: Workspace) -> None:
    assert [bundle.forgotten for bundle in forgetful.bundles()] == [1, 1, 0]
    (forgetful.folder / "store.sqlite").unlink()
    assert [bundle.forgotten for bundle in forgetful.bundles()] == [0, 0, 0]


@pytest.mark.parametrize("back", [lambda it: it.use("1"), lambda it: it.use("2"), Workspace.rollback])
def test_an_outdated_bundle_does_not_become_current(forgetful: Workspace, back: Callable[[Workspace], str]) -> None:
    (name,) = current(forgetful)
    with pytest.raises(
        BundleError, match=r"learned from 1 user forgotten since: train another with `foldin train -w .*`"
    ):
        back(forgetful)
    assert current(forgetful) == [name]


def test_a_model_that_learned_from_the_forgotten_does_not_replace_one_that_did_not(
    forgetful: Workspace, linear: Recommender
) -> None:
    forgetful.checkpoints.mkdir()
    before = forget(forgetful, "u01")
    with forgetful.store() as store:
        after = store.snapshot().position
    clean = forgetful.publish(replace(linear, data_position=after))
    with pytest.raises(TrainingError, match=rf"forgotten \(1\): .* not taken into use but removed, and {clean} stays"):
        forgetful.publish(replace(linear, data_position=before))
    assert (names(forgetful), current(forgetful)) == ([clean], [clean])
    assert not forgetful.checkpoints.exists()


def test_a_model_that_learned_from_fewer_of_the_forgotten_replaces_the_present_one(
    forgetful: Workspace, linear: Recommender
) -> None:
    forget(forgetful, "u01")
    position = forget(forgetful, "u02")
    name = forgetful.publish(replace(linear, data_position=position))
    assert [bundle.forgotten for bundle in forgetful.bundles()] == [3, 3, 2, 1]
    assert current(forgetful) == [name]
    with pytest.raises(TrainingError, match=f"{name} stays"):
        forgetful.publish(replace(linear, data_position=position))
    assert current(forgetful) == [name]


def test_a_model_that_learned_from_the_forgotten_is_better_than_none(forgetful: Workspace, linear: Recommender) -> None:
    *_, present = names(forgetful)
    position = forget(forgetful, "u01")
    damage(forgetful, present)
    second = forgetful.publish(replace(linear, data_position=position))
    assert current(forgetful) == [second]
    (forgetful.folder / "current").unlink()
    third = forgetful.publish(replace(linear, data_position=position))
    assert current(forgetful) == [third]


def test_outdated_bundles_are_removed(forgetful: Workspace) -> None:
    first, second, third = names(forgetful)
    assert forgetful.remove_outdated() == [first, second]
    assert names(forgetful) == [third]
    assert forgetful.remove_outdated() == []


def test_an_outdated_bundle_in_use_stays(forgetful: Workspace) -> None:
    first, second, third = names(forgetful)
    with forgetful.store() as store:
        store.forget("u01")
    assert forgetful.remove_outdated() == [first, second]
    assert (names(forgetful), [bundle.forgotten for bundle in forgetful.bundles()]) == ([third], [1])


def test_a_bundle_of_which_nobody_can_tell_counts_as_outdated(forgetful: Workspace) -> None:
    *_, third = names(forgetful)
    fourth = forgetful.publish(forgetful.current())
    (forgetful.folder / "bundles" / third / "manifest.json").unlink()
    assert [bundle.forgotten for bundle in forgetful.bundles()] == [1, 1, 1, 0]
    forgetful.remove_outdated()
    assert names(forgetful) == [fourth]
