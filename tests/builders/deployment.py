"""What the stories about a running Airflow are told with."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.local_airflow import LocalAirflow, Place

if TYPE_CHECKING:
    from demo.local_cloud import LocalCloud
    from predictive_scaling.ledger.store import SqlLedger


@dataclass(frozen=True, slots=True)
class Stack:
    """A running deployment."""

    airflow: LocalAirflow
    cloud: LocalCloud
    ledger: SqlLedger

    @property
    def storage(self) -> Path:
        """The folder of histories and forecasts."""
        return self.airflow.place.home / "storage"

    def floors(self, group: str) -> dict[str, int]:
        """Give the scheduled floors of a group by the actions' names."""
        pages = self.cloud.client("autoscaling").get_paginator("describe_scheduled_actions")
        rows = [
            row for page in pages.paginate(AutoScalingGroupName=group) for row in page["ScheduledUpdateGroupActions"]
        ]
        return {row["ScheduledActionName"]: row["MinSize"] for row in rows}

    def size(self, group: str) -> int:
        """Count the instances of a group."""
        answer = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return len(answer["AutoScalingGroups"][0]["Instances"])

    def desired(self, group: str) -> int:
        """Give the desired capacity of a group."""
        answer = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return int(answer["AutoScalingGroups"][0]["DesiredCapacity"])

    def is_held(self, fleet: str, *runs: str) -> bool:
        """Tell whether one of these runs holds a fleet; a plan drawn meanwhile may, for a moment."""
        held = self.ledger.open_operation(fleet)
        return held is not None and held.by.run_id in runs

    def unschedule(self, group: str) -> None:
        """Remove a group's actions behind the product's back, so that there is something to write again."""
        autoscaling = self.cloud.client("autoscaling")
        for name in self.floors(group):
            autoscaling.delete_scheduled_action(AutoScalingGroupName=group, ScheduledActionName=name)


def migrate(database: str, *options: str) -> None:
    """Run `airflow db migrate` on a database."""
    with tempfile.TemporaryDirectory() as home:
        env = Place(home=Path(home), cloud_url="", port=0, database=database).environment()
        command = [sys.executable, "-m", "airflow", "db", "migrate", *options]
        done = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
