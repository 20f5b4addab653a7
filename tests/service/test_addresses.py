from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from foldin.errors import ConfigurationError
from foldin.service.addresses import addresses, announced


def test_an_address_is_told_while_its_service_runs(tmp_path: Path) -> None:
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=True):
        (address,) = addresses(tmp_path)
        assert (address.url, address.auth, address.process) == ("http://127.0.0.1:8000/", True, os.getpid())
    assert list(tmp_path.iterdir()) == []


def test_of_those_that_were_killed_nothing_is_told_and_the_next_removes_what_they_left(tmp_path: Path) -> None:
    killed = {"url": "http://127.0.0.1:1/", "auth": True, "process": os.getpid(), "born": 1.0}
    (tmp_path / ".service-1.json").write_text(json.dumps(killed))
    for number, text in enumerate(("", "[]", "{}", "\0"), start=2):
        (tmp_path / f".service-{number}.json").write_text(text)
    assert addresses(tmp_path) == []
    with announced(tmp_path, "http://127.0.0.1:8000/", auth=False):
        assert [file.name for file in tmp_path.iterdir()] == [f".service-{os.getpid()}.json"]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(ConfigurationError, match="missing cannot be written to"), announced(missing, "", auth=True):
        pass
