from __future__ import annotations

import pytest

from foldin.sources.urls import masked, without_secrets


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://host/shop", "postgresql://host/shop"),
        ("postgresql://ann:secret@host:5432/shop", "postgresql://ann@host:5432/shop"),
        ("postgresql://ann:s/ecr@et?@host/shop", "postgresql://ann@host/shop"),
        ("postgresql:///shop?password=secret", "postgresql:///shop"),
        ("mssql+pyodbc://?odbc_connect=PWD%3Dsecret", "mssql+pyodbc://"),
        ("sqlite:///data/events.db", "sqlite:///data/events.db"),
        ("ann:secret@host/shop", "host/shop"),
    ],
)
def test_what_is_secret_is_left_out(url: str, expected: str) -> None:
    assert masked(url) == expected


def test_messages_of_drivers_lose_what_is_secret() -> None:
    url = "mysql://ann:p%40ss@host/shop?ssl_key=hush"
    assert without_secrets("p@ss p%40ss hush ssl_key=hush host", url) == "*** *** *** *** host"
