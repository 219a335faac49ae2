"""ETags: a page that asks every few seconds is told "as before" with an empty answer."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

GOOD, NOT_MODIFIED = 200, 304
WHOLE = ("application/json", "text/javascript", "image/svg+xml")


class ETags:
    """Gives each whole answer to a GET its ETag, and answers 304 when the asker has it already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        await self._app(scope, receive, _Answer(send, known))


class _Answer:
    """Holds an answer back until its body is whole; streams and errors pass through."""

    def __init__(self, send: Send, known: str) -> None:
        self._send, self._known = send, known
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_whole(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        tag = etag_of(self._body, headers.get("ETag", ""))
        headers["ETag"] = tag
        headers["Cache-Control"] = "private, no-cache"
        if tag in {each.strip().removeprefix("W/") for each in self._known.split(",")}:
            start["status"], self._body = NOT_MODIFIED, b""
            del headers["Content-Length"]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": self._body})


def etag_of(body: bytes, thing: str = "") -> str:
    """Name exactly this content, after a name of the thing that it tells of."""
    digest = hashlib.blake2b(body, digest_size=12).hexdigest()
    return f'"{thing}.{digest}"' if thing else f'"{digest}"'


def is_of(tag: str, thing: str) -> bool:
    """Whether an ETag is of a thing, whatever was told of it."""
    return tag.strip().strip('"').partition(".")[0] == thing


def _is_whole(start: Any) -> bool:
    content_type = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == GOOD and content_type.startswith(WHOLE)
