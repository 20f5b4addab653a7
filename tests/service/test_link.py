from __future__ import annotations

import json
import resource
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from os import utime
from pathlib import Path
from shutil import copytree
from time import time

import httpx
import pytest

from foldin.audit import FILE as AUDIT
from foldin.cli.serve import LINK_FILE
from foldin.errors import WorkspaceError
from foldin.service.credentials import session_cookie
from foldin.service.keys import KEYS, create_key, create_session, read_keys
from foldin.service.link import create_code, redeem
from tests.faults.small_disk import SmallDisk
from tests.service.server import Server, serving


def links(folder: Path) -> list[Path]:
    return sorted(folder.glob(".link-*"))


def test_a_code_is_worth_one_key_of_twelve_hours(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    assert redeem(tmp_path, code)
    assert redeem(tmp_path, code) is None
    (key,) = read_keys(tmp_path)
    assert key.name.startswith("page-")
    assert key.expires is not None
    left = datetime.fromisoformat(key.expires) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)


def test_of_many_who_come_with_the_same_code_one_gets_in(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: redeem(tmp_path, code), range(32)))
    assert len([key for key in keys if key]) == 1


def test_of_many_processes_that_come_with_the_same_code_one_gets_in(tmp_path: Path) -> None:
    codes = [create_code(tmp_path) for _ in range(8)]
    spawning = get_context("spawn")
    with ProcessPoolExecutor(4, spawning, initializer=spawning.Barrier(4).wait) as pool:
        keys = list(pool.map(redeem, [tmp_path] * 64, sorted(codes * 8)))
    assert len([key for key in keys if key]) == len(codes)
    assert len(read_keys(tmp_path)) == len(codes)


def test_a_code_outlives_a_key_that_cannot_be_written(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(WorkspaceError, match=r"keys\.json cannot be used: File too large"):
            redeem(tmp_path, code)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert redeem(tmp_path, code)
    assert redeem(tmp_path, code) is None


@pytest.mark.parametrize("broken", [SmallDisk.full, SmallDisk.read_only])
def test_a_code_outlives_a_disk_that_is_full_or_read_only(
    broken: Callable[[SmallDisk], AbstractContextManager[None]], disk: SmallDisk
) -> None:
    code = create_code(disk.folder)
    with broken(disk):
        for _ in range(2):
            with pytest.raises(WorkspaceError, match=r"No space left on device|Read-only file system"):
                redeem(disk.folder, code)
        assert redeem(disk.folder, "another") is None
    assert redeem(disk.folder, code)
    assert redeem(disk.folder, code) is None


def test_a_code_outlives_keys_that_are_damaged(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    (tmp_path / KEYS).write_text("[", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="remove it to begin with no keys"):
        redeem(tmp_path, code)
    (tmp_path / KEYS).unlink()
    assert redeem(tmp_path, code)


def test_a_code_that_cannot_be_used_up_is_worth_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def kept(file: Path, missing_ok: bool = False) -> None:
        if file.name.startswith(".link-"):
            raise PermissionError(1, "Operation not permitted")
        unlink(file, missing_ok)

    code = create_code(tmp_path)
    with monkeypatch.context() as unchangeable:
        unchangeable.setattr(Path, "unlink", kept)
        with pytest.raises(WorkspaceError, match="Operation not permitted; make the workspace readable and writable"):
            redeem(tmp_path, code)
    assert not read_keys(tmp_path)
    assert not (tmp_path / AUDIT).exists()
    assert redeem(tmp_path, code)


def test_a_key_that_was_given_is_named_in_the_audit(tmp_path: Path) -> None:
    assert redeem(tmp_path, create_code(tmp_path))
    (line,) = (json.loads(line) for line in (tmp_path / AUDIT).read_text(encoding="utf-8").splitlines())
    (key,) = read_keys(tmp_path)
    assert (line["by"], line["action"], line["key"], line["outcome"]) == ("link", "enter", key.name, "done")


@pytest.mark.parametrize("code", ["", "x", "../keys.json", "\ud800", "a" * 10_000])
def test_what_is_no_code_is_worth_nothing(code: str, tmp_path: Path) -> None:
    create_code(tmp_path)
    assert redeem(tmp_path, code) is None
    assert not read_keys(tmp_path)


def test_what_is_kept_of_a_code_tells_nothing_and_is_its_owners(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    (file,) = links(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert code not in file.name
    assert not file.read_bytes()


def test_an_old_code_is_worth_nothing_and_goes_with_the_next(tmp_path: Path) -> None:
    code = create_code(tmp_path)
    (file,) = links(tmp_path)
    long_ago = time() - 12 * 3_600
    utime(file, (long_ago, long_ago))
    create_code(tmp_path)
    assert file not in links(tmp_path)
    assert len(links(tmp_path)) == 1
    assert redeem(tmp_path, code) is None


def test_expired_keys_of_pages_go_and_others_stay(tmp_path: Path) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    create_session(tmp_path, "page-20260101T120000-0a1b2c", past)
    create_key(tmp_path, "page-shop", ["read"], past)
    create_key(tmp_path, "shop", ["read"], past)
    redeem(tmp_path, create_code(tmp_path))
    assert [key.name for key in read_keys(tmp_path)][:-1] == ["page-shop", "shop"]


def test_the_printed_link_lets_one_browser_in_whichever_process_answers(workspace: Path) -> None:
    with serving(workspace, "--workers", "2") as running:
        link = (workspace / LINK_FILE).read_text(encoding="utf-8").strip()
        with httpx.Client(timeout=60, verify=False) as browser:
            inside = browser.post(link, follow_redirects=True)
            assert (inside.status_code, inside.url.path) == (200, "/")
            assert "<h1>" in inside.text
            assert browser.get(f"{running.url}/v1/models").status_code == 200
        with httpx.Client(timeout=60, verify=False) as late:
            assert {late.request(method, link).status_code for method in ("GET", "POST") for _ in range(4)} == {401}
        assert link.split("=")[1] not in "".join(file.name for file in workspace.iterdir())


def test_where_the_disk_is_full_the_link_stays_good(workspace: Path, disk: SmallDisk) -> None:
    folder = copytree(workspace, disk.folder / "w")
    with serving(folder) as running, httpx.Client(base_url=running.url, timeout=60, verify=False) as browser:
        code = {"code": create_code(folder)}
        with disk.full():
            answer = browser.post("/enter", params=code)
            assert answer.status_code == 503, answer.text
            assert answer.headers["Retry-After"]
            assert "the workspace cannot be used just now" in answer.json()["detail"]
            assert "/" not in answer.json()["detail"]
            page = browser.post("/enter", params=code, headers={"Accept": "text/html"})
            assert (page.status_code, "Retry-After" in page.headers) == (503, True)
            assert page.headers["Content-Type"].startswith("text/html")
            assert str(folder) not in page.text
            assert browser.get("/enter", params=code).status_code == 200
        assert [browser.post("/enter", params=code).status_code for _ in range(2)] == [303, 401]


def test_the_cookie_is_kept_from_scripts_and_other_sites(server: Server) -> None:
    entered = httpx.post(
        f"{server.url}/enter", params={"code": create_code(server.log.parent)}, timeout=60, verify=False
    )
    cookie = entered.headers["Set-Cookie"].lower()
    assert cookie.startswith(f"{session_cookie(server.url)}=")
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= {part.strip() for part in cookie.split(";")}
    assert entered.headers["Cache-Control"] == "no-store"
    assert entered.headers["Referrer-Policy"] == "no-referrer"


def test_a_browser_that_has_no_key_is_told_how_to_get_one(server: Server) -> None:
    for path in ("/", "/models", "/nowhere"):
        refused = httpx.get(server.url + path, headers={"Accept": "text/html"}, timeout=60, verify=False)
        assert refused.status_code == 401
        assert "foldin serve" in refused.text
        assert "<code>foldin link</code>" in refused.text
    used_up = httpx.get(f"{server.url}/enter", params={"code": "old"}, timeout=60, verify=False)
    assert (used_up.status_code, "<code>foldin link</code>" in used_up.text) == (401, True)
    assert httpx.get(f"{server.url}/enter/page.css", timeout=60, verify=False).status_code == 200


@pytest.mark.parametrize("path", ["/v1/models/rollback", "/what-if", "/reasons", "/v1/recommend"])
@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null"])
def test_a_page_elsewhere_cannot_use_the_cookie(path: str, origin: str, server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=60, verify=False) as browser:
        browser.post("/enter", params={"code": create_code(server.log.parent)})
        assert browser.post(path, headers={"Origin": origin}).status_code == 403
        assert browser.post(path, headers={"Origin": server.url}).status_code != 403


def test_without_keys_a_page_elsewhere_is_refused_all_the_same(workspace: Path) -> None:
    with serving(workspace, "--no-auth", "--origin", "https://labs.example") as running:
        for origin, status in (("http://evil.example", 403), ("https://labs.example", 200), (running.url, 200)):
            answer = httpx.post(
                f"{running.url}/v1/recommend", json={}, headers={"Origin": origin}, timeout=60, verify=False
            )
            assert answer.status_code == status
