"""The product's REST API, asked by somebody who has logged in to Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from demo.airflow_api import AirflowApi

PREFIX = "/scaling/api/v1/"


class ScalingApi:
    """The API under `/scaling/api/v1`, as the user of an `AirflowApi`."""

    def __init__(self, airflow: AirflowApi) -> None:
        self._airflow = airflow

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Make one call, whatever comes of it; an underscore in a header's name is a dash."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._airflow.request(method, f"{PREFIX}{path}", body, named)

    def get(self, path: str) -> Any:
        """Give what is there; RuntimeError tells the answer of a call that failed."""
        answer = self.ask("GET", path)
        if answer.is_error:
            msg = f"GET {PREFIX}{path}: {answer.status_code} {answer.text[:500]}"
            raise RuntimeError(msg)
        return answer.json()

    def make_autoscaler(self, body: Mapping[str, Any]) -> httpx.Response:
        """Make an autoscaler; asked again with the same body it makes no second one."""
        return self.ask("POST", "autoscalers", dict(body), Idempotency_Key=f"make-{body['name']}")

    def autoscalers(self) -> list[str]:
        """Give the names of those there are."""
        return [each["asked"]["name"] for each in self.get("autoscalers?limit=500")["items"]]

    def events(self, fleet: str) -> list[dict[str, Any]]:
        """Give a fleet's events, newest first."""
        found: list[dict[str, Any]] = self.get(f"events?fleet={fleet}&limit=200")["items"]
        return found

    def overrides(self, fleet: str) -> list[dict[str, Any]]:
        """Give what people's words lie over a fleet's plan."""
        found: list[dict[str, Any]] = self.get(f"overrides?fleet={fleet}")["items"]
        return [each for each in found if each["fleet"] == fleet]
