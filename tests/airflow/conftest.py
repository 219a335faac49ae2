"""A real Airflow steering a real (sandbox) cloud: started once for each database, shared by the stories on it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from deployment import Stack, migrate

from demo.cycle import DAGS
from demo.local_airflow import ROOT, LocalAirflow, Place
from demo.local_cloud import LocalCloud
from demo.process import free_port
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.store import SqlLedger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.local_postgres import LocalPostgres


@pytest.fixture(scope="session")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Airflow with the database it comes with."""
    home = tmp_path_factory.mktemp("airflow_sqlite")
    with _deployed(home, None, None) as stack:
        yield stack


@pytest.fixture(scope="session")
def on_postgres(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Airflow on PostgreSQL, where tasks use the ledger's restricted role."""
    home = tmp_path_factory.mktemp("airflow_postgres")
    database = postgres.create_database(home.name)
    migrate(database)
    postgres.script(home.name, ROOT / "include" / "sql" / "ledger_role.sql", password="secret")
    with _deployed(home, database, postgres.url(home.name, user="scaling_ledger", password="secret")) as stack:
        yield stack


@pytest.fixture(params=["sqlite", "postgres"])
def stack(request: pytest.FixtureRequest) -> Stack:
    """The one or the other, both running until the last story is told: to start one takes longer than a story."""
    found: Stack = request.getfixturevalue(f"on_{request.param}")
    return found


def _give_room(file: Path, cloud: LocalCloud) -> None:
    """Raise a fleet's maximum: at some hours its load asks for all of it, and a story adds to what there is."""
    file.write_text(file.read_text().replace("max: 16", "max: 40"))
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=file.stem, MaxSize=40)


@contextmanager
def _deployed(home: Path, database: str | None, ledger: str | None) -> Iterator[Stack]:
    """Start a deployment with a cloud and fleet files of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    with LocalCloud("--seed-demo", log=home / "sandbox.log", env=env) as cloud:
        fleets = shutil.copytree(ROOT / "include" / "fleets", home / "fleets")
        _give_room(fleets / "api-checkout.yaml", cloud)
        place = Place(home=home, cloud_url=cloud.url, port=free_port(), fleets=fleets, database=database, ledger=ledger)
        with LocalAirflow(place) as airflow:
            airflow.wait_for_dags(*DAGS)
            yield Stack(airflow, cloud, SqlLedger(engine_for(database or f"sqlite:///{home}/airflow.db")))
