"""Reading a raw AWS request: which service, which operation, and in which protocol it must be answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

_CREDENTIAL = re.compile(r"Credential=([^/]*)/\d+/([^/]+)/([^/]+)/")
_ACTION = re.compile(r"(?:^|&)Action=(\w+)")
_VERSION = re.compile(r"(?:^|&)Version=([\w-]+)")
_CBOR_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")
_TARGET_OPERATION = re.compile(r"(\w+)$")

CLIENT_NAMES = {"monitoring": "cloudwatch", "elasticloadbalancing": "elb", "email": "ses", "states": "stepfunctions"}
"""SigV4 signing names that differ from the name of the boto3 client."""

ELBV2_VERSION = "2015-12-01"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one operation of one service, by the names that boto3 uses."""

    service: str
    operation: str
    protocol: str
    body: bytes = field(default=b"", repr=False, compare=False)
    key_id: str = field(default="", compare=False)
    token: str = field(default="", repr=False, compare=False)
    region: str = field(default="us-east-1", compare=False)

    @property
    def key(self) -> str:
        """Return the name under which the call is counted."""
        return f"{self.service}.{self.operation}"


def read_call(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Tell what a request calls, and who calls; header names are in lower case."""
    credential = _CREDENTIAL.search(headers.get("authorization", ""))
    call = _read(method, path, headers, body, credential[3] if credential else "unknown")
    if credential is None:
        return call
    token = headers.get("x-amz-security-token", "")
    return replace(call, key_id=credential[1], region=credential[2], token=token)


def _read(method: str, path: str, headers: Mapping[str, str], body: bytes, signed: str) -> Call:
    target = headers.get("x-amz-target", "")
    form = "" if target else body[:100_000].decode("utf-8", "replace")
    service = CLIENT_NAMES.get(signed, signed)
    if cbor := _CBOR_PATH.search(path):
        return Call(service, cbor[1], "cbor")
    if target and (operation := _TARGET_OPERATION.search(target)):
        return Call(service, operation[1], "json", body)
    if action := _ACTION.search(form):
        version = _VERSION.search(form)
        if service == "elb" and version and version[1] == ELBV2_VERSION:
            service = "elbv2"
        return Call(service, action[1], "ec2" if service == "ec2" else "query", body)
    return Call(service, f"{method} {unquote(path)}", "rest-xml" if service == "s3" else "rest-json")
