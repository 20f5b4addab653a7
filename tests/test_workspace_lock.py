"""Bundles that are removed while they are made current, or by two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from foldin.data.files import locked_folder
from foldin.errors import NotFoundError
from foldin.workspace import Workspace, create_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = create_workspace(tmp_path / "w")
    for name in ("1-ease", "2-ease"):
        (made.folder / "bundles" / name).mkdir(parents=True)
    made.make_current("2-ease")
    return made


def test_a_bundle_that_was_removed_is_not_made_current(workspace: Workspace) -> None:
    workspace.remove("1-ease")
    with pytest.raises(NotFoundError, match="no bundle '1-ease'"):
        workspace.make_current("1-ease")
    assert workspace.current_name() == "2-ease"


@pytest.mark.parametrize("change", [lambda it: it.remove("1"), lambda it: it.make_current("1-ease")])
def test_removing_and_making_current_take_turns(workspace: Workspace, change: Callable[[Workspace], object]) -> None:
    changing = threading.Thread(target=change, args=(workspace,))
    with locked_folder(workspace.folder / "bundles"):
        changing.start()
        changing.join(0.2)
        assert changing.is_alive()
        assert (workspace.named("1"), workspace.current_name()) == ("1-ease", "2-ease")
    changing.join(10)
    assert not changing.is_alive()
