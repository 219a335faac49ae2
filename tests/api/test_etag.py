"""An answer the asker has already is not sent again, and a stream is not held back."""

from __future__ import annotations

import asyncio
from typing import Any

from predictive_scaling.api.etag import ETags, etag_of
from predictive_scaling.api.lazy_app import LazyApp

BODY = b'{"fleets": 3}'


def an_app(content_type: str, status: int = 200) -> Any:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": BODY[:5], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[5:]})

    return app


def ask(app: Any, known: str = "") -> tuple[int, dict[bytes, bytes], list[bytes]]:
    """Give the status, the headers and the parts of the body."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": [(b"if-none-match", known.encode())] if known else []}
    asyncio.run(app(scope, None, send))
    return sent[0]["status"], dict(sent[0]["headers"]), [message["body"] for message in sent[1:]]


def test_an_answer_has_an_etag_and_who_brings_it_back_is_told_nothing_has_changed() -> None:
    app = ETags(an_app("application/json"))
    status, headers, parts = ask(app)
    assert (status, b"".join(parts), headers[b"etag"].decode()) == (200, BODY, etag_of(BODY))

    for known in (etag_of(BODY), f'"old", W/{etag_of(BODY)}'):
        status, headers, parts = ask(app, known)
        assert (status, parts) == (304, [b""])
        assert b"content-length" not in headers


def test_who_brings_an_old_etag_gets_the_answer() -> None:
    assert ask(ETags(an_app("application/json")), '"old"')[0] == 200


def test_a_stream_and_an_error_pass_as_they_are() -> None:
    for app in (an_app("text/csv"), an_app("application/json", status=404)):
        _, headers, parts = ask(ETags(app))
        assert len(parts) == 2
        assert b"etag" not in headers


def test_a_lazy_app_is_imported_with_its_first_request() -> None:
    app = LazyApp("no.such.module:app")
    try:
        ask(app)
    except ModuleNotFoundError:
        return
    raise AssertionError
