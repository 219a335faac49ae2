"""What an Airflow has scheduled: each DAG's next run, expected to bring the tasks that its last one brought.

Of a DAG the API tells one run ahead. Runs that come daily have a habit, which a forecast knows; what comes once a week
or a month is one run ahead in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from forecasting.appointed import at_least
from predictive_scaling.metric import AirflowMetric
from predictive_scaling.sources import SourceUnavailable, metric_of
from predictive_scaling.sources.airflow_tasks import TaskInstances
from predictive_scaling.sources.periods import an_instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from forecasting import Forecast
    from predictive_scaling.fleet_spec import FleetSpec

MOST_DAGS: Final = 100
"""So many runs are looked into, the soonest first: two questions each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A DAG's next run."""

    dag: str
    at: datetime


def with_appointments(fleet: FleetSpec, forecast: Forecast) -> Forecast:
    """Raise a forecast of task instances to what is scheduled; an Airflow that cannot be asked leaves it as it is."""
    if not isinstance(fleet.metric, AirflowMetric):
        return forecast
    try:
        api = TaskInstances(fleet.metric.connection)
        coming = list(appointments(api, fleet, since=forecast.start, until=forecast.end))
        loads = [load for each in coming for load in _loads(api, fleet, each)]
    except SourceUnavailable as error:
        return forecast.noting(f"what is scheduled is not known: {error}")
    names = ", ".join(sorted({each.dag for each in coming}))
    return at_least(forecast, loads, f"at least what the next runs of {names} bring")


def appointments(api: TaskInstances, fleet: FleetSpec, *, since: datetime, until: datetime) -> Iterator[Appointment]:
    """Give the next runs within a window, the soonest first."""
    metric = metric_of(fleet, AirflowMetric)
    for dag in api.dags(metric, MOST_DAGS):
        at = an_instant(dag["next_dagrun_run_after"]) if dag["next_dagrun_run_after"] else None
        if at and since <= at < until and metric.dag in {None, dag["dag_id"]}:
            yield Appointment(dag=dag["dag_id"], at=at)


def _loads(api: TaskInstances, fleet: FleetSpec, coming: Appointment) -> Iterator[tuple[datetime, datetime, float]]:
    """Lay the tasks of a DAG's last run at the time of the next one: one task, from when it waited to its end."""
    metric = metric_of(fleet, AirflowMetric)
    last = api.last_run(metric, coming.dag)
    for task in api.of_run(metric, last) if last else ():
        began = task["queued_when"] or task["start_date"]
        if last and began and task["end_date"]:
            moved = coming.at - an_instant(last["run_after"])
            yield an_instant(began) + moved, an_instant(task["end_date"]) + moved, 1.0
