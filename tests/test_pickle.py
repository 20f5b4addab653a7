"""What foldin saves is data: no source reads or writes pickle, nor calls what would."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import foldin

SOURCE = Path(foldin.__file__).parent

FORBIDDEN_MODULES = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "shelve", "marshal", "pickletools"}
FORBIDDEN_CALLS = {("torch", "load"), ("torch", "save"), ("np", "save"), ("np", "savez"), ("numpy", "save")}


def unsafe(source: str) -> list[str]:
    """Whatever in a source reads or writes pickle, or could."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom):
            found += [str(node.module)] if str(node.module).split(".")[0] in FORBIDDEN_MODULES else []
            found += [
                f"{node.module}.{name.name}" for name in node.names if (node.module, name.name) in FORBIDDEN_CALLS
            ]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found += [node.attr] if (node.value.id, node.attr) in FORBIDDEN_CALLS else []
            found += [node.attr] if node.attr in ("to_pickle", "read_pickle") else []
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            found += (
                ["allow_pickle"] if not (isinstance(node.value, ast.Constant) and node.value.value is False) else []
            )
    return found


def test_the_ban_on_pickle_would_notice() -> None:
    for source in (
        "import pickle",
        "import joblib.numpy_pickle as j",
        "from dill import load",
        "from torch import load",
        "import torch\ntorch.save(1, 2)",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "frame = pd.read_pickle",
    ):
        assert unsafe(source), source
    assert not unsafe("import json\nnp.load('x', allow_pickle=False)\nstate.load()")


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_source_touches_pickle(file: Path) -> None:
    assert unsafe(file.read_text(encoding="utf-8")) == []
