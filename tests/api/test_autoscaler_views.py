"""An autoscaler's status tells what was measured, and never a number that was not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from predictive_scaling.api.autoscaler_views import AutoscalerView, Seen, autoscaler_view
from predictive_scaling.fleet_folder import FleetFolder
from predictive_scaling.ledger.autoscalers import StoredAutoscaler
from predictive_scaling.status import Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_FILES = FleetFolder(fleets=(), problems=())
SEEN = Status(fleet="trainer", at=NOW, group="g", mode="auto", unit="GPU", desired=5, in_service=4)


def shown(seen: Seen, **targets: Any) -> AutoscalerView:
    asked = {"name": "trainer", "workload": {"name": "trainer"}, "group": "g", "min_replicas": 1, "max_replicas": 8}
    stored = StoredAutoscaler(name="trainer", asked={**asked, **targets}, actor="ada", created_at=NOW)
    return autoscaler_view(stored, NO_FILES, seen)


def test_a_single_targets_use_is_the_mean_over_the_instances() -> None:
    status = shown(Seen(status=SEEN, loads=(336.0,), resized=(3, 1)), target_gpu_percent=70).status
    assert (status.current_replicas, status.desired_replicas) == (4, 5)
    assert [(each.name, each.current_percent, each.target_percent) for each in status.metrics] == [("gpu", 84.0, 70.0)]
    assert status.load_of_target == 1.2
    assert (status.scale_ups, status.scale_downs) == (3, 1)


def test_of_several_targets_each_is_told_and_the_greatest_share_counts() -> None:
    seen = Seen(status=SEEN, loads=(180.0, 252.0))
    status = shown(seen, target_cpu_percent=60, target_memory_percent=70).status
    assert [each.current_percent for each in status.metrics] == [45.0, 63.0]
    assert status.load_of_target == 0.9
    half = shown(Seen(status=SEEN, loads=(None, 252.0)), target_cpu_percent=60, target_memory_percent=70).status
    assert [each.current_percent for each in half.metrics] == [None, 63.0]


def test_without_a_measurement_or_an_instance_there_is_no_number() -> None:
    for seen in (Seen(), Seen(status=SEEN), Seen(loads=(336.0,))):
        status = shown(seen, target_gpu_percent=70).status
        assert status.metrics[0].current_percent is status.load_of_target is None
