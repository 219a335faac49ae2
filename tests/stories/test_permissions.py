"""The permissions we ask for are exactly the calls we make: none missing, none to spare."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from rights import connect
from telling import MONDAY, a_fleet, a_ledger, a_plan, a_turn, an_order, carry_out

from demo.local_airflow import ROOT
from forecasting import Policy
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.sources import Request
from predictive_scaling.sources.cloudwatch import CloudWatchSource

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    import sandbox


def allowed(mode: str) -> set[str]:
    statements = json.loads((ROOT / "include" / "iam" / f"{mode}.json").read_text())["Statement"]
    return {action for statement in statements for action in statement["Action"]}


def made(cloud: sandbox.Cloud) -> set[str]:
    return {name.replace(".", ":") for name in cloud.calls()}


def pull(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(cloud, monkeypatch, "observe")
    web = FleetSpec(name="web", group="web", metric=Metric(namespace="A", name="B"), policy=Policy(1, 9, 100.0))
    answer = CloudWatchSource().read([Request(fleet=web, since=MONDAY - timedelta(hours=1))], until=MONDAY)
    assert answer.problems == {}


def test_a_fleet_that_is_observed_needs_the_reading_permissions_alone(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.faults.forget_calls()
    pull(cloud, monkeypatch)
    carry_out(an_order(a_plan(5), write=False), a_fleet(cloud), a_ledger(tmp_path))
    a_fleet(cloud).activities()  # as the daily review does
    assert made(cloud) == allowed("observe")


def test_a_fleet_that_is_steered_needs_four_more(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.forget_calls()
    pull(cloud, monkeypatch)
    a_fleet(cloud).policies()  # before the first write
    a_fleet(cloud).claim("blue")
    carry_out(an_order(a_plan(5, 9)), a_fleet(cloud), ledger)
    carry_out(an_order(a_plan(5), a_turn(run=2)), a_fleet(cloud), ledger)
    a_fleet(cloud).activities()
    assert made(cloud) == allowed("auto")
