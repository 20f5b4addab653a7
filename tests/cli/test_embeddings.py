from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pytest

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


@pytest.mark.parametrize("name", ["items.parquet", "users.parquet"])
def test_a_file_of_somebodys_own_is_replaced_only_when_told_to(
    run: Run, networked: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("somebody's own")
    refused = run("embeddings", "-o", tmp_path, "-w", networked)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"{tmp_path / name} is there already" in refused.stderr
    assert "--replace" in refused.stderr
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "somebody's own")]
    assert run("embeddings", "-o", tmp_path, "--replace", "-w", networked).returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["items.parquet", "users.parquet"]
    assert duckdb.execute(f"SELECT id FROM '{tmp_path / name}'").fetchall()


def test_a_model_without_vectors_says_which_have_them(run: Run, trained: Path, tmp_path: Path) -> None:
    answer = run("embeddings", "-o", tmp_path / "vectors", "-w", trained)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "--model autoencoder" in answer.stderr
    assert not (tmp_path / "vectors").exists()
