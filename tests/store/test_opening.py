from __future__ import annotations

from pathlib import Path

import pytest

from foldin.errors import ConfigurationError, NotFoundError, StoreError
from foldin.store.opening import open_store


def test_three_slashes_are_relative_and_four_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///here.sqlite", create=True).close()
    assert (tmp_path / "here.sqlite").exists()
    open_store(f"sqlite:///{tmp_path}/there ä?.sqlite", create=True).close()
    assert (tmp_path / "there ä?.sqlite").exists()


def test_memory_is_a_file_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///:memory:", create=True).close()
    assert (tmp_path / ":memory:").exists()


def test_a_missing_file_is_not_made_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no store at .*missing\.sqlite$"):
        open_store(f"sqlite:///{tmp_path}/missing.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no/store.sqlite: it cannot be opened; check that its folder exists"):
        open_store(f"sqlite:///{tmp_path}/no/store.sqlite", create=True)


@pytest.mark.parametrize("url", ["mysql://ann:secret@host/db", "store.sqlite", "", "sqlite:/x", "://x", "secret"])
def test_an_unknown_scheme_lists_the_known_ones_and_gives_nothing_away(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"known are: sqlite:///path/to/store.sqlite") as refused:
        open_store(url, create=True)
    assert "secret" not in str(refused.value) or "://" not in url


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite://store.sqlite"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///path/to/store.sqlite"):
        open_store(url, create=True)
