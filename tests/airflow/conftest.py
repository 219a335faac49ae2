"""A real Airflow steering a real (sandbox) cloud: started once for each database, shared by the stories on it."""

from __future__ import annotations

import os
import shutil
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

    from demo.local_postgres import LocalPostgres


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Airflow on each database, with a cloud of its own; on PostgreSQL tasks use the ledger's restricted role."""
    home = tmp_path_factory.mktemp(f"airflow_{request.param}")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    database, ledger = _databases(request, home.name)
    with LocalCloud("--seed-demo", log=home / "sandbox.log", env=env) as cloud:
        fleets = shutil.copytree(ROOT / "include" / "fleets", home / "fleets")
        place = Place(home=home, cloud_url=cloud.url, port=free_port(), fleets=fleets, database=database, ledger=ledger)
        with LocalAirflow(place) as airflow:
            airflow.wait_for_dags(*DAGS)
            yield Stack(airflow, cloud, SqlLedger(engine_for(place.database or f"sqlite:///{home}/airflow.db")))


def _databases(request: pytest.FixtureRequest, name: str) -> tuple[str | None, str | None]:
    """Give the addresses for Airflow and for the ledger; none for those of SQLite."""
    if request.param == "sqlite":
        return None, None
    server: LocalPostgres = request.getfixturevalue("postgres")
    database = server.create_database(name)
    migrate(database)
    server.script(name, ROOT / "include" / "sql" / "ledger_role.sql", password="secret")
    return database, server.url(name, user="scaling_ledger", password="secret")
