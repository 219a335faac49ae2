"""The sandbox's own endpoints, spoken to in plain HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from sandbox import Cloud


def ask(cloud: Cloud, method: str, name: str, body: object = None, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = requests.request(method, f"{cloud.url}/_sandbox/{name}", json=body, timeout=10, **more)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.json()


def test_the_sandbox_says_that_it_is_ready(cloud: Cloud) -> None:
    status, reply = ask(cloud, "GET", "health")
    assert (status, reply["status"]) == (200, "ready")


def test_the_clock_is_set_and_read(cloud: Cloud) -> None:
    assert ask(cloud, "POST", "clock", {"now": "2026-07-01T12:00:00+02:00", "speed": 0})[0] == 200
    assert ask(cloud, "GET", "clock") == (200, {"now": "2026-07-01T10:00:00+00:00", "speed": 0.0})
    assert ask(cloud, "POST", "clock", {"speed": 60})[1]["speed"] == 60


def test_time_passes_at_the_speed_that_was_set(cloud: Cloud) -> None:
    ask(cloud, "POST", "clock", {"now": "2026-07-01T10:00:00Z", "speed": 1_000_000})
    first = cloud.now()
    while cloud.now() == first:
        pass
    assert cloud.now() > datetime.fromisoformat("2026-07-01T10:00:00+00:00")


def test_time_is_advanced(cloud: Cloud) -> None:
    before = cloud.now()
    status, reply = ask(cloud, "POST", "advance", {"seconds": 300})
    assert (status, datetime.fromisoformat(reply["now"])) == (200, before + timedelta(seconds=300))


def test_what_is_due_happens_while_nobody_advances_the_clock(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    ask(cloud, "POST", "clock", {"speed": 100_000})
    autoscaling = cloud.client("autoscaling")
    while autoscaling.describe_auto_scaling_instances()["AutoScalingInstances"][0]["LifecycleState"] != "InService":
        pass


def test_settings_are_changed_and_kept_apart(cloud: Cloud) -> None:
    status, reply = ask(cloud, "POST", "config", {"boot_seconds": 7})
    assert (status, reply["boot_seconds"], reply["drain_seconds"]) == (200, 7, 60)
    assert ask(cloud, "GET", "config")[1] == reply


def test_faults_are_added_listed_and_cleared(cloud: Cloud) -> None:
    rule = {
        "service": "autoscaling",
        "operation": "Put.*",
        "error": "Throttling",
        "status": 400,
        "probability": 1.0,
        "count": 10,
        "latency": 0.0,
        "rate": 10,
        "burst": 20,
    }
    status, reply = ask(cloud, "POST", "faults", rule)
    assert status == 200
    assert {key: reply["faults"][0][key] for key in rule} == rule
    assert ask(cloud, "DELETE", "faults")[1] == {"faults": []}


def test_calls_are_counted_and_forgotten(cloud: Cloud) -> None:
    cloud.client("sqs").list_queues()
    assert ask(cloud, "GET", "calls")[1] == {"sqs.ListQueues": 1}
    ask(cloud, "DELETE", "calls")
    assert ask(cloud, "GET", "calls")[1] == {}


def test_a_reset_leaves_nothing_behind(cloud: Cloud) -> None:
    cloud.create_fleet("web", desired=1)
    cloud.faults.add(error="Throttling", service="ec2")
    cloud.configure(boot_seconds=1)
    cloud.write_metric("Load", "Requests", {}, start=cloud.now(), step=timedelta(minutes=1), values=[1])
    assert ask(cloud, "POST", "reset", {})[1]["speed"] == 1.0
    assert cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert cloud.client("cloudwatch").list_metrics()["Metrics"] == []
    assert cloud.client("ec2").describe_instances()["Reservations"] == []
    assert ask(cloud, "GET", "config")[1]["boot_seconds"] == 120
    assert ask(cloud, "GET", "faults")[1] == {"faults": []}


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("clock", {"now": "yesterday"}, ["now", "yesterday", "ISO 8601"]),
        ("clock", {"now": "9999-12-31T23:59:59-05:00"}, ["now", "9999-12-31", "to the end of 8999"]),
        ("clock", {"now": "0001-01-01T00:00:00+05:00"}, ["now", "0001-01-01", "from 1970"]),
        ("clock", {"speed": -1}, ["speed", "-1", "0"]),
        ("clock", {"sped": 1}, ["sped", "now, speed"]),
        ("advance", {}, ["seconds", "None", "number"]),
        ("advance", {"seconds": "300"}, ["seconds", "'300'", "number"]),
        ("advance", {"seconds": -5}, ["seconds", "-5"]),
        ("advance", [1], ["body", "[1]", "JSON object"]),
        ("config", {"boot_secondz": 1}, ["boot_secondz", "boot_seconds"]),
        ("config", {"boot_seconds": "slow"}, ["boot_seconds", "'slow'", "number"]),
        ("config", {"boot_seconds": -1}, ["boot_seconds", "-1"]),
        ("config", {"boot_jitter": 2}, ["boot_jitter", "2", "between 0 and 1"]),
        ("config", {"max_scheduled_actions": 1.5}, ["max_scheduled_actions", "1.5", "whole"]),
        ("faults", {"eror": "Throttling"}, ["eror", "error"]),
        ("faults", {}, ["error", "Throttling"]),
        ("faults", {"error": "Throttling", "operation": "("}, ["operation", "'('", "regular expression"]),
        ("faults", {"error": "Throttling", "probability": 2}, ["probability", "2", "from 0 to 1"]),
        ("faults", {"error": "Throttling", "count": 1.5}, ["count", "1.5", "a whole number"]),
        ("faults", {"error": "Throttling", "status": 200}, ["status", "200", "400"]),
        ("faults", {"error": "Throttling", "after": "yes"}, ["after", "'yes'", "true or false"]),
        ("reset", {"now": 1}, ["now", "no key"]),
    ],
)
def test_bad_input_is_refused_by_key_value_and_mend(cloud: Cloud, name: str, body: object, words: list[str]) -> None:
    status, reply = ask(cloud, "POST", name, body)
    assert status == 400
    for word in words:
        assert word in reply["error"]


def test_time_goes_on_to_its_last_year_and_not_beyond(cloud: Cloud) -> None:
    assert ask(cloud, "POST", "clock", {"now": "8999-12-31T23:00:00Z", "speed": 0})[0] == 200
    assert ask(cloud, "POST", "advance", {"seconds": 3600})[0] == 200
    status, reply = ask(cloud, "POST", "advance", {"seconds": 1})
    assert (status, reply["error"][:36]) == (400, "seconds: 1 lead beyond the year 8999")
    assert ask(cloud, "GET", "clock")[1]["now"] == "9000-01-01T00:00:00+00:00", "and the cloud is none the worse"


def test_a_body_that_is_not_json_is_refused(cloud: Cloud) -> None:
    answer = requests.post(f"{cloud.url}/_sandbox/clock", data="{now", timeout=10)
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]


def test_an_unknown_endpoint_is_named_with_the_known_ones(cloud: Cloud) -> None:
    status, reply = ask(cloud, "GET", "weather")
    assert status == 404
    assert "/_sandbox/clock" in reply["error"]
