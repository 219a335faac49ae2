"""The promise: the dashboards are as the fleet files and plans are, and nobody else's is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from budgeting import a_fleet_of
from by_hand import FLEET_FILE, Desk, a_desk
from rights import connect_with, keys_of

from demo.local_airflow import ROOT
from forecasting import Plan, Step
from predictive_scaling.dashboard import FLEETS_A_DASHBOARD, Shown, bodies
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.metric import AirflowMetric, ArrivalsMetric, QueueMetric
from predictive_scaling.operators import EnsureDashboardOperator
from predictive_scaling.status import Status

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

    import sandbox

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)


def ensured(desk: Desk, **options: Any) -> list[tuple[str, str]]:
    rows = desk.carry_out(EnsureDashboardOperator(task_id="ensure", **options))
    return [(row["dashboard"], row["change"]) for row in rows]


def drawn(cloud: sandbox.Cloud, name: str = "predictive-scaling") -> list[dict[str, Any]]:
    widgets: list[dict[str, Any]] = json.loads(
        cloud.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"]
    )["widgets"]
    return widgets


def steered(desk: Desk) -> None:
    """Leave behind what a turn of the fleet does."""
    plan = Plan((Step(SOON - timedelta(hours=5), 2, "now"), Step(SOON, 6, "the peak")))
    status = Status(
        fleet="web",
        at=SOON,
        group="web",
        mode="auto",
        unit="B per minute",
        planned=2,
        quantile=0.9,
        demand=150.0,
        peak_at=SOON,
        peak_demand=500.0,
    )
    SqlStatuses(desk.ledger._engine).save(status, json.loads(plan.to_json()))  # noqa: SLF001 - one database for all


def test_a_dashboard_is_made_once_and_kept_current(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    cloud.faults.forget_calls()
    assert ensured(desk, only_plan="True") == [("predictive-scaling", "create")]
    assert "cloudwatch.PutDashboard" not in cloud.calls()

    assert ensured(desk) == [("predictive-scaling", "create")]
    assert ensured(desk) == [("predictive-scaling", "keep")]
    steered(desk)
    assert ensured(desk) == [("predictive-scaling", "update")]
    assert ensured(desk) == [("predictive-scaling", "keep")]

    assert cloud.calls()["cloudwatch.PutDashboard"] == 2
    words, demand, capacity, cost = drawn(cloud)
    assert f"forecast peak p90 500 B per minute at {SOON:%a %H:%M} UTC" in words["properties"]["markdown"]
    assert demand["properties"]["metrics"] == [["A", "B", {"stat": "Sum", "id": "load0"}]]
    levels = {each["label"]: each["value"] for each in demand["properties"]["annotations"]["horizontal"]}
    assert levels == {"expected now": 750, "forecast peak": 2500}, "the graph shows sums of five minutes"
    assert capacity["properties"]["annotations"]["vertical"] == [{"label": "6 instances", "value": f"{SOON:%FT%TZ}"}]
    assert "price_per_hour" in cost["properties"]["markdown"]


def test_what_is_no_longer_needed_goes_and_what_is_not_ours_stays(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    cloudwatch = cloud.client("cloudwatch")
    for name in ("predictive-scaling-2", "predictive-scaling-of-mine"):
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')
    cloud.faults.forget_calls()

    assert ensured(desk) == [("predictive-scaling", "create"), ("predictive-scaling-2", "delete")]

    statements = json.loads((ROOT / "include" / "iam" / "dashboards.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {name.replace(".", ":") for name in cloud.calls()} == allowed
    left = [row["DashboardName"] for row in cloudwatch.list_dashboards()["DashboardEntries"]]
    assert sorted(left) == ["predictive-scaling", "predictive-scaling-of-mine"]


def test_fleets_of_several_regions_share_the_one_dashboard_that_an_account_has_of_a_name(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    there = FLEET_FILE.replace("name: web", "name: there", 1) + "region: eu-central-1\n"
    (tmp_path / "fleets" / "there.yaml").write_text(there)

    assert ensured(desk) == [("predictive-scaling", "create")], "a second of the name would take the place of the first"

    regions = [each["properties"]["region"] for each in drawn(cloud) if each["type"] == "metric"]
    assert sorted(set(regions)) == ["eu-central-1", "us-east-1"]
    assert ensured(desk) == [("predictive-scaling", "keep")]


def test_so_do_fleets_of_several_connections_that_lead_to_one_account(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    connect_with(keys_of(cloud, "dashboards"), cloud, monkeypatch, name="aws_other")
    other = FLEET_FILE.replace("name: web", "name: other", 1) + "connection: aws_other\n"
    (tmp_path / "fleets" / "other.yaml").write_text(other)

    assert ensured(desk) == [("predictive-scaling", "create")]
    assert {"web", "other"} <= {word for each in drawn(cloud) for word in str(each).replace("*", " ").split()}
    assert ensured(desk) == [("predictive-scaling", "keep")]


def test_a_fleet_without_a_region_is_drawn_in_that_of_its_own_connection(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    connect_with(keys_of(cloud, "dashboards"), cloud, monkeypatch, name="aws_other", region_name="eu-central-1")
    other = FLEET_FILE.replace("name: web", "name: other", 1) + "connection: aws_other\n"
    (tmp_path / "fleets" / "other.yaml").write_text(other)

    assert ensured(desk) == [("predictive-scaling", "create")]
    regions = [each["properties"]["region"] for each in drawn(cloud) if each["type"] == "metric"]
    assert sorted(set(regions)) == ["eu-central-1", "us-east-1"]
    assert ensured(desk) == [("predictive-scaling", "keep")]


def test_a_fleet_with_a_price_has_its_cost_drawn(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("dashboards",))
    (tmp_path / "fleets" / "web.yaml").write_text(f"{FLEET_FILE}price_per_hour: 0.25\n")
    ensured(desk)
    *_, cost = drawn(cloud)
    assert cost["properties"]["metrics"][1][0]["expression"] == "n*0.25"


def test_whatever_cloudwatch_measures_is_drawn_as_it_is_read_and_nothing_else() -> None:
    queue = QueueMetric(name="messages in jobs", queue="jobs")
    asked = AirflowMetric(name="task instances")
    fleets = [
        Shown(spec=replace(a_fleet_of("web"), metric=metric), region="us-east-1")
        for metric in (queue, ArrivalsMetric(name="sent", queue="jobs", drain=timedelta(minutes=10)), asked)
    ]
    widgets = json.loads(bodies("all", fleets, now=SOON)["all"])["widgets"]
    depth, arrivals, elsewhere = (each["properties"] for each in widgets[1::4])
    waiting, working = (
        ["AWS/SQS", f"ApproximateNumberOfMessages{which}", "QueueName", "jobs", {"stat": "Average", **part}]
        for which, part in (
            ("Visible", {"id": "waiting_0", "visible": False}),
            ("NotVisible", {"id": "working_0", "visible": False}),
        )
    )
    total = [{"expression": "waiting_0 + working_0", "label": "messages in jobs", "id": "load0"}]
    assert depth["metrics"] == [waiting, working, total]
    assert arrivals["metrics"] == [
        ["AWS/SQS", "NumberOfMessagesSent", "QueueName", "jobs", {"stat": "Sum", "id": "load0"}]
    ]
    assert elsewhere["markdown"] == "Demand is task instances, which is not measured in CloudWatch."


def test_many_fleets_have_several_dashboards_within_what_cloudwatch_takes() -> None:
    fleets = [Shown(spec=a_fleet_of(f"web-{at}"), region="us-east-1") for at in range(2 * FLEETS_A_DASHBOARD + 1)]
    found = bodies("all", fleets, now=SOON)
    assert list(found) == ["all", "all-2", "all-3"]
    assert [len(json.loads(body)["widgets"]) for body in found.values()] == [280, 280, 4]
