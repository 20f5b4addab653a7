from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import foldin
from foldin.bundle import save_bundle
from foldin.recommender import Recommender

ROOT = Path(__file__).parents[1]
MODULES = sorted(module.name for module in walk_packages(foldin.__path__, "foldin.") if "__" not in module.name)


def loaded_after(program: str) -> set[str]:
    """The packages and modules a fresh interpreter has loaded after a program."""
    report = "import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", f"{program}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_layer_imports_only_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_every_module_is_in_a_layer() -> None:
    layers = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("layers = [", 1)[1].split("]", 1)[0]
    top = {".".join(module.split(".")[:2]) for module in MODULES}
    assert {module for module in top if f'"{module}"' not in layers} == set()


def test_importing_foldin_loads_nothing_heavy() -> None:
    assert not loaded_after("import foldin") & {"numpy", "scipy", "torch", "duckdb", "pydantic", "apsw"}


def test_only_training_loads_torch() -> None:
    modules = ("cli.app", "fitting", "models.zoo", "recommender", "workspace")
    imports = [f"import foldin.{module}" for module in modules]
    program = "; ".join([*imports, "[getattr(foldin, name) for name in foldin.__all__]"])
    assert not loaded_after(program) & {"torch", "matplotlib"}


def test_only_learning_and_comparing_load_the_large_parts_of_scipy() -> None:
    program = "import foldin.cli.app, foldin.models.zoo, foldin.service.running"
    assert not loaded_after(program) & {"scipy.linalg", "scipy.optimize", "scipy.special"}


def test_loading_and_using_a_bundle_loads_no_torch(
    linear: Recommender, network: Recommender, rating: Recommender, tmp_path: Path
) -> None:
    for number, recommender in enumerate((linear, network, rating)):
        save_bundle(recommender, tmp_path / str(number))
    program = f"import foldin; [foldin.load(f'{tmp_path}/{{number}}').recommend(['i00']) for number in range(3)]"
    assert "torch" not in loaded_after(program)


def test_a_bundle_is_loaded_and_used_without_torch(network: Recommender, tmp_path: Path) -> None:
    save_bundle(network, tmp_path / "bundle")
    program = f"""
import sys
sys.modules["torch"] = None
import foldin
recommender = foldin.load({str(tmp_path / "bundle")!r})
print([one.item_id for one in recommender.recommend(["i00", "i04"])])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([one.item_id for one in network.recommend(["i00", "i04"])])


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_offers_is_there(name: str) -> None:
    module = import_module(name)
    offered = getattr(module, "__all__", None)
    if not hasattr(module, "__path__"):
        assert offered, f"{name} does not say what it offers"
    assert [missing for missing in offered or () if not hasattr(module, missing)] == []
    assert len(set(offered or ())) == len(offered or ())


def test_errors_can_be_caught_by_their_full_name() -> None:
    program = "import foldin; assert issubclass(foldin.errors.DataError, Exception)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_front_door_opens_every_name() -> None:
    assert sorted(foldin.__all__) == sorted(name for name in dir(foldin) if name != "__version__")
    for name in foldin.__all__:
        assert getattr(foldin, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        foldin.unheard_of  # noqa: B018 - that it is not there is what is tested
