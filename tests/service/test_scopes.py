"""Every route with every scope: a key may do what the table says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from foldin.errors import ConfigurationError
from foldin.service.gate import OPEN
from foldin.service.keys import SCOPES, create_key
from foldin.workspace import Workspace
from tests.service.in_process import InProcess, serving_in_process


@dataclass(frozen=True)
class Case:
    """A request, and the scopes that allow it; `admin` allows everything."""

    method: str
    path: str
    scopes: Sequence[str] = ()
    body: object = None
    route: str = ""
    """The route's path, where it is not `path`."""


INVALID = {"unknown": 1}
"""A body that no route takes: what is allowed is answered 422, and does nothing."""

CASES = [
    Case("POST", "/v1/recommend", ["read"], {"user": "u02"}),
    Case("POST", "/v1/recommend", ["read"], {"history": ["i01"], "explain": True}),
    Case("POST", "/v1/recommend/batch", ["read"], {"people": [{"user": "u02"}]}),
    Case("POST", "/v1/recommend/batch", ["read"], {"people": [{"history": ["i01"]}], "explain": True}),
    Case("GET", "/v1/recommendations?user=u02", ["read"], route="/v1/recommendations"),
    Case("GET", "/v1/users/u02/recommendations", ["read"], route="/v1/users/{user}/recommendations"),
    Case("GET", "/v1/similar?item=i01", ["read"], route="/v1/similar"),
    Case("GET", "/v1/items/i01/similar", ["read"], route="/v1/items/{item}/similar"),
    Case("POST", "/v1/explain", ["read"], {"history": ["i01"], "item": "i03"}),
    Case("POST", "/v1/explain", ["read"], {"profile": {}, "item": "i03"}),
    Case("POST", "/v1/explain", ["people"], {"user": "u02", "item": "i03"}),
    Case("GET", "/metrics", ["read"]),
    Case("POST", "/v1/events", ["events"], INVALID),
    Case("GET", "/v1/item?item=i01", ["catalogue"], route="/v1/item"),
    Case("PUT", "/v1/item?item=i01", ["catalogue"], INVALID, route="/v1/item"),
    Case("DELETE", "/v1/item?item=%20", ["catalogue"], route="/v1/item"),
    Case("GET", "/v1/items/i01", ["catalogue"], route="/v1/items/{item}"),
    Case("PUT", "/v1/items/i01", ["catalogue"], INVALID, route="/v1/items/{item}"),
    Case("DELETE", "/v1/items/%20", ["catalogue"], route="/v1/items/{item}"),
    Case("POST", "/v1/items", ["catalogue"], INVALID),
    Case("GET", "/v1/user?user=u02", ["people"], route="/v1/user"),
    Case("PUT", "/v1/user?user=u02", ["people"], INVALID, route="/v1/user"),
    Case("DELETE", "/v1/user?user=%20", ["people"], route="/v1/user"),
    Case("GET", "/v1/users/u02", ["people"], route="/v1/users/{user}"),
    Case("PUT", "/v1/users/u02", ["people"], INVALID, route="/v1/users/{user}"),
    Case("DELETE", "/v1/users/%20", ["people"], route="/v1/users/{user}"),
    Case("GET", "/v1/models"),
    Case("POST", "/v1/models/rollback"),
    Case("POST", "/v1/models/none/activate", route="/v1/models/{model}/activate"),
    Case("DELETE", "/v1/models/none", route="/v1/models/{model}"),
    Case("POST", "/v1/train", body=INVALID),
    Case("GET", "/v1/jobs"),
    Case("GET", "/v1/jobs/1", route="/v1/jobs/{job}"),
    Case("GET", "/"),
    Case("GET", "/what-if"),
    Case("POST", "/what-if"),
    Case("POST", "/reasons"),
    Case("GET", "/catalogue"),
    Case("GET", "/catalogue/item?item=i01", route="/catalogue/item"),
    Case("GET", "/models"),
    Case("GET", "/models/jobs"),
    Case("GET", "/data"),
    Case("GET", "/people"),
    Case("GET", "/items"),
    Case("GET", "/docs"),
    Case("GET", "/static/0/page.css", route="/static/{digest}/{name:path}"),
    Case("POST", "/leave"),
    Case("GET", "/openapi.json", SCOPES),
]

BOTH = [
    ("/v1/recommend", {"user": "u02", "explain": True}),
    ("/v1/recommend/batch", {"people": [{"history": []}, {"user": "u02"}], "explain": True}),
]
"""Rankings that explain what is stored of a user: they need `read` and `people`."""


@pytest.fixture(scope="module")
def service(new_workspace: Callable[[], Workspace]) -> Iterator[InProcess]:
    with serving_in_process(new_workspace().folder) as running:
        yield running


@pytest.fixture(scope="module")
def keys(service: InProcess) -> dict[str, str]:
    return {scope: create_key(service.folder, scope, [scope]) for scope in SCOPES}


def routes_of(router: Any) -> Iterator[tuple[str, str]]:
    """The method and path of all routes, those of included routers too."""
    for route in router.routes:
        if hasattr(route, "original_router"):
            yield from (
                (method, route.include_context.prefix + path) for method, path in routes_of(route.original_router)
            )
        elif isinstance(route, APIRoute) or route.path == "/openapi.json":
            yield from ((method, route.path) for method in route.methods - {"HEAD"})


def test_every_route_is_in_the_table(service: InProcess) -> None:
    known = {(case.method, case.route or case.path) for case in CASES}
    unknown = {(method, path) for method, path in routes_of(service.app) if path not in OPEN} ^ known
    assert not unknown, "a route and the scopes that allow it belong into the table"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method} {case.path}")
def test_a_key_may_do_what_its_scope_says(case: Case, service: InProcess, keys: dict[str, str]) -> None:
    body: dict[str, Any] = {} if case.body is None else {"json": case.body}
    codes = {scope: service.send(case.method, case.path, keys[scope], **body).status_code for scope in SCOPES}
    assert {scope for scope, code in codes.items() if code != 403} == {*case.scopes, "admin"}, codes
    assert not {401, 405, 429, 503} & {*codes.values()}, codes
    assert service.send(case.method, case.path, **body).status_code == 401


@pytest.mark.parametrize(("path", "body"), BOTH)
def test_reasons_for_a_stored_user_need_two_scopes(
    path: str, body: dict[str, object], service: InProcess, keys: dict[str, str]
) -> None:
    for scope in SCOPES:
        refused = service.send("POST", path, keys[scope], json=body)
        assert refused.status_code == (200 if scope == "admin" else 403)
    assert "lacks the scope 'people'" in service.send("POST", path, keys["read"], json=body).json()["detail"]
    both = create_key(service.folder, path, ["read", "people"])
    assert service.send("POST", path, both, json=body).status_code == 200


def test_a_scope_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    there_are = "there are: read, events, catalogue, people, admin"
    with pytest.raises(ConfigurationError, match=there_are):
        create_key(tmp_path, "shop", ["ingest"])


def test_the_description_names_the_scopes(service: InProcess, keys: dict[str, str]) -> None:
    paths = service.send("GET", "/openapi.json", keys["read"]).json()["paths"]
    assert paths["/v1/explain"]["post"]["security"] == [{"key": ["read"]}, {"key": ["people"]}]
    assert paths["/v1/users/{user}"]["delete"]["security"] == [{"key": ["people"]}]
    assert paths["/health/live"]["get"]["security"] == []
