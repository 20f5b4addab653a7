from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from foldin.errors import WorkspaceError
from foldin.service.addresses import addresses, announced

HERE = socket.gethostname()


def test_an_address_is_told_while_its_service_runs(tmp_path: Path) -> None:
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=True):
        (address,) = addresses(tmp_path)
        assert (address.url, address.auth, address.process) == ("http://127.0.0.1:8000/", True, os.getpid())
    assert list(tmp_path.iterdir()) == []


def left(folder: Path, machine: str = HERE, *, born: float | None = None) -> Path:
    """The file of a service that runs on a machine; of one that ended, where it began at another time."""
    began = psutil.Process().create_time() if born is None else born
    plain = {"url": "http://127.0.0.1:1/", "auth": True, "machine": machine, "process": os.getpid(), "born": began}
    file = folder / f".service-1@{machine}.json"
    file.write_text(json.dumps(plain))
    return file


def test_of_those_that_were_killed_nothing_is_told_and_the_next_removes_what_they_left(tmp_path: Path) -> None:
    assert len(addresses(left(tmp_path).parent)) == 1
    left(tmp_path, born=1.0)
    for number, text in enumerate(("", "[]", "{}", "\0"), start=2):
        (tmp_path / f".service-{number}@{HERE}.json").write_text(text)
    assert addresses(tmp_path) == []
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=False):
        assert [file.name for file in tmp_path.iterdir()] == [f".service-{os.getpid()}@{HERE}.json"]


@pytest.mark.parametrize(
    ("field", "altered"),
    [
        ("process", str),
        ("process", float),
        ("process", lambda _: -1),
        ("process", lambda _: 0),
        ("process", lambda _: 10**30),
        ("born", str),
        ("born", lambda _: None),
        ("auth", lambda _: "yes"),
        ("url", lambda _: 1),
    ],
)
def test_what_is_no_address_is_none(field: str, altered: Callable[[object], object], tmp_path: Path) -> None:
    file = left(tmp_path)
    plain = json.loads(file.read_bytes())
    file.write_text(json.dumps({**plain, field: altered(plain[field])}))
    assert addresses(tmp_path) == []
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=False):
        assert not file.exists()


def test_services_of_several_machines_share_a_folder_and_each_tells_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with announced(tmp_path, "http://127.0.0.1:1/", auth=True), monkeypatch.context() as elsewhere:
        elsewhere.setattr(socket, "gethostname", lambda: f"my/{HERE}")
        assert addresses(tmp_path) == []
        with announced(tmp_path, "http://127.0.0.1:2/", auth=True):
            assert [address.url for address in addresses(tmp_path)] == ["http://127.0.0.1:2/"]
            elsewhere.undo()
            assert [address.url for address in addresses(tmp_path)] == ["http://127.0.0.1:1/"]
            assert len(list(tmp_path.iterdir())) == 2


def test_what_ended_elsewhere_is_for_those_elsewhere_to_remove(tmp_path: Path) -> None:
    others = left(tmp_path, "elsewhere", born=1.0)
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=True):
        assert others.exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(WorkspaceError, match="missing cannot be used: No such file"), announced(missing, "", auth=True):
        pass
