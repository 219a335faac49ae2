"""JSON from an HTTP server that an Airflow connection of type `http` names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.sources import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PATIENCE: Final = 20
"""Seconds a server may take."""
_SHOWN: Final = 200


class JsonServer:
    """A server that is asked through Airflow's HTTP hook; `token`, when given, proves who asks."""

    def __init__(self, connection: str, *, token: str | None = None) -> None:
        self.connection = connection
        self._auth = _bearer(token) if token else None
        existing(connection)

    def get(self, path: str, question: Mapping[str, Any]) -> tuple[int, Any]:
        """Ask, and give the answer's status and JSON; a server that is down raises Unreachable."""
        return self._run("GET", path, data=dict(question))

    def post(self, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Send JSON, and give the answer's status and JSON."""
        return self._run("POST", path, json=dict(body))

    def _run(self, method: str, path: str, **sent: Any) -> tuple[int, Any]:
        from airflow.providers.http.hooks.http import HttpHook

        hook: Any = HttpHook(method=method, http_conn_id=self.connection, auth_type=self._auth)
        try:
            answer = hook.run(path, extra_options={"check_response": False, "timeout": PATIENCE}, **sent)
        except OSError as error:
            msg = (
                f"connection {self.connection!r} does not answer ({_innermost(error)}): check that {hook.base_url} "
                f"is up and can be reached from the workers"
            )
            raise Unreachable(_bare(msg)) from error
        try:
            return answer.status_code, answer.json()
        except ValueError as error:
            msg = (
                f"connection {self.connection!r} answered {answer.status_code} and no JSON, but "
                f"{answer.text[:_SHOWN]!r}: check its address, {hook.base_url}"
            )
            raise Unreachable(_bare(msg)) from error


def existing(connection: str) -> Any:
    """Give an Airflow connection, which must exist."""
    from airflow.sdk import Connection

    try:
        return Connection.get(connection)
    except Exception as error:
        msg = (
            f"no Airflow connection {connection!r}: define it, for example AIRFLOW_CONN_{connection.upper()}, "
            f"or name another with `connection:` in the fleet file's metric"
        )
        raise Unreachable(msg) from error


def _bearer(token: str) -> Callable[..., Callable[[Any], Any]]:
    """Sign with a token where the hook would sign with the connection's name and password."""

    def sign(request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return lambda *_: sign


def _bare(text: str) -> str:
    """Leave out names and passwords in addresses: why a fleet is in trouble, whoever may read DAGs may read."""
    return re.sub(r"//\S*@", "//", text)


def _innermost(error: OSError) -> str:
    """Name the first cause, which the HTTP library wraps in several sentences."""
    cause: BaseException = error
    while before := cause.__cause__ or cause.__context__:
        cause = before
    return f"{type(error).__name__}: {' '.join(str(cause).split())[:_SHOWN]}"
