"""The forms that check groups and build them, in a real Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from deployment import Stack

# The chain is told on every database; what is done by hand goes the same way, on the one of production.
pytestmark = pytest.mark.parametrize("stack", ["postgres"], indirect=True)


def test_a_fleet_without_a_blueprint_is_told_where_to_write_it(stack: Stack) -> None:
    stack.airflow.wait_for_dags("ensure_fleet")
    run = stack.airflow.trigger("ensure_fleet", {"fleet": "web-shop", "dry_run": False})
    assert stack.airflow.wait_for_run("ensure_fleet", run)["state"] == "failed"
    log = stack.airflow.task_log("ensure_fleet", run, "ensure")
    assert "blueprints/web-shop.yaml: there is no blueprint: write what the group is made of" in log


def test_a_check_tells_what_is_grave_and_fails_until_it_is_mended(stack: Stack) -> None:
    stack.airflow.wait_for_dags("check_fleets")
    groups = stack.cloud.client("autoscaling")
    tag = {"ResourceType": "auto-scaling-group", "ResourceId": "web-shop", "Key": "predictive-scaling"}
    groups.delete_tags(Tags=[tag])

    run = stack.airflow.trigger("check_fleets", {"fleets": "web-shop"})
    assert stack.airflow.wait_for_run("check_fleets", run)["state"] == "failed"
    log = stack.airflow.task_log("check_fleets", run, "check")
    assert "web-shop: GRAVE tag predictive-scaling: found none, wanted yes" in log
    assert "grave flaws in 1 of 1 fleets, see the log above: web-shop" in log

    groups.create_or_update_tags(Tags=[{**tag, "Value": "yes", "PropagateAtLaunch": True}])
    run = stack.airflow.trigger("check_fleets", {"fleets": "web-shop"})
    assert stack.airflow.wait_for_run("check_fleets", run)["state"] == "success"
