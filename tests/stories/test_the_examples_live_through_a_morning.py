"""The promise: the shipped example fleets, built from their blueprints, keep every message within its file's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import sandbox
from bench.day import DRAINED, FLEETS, KINDS, Day, a_day, environment

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(tmp_path).items():
        if name != "AIRFLOW_HOME":
            monkeypatch.setenv(name, value)


def test_no_message_waits_longer_than_its_file_says(tmp_path: Path) -> None:
    kinds = [kind for kind in KINDS if kind.name in {"video", "ai-gpu"}]
    with sandbox.in_process() as cloud:
        day = a_day(cloud, tmp_path, kinds, begin=9, engine="seasonal_naive")
        day.live(1)
        for work in day.works:
            _, actions = day.product.written(work.spec.name)
            assert work.done > 50, work
            assert (work.late, work.longest <= work.allowed) == (0, True), work
            assert actions >= 1, "the forecast scheduled its floor"
            assert work.instances > timedelta(hours=1)
        video, gpu = day.works
        assert day.product.written(video.spec.name)[0] >= 1, "its first messages moved it before its floor was due"
        assert video.longest_from_zero > timedelta(minutes=2), "its first messages waited for the first boot"
        assert gpu.longest_from_zero == timedelta(0), "one is always on, and others wait warm"


def test_workers_measured_by_what_comes_leave_no_queue_are_still_foreseen_and_stay_on_half_a_sight(
    tmp_path: Path,
) -> None:
    kinds = [replace(kind, folder=FLEETS / "stages" / "10k") for kind in DRAINED if kind.name == "ai-cpu"]
    with sandbox.in_process() as cloud:
        day = a_day(cloud, tmp_path, kinds, begin=10, engine="seasonal_naive")
        day.live(1)
        (work,) = day.works
        assert work.late == 0, work
        work.waits.clear()  # Those that waited for the first boot.
        day.live(1)
        (group,) = cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        assert work.done > 100, work
        assert max(work.waits) < 60, work
        assert len(work.waiting) < 10, "nothing to learn from is left in the queue"
        assert group["MinSize"] >= 2, "the forecast of what comes holds the floor"

        cloud.faults.add(service="cloudwatch", operation="GetMetricData", error="AccessDenied", status=403)
        for _ in range(500):
            work.sqs.send_message(QueueUrl=work.queue, MessageBody="x")
        assert looked(day, minutes=1) == 10, "what waits is seen, though nobody says what comes"
        work.sqs.purge_queue(QueueUrl=work.queue)
        assert looked(day, minutes=15) == 10, "and nothing is taken away on such a half sight"
        cloud.faults.clear()
        assert looked(day, minutes=15) < 10


def looked(day: Day, *, minutes: float) -> int:
    """Let the watch look for so long; give the size that the one group has then."""
    for _ in range(int(2 * minutes)):
        day.cloud.advance(30)
        day.product.look()
    (group,) = day.cloud.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return int(group["DesiredCapacity"])
