from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load, save

import foldin
from foldin.bundle import load_bundle, read_manifest, save_bundle
from foldin.errors import BundleError, UnreadableError
from foldin.models.protocols import LinearModel
from foldin.recommender import Recommender
from foldin.strict_json import parse_json
from tests.faults.unreadable import unreadable

FILES = ["manifest.json", "model.safetensors", "catalog.json"]

Manifest = dict[str, Any]  # as read from JSON


@pytest.fixture
def folder(linear: Recommender, tmp_path: Path) -> Path:
    save_bundle(linear, tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def rating_folder(rating: Recommender, tmp_path: Path) -> Path:
    save_bundle(rating, tmp_path / "rated")
    return tmp_path / "rated"


def edit(folder: Path, change: Callable[[Manifest], None]) -> None:
    """Edits a manifest as somebody would who also knows how to seal it."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest.pop("sha256")
    change(manifest)
    seal = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({**manifest, "sha256": seal}))


def replace_file(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    facts = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    edit(folder, lambda manifest: manifest["files"].update({name: facts}))


def replace_arrays(folder: Path, **changed: NDArray[np.generic] | None) -> None:
    arrays = load((folder / "model.safetensors").read_bytes())
    merged = {**arrays, **{name.replace("__", "/"): array for name, array in changed.items()}}
    kept = {name: array for name, array in merged.items() if array is not None}
    replace_file(folder, "model.safetensors", save(kept))


# -- whole


def test_a_bundle_comes_back_as_it_was(linear: Recommender, folder: Path) -> None:
    loaded = load_bundle(str(folder))
    assert loaded.catalog.item_ids.tolist() == linear.catalog.item_ids.tolist()
    assert loaded.catalog.item(3) == {"title": "Item i03"}
    assert (loaded.rule, loaded.estimator, loaded.report) == (linear.rule, linear.estimator, linear.report)
    assert loaded.recommend(["i00", "i04"]) == linear.recommend(["i00", "i04"])
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_models_arrays_stand_in_memory_of_their_own(folder: Path) -> None:
    model = load_bundle(folder).model
    assert isinstance(model, LinearModel)
    assert model.item_weights.block.flags.owndata


def test_prior_handover_and_cold_items_come_back_too(profiled: Recommender, tmp_path: Path) -> None:
    save_bundle(profiled, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    for shown in ([], ["i00", "new"], ["i01", "i03", "i05"]):
        for profile in ({"role": "admin"}, {"interests": "quantum"}, {"role": "builder", "interests": "storage"}, {}):
            ranking = profiled.recommend(shown, profile=profile, k=99)
            assert loaded.recommend(shown, profile=profile, k=99) == ranking
            assert loaded.explain(shown, "new", profile=profile) == profiled.explain(shown, "new", profile=profile)
    assert loaded.unreachable.tolist() == profiled.unreachable.tolist()


def test_the_manifest_is_strict_json_and_says_what_is_there(folder: Path) -> None:
    written = parse_json((folder / "manifest.json").read_bytes())
    assert isinstance(written, dict)
    manifest = read_manifest(folder)
    assert (manifest.format, manifest.model, manifest.settings) == (5, "ease", {"l2": 1.0})
    assert manifest.foldin == foldin.__version__
    assert manifest.created.endswith("+00:00")
    assert set(manifest.files) == {"model.safetensors", "catalog.json"}


def test_a_bundle_is_replaced_by_another(linear: Recommender, network: Recommender, folder: Path) -> None:
    save_bundle(network, folder)
    assert load_bundle(folder).estimator == network.estimator
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_an_empty_folder_is_taken(linear: Recommender, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    save_bundle(linear, tmp_path / "empty")
    assert load_bundle(tmp_path / "empty").estimator == linear.estimator


def test_what_is_no_bundle_is_not_written_over(linear: Recommender, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("miaow")
    (tmp_path / "letter").write_text("dear")
    for place in (tmp_path / "photos", tmp_path / "letter"):
        with pytest.raises(BundleError, match="no bundle; choose another folder"):
            save_bundle(linear, place)
    with pytest.raises(BundleError, match="cannot be written"):
        save_bundle(linear, tmp_path / "letter" / "bundle")
    assert (tmp_path / "photos" / "cat.jpg").read_text() == "miaow"
    assert (tmp_path / "letter").read_text() == "dear"


@pytest.mark.parametrize("text", ['{"name": "an app", "format": 3}', "[]", "<manifest>", "{"])
def test_the_manifest_of_something_else_makes_no_bundle(linear: Recommender, tmp_path: Path, text: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="no bundle; choose another folder"):
        save_bundle(linear, tmp_path / "app")
    assert (tmp_path / "app" / "manifest.json").read_text() == text


def test_a_bundle_with_something_else_in_it_is_kept(linear: Recommender, folder: Path) -> None:
    (folder / "notes.txt").write_text("which people this was for")
    with pytest.raises(BundleError, match="no bundle; choose another folder"):
        save_bundle(linear, folder)
    assert (folder / "notes.txt").exists()


def test_a_damaged_bundle_may_be_replaced(linear: Recommender, folder: Path) -> None:
    (folder / "catalog.json").unlink()
    edit(folder, lambda manifest: manifest.update(format=3, model=7))
    save_bundle(linear, folder)
    assert load_bundle(folder).estimator == linear.estimator


def test_a_bundle_that_cannot_take_its_place_leaves_the_former_there(
    linear: Recommender, network: Recommender, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def failing(place: Path, target: Path) -> Path:
        if target == folder and not place.name.endswith("-former"):
            raise OSError(5, "Input/output error")
        return rename(place, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(BundleError, match="cannot be written: Input/output error"):
        save_bundle(network, folder)
    assert load_bundle(folder).estimator == linear.estimator
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_bundle_that_cannot_be_written_leaves_nothing(
    linear: Recommender, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(BundleError, match="cannot be written: No space left on device"):
        save_bundle(linear, folder)
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]
    load_bundle(folder)


# -- damaged


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_refused(folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        if whole[place : place + 1].isspace():
            continue
        flipped = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        if name == "manifest.json" and says_the_same(flipped, whole):
            continue  # the last of 17 digits may leave a number as it is
        (folder / name).write_bytes(flipped)
        with pytest.raises(BundleError, match=name):
            load_bundle(folder)


def says_the_same(text: bytes, other: bytes) -> bool:
    try:
        return bool(json.loads(text) == json.loads(other))
    except ValueError:
        return False


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read: No such file"):
        load_bundle(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_which_nobody_knows_what_it_holds_is_not_called_damaged(folder: Path, name: str) -> None:
    with unreadable(folder / name), pytest.raises(UnreadableError, match=f"{name} cannot be read: Input/output error"):
        load_bundle(folder)
    (folder / name).unlink()
    assert type(refusal_of(folder)) is BundleError
    (folder / name).mkdir()
    assert type(refusal_of(folder)) is BundleError


def refusal_of(folder: Path) -> BundleError:
    with pytest.raises(BundleError, match="cannot be read") as refused:
        load_bundle(folder)
    return refused.value


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_refused(folder: Path, name: str, share: float) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(BundleError, match=name):
        load_bundle(folder)


def test_a_newer_format_asks_for_an_update(folder: Path) -> None:
    edit(folder, lambda manifest: manifest.update(format=6, unheard_of={}))
    with pytest.raises(BundleError, match="of format 6, and this foldin reads 5: update foldin"):
        load_bundle(folder)


def test_an_older_format_asks_for_another_training(folder: Path) -> None:
    edit(folder, lambda manifest: manifest.update(format=4, prior=None))
    with pytest.raises(BundleError, match=r"of format 4, and this foldin reads 5: train again with `foldin train`"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "5"}', '{"format": 5}', "null", '{"format": 5, "format": 5}'])
def test_what_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="manifest"):
        load_bundle(folder)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "missing"):
        with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
            load_bundle(place)


def test_a_manifest_opens_no_other_file(folder: Path) -> None:
    (folder.parent / "letter").write_text("dear")
    facts = {"bytes": 4, "sha256": hashlib.sha256(b"dear").hexdigest()}
    edit(folder, lambda manifest: manifest["files"].update({"../letter": facts}))
    with pytest.raises(BundleError, match=r"the files of a bundle are model\.safetensors and catalog\.json"):
        read_manifest(folder)


# -- whole, but its parts do not fit together


def name_and_shape(changed: dict[str, NDArray[np.generic] | None]) -> str:
    return ", ".join(f"{name} {'gone' if array is None else array.shape}" for name, array in changed.items())


@pytest.mark.parametrize(
    "changed",
    [
        {"model__weights": np.zeros((12, 11), np.float32)},
        {"model__weights": np.zeros((11, 11), np.float32)},
        {"model__weights": np.zeros(12, np.float32)},
        {"model__weights": np.zeros((12, 12), np.float64)},
        {"model__weights": np.full((12, 12), np.nan, np.float32)},
        {"model__weights": None},
        {"prior__shares": np.zeros(13, np.float32)},
        {"prior__shares": np.full(12, np.inf, np.float32)},
        {"prior__shares": None},
        {"prior__warm": np.ones((1, 12), np.bool_)},
        {"prior__warm": None},
        {"handover__unit": np.array([np.nan])},
        {"handover__unit": np.array([1.0, 1.0])},
        {"handover__unit": None},
        {"handover__lengths": np.zeros(8, np.int64)},
        {"handover__lengths": np.arange(7)[::-1].copy()},
        {"handover__lengths": None},
        {"handover__weights": np.full(8, np.nan, np.float32)},
        {"handover__weights": np.zeros((8, 1), np.float32)},
        {"handover__weights": np.zeros(7, np.float32)},
        {"handover__weights": None},
        {"handover__untold": np.zeros(7, np.float32)},
        {"handover__untold": None},
        {"handover__usual_lead": np.array([-1.0])},
        {"handover__usual_lead": None},
        {"calibration__untold/7/scores": np.zeros(2, np.float32)},
        {"calibration__untold/7/probabilities": np.array([0.5, 1.5], np.float32)},
        {"calibration__untold/7/probabilities": np.array([0.5], np.float32)},
        {"calibration__untold/7/probabilities": None},
        {"calibration__untold/many/scores": np.zeros(1, np.float32)},
        {"calibration__elsewhere/7/scores": np.zeros(1, np.float32)},
        {f"calibration__untold/{length}/{name}": None for length in (1, 7) for name in ("scores", "probabilities")},
    ],
    ids=name_and_shape,
)
def test_arrays_that_do_not_fit_are_refused(folder: Path, changed: dict[str, NDArray[np.generic] | None]) -> None:
    replace_arrays(folder, **changed)
    with pytest.raises(BundleError, match="bundle"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"prior__means": np.zeros(3, np.float32)},
        {"prior__means": None},
        {"prior__weights": np.zeros((2, 12), np.float32)},
        {"prior__weights": np.full((2, 14), np.nan, np.float32)},
        {"prior__weights": None},
        {"cold_items__data": np.zeros(3, np.float32)},
        {"cold_items__data": np.full(6, np.nan, np.float32)},
        {"cold_items__data": np.full(6, -1, np.float32)},
        {"cold_items__data": None},
        {"cold_items__indices": np.full(6, 14, np.int32)},
        {"cold_items__indices": np.full(6, -1, np.int32)},
        {"cold_items__indices": np.zeros(6, np.float32)},
        {"cold_items__indices": None},
        {"cold_items__indptr": np.zeros(15, np.int32)},
        {"cold_items__indptr": np.array([0, 6, 0, *[6] * 12], np.int32)},
        {"cold_items__indptr": np.arange(7, dtype=np.int32)},
        {"cold_items__indptr": None},
    ],
    ids=name_and_shape,
)
def test_a_prior_or_cold_items_that_do_not_fit_are_refused(
    profiled: Recommender, tmp_path: Path, changed: dict[str, NDArray[np.generic] | None]
) -> None:
    save_bundle(profiled, tmp_path / "bundle")
    replace_arrays(tmp_path / "bundle", **changed)
    with pytest.raises(BundleError, match=r"bundle: .*; the bundle is damaged"):
        load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    "change",
    [
        lambda prior: prior.update(encoder={}),
        lambda prior: prior.update(encoder={"blocks": 7}),
        lambda prior: prior.update(language={}),
        lambda prior: prior.update(profile_weight="much"),
        lambda prior: prior.pop("content_weight"),
    ],
)
def test_facts_of_a_prior_that_do_not_fit_are_refused(
    profiled: Recommender, tmp_path: Path, change: Callable[[Manifest], None]
) -> None:
    save_bundle(profiled, tmp_path / "bundle")
    edit(tmp_path / "bundle", lambda manifest: change(manifest["prior"]))
    with pytest.raises(BundleError):
        load_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    "changed",
    [
        {"calibration__item_means": np.zeros(11, np.float64)},
        {"calibration__coefficients": np.zeros(3)},
        {"calibration__scale": np.array([1, np.nan, 3])},
    ],
    ids=repr,
)
def test_a_rating_calibration_that_does_not_fit_is_refused(
    rating_folder: Path, changed: dict[str, NDArray[np.generic] | None]
) -> None:
    replace_arrays(rating_folder, **changed)
    with pytest.raises(BundleError, match="calibration"):
        load_bundle(rating_folder)


def test_the_calibration_of_another_feedback_is_refused(folder: Path, rating_folder: Path) -> None:
    edit(folder, lambda manifest: manifest.update(calibration="rating"))
    with pytest.raises(BundleError, match="calibration"):
        load_bundle(folder)
    implicit = read_manifest(folder).feedback
    edit(rating_folder, lambda manifest: manifest["feedback"].update(rating_range=implicit.rating_range))
    with pytest.raises(BundleError, match="calibration"):
        load_bundle(rating_folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.update(model="unheard of"),
        lambda manifest: manifest.update(settings={"l2": -1}),
        lambda manifest: manifest.update(settings={"unheard_of": 1}),
        lambda manifest: manifest.update(calibration="unheard of"),
        lambda manifest: manifest["feedback"]["feedback"].update(form="both"),
        lambda manifest: manifest["feedback"]["feedback"].update(cap=-1),
        lambda manifest: manifest["files"].pop("catalog.json"),
        lambda manifest: manifest.pop("files"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder: Path, change: Callable[[Manifest], None]) -> None:
    edit(folder, change)
    with pytest.raises(BundleError):
        load_bundle(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"item_ids": 7, "attributes": {}}',
        b'{"item_ids": ["a", "a"], "attributes": {}}',
        b'{"item_ids": ["a"], "attributes": {}}',
        b'{"item_ids": ["a"], "attributes": []}',
        b'{"item_ids": [NaN], "attributes": {}}',
        b"\xff",
    ],
)
def test_a_catalogue_that_does_not_fit_is_refused(folder: Path, content: bytes) -> None:
    replace_file(folder, "catalog.json", content)
    with pytest.raises(BundleError):
        load_bundle(folder)
