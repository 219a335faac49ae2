"""Links from a task to the AWS console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

    from predictive_scaling.fleet_spec import FleetSpec

_CONSOLE: Final = "https://{region}console.{domain}/ec2/home{query}#AutoScalingGroupDetails:id={group};view=activity"
_DOMAINS: Final = {"cn": "amazonaws.cn", "us-gov": "amazonaws-us-gov.com"}
"""Where the consoles of regions that begin so are; all others are AWS's own."""


def console_address(spec: FleetSpec) -> str:
    """Give the console's page of a fleet's group; without a region, the console takes the person's last one."""
    region = spec.region or ""
    domain = next((each for start, each in _DOMAINS.items() if region.startswith(f"{start}-")), "aws.amazon.com")
    return _CONSOLE.format(
        region=f"{region}." if region else "",
        domain=domain,
        query=f"?region={region}" if region else "",
        group=quote(spec.group),
    )


class AutoScalingGroupLink(BaseOperatorLink):
    """The group's activities in the AWS console. Airflow asks for it in the task's own process, at its end."""

    name = "Auto Scaling group"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give the address the operator found for its fleet."""
        return getattr(operator, "console", "")
