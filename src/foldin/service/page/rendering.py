"""Templates become answers; whatever stands in them is escaped."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from foldin.evaluation.titles import title_of
from foldin.service.headers import header
from foldin.service.page.assets import address
from foldin.service.page.moments import day_of, moment_of
from foldin.wording import counted

__all__ = ["as_asked", "at_browser", "has_session", "page", "stranger", "turned_away"]

PASSED_ON = {"retry-after"}
"""Headers of a problem that a page of it has, too."""


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A template with values, as an answer.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return HTMLResponse(_environment().get_template(template).render(**values), status)


def stranger(reason: str, *, may_be_signed_in: bool = False) -> HTMLResponse:
    """Page for a browser that is not signed in: why, and how to sign in."""
    return page("stranger.html", 401, reason=reason, may_be_signed_in=may_be_signed_in)


def at_browser(scope: Scope) -> bool:
    """Whether a browser asks for a page, by opening an address or sending a form.

    No form is sent to /v1/; clients that post there may accept HTML by default, as Java's HttpURLConnection.
    """
    sends_form = scope["method"] == "POST" and not scope["path"].startswith("/v1/")
    return (scope["method"] in ("GET", "HEAD") or sends_form) and "text/html" in header(scope, b"accept")


def has_session(scope: Scope) -> bool:
    """Whether a request came by a session, which its user can end, and not by a key or without any."""
    key = scope.get("state", {}).get("key")
    return key is not None and key.kind == "session"


def as_asked(scope: Scope, answer: Response) -> Response:
    """A problem for whoever asks: a page among the others for somebody at a browser, JSON for anything else."""
    return _with_page("problem.html", scope, answer)


def turned_away(scope: Scope, answer: Response) -> Response:
    """The same for whom the other pages are not open, or not now: a page that leads to none of them."""
    return _with_page("refusal.html", scope, answer)


def _with_page(template: str, scope: Scope, answer: Response) -> Response:
    if not at_browser(scope):
        return answer
    fields = json.loads(bytes(answer.body))
    about = {"title": fields["title"], "detail": fields["detail"]}
    as_page = page(template, answer.status_code, here=None, signed_in=has_session(scope), **about)
    for name in PASSED_ON.intersection(answer.headers):
        as_page.headers[name] = answer.headers[name]
    return as_page


@cache
def _environment() -> Environment:
    folder = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["address"] = address
    environment.filters |= {"day": day_of, "moment": moment_of, "counted": counted}
    environment.filters |= {"percent": _percent, "number": _number, "named": _named}
    environment.filters |= {"figure": _figure, "metric": title_of, "coded": _coded, "sentence": _sentence}
    return environment


def _coded(text: str) -> Markup:
    """What stands between grave accents as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _number(value: float) -> str:
    return f"{value:,}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _named(attribute: str) -> str:
    return attribute.replace("_", " ").capitalize()
