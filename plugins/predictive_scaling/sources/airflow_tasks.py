"""An Airflow as a source: how many of its task instances wait for a worker or are on one, now and in its past.

It is asked through its REST API, because a task may not read the metadata database. The API knows of each task
instance its last try only. Tomorrow's load is forecast from the past as any other; what is scheduled for certain is
`airflow_runs`' to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.metric import AirflowMetric
from predictive_scaling.sources import Latest, Reading, Seen, SourceUnavailable, Unreachable, metric_of
from predictive_scaling.sources.http_answers import JsonServer, existing
from predictive_scaling.sources.in_turn import in_turn
from predictive_scaling.sources.periods import an_instant, floor
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Request

WAITING_OR_RUNNING: Final = ("queued", "running")
"""A scheduled task does not wait for a worker yet, and a deferred one has given its worker back.

The past counts a deferred task from its queue to its end once it has ended: the API does not tell when it was deferred.
"""
PER_PAGE: Final = 100
MOST_TASKS: Final = 20_000
"""As many are read at once: 200 answers, some seconds each on a busy server."""
_STARTED: Final = ("running", "success")
"""States that have a start for sure."""
_OK: Final = (200, 201)


@dataclass(frozen=True, slots=True)
class Stay:
    """How long one task instance waited and ran."""

    start: datetime
    end: datetime


class AirflowSource:
    """Keeps the contract of `Source` through Airflow's REST API."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Give how many there were on average in each period, from when on the API knows of any."""
        since = {request.fleet.name: request.since for request in requests}

        def ask(api: TaskInstances, fleet: FleetSpec) -> Points:
            return _history(api, metric_of(fleet, AirflowMetric), since[fleet.name], until)

        points, problems = in_turn([request.fleet for request in requests], reach=TaskInstances, ask=ask)
        return Reading(points=points, problems=problems)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Count those that wait or run."""

        def ask(api: TaskInstances, fleet: FleetSpec) -> Seen:
            return Seen(value=api.count(metric_of(fleet, AirflowMetric), {"state": WAITING_OR_RUNNING}), at=now)

        seen, problems = in_turn(fleets, reach=TaskInstances, ask=ask)
        return Latest(seen=seen, problems=problems)


class TaskInstances:
    """The list of task instances of an Airflow's API, for a user whose name and password a connection holds."""

    def __init__(self, connection: str) -> None:
        holder = existing(connection)
        status, answer = JsonServer(connection).post(
            "auth/token", {"username": holder.login, "password": holder.password}
        )
        if status not in _OK:
            msg = (
                f"connection {connection!r}: Airflow answered {status} to user {holder.login!r}: check its login and "
                f"password ({answer.get('detail', answer)})"
            )
            raise Unreachable(msg)
        self._server = JsonServer(connection, token=answer["access_token"])

    def count(self, metric: AirflowMetric, question: Mapping[str, Any]) -> int:
        """Tell how many there are."""
        return int(self._page(metric, {**question, "limit": 1})["total_entries"])

    def each(self, metric: AirflowMetric, question: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Give them all, page by page."""
        count = self.count(metric, question)
        if count > MOST_TASKS:
            msg = f"{metric.described}: {count:,} are more than the {MOST_TASKS:,} read at once: shorten `history`"
            raise SourceUnavailable(msg)
        for offset in range(0, count, PER_PAGE):
            page = {"limit": PER_PAGE, "offset": offset, "order_by": "id"}
            yield from self._page(metric, {**question, **page})["task_instances"]

    def dags(self, metric: AirflowMetric, most: int) -> list[dict[str, Any]]:
        """Give the DAGs that run, those first whose next run comes first; of one DAG it and those named like it."""
        question = {"paused": "false", "exclude_stale": "true", "order_by": "next_dagrun", "limit": most}
        question |= {"dag_id_pattern": metric.dag} if metric.dag else {}
        found: list[dict[str, Any]] = self._asked(metric, "api/v2/dags", question)["dags"]
        return found

    def last_run(self, metric: AirflowMetric, dag: str) -> dict[str, Any] | None:
        """Give the newest run of a DAG that succeeded."""
        question = {"state": "success", "order_by": "-run_after", "limit": 1}
        found: list[dict[str, Any]] = self._asked(metric, f"api/v2/dags/{dag}/dagRuns", question)["dag_runs"]
        return found[0] if found else None

    def of_run(self, metric: AirflowMetric, run: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Give a run's task instances, as far as the metric counts them; of very many the first."""
        filters = {key: value for key, value in metric.filters.items() if key != "dag"}
        path = f"api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        found: list[dict[str, Any]] = self._asked(metric, path, {**filters, "limit": PER_PAGE})["task_instances"]
        return found

    def oldest(self, metric: AirflowMetric) -> datetime | None:
        """Give the start of the oldest that is still known."""
        question = {"limit": 1, "order_by": "start_date", "state": _STARTED}
        found = self._page(metric, question)["task_instances"]
        return an_instant(found[0]["start_date"]) if found else None

    def _page(self, metric: AirflowMetric, question: Mapping[str, Any]) -> dict[str, Any]:
        filters = metric.filters
        path = f"api/v2/dags/{filters.pop('dag', '~')}/dagRuns/~/taskInstances"
        return self._asked(metric, path, {**filters, **question})

    def _asked(self, metric: AirflowMetric, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        status, answer = self._server.get(path, question)
        if status not in _OK:
            msg = f"{metric.described}: Airflow answered {status}: {answer.get('detail', answer)}"
            raise SourceUnavailable(msg)
        found: dict[str, Any] = answer
        return found


def _history(api: TaskInstances, metric: AirflowMetric, since: datetime, until: datetime) -> Points:
    """Average over each period how many waited or ran; before the oldest that is known, nothing is known."""
    oldest = api.oldest(metric)
    if oldest is None:
        return Points.of(())
    start, end = floor(max(since, oldest), metric.period), floor(until, metric.period)
    load = {start + number * metric.period: 0.0 for number in range((end - start) // metric.period)}
    for stay in _stays(api, metric, start, end):
        _add(load, stay, metric.period)
    return Points.of(load.items())


def _stays(api: TaskInstances, metric: AirflowMetric, start: datetime, end: datetime) -> Iterator[Stay]:
    ended = {"end_date_gte": start.isoformat(), "start_date_lte": end.isoformat()}
    unfinished = {"state": WAITING_OR_RUNNING}
    # Airflow counts what has no end among the ended too, as ending now, whatever its state.
    known = {found["id"]: found for question in (ended, unfinished) for found in api.each(metric, question)}
    for found in known.values():
        began = found["queued_when"] or found["start_date"]
        if began and (found["end_date"] or found["state"] in WAITING_OR_RUNNING):
            over = an_instant(found["end_date"]) if found["end_date"] else end
            yield Stay(max(start, an_instant(began)), min(end, over))


def _add(load: dict[datetime, float], stay: Stay, period: timedelta) -> None:
    """Add to each period the share of it that the stay lasted."""
    slot = floor(stay.start, period)
    while slot < stay.end:
        within = min(stay.end, slot + period) - max(stay.start, slot)
        load[slot] = load.get(slot, 0.0) + within / period
        slot += period
