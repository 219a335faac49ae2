"""The errors of AWS by their own codes, and how each wire protocol writes an error down.

    ServiceException (moto)
    ├── ValidationError             the request breaks a rule of Auto Scaling or CloudWatch
    ├── AlreadyExists               a name or a start time is taken
    ├── LimitExceeded               a quota is full
    ├── ResourceInUse               something still depends on it
    ├── ScalingActivityInProgress   the cooldown has not passed
    ├── InvalidNextToken            no such page
    ├── InvalidParameterValue       CloudWatch: one parameter is wrong
    ├── InvalidParameterCombination CloudWatch: parameters that do not go together
    ├── InsufficientInstanceCapacity EC2: none left of that type, in that zone
    ├── VcpuLimitExceeded           EC2: the quota of the account is full
    ├── MaxSpotInstanceCountExceeded EC2: the Spot quota of the account is full
    ├── LaunchTemplateNotFound      EC2: the launch template of a group was deleted
    ├── InvalidParameterException   Pricing: one parameter is wrong
    └── ValidationException         Cost Explorer: the request breaks a rule

Moto raises many more of its own; whatever is raised reaches the client through `error_answer`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """The request breaks a rule."""

    code = "ValidationError"


class AlreadyExists(ServiceException):
    """The name or the start time is taken."""

    code = "AlreadyExists"


class LimitExceeded(ServiceException):
    """A quota is full."""

    code = "LimitExceeded"


class ResourceInUse(ServiceException):
    """Something still depends on the resource."""

    code = "ResourceInUse"


class ScalingActivityInProgress(ServiceException):
    """The cooldown of the group has not passed."""

    code = "ScalingActivityInProgress"


class InvalidNextToken(ServiceException):
    """No page begins there."""

    code = "InvalidNextToken"


class InvalidParameterValue(ServiceException):
    """One parameter of a CloudWatch call is wrong."""

    code = "InvalidParameterValue"


class InvalidParameterCombination(ServiceException):
    """Parameters of a CloudWatch call do not go together."""

    code = "InvalidParameterCombination"


class InsufficientInstanceCapacity(ServiceException):
    """EC2 has none left of that type, in that zone."""

    code = "InsufficientInstanceCapacity"


class VcpuLimitExceeded(ServiceException):
    """The vCPU quota of the account is full."""

    code = "VcpuLimitExceeded"


class MaxSpotInstanceCountExceeded(ServiceException):
    """The Spot quota of the account is full."""

    code = "MaxSpotInstanceCountExceeded"


class LaunchTemplateNotFound(ServiceException):
    """The launch template of a group was deleted."""

    code = "InvalidLaunchTemplateId.NotFound"


class InvalidParameterException(ServiceException):
    """One parameter of a Pricing call is wrong."""

    code = "InvalidParameterException"


class ValidationException(ServiceException):
    """A request to Cost Explorer breaks a rule."""

    code = "ValidationException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer that can be written in every protocol."""

    status: int
    content_type: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def error_answer(protocol: str, code: str, message: str, status: int) -> Answer:
    """Write an AWS error as the client's protocol expects it."""
    fault = "Sender" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
    headers: tuple[tuple[str, str], ...] = (("x-amzn-RequestId", "sandbox"), ("x-amzn-ErrorType", code))
    match protocol:
        case "query":
            body = (
                f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(code)}</Code>"
                f"<Message>{escape(message)}</Message></Error><RequestId>sandbox</RequestId></ErrorResponse>"
            ).encode()
            content_type = "text/xml"
        case "ec2":
            body = (
                f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
                "</Errors><RequestID>sandbox</RequestID></Response>"
            ).encode()
            content_type = "text/xml"
        case "rest-xml":
            body = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>".encode()
            content_type = "application/xml"
        case "cbor":
            body = _cbor({"__type": code, "message": message})
            content_type = "application/cbor"
            headers += (("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-query-error", f"{code};{fault}"))
        case _:
            body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
            content_type = "application/x-amz-json-1.1"
            headers += (("x-amzn-query-error", f"{code};{fault}"),)
    return Answer(status=status, content_type=content_type, headers=headers, body=body)


def _cbor(texts: dict[str, str]) -> bytes:
    """Encode a small map of texts (RFC 8949); a two-byte length is always allowed."""
    encoded = bytes([0xA0 | len(texts)])
    for text in (part for pair in texts.items() for part in pair):
        raw = text.encode()[:65535]
        encoded += b"\x79" + len(raw).to_bytes(2, "big") + raw
    return encoded
