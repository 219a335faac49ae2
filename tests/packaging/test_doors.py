"""Two doors lead into Airflow, the plugins folder and the wheel: each opens alone, and a DAG file stays light."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.local_airflow import ROOT, Place

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("prophet", "pandas", "numpy", "boto3", "botocore", "pyarrow", "matplotlib", "statsmodels", "cmdstanpy")


def run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked into a folder of its own as an installer does, beside nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run([sys.executable, *build], cwd=ROOT, check=True, capture_output=True)
    (built,) = (folder / "dist").glob("*.whl")
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder / "site"), str(built)]
    subprocess.run([sys.executable, *pip], check=True, capture_output=True)
    return folder / "site"


def through_the_folder(home: Path) -> dict[str, str]:
    return Place(home=home, cloud_url="http://127.0.0.1:9", port=0).environment()


def through_the_wheel(home: Path, site: Path) -> dict[str, str]:
    env = through_the_folder(home)
    (home / "plugins").mkdir(parents=True)
    del env["AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS"]
    return {**env, "PYTHONPATH": str(site), "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins")}


AIRFLOW = [sys.executable, "-m", "airflow"]
TABLES = (
    "import sqlite3, sys; print([r[0] for r in sqlite3.connect(sys.argv[1]).execute('select name from sqlite_master')])"
)


@pytest.mark.parametrize("door", ["folder", "wheel"])
def test_each_door_alone_brings_the_plugin_the_dags_and_the_tables(
    request: pytest.FixtureRequest, tmp_path: Path, door: str
) -> None:
    site = request.getfixturevalue("wheel") if door == "wheel" else None
    env = through_the_wheel(tmp_path, site) if site else through_the_folder(tmp_path)

    run([*AIRFLOW, "db", "migrate"], env)

    tables = run([sys.executable, "-c", TABLES, str(tmp_path / "airflow.db")], env)
    assert "scaling_operation" in tables
    assert "scaling_event" in tables
    plugins = run([*AIRFLOW, "plugins"], env)
    assert plugins.count("predictive_scaling") >= 1
    assert ("predictive_scaling_plugin.py" in plugins) == (door == "folder")
    dags = run([*AIRFLOW, "dags", "list", "--local"], env)
    assert all(dag_id in dags for dag_id in ("pull_metrics", "forecast_demand", "apply_plans", "replay_policy"))
    errors = run([*AIRFLOW, "dags", "list-import-errors", "--local"], env)
    assert "No data found" in errors


def test_the_wheel_announces_a_provider_with_every_option(wheel: Path, tmp_path: Path) -> None:
    env = through_the_wheel(tmp_path, wheel)
    assert "airflow-predictive-scaling" in run([*AIRFLOW, "providers", "list"], env)
    section = run([*AIRFLOW, "config", "list", "--section", "predictive_scaling", "--include-descriptions"], env)
    for option in ("fleets_folder", "storage", "fleets_per_shard", "dry_run", "action_prefix", "operation_patience"):
        assert option in section


def test_the_wheel_carries_the_migrations_and_nothing_of_the_tests(wheel: Path) -> None:
    migrations = wheel / "predictive_scaling" / "ledger" / "migrations"
    assert (migrations / "alembic.ini").exists()
    assert list((migrations / "versions").glob("0001_*.py"))
    assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} <= {
        "forecasting",
        "predictive_scaling",
        "bin",
    }
    assert (wheel / "bin" / "predictive-scaling").exists()


@pytest.mark.parametrize("dag", sorted(path.name for path in (ROOT / "dags").glob("*.py")))
def test_parsing_a_dag_file_imports_nothing_heavy_and_reads_no_network(dag: str, tmp_path: Path) -> None:
    program = f"""
import socket, sys, runpy
import airflow.sdk
before = set(sys.modules)
def refuse(*args, **kwargs):
    raise AssertionError("a DAG file opened a connection while it was parsed")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
runpy.run_path({str(ROOT / "dags" / dag)!r})
print(sorted(set({HEAVY!r}) & (set(sys.modules) - before)))
"""
    env = {**through_the_folder(tmp_path), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    assert run([sys.executable, "-c", program], env).strip().splitlines()[-1] == "[]"


def test_the_plugin_loader_sees_the_shim_alone() -> None:
    ignored = (ROOT / "plugins" / ".airflowignore").read_text()
    assert "/predictive_scaling/" in ignored
    assert "/forecasting/" in ignored
    assert [path.name for path in (ROOT / "plugins").glob("*.py")] == ["predictive_scaling_plugin.py"]
