"""Clients of AWS from Airflow connections, and what AWS's failures mean to us.

A connection's own settings of botocore, such as a proxy, are kept; retries and timeouts are pinned here, so that no
deployment can turn them off.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
)

from predictive_scaling.errors import CloudUnavailable, OutcomeUnknown, WriteRefused
from predictive_scaling.pace import hold, pacer_of
from predictive_scaling.settings import calls_per_second

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG: Final = Config(
    retries={"mode": "adaptive", "total_max_attempts": 6},
    connect_timeout=5,
    read_timeout=20,
    user_agent_extra="airflow-predictive-scaling",
)
_UNTOUCHED: Final = frozenset({"ResourceContention", "ServiceLinkedRoleFailure", "RequestLimitExceeded"})
"""Refused for now, though AWS answers it as a fault of its own.

Another change of the same group is under way, the role that Auto Scaling acts by is not ready, EC2 is asked too much.
"""
_INVALID: Final = "ValidationError"
_NEVER_SENT: Final = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError, NoRegionError)
_SERVER_FAULT: Final = 500


def client(service: str, *, connection: str, region: str | None) -> Any:
    """Give a boto3 client for an Airflow connection, which must exist.

    The Amazon provider falls back to the machine's own credentials, and so to whatever account they belong to, when
    a connection is missing. A product that writes capacity must not.
    """
    from airflow.sdk import Connection

    try:
        known = Connection.get(connection)
    except Exception as error:
        msg = (
            f"no Airflow connection {connection!r}: define it, for example AIRFLOW_CONN_{connection.upper()}"
            f"='aws://', or name another with `connection:` in the fleet file"
        )
        raise CloudUnavailable(msg) from error
    return _made(service, connection, region, str(known.get_uri()), calls_per_second())


def hook_of(service: str, connection: str, region: str | None) -> Any:
    """Give the Amazon provider's hook for a connection, which stays at the connection's own address.

    With a role, the provider asks STS for it at AWS's public address whatever `endpoint_url` says, and so would send
    the keys of a private network, or of a sandbox, out to the real AWS.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    hook: Any = AwsGenericHook(aws_conn_id=connection, region_name=region, client_type=service)
    found = hook.conn_config
    found.botocore_config = (found.botocore_config or Config()).merge(CONFIG)
    if found.endpoint_url:
        sts = {"endpoint_url": found.endpoint_url, **found.service_config.get("sts", {})}
        found.service_config = {**found.service_config, "sts": sts}
    return hook


@lru_cache(maxsize=64)
def _made(service: str, connection: str, region: str | None, _address: str, budget: float) -> Any:
    """Make a client once for a connection and a budget as they are now: making one takes longer than most calls."""
    try:
        made = hook_of(service, connection, region).get_conn()
    except (BotoCoreError, ClientError) as error:
        msg = f"connection {connection!r} gives no client for {service}: {error}"
        raise CloudUnavailable(msg) from error
    hold(made, pacer_of(made, connection, budget))
    return made


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Translate the failures of a call that changes nothing."""
    try:
        yield
    except ClientError as error:
        msg = f"{what}: AWS refused: {describe(error)}"
        raise CloudUnavailable(msg) from error
    except BotoCoreError as error:
        msg = f"{what}: AWS cannot be reached: {error}"
        raise CloudUnavailable(msg) from error


def is_invalid(error: CloudUnavailable) -> bool:
    """Whether AWS refused what was asked itself, as it does where there is no such group."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response["Error"].get("Code") == _INVALID


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Translate the failures of a call that changes something: refused, never sent, or unknown."""
    try:
        yield
    except ClientError as error:
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        if status >= _SERVER_FAULT and error.response["Error"].get("Code") not in _UNTOUCHED:
            msg = f"{what}: AWS failed while answering: {describe(error)}; it may have taken effect"
            raise OutcomeUnknown(msg) from error
        msg = f"{what}: AWS refused: {describe(error)}"
        raise WriteRefused(msg) from error
    except _NEVER_SENT as error:
        msg = f"{what}: AWS cannot be reached, nothing was sent: {error}"
        raise CloudUnavailable(msg) from error
    except (BotoCoreError, HTTPClientError) as error:
        msg = f"{what}: no answer from AWS: {error}; it may have taken effect"
        raise OutcomeUnknown(msg) from error


def describe(error: ClientError) -> str:
    """Give code, message and request id of an AWS error."""
    details = error.response.get("Error", {})
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "-")
    return f"{details.get('Code', '?')}: {details.get('Message', error)} (request {request})"
