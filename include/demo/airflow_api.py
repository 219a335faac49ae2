"""Airflow's REST API as a person uses it, wherever the Airflow runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

PARTS: Final = ("metadatabase", "scheduler", "triggerer", "dag_processor")


class AirflowApi:
    """The API at an address; most calls need `log_in` first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=60)

    def is_healthy(self) -> bool:
        """Whether the API answers and says that every part of Airflow is healthy."""
        try:
            parts = self._http.get("/api/v2/monitor/health").json()
        except (httpx.HTTPError, ValueError):
            return False
        return all((parts.get(part) or {}).get("status") == "healthy" for part in PARTS)

    def log_in(self, user: str, password: str) -> None:
        """Make the calls that follow as this user."""
        answer = self._http.post("/auth/token", json={"username": user, "password": password})
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Make one call at a whole path, whatever comes of it."""
        return self._http.request(method, path, json=body, headers=headers)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make one call."""
        answer = self.request(method, f"/api/v2/{path}", body)
        if answer.is_error:
            msg = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise RuntimeError(msg)
        return answer.json() if answer.content else None

    def wait_for_dags(self, *dag_ids: str, seconds: float = 240) -> None:
        """Wait until the dag-processor has brought these DAGs in, unpaused."""

        def ready() -> bool:
            found = {dag["dag_id"]: dag for dag in self.call("GET", "dags?limit=100")["dags"]}
            return all(dag_id in found and not found[dag_id]["is_paused"] for dag_id in dag_ids)

        _wait_for(ready, lambda: f"the DAGs {', '.join(dag_ids)} did not come in unpaused", seconds=seconds)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Trigger a run, as the button does; give its id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self.call("POST", f"dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Give the runs of a DAG, newest first."""
        found: list[dict[str, Any]] = self.call("GET", f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=100")[
            "dag_runs"
        ]
        return found

    def wait_for_runs(
        self, dag_id: str, count: int, *, kinds: Collection[str] = (), since: str = "", seconds: float = 240
    ) -> list[dict[str, Any]]:
        """Wait until a DAG has `count` runs of these kinds since an instant and all have ended; newest first."""
        runs: list[dict[str, Any]] = []

        def ended() -> bool:
            runs[:] = [
                run
                for run in self.runs(dag_id)
                if run["queued_at"] >= since and (not kinds or run["run_type"] in kinds)
            ]
            return len(runs) >= count and all(run["state"] in {"success", "failed"} for run in runs)

        def found() -> str:
            states = [(run["dag_run_id"], run["state"]) for run in runs]
            return f"{dag_id}: {count} ended runs were awaited, found {states}"

        _wait_for(ended, found, seconds=seconds)
        return runs

    def wait_for_run(self, dag_id: str, run_id: str, *, seconds: float = 240) -> dict[str, Any]:
        """Wait until one run has ended."""
        run: dict[str, Any] = {}

        def ended() -> bool:
            run.update(self.call("GET", f"dags/{dag_id}/dagRuns/{run_id}"))
            return run["state"] in {"success", "failed"}

        _wait_for(ended, lambda: f"{dag_id}: run {run_id} is still {run.get('state')}", seconds=seconds)
        return run

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Give the task instances of a run."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000"
        found: list[dict[str, Any]] = self.call("GET", path)["task_instances"]
        return found

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Give what a task returned."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value?deserialize=true"
        return self.call("GET", path)["value"]

    def task_log(self, dag_id: str, run_id: str, task_id: str, *, try_number: int = 1, map_index: int = -1) -> str:
        """Give a task's log as lines of text."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self.call("GET", f"{path}?map_index={map_index}&full_content=true")["content"]
        return "\n".join(_line(entry) for entry in content)


def _line(entry: Any) -> str:
    """Give a log entry as text, with the message of the exception that came with it."""
    if not isinstance(entry, dict):
        return str(entry)
    errors = (str(error.get("exc_value", "")) for error in entry.get("error_detail") or ())
    return " ".join([str(entry.get("event", entry)), *errors])


def _wait_for(ready: Callable[[], bool], trouble: Callable[[], str], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(trouble())
        time.sleep(0.5)
