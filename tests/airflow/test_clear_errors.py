"""What a person got wrong, or what is down: one clear error each, and nothing is written."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

import sandbox
from predictive_scaling.assets import METRIC_HISTORY
from predictive_scaling.ledger.tables import metadata
from predictive_scaling.operators import ApplyPlansOperator, CheckPullOperator, ListShardsOperator, PullMetricsOperator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLEET = """\
name: web
group: web
metric: {namespace: Shop, name: Requests}
target_per_instance: 600
min: 2
max: 20
mode: auto
"""


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with sandbox.running() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloud: sandbox.Cloud) -> pytest.MonkeyPatch:
    """A deployment with one fleet and everything in order, for a story to break one part of."""
    (tmp_path / "fleets").mkdir()
    (tmp_path / "fleets" / "web.yaml").write_text(FLEET)
    ledger = f"sqlite:///{tmp_path}/ledger.db"
    metadata.create_all(_engine(ledger))
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER", str(tmp_path / "fleets"))
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    monkeypatch.setenv("AIRFLOW_CONN_SCALING_LEDGER", _connection("generic", sqlalchemy_url=ledger))
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", _aws(cloud.url))
    return monkeypatch


def _engine(url: str) -> Any:
    from predictive_scaling.ledger.connection import engine_for

    return engine_for(url)


def _connection(kind: str, **extra: str) -> str:
    return json.dumps({"conn_type": kind, "extra": extra})


def _aws(url: str) -> str:
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    return _connection("aws", endpoint_url=url, region_name="us-east-1", **keys)


def a_context() -> Any:
    """The little of Airflow's context that our operators read."""
    ti = types.SimpleNamespace(dag_id="apply_plans", run_id="r1", task_id="apply", map_index=-1, try_number=1)
    dag_run = types.SimpleNamespace(run_type="manual", triggering_user_name="ada")
    partitions = types.SimpleNamespace(add_partitions=lambda _key: None)
    return {"ti": ti, "dag_run": dag_run, "outlet_events": {METRIC_HISTORY: partitions}}


def apply() -> Any:
    return ApplyPlansOperator(task_id="apply", shard="", only_plan=False).execute(a_context())


def pull() -> Any:
    return PullMetricsOperator(task_id="pull", shard="1-of-1").execute(a_context())


def test_a_missing_ledger_connection(settings: pytest.MonkeyPatch, cloud: sandbox.Cloud) -> None:
    settings.delenv("AIRFLOW_CONN_SCALING_LEDGER")
    with pytest.raises(AirflowFailException, match=r"no Airflow connection 'scaling_ledger'.*AIRFLOW_CONN"):
        apply()
    assert cloud.calls() == {}


def test_a_database_that_was_not_migrated(settings: pytest.MonkeyPatch, cloud: sandbox.Cloud, tmp_path: Path) -> None:
    empty = _connection("generic", sqlalchemy_url=f"sqlite:///{tmp_path}/empty.db")
    settings.setenv("AIRFLOW_CONN_SCALING_LEDGER", empty)
    with pytest.raises(AirflowFailException, match=r"table scaling_.*no such table.*airflow db migrate"):
        apply()
    assert cloud.calls() == {}


@pytest.mark.usefixtures("settings")
def test_a_fleet_without_a_forecast_is_refused_and_told_to_the_ledger(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    from predictive_scaling.ledger.store import SqlLedger

    cloud.create_fleet("web", min_size=2, desired=2)
    with pytest.raises(AirflowFailException, match=r"web: .*no forecast is stored yet, nor any value of"):
        apply()

    assert not [name for name in cloud.calls() if "Put" in name or "Delete" in name]
    (event,) = SqlLedger(_engine(f"sqlite:///{tmp_path}/ledger.db")).events()
    assert (event.kind.value, event.fleet, event.by.actor) == ("refused", "web", "ada")


def test_a_missing_aws_connection_is_never_a_fall_to_real_aws(settings: pytest.MonkeyPatch) -> None:
    settings.delenv("AIRFLOW_CONN_AWS_DEFAULT")
    with pytest.raises(AirflowException, match=r"no Airflow connection 'aws_default'"):
        pull()


def test_a_cloud_that_is_down(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings.setenv("AIRFLOW_CONN_AWS_DEFAULT", _aws("http://127.0.0.1:9"))
    settings.setattr("predictive_scaling.aws_client.CONFIG", _impatient())
    with pytest.raises(AirflowException, match=r"not one of the 1 fleets .* AWS cannot be reached"):
        pull()
    assert not (tmp_path / "storage").exists()


def _impatient() -> Any:
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1})


@pytest.mark.usefixtures("settings")
def test_a_metric_that_has_no_data_is_named_as_it_was_asked_for() -> None:
    with pytest.raises(AirflowException, match=r"web: NOT PULLED: Shop Requests \(no dimensions, Sum\) has no data"):
        pull()


def test_a_bad_fleet_file_fails_the_check_and_not_the_good_fleets(settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings
    (tmp_path / "fleets" / "bad.yaml").write_text("name: bad\n")

    assert ListShardsOperator(task_id="list").execute({}) == ["1-of-1"]
    told = r"1 fleet files, 0 shards and 0 fleets need a person: bad\.yaml: group"
    with pytest.raises(AirflowFailException, match=told):
        checked(["1-of-1"], ["1-of-1"])


@pytest.mark.usefixtures("settings")
def test_a_shard_that_was_not_pulled_at_all_fails_the_check() -> None:
    checked(["1-of-2", "2-of-2"], ["1-of-2", "2-of-2"])
    with pytest.raises(AirflowFailException, match="1 shards and 0 fleets need a person: shard 1-of-2: the log of its"):
        checked(["1-of-2", "2-of-2"], ["2-of-2"])
    with pytest.raises(AirflowFailException, match="need a person: all shards: the log of list_shards says why"):
        checked(None, [])


def checked(shards: list[str] | None, pulled: list[str]) -> None:
    answers = [{"shard": shard, "pulled": 1, "problems": []} for shard in pulled]
    CheckPullOperator(task_id="check", shards=shards, pulled=answers).execute({})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FLEETS_FOLDER", "/nowhere/at/all", r"fleets_folder '/nowhere/at/all' is no folder"),
        ("FLEETS_PER_SHARD", "many", r"fleets_per_shard = 'many' cannot be used: write a whole number"),
        ("FLEETS_PER_SHARD", "0", r"fleets_per_shard = '0'"),
        ("DRY_RUN", "perhaps", r"dry_run = 'perhaps' cannot be used: write True or False"),
        ("ACTION_PREFIX", "a b", r"action_prefix = 'a b'"),
        ("OPERATION_PATIENCE", "-5", r"operation_patience = '-5'"),
        ("STORAGE", "nonsense://bucket", r"storage = 'nonsense://bucket' cannot be used"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value_and_mend(
    settings: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    settings.setenv(f"AIRFLOW__PREDICTIVE_SCALING__{name}", value)
    with pytest.raises(AirflowFailException, match=message):
        pull()
