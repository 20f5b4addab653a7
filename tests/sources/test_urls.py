from __future__ import annotations

import pytest

from foldin.sources.urls import masked, without_secrets


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://host/shop", "postgresql://host/shop"),
        ("postgresql://ann:secret@host:5432/shop", "postgresql://ann@host:5432/shop"),
        ("postgresql://ann:s/ecr@et@host/shop", "postgresql://ann@host/shop"),
        ("postgresql://ann:s/ecr@et?@host/shop", "postgresql://ann"),
        ("mysql://ann:53?cr@host/shop", "mysql://ann"),
        ("postgresql:///shop?password=secret", "postgresql:///shop"),
        ("postgresql:///shop?user=ann&password=s3cr@t-word", "postgresql:///shop"),
        ("postgresql://host/shop?password=s3cr@t-word", "postgresql://host/shop"),
        ("postgresql://host:5432/shop?password=s3cr@t-word", "postgresql://host"),
        ("postgresql://ann:s@cret@host/shop?password=s3cr@t-word", "postgresql://ann@host/shop"),
        ("mssql+pyodbc://?odbc_connect=PWD%3Dsecret", "mssql+pyodbc://"),
        ("mssql+pyodbc:///?odbc_connect=DRIVER={x};SERVER=h;UID=ann;PWD=p@ss", "mssql+pyodbc:///"),
        ("sqlite:///data/events.db", "sqlite:///data/events.db"),
        ("sqlite:///data/a@b.db", "sqlite:///data/a@b.db"),
        ("ann:secret@host/shop", "host/shop"),
        ("host/shop?password=s3cr@t-word", "host/shop"),
    ],
)
def test_what_is_secret_is_left_out(url: str, expected: str) -> None:
    assert masked(url) == expected


def test_messages_of_drivers_lose_what_is_secret() -> None:
    url = "mysql://ann:p%40ss@host/shop?ssl_key=hush"
    assert without_secrets("p@ss p%40ss hush ssl_key=hush host", url) == "*** *** *** *** host"


@pytest.mark.parametrize("url", ["mssql+pyodbc:///?odbc_connect=UID=ann;PWD=p@ss", "mysql://host/shop?password=p%40ss"])
def test_messages_of_drivers_lose_what_is_secret_of_options(url: str) -> None:
    assert without_secrets("login with 'p@ss' failed", url) == "login with '***' failed"
