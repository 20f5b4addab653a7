"""A recommender in a folder: arrays, catalogue, and a manifest with the SHA-256 of both and of itself. Never pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from safetensors.numpy import save
from scipy.sparse import csr_array

import foldin
from foldin.bundle_files import FileFacts, check_file, open_verified, read_limited
from foldin.coldstart.blend import Blend
from foldin.coldstart.cold_items import ColdItems
from foldin.coldstart.content import fit_content
from foldin.coldstart.encoding import ProfileEncoder
from foldin.coldstart.handover import Handover
from foldin.coldstart.prior import Prior
from foldin.data.catalog import Catalog, ids_of
from foldin.data.feedback import FeedbackRule
from foldin.data.files import PRIVATE_FOLDER, create_private, sync_folder
from foldin.data.safetensors_stream import read_arrays
from foldin.errors import BundleError, FoldinError
from foldin.evaluation.calibration import RatingCalibration
from foldin.evaluation.person_calibration import PersonCalibration
from foldin.evaluation.training_report import TrainingReport
from foldin.models.protocols import Model
from foldin.models.zoo import estimator_named, name_of, settings_of
from foldin.recommender import Recommender
from foldin.strict_json import parse_json
from foldin.wording import counted

__all__ = ["Manifest", "check_bundle", "load_bundle", "read_manifest", "save_bundle"]

FORMAT = 5
MANIFEST, ARRAYS, CATALOG = "manifest.json", "model.safetensors", "catalog.json"
SEAL = "sha256"
MAX_MANIFEST_BYTES = 2**26
"""It holds settings, figures and the words of profiles: some hundred kilobytes at most."""

CALIBRATIONS: dict[str, type[PersonCalibration] | type[RatingCalibration]] = {
    "probability": PersonCalibration,
    "rating": RatingCalibration,
}


@dataclass(frozen=True)
class PriorFacts:
    """Everything about a prior but its arrays; what is looked up is made again of the catalogue.

    `language`: by which the catalogue's words are stemmed; None where there are none to look up. `attributes`: of
    profiles, those that training knew; None where it had no users. `encoder`: how profiles become features; None where
    profiles teach nothing.
    """

    profile_weight: float
    content_weight: float
    resemblance_weight: float
    language: str | None
    attributes: tuple[str, ...] | None
    encoder: dict[str, object] | None


@dataclass(frozen=True)
class Manifest:
    """Everything about a bundle but its arrays and its catalogue. `created` is ISO 8601, UTC.

    `data_position`: of the store when the data was read, where it came from one.
    """

    format: int
    foldin: str
    created: str
    model: str
    settings: dict[str, object]
    feedback: FeedbackRule
    prior: PriorFacts
    calibration: str | None
    report: TrainingReport | None
    data_position: int | None
    files: dict[str, FileFacts]


@dataclass(frozen=True)
class Columns:
    """The catalogue as it is written."""

    item_ids: list[str]
    attributes: dict[str, list[str | None]]


_MANIFEST = TypeAdapter(Manifest)
_COLUMNS = TypeAdapter(Columns)


def save_bundle(recommender: Recommender, folder: str | Path, *, private: bool = False) -> None:
    """Writes a recommender as a bundle; the folder appears whole or not at all. A bundle in its place is replaced.

    `private`: whether only the owner may read it.

    Raises:
        BundleError: the folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    try:
        if folder.exists() and not _replaceable(folder):
            raise BundleError(f"{folder} is or holds something that is no bundle; choose another folder")
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        unfinished.chmod(PRIVATE_FOLDER if private else 0o755)
        try:
            _write(_contents(recommender), unfinished, private=private)
            _put_in_place(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    except OSError as error:
        raise BundleError(f"{folder} cannot be written: {error.strerror or error}") from error


def _replaceable(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    names = {place.name for place in folder.iterdir()}
    return not names or (names <= {MANIFEST, ARRAYS, CATALOG} and _of_foldin(folder / MANIFEST))


def _of_foldin(file: Path) -> bool:
    # other tools keep a manifest.json too; a damaged or newer one of ours may be replaced
    try:
        read = parse_json(read_limited(file, MAX_MANIFEST_BYTES))
    except (BundleError, ValueError):
        return False
    return isinstance(read, dict) and read.keys() >= {"format", "foldin", "files"}


def load_bundle(folder: str | Path) -> Recommender:
    """Reads a bundle back, with NumPy alone, after checking every byte of it.

    Raises:
        BundleError: it is missing, damaged, newer than this foldin, or its parts do not fit together.
        UnreadableError: its files are there, and cannot be read.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    arrays = _arrays_of(folder, manifest)
    with open_verified(folder / CATALOG, manifest.files[CATALOG]) as file:
        catalog = file.read()
    try:
        return _recommender(manifest, arrays, _catalog(catalog))
    except BundleError as error:
        raise BundleError(f"{folder}: {error}") from error
    except (KeyError, TypeError, ValueError, FoldinError) as error:
        raise BundleError(f"{folder}: its parts do not fit together ({error})") from error


def check_bundle(folder: Path, manifest: Manifest, *, hashing: bool = True) -> bool:
    """Checks a bundle's files against its manifest, without loading it; returns whether every byte of them was checked.

    `hashing`: reads files that this process has not hashed as they are now; otherwise only their size is checked.

    Raises:
        BundleError: a file is missing or damaged.
        UnreadableError: a file is there, and cannot be read.
    """
    checked = [check_file(folder / name, facts, hashing=hashing) for name, facts in manifest.files.items()]
    return all(checked)


def read_manifest(folder: Path) -> Manifest:
    """A bundle's manifest alone: what it is, without loading it.

    Raises:
        BundleError: it is missing, damaged, or newer than this foldin.
        UnreadableError: it is there, and cannot be read.
    """
    file = folder / MANIFEST
    try:
        read = parse_json(read_limited(file, MAX_MANIFEST_BYTES))
    except ValueError as error:
        raise BundleError(f"{file} cannot be read: {error}") from error
    if not isinstance(read, dict) or not isinstance(read.get("format"), int):
        raise BundleError(f"{file} is no manifest of a bundle")
    if read["format"] != FORMAT:
        what_to_do = "update foldin" if read["format"] > FORMAT else "train again with `foldin train`"
        raise BundleError(f"{file} is of format {read['format']}, and this foldin reads {FORMAT}: {what_to_do}")
    if read.pop(SEAL, None) != _seal(read):
        raise BundleError(f"{file} is damaged: its SHA-256 is not that of its contents")
    try:
        manifest = _MANIFEST.validate_python(read)
    except (ValidationError, FoldinError) as error:
        raise BundleError(f"{file} is damaged: {error}") from error
    # a name is opened: no other than these, wherever it may lead
    if manifest.files.keys() != {ARRAYS, CATALOG}:
        raise BundleError(f"{file} is damaged: the files of a bundle are {ARRAYS} and {CATALOG}")
    return manifest


def _contents(recommender: Recommender) -> dict[str, bytes]:
    files = {ARRAYS: save(_arrays(recommender)), CATALOG: _catalog_text(recommender.catalog)}
    kinds = {kind: name for name, kind in CALIBRATIONS.items()}
    manifest = Manifest(
        FORMAT,
        foldin.__version__,
        datetime.now(UTC).isoformat(timespec="seconds"),
        name_of(recommender.estimator),
        dict(settings_of(recommender.estimator)),
        recommender.rule,
        _prior_facts(recommender.blend.prior),
        None if recommender.calibration is None else kinds[type(recommender.calibration)],
        recommender.report,
        recommender.data_position,
        {name: FileFacts(len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()},
    )
    written = _MANIFEST.dump_python(manifest, mode="json")
    text = json.dumps({**written, SEAL: _seal(written)}, indent=2, allow_nan=False, ensure_ascii=False)
    return files | {MANIFEST: text.encode()}


def _seal(manifest: Mapping[str, object]) -> str:
    # of the contents, whatever their order and spacing; the manifest vouches for the other files, and this for it
    return hashlib.sha256(json.dumps(manifest, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _arrays(recommender: Recommender) -> dict[str, NDArray[np.generic]]:
    blend = recommender.blend
    parts: list[tuple[str, Mapping[str, NDArray[np.generic]]]] = [
        ("model", blend.model.arrays()),
        ("prior", blend.prior.arrays()),
        ("handover", blend.handover.arrays()),
        ("cold_items", {} if blend.cold_items is None else blend.cold_items.arrays()),
        ("calibration", {} if recommender.calibration is None else recommender.calibration.arrays()),
    ]
    return {f"{part}/{name}": np.ascontiguousarray(array) for part, arrays in parts for name, array in arrays.items()}


def _prior_facts(prior: Prior) -> PriorFacts:
    encoder = None if prior.profile is None else prior.profile.encoder.as_json()
    return PriorFacts(
        prior.profile_weight,
        prior.content_weight,
        prior.resemblance_weight,
        None if prior.content is None else prior.content.language,
        prior.seen_attributes,
        encoder,
    )


def _catalog_text(catalog: Catalog) -> bytes:
    attributes = {name: column.tolist() for name, column in catalog.attributes.items()}
    columns = {"item_ids": catalog.item_ids.tolist(), "attributes": attributes}
    return json.dumps(columns, ensure_ascii=False, allow_nan=False).encode()


def _write(contents: Mapping[str, bytes], folder: Path, *, private: bool) -> None:
    for name, content in contents.items():
        with create_private(folder / name) if private else (folder / name).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(folder)


def _put_in_place(unfinished: Path, folder: Path) -> None:
    former = unfinished.with_name(unfinished.name + "-former")
    if folder.exists():
        folder.rename(former)
    try:
        unfinished.rename(folder)
    except OSError:
        if former.exists():
            former.rename(folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(former, ignore_errors=True)


def _arrays_of(folder: Path, manifest: Manifest) -> dict[str, NDArray[np.generic]]:
    try:
        with open_verified(folder / ARRAYS, manifest.files[ARRAYS]) as file:
            return read_arrays(file)
    except ValueError as error:
        raise BundleError(f"{folder}: its parts do not fit together ({ARRAYS}: {error})") from error


def _recommender(manifest: Manifest, arrays: Mapping[str, NDArray[np.generic]], catalog: Catalog) -> Recommender:
    estimator = estimator_named(manifest.model, manifest.settings)
    blend = _blend(estimator.restore(_part(arrays, "model/")), manifest.prior, catalog, arrays)
    calibration = None
    if manifest.calibration is not None:
        calibration = CALIBRATIONS[manifest.calibration].from_arrays(_part(arrays, "calibration/"))
    _check_calibration(calibration, manifest.feedback, len(catalog))
    return Recommender(
        catalog, manifest.feedback, estimator, blend, calibration, manifest.report, manifest.data_position
    )


def _blend(model: Model, facts: PriorFacts, catalog: Catalog, arrays: Mapping[str, NDArray[np.generic]]) -> Blend:
    _check_items(model, len(catalog))
    encoder = None if facts.encoder is None else ProfileEncoder.from_json(facts.encoder)
    content = None if facts.language is None else fit_content(catalog, facts.language)
    prior = Prior.from_arrays(_part(arrays, "prior/"), encoder, len(catalog), content, facts.attributes)
    handover = Handover.from_arrays(_part(arrays, "handover/"))
    cold_items = _part(arrays, "cold_items/")
    return Blend(
        model,
        prior.with_weights(
            profile=facts.profile_weight, content=facts.content_weight, resemblance=facts.resemblance_weight
        ),
        handover,
        ColdItems.from_arrays(cold_items, len(catalog)) if cold_items else None,
    )


def _check_calibration(
    calibration: PersonCalibration | RatingCalibration | None, rule: FeedbackRule, items: int
) -> None:
    if calibration is not None and isinstance(calibration, RatingCalibration) is not rule.explicit:
        raise BundleError("the calibration is not of the kind of feedback the model learned from")
    if isinstance(calibration, RatingCalibration) and len(calibration.item_means) != items:
        raise BundleError(f"the calibration is not of the catalogue's {counted(items, 'item')}")


def _check_items(model: Model, items: int) -> None:
    empty = csr_array(np.zeros((1, items), dtype=np.float32))
    try:
        fits = model.score(empty).shape == (1, items)
    except ValueError:
        fits = False
    if not fits:
        raise BundleError(f"the model is not of the catalogue's {counted(items, 'item')}")


def _catalog(content: bytes) -> Catalog:
    columns = _COLUMNS.validate_python(parse_json(content))
    attributes = {name: np.array(column, dtype=np.object_) for name, column in columns.attributes.items()}
    return Catalog(ids_of(columns.item_ids), attributes)


def _part(arrays: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
