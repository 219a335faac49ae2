"""The sandbox without HTTP: under moto's mock_aws, boto3's requests pass the same gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import BotocoreStubber

from sandbox.errors import Answer
from sandbox.gate import Dropped, pass_gate
from sandbox.patches import replaces
from sandbox.wire import read_call

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_moto_process = BotocoreStubber.process_request


@replaces(BotocoreStubber)
def process_request(self: BotocoreStubber, request: AWSPreparedRequest) -> tuple[int, dict[str, str], bytes]:
    """Answer a request that boto3 was about to send."""
    headers = {key.lower(): _text(value) for key, value in request.headers.items()}
    call = read_call(request.method, urlparse(request.url).path, headers, _bytes(request.body))
    try:
        answer = pass_gate(call, lambda: _forward(self, request))
    except Dropped as error:
        raise ConnectionClosedError(endpoint_url=request.url) from error
    return answer.status, {"content-type": answer.content_type, **dict(answer.headers)}, answer.body


def _forward(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Answer:
    response = _moto_process(stubber, request)
    if response is None:
        raise NotImplementedError
    status, headers, body = response
    kept = {key.lower(): str(value) for key, value in headers.items()}
    content_type = kept.pop("content-type", "text/plain")
    return Answer(status=int(status), content_type=content_type, headers=tuple(kept.items()), body=_bytes(body))


def _bytes(body: Any) -> bytes:
    if hasattr(body, "read"):
        start = body.tell()
        read: bytes = body.read()
        body.seek(start)
        return read
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
