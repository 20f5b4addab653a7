from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import duckdb
import pytest

from foldin.data.readers import read, read_catalog
from foldin.data.readers.remote import _settings, shown
from foldin.errors import ConfigurationError, DataError


class Handler(SimpleHTTPRequestHandler):
    """Files of a folder; `/cut.csv` promises more than it sends."""

    def do_GET(self) -> None:
        if not self.path.startswith("/cut.csv"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"user,item\na,x\n")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The URL of a server of the files in `tmp_path`."""
    server = HTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_over_http_is_read_as_any_other(tmp_path: Path, site: str) -> None:
    import pandas as pd

    (tmp_path / "log.csv").write_text("user,item\na,x\n")
    (tmp_path / "log.tsv.gz").write_bytes(gzip.compress(b"user\titem\na\tx\n"))
    (tmp_path / "log.jsonl").write_text('{"user": "a", "item": "x"}')
    pd.DataFrame({"user": ["a"], "item": ["x"]}).to_parquet(tmp_path / "log.parquet")
    for name in ("log.csv", "log.tsv.gz", "log.jsonl", "log.parquet", "log.csv?key=secret"):
        assert read(f"{site}/{name}").user_ids.tolist() == ["a"], name
    assert read_catalog(f"{site}/log.csv").item_ids.tolist() == ["x"]


def test_errors_name_the_url_without_its_key_and_the_line(tmp_path: Path, site: str) -> None:
    (tmp_path / "log.csv").write_text("user,item\na,x\n,y\n")
    with pytest.raises(DataError, match="the id is empty") as caught:
        read(f"{site}/log.csv?X-Amz-Signature=secret")
    assert (caught.value.file, caught.value.row) == (f"{site}/log.csv", 3)


@pytest.mark.parametrize(
    ("path", "reason"), [("gone.csv", "404"), ("cut.csv", "the connection ended after 14 of 1,000 bytes")]
)
def test_what_cannot_be_fetched(site: str, path: str, reason: str) -> None:
    with pytest.raises(DataError, match=f"cannot be fetched: .*{reason}") as caught:
        read(f"{site}/{path}?key=secret")
    assert caught.value.file == f"{site}/{path}"


@pytest.mark.parametrize(
    "place",
    [
        "user:s3cret@127.0.0.1:9/log.csv",
        "user:s3cr/et@127.0.0.1:9/log.csv",
        "127.0.0.1:9/log.csv?sig=s3cret and more",
        "127.0.0.1:9/log.csv?sig=s3cr\u00e9t",
    ],
)
def test_a_url_that_cannot_be_read_gives_nothing_away(place: str) -> None:
    with pytest.raises(DataError, match="it is no URL that can be read; encode spaces") as caught:
        read(f"http://{place}")
    assert caught.value.file == "http://127.0.0.1:9/log.csv"
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("https://host/folder/log.csv?key=secret#secret", "https://host/folder/log.csv"),
        ("https://host?key=secret", "https://host"),
        ("https://ann:secret@host:80/a@b.csv", "https://host:80/a@b.csv"),
        ("https://ann:s@cret@host/log.csv", "https://host/log.csv"),
        ("https://ann:s?cret@host/log.csv", "https://host/log.csv"),
        ("https://host:80/@ann/log.csv?mail=a@b", "https://host:80/@ann/log.csv"),
        ("http://[::1]:80/@ann/log.csv", "http://[::1]:80/@ann/log.csv"),
        ("s3://bucket/log.csv?s3_secret_access_key=secret", "s3://bucket/log.csv"),
        ("what?.csv", "what?.csv"),
    ],
)
def test_what_is_shown_of_a_name(name: str, expected: str) -> None:
    assert shown(name) == expected


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"cannot be fetched: .*refused") as caught:
        read("http://127.0.0.1:9/log.csv")
    assert caught.value.file == "http://127.0.0.1:9/log.csv"


def test_s3_without_its_extension_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # an extension is looked for in the home folder, and fetched from where nothing answers
    connect = duckdb.connect
    settings: dict[str, str | bool | int | float | list[str]] = {
        "extension_directory": str(tmp_path),
        "custom_extension_repository": "http://127.0.0.1:9",
    }
    monkeypatch.setattr(duckdb, "connect", lambda: connect(config=settings))
    with pytest.raises(ConfigurationError, match=r"could not be had: .*\. Fetch the file yourself .*install_extension"):
        read("s3://bucket/log.csv")


def test_s3_is_set_up_by_the_variables_of_aws() -> None:
    assert _settings({}) == "REGION 'us-east-1'"
    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "it's", "AWS_DEFAULT_REGION": "eu-north-1"}
    assert _settings(keys) == "KEY_ID 'id', SECRET 'it''s', REGION 'eu-north-1'"
    local = _settings({"AWS_ENDPOINT_URL": "http://127.0.0.1:9000"})
    assert local == "REGION 'us-east-1', ENDPOINT '127.0.0.1:9000', URL_STYLE 'path', USE_SSL 'false'"
