"""The gate that every AWS call passes: it is counted, perhaps struck by a fault, and never answered with HTML."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from moto.core.exceptions import ServiceException

from sandbox import own_services, permissions
from sandbox.errors import Answer, error_answer
from sandbox.faults import FAULTS
from sandbox.world import WORLD

if TYPE_CHECKING:
    from sandbox.wire import Call

log = logging.getLogger("sandbox")

Forward = Callable[[], Answer]


class Dropped(ConnectionError):
    """The connection is closed without an answer."""


def pass_gate(call: Call, forward: Forward) -> Answer:
    """Answer one call, by moto or by a fault."""
    strike = FAULTS.meet(call)
    fault = strike.fault
    if fault is None:
        time.sleep(strike.latency)
        return _serve(call, forward)
    answer = _serve(call, forward) if fault.after else None
    time.sleep(strike.latency)
    if fault.drop:
        raise Dropped
    if answer is not None and fault.error is None:
        return answer
    return error_answer(call.protocol, fault.error or "", strike.message, fault.status)


def _serve(call: Call, forward: Forward) -> Answer:
    with WORLD.lock:
        WORLD.catch_up()
        try:
            if denied := permissions.refusal(call):
                return denied
            answer = own_services.answer(call) if own_services.is_own(call) else forward()
        except Exception as error:  # noqa: BLE001 - whatever moto raises, the client must be able to read it
            return _translate(call, error)
    if answer.status != HTTPStatus.OK and answer.content_type.startswith("text/html"):
        return _not_implemented(call)
    return answer


def _not_implemented(call: Call) -> Answer:
    message = f"{call.key} is not implemented by the sandbox"
    return error_answer(call.protocol, "NotImplemented", message, 501)


def _translate(call: Call, error: Exception) -> Answer:
    match error:
        case NotImplementedError():
            return _not_implemented(call)
        case ServiceException():
            return error_answer(call.protocol, error.code, error.message, 400)
        case KeyError() | StopIteration() | IndexError():
            message = f"{call.key}: something that the request names does not exist: {error}"
            return error_answer(call.protocol, "ValidationError", message, 400)
        case ValueError() | TypeError():
            message = f"{call.key}: the request cannot be understood: {error}"
            return error_answer(call.protocol, "ValidationError", message, 400)
        case _:
            log.error("%s failed inside the sandbox", call.key, exc_info=error)
            return error_answer(call.protocol, "InternalFailure", f"{type(error).__name__}: {error}", 500)
