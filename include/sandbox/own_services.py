"""Operations of services that moto does not have at all: the sandbox answers them itself, in AWS JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sandbox.errors import Answer

if TYPE_CHECKING:
    from sandbox.wire import Call

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]

_operations: dict[str, Operation] = {}


def serves(key: str) -> Callable[[Operation], Operation]:
    """Declare a function as an operation, for example pricing.GetProducts."""

    def declare(function: Operation) -> Operation:
        _operations[key] = function
        return function

    return declare


def is_own(call: Call) -> bool:
    """Tell whether the sandbox answers a call itself."""
    return call.key in _operations


def answer(call: Call) -> Answer:
    """Answer a call."""
    reply = _operations[call.key](json.loads(call.body or b"{}"))
    body = json.dumps(reply).encode()
    return Answer(status=200, content_type="application/x-amz-json-1.1", headers=(), body=body)
