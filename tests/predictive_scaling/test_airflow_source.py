"""Airflow's own tasks as demand: what waits for a worker or is on one, now and in each period of the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from busy_airflow import BusyAirflow
from measuring import FIVE, NOON, NOW, connect, measured_by

from forecasting import Forecast
from predictive_scaling.metric import AirflowMetric
from predictive_scaling.sources import Request
from predictive_scaling.sources.airflow_runs import with_appointments
from predictive_scaling.sources.airflow_tasks import AirflowSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from predictive_scaling.fleet_spec import FleetSpec


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BusyAirflow]:
    with BusyAirflow(tmp_path_factory.mktemp("busy")) as server:
        yield server


def a_fleet(name: str, *, queue: str, connection: str = "airflow_api") -> FleetSpec:
    return measured_by(AirflowMetric(name="task instances", queue=queue, connection=connection), name)


def test_tasks_are_counted_now_and_in_the_past(airflow: BusyAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    where = {"conn_type": "http", "host": "127.0.0.1", "port": airflow.place.port, "login": "admin"}
    connect(monkeypatch, "airflow_api", **where, password="admin")
    connect(monkeypatch, "airflow_stranger", **where, password="guessed")
    three = NOON - 3 * FIVE
    airflow.remember((three, three + FIVE), (three, NOON - FIVE), (NOON - FIVE / 2, None), queue="gpu")
    airflow.remember((NOON - FIVE, None), queue="gpu", state="queued", start_date=None)
    airflow.remember((NOON - FIVE, None), queue="gpu", state="deferred")
    airflow.remember(*[(three, NOON)] * 105, queue="cpu")
    fleets = [
        a_fleet("gpu", queue="gpu"),
        a_fleet("cpu", queue="cpu"),
        a_fleet("dark", queue="none"),
        a_fleet("stranger", queue="gpu", connection="airflow_stranger"),
    ]

    reading = AirflowSource().read(
        [Request(fleet=fleet, since=NOON - timedelta(hours=1)) for fleet in fleets], until=NOW
    )
    latest = AirflowSource().latest(fleets, now=NOW)

    gpu = reading.points["gpu"]
    assert gpu.values.tolist() == [2, 1, 1.5], "before the oldest task that is known, nothing is known"
    assert gpu.times[0] == three.timestamp()
    assert reading.points["cpu"].values.tolist() == [105, 105, 105], "more than a page"
    assert not len(reading.points["dark"])
    assert "401" in reading.problems["stranger"]
    assert (latest.seen["gpu"].value, latest.seen["cpu"].value) == (2, 0)


def test_a_run_that_is_scheduled_brings_what_its_last_one_brought(
    airflow: BusyAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"conn_type": "http", "host": "127.0.0.1", "port": airflow.place.port, "login": "admin"}
    connect(monkeypatch, "airflow_api", **where, password="admin")
    connect(monkeypatch, "airflow_stranger", **where, password="guessed")
    hour, lately = timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=1)
    airflow.remember(*[(lately, lately + hour)] * 12, queue="reports", run_after=lately)
    airflow.appoint(NOON + 5 * hour)
    values = np.full((2, 48), 3.0)
    foretold = Forecast(start=NOON, step=hour, quantiles=(0.5, 0.9), values=values, engine="ensemble", reason="habit")

    whole = with_appointments(a_fleet("reports", queue="reports"), foretold)
    assert whole.at(0.5)[4:7].tolist() == [3, 12, 3]
    assert whole.reason == "habit; at least what the next runs of pull_metrics bring"

    assert with_appointments(a_fleet("dark", queue="none"), foretold) is foretold
    airflow.appoint(NOON + 50 * hour)
    assert with_appointments(a_fleet("reports", queue="reports"), foretold) is foretold
    stranger = with_appointments(a_fleet("reports", queue="reports", connection="airflow_stranger"), foretold)
    assert "what is scheduled is not known" in stranger.reason
    assert np.array_equal(stranger.values, foretold.values)
