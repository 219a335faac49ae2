"""`python -m demo.clean_up`: remove from a running demo what `end-to-end` and `load-simulation` made there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import httpx

from demo.running_demo import the_demo
from demo.scaling_api import ScalingApi
from demo.trial_fleet import PREFIX, TrialFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.airflow_api import AirflowApi
    from demo.cloud_api import CloudApi
    from demo.running_demo import Demo


def main() -> int:
    """Remove, and say what."""
    try:
        removed = list(clean_up(the_demo()))
    except (httpx.HTTPError, RuntimeError, TimeoutError) as error:
        print(f"clean-up: {error}", file=sys.stderr)
        return 1
    print("\n".join(f"removed {what}" for what in removed) or "nothing to remove")
    return 0


def clean_up(demo: Demo, prefix: str = PREFIX) -> Iterator[str]:
    """Remove everything whose name begins with the prefix, autoscalers first: then nobody moves the groups."""
    yield from _autoscalers(demo.airflow, prefix)
    yield from _groups(demo.cloud, prefix)
    yield from _launch_templates(demo.cloud, prefix)


def _autoscalers(airflow: AirflowApi, prefix: str) -> Iterator[str]:
    api = ScalingApi(airflow)
    for name in api.autoscalers():
        if name.startswith(prefix):
            if any(each["holds"] for each in api.overrides(name)):
                run = airflow.trigger("resume_fleet", {"fleet": name, "reason": "make clean-up"})
                airflow.wait_for_run("resume_fleet", run)
                yield f"pause of {name}"
            api.ask("DELETE", f"autoscalers/{name}").raise_for_status()
            yield f"autoscaler {name}"


def _groups(cloud: CloudApi, prefix: str) -> Iterator[str]:
    pages = cloud.client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate()
    for name in [row["AutoScalingGroupName"] for page in pages for row in page["AutoScalingGroups"]]:
        if name.startswith(prefix):
            fleet = TrialFleet(name, cloud)
            actions = fleet.scheduled()
            fleet.remove()
            yield f"group {name}, its instances and {len(actions)} scheduled actions"


def _launch_templates(cloud: CloudApi, prefix: str) -> Iterator[str]:
    ec2: Any = cloud.client("ec2")
    for template in ec2.describe_launch_templates()["LaunchTemplates"]:
        if template["LaunchTemplateName"].startswith(prefix):
            ec2.delete_launch_template(LaunchTemplateName=template["LaunchTemplateName"])
            yield f"launch template {template['LaunchTemplateName']}"


if __name__ == "__main__":
    sys.exit(main())
