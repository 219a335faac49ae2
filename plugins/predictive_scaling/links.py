"""Links from a task to the AWS console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

    from predictive_scaling.fleet_spec import FleetSpec

_CONSOLE: Final = (
    "https://{region}console.aws.amazon.com/ec2/home{query}#AutoScalingGroupDetails:id={group};view=activity"
)


def console_address(spec: FleetSpec) -> str:
    """Give the console's page of a fleet's group; without a region, the console takes the person's last one."""
    region = spec.region or ""
    return _CONSOLE.format(
        region=f"{region}." if region else "", query=f"?region={region}" if region else "", group=quote(spec.group)
    )


class AutoScalingGroupLink(BaseOperatorLink):
    """The group's activities in the AWS console. Airflow asks for it in the task's own process, at its end."""

    name = "Auto Scaling group"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give the address the operator found for its fleet."""
        return getattr(operator, "console", "")
