"""A key with a scope of an earlier version: the error names what to do, and the key can be revoked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foldin.errors import WorkspaceError
from foldin.service.keys import KEYS, create_key, read_keys, revoke_key


def test_a_key_with_a_former_scope_is_named_and_can_be_revoked(tmp_path: Path) -> None:
    for name in ("old", "older", "new"):
        create_key(tmp_path, name, ["read"])
    stored = json.loads((tmp_path / KEYS).read_bytes())
    for key in stored[:2]:
        key["scopes"] = ["ingest"]
    (tmp_path / KEYS).write_text(json.dumps(stored), encoding="utf-8")
    for name in ("old", "older"):
        with pytest.raises(WorkspaceError, match=f"became events, catalogue and people: .*keys revoke .* {name}`"):
            read_keys(tmp_path)
        revoke_key(tmp_path, name)
    assert [key.name for key in read_keys(tmp_path)] == ["new"]
