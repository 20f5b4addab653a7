from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import duckdb
import numpy as np

from foldin.models.network import Network
from foldin.workspace import open_workspace

Run: TypeAlias = Callable[..., CompletedProcess[str]]
RunJson: TypeAlias = Callable[..., Any]


def test_the_files_hold_the_models_vectors(run_json: RunJson, networked: Path, tmp_path: Path) -> None:
    written = run_json("embeddings", "-o", tmp_path / "vectors", "-w", networked)
    assert written == {"folder": str(tmp_path / "vectors"), "items": 40, "users": 297, "dimensions": 8, "unknown": 0}
    model = open_workspace(networked).current().model
    assert isinstance(model, Network)
    items = duckdb.execute(f"SELECT vector, bias FROM '{tmp_path}/vectors/items.parquet'").fetchall()
    assert np.array_equal(np.array([vector for vector, _ in items], dtype=np.float32), model.item_factors)
    assert np.array_equal(np.array([bias for _, bias in items], dtype=np.float32), model.item_bias)


def test_people_are_told_which_files(run: Run, networked: Path, tmp_path: Path) -> None:
    said = run("embeddings", "-o", tmp_path, "-w", networked).stdout
    assert f"Wrote {tmp_path}/items.parquet: 40 vectors of 8 numbers" in said
    assert f"Wrote {tmp_path}/users.parquet: 297 vectors" in said


def test_a_model_without_vectors_says_which_have_them(run: Run, trained: Path, tmp_path: Path) -> None:
    answer = run("embeddings", "-o", tmp_path / "vectors", "-w", trained)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--model autoencoder" in answer.stderr
    assert not (tmp_path / "vectors").exists()
