"""An autoscaler as the API takes it: a workload, its replicas and its targets. Underneath it is a fleet like any other.

What a fleet file says in its own words is made here from the targets, and checked by the same `FleetFile`. Each target
is a load of the fleet; of several, the one that needs most instances counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, StrictInt, ValidationError, model_validator

from forecasting.errors import ForecastingError
from predictive_scaling.errors import InvalidFleet
from predictive_scaling.fleet_file import FleetFile
from predictive_scaling.metric_file import Strict

if TYPE_CHECKING:
    from predictive_scaling.fleet_spec import FleetSpec

CHECKED_EVERY: Final = 30
"""Seconds between two looks of `react_to_load` at all fleets, unless airflow.cfg has them looked at more often."""
STABILISATION: Final = "5m"
"""Use must have been low for so long before an instance goes."""
PERIOD: Final = "1m"
METRICS: Final = {
    "cpu": ("AWS/EC2", "CPUUtilization", "5m"),
    "memory": ("CWAgent", "mem_used_percent", PERIOD),
    "gpu": ("CWAgent", "nvidia_smi_utilization_gpu", PERIOD),
}
"""Where each is measured, and how often: EC2 measures every minute only where detailed monitoring is paid for."""

Label = Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?$")]
Plain = Annotated[str, Field(pattern=r"^[!-~]([ -~]{0,253}[!-~])?$")]
Percent = Annotated[float, Field(strict=True, ge=1, le=100)]


class Workload(Strict):
    """What runs on the instances."""

    name: Label
    namespace: Label = "default"
    type: Literal["deployment", "statefulset", "daemonset", "job", "service"] = "deployment"

    @property
    def pods(self) -> str:
        """The pattern of its pods' names: Kubernetes adds one part or two, and those of web-api are none of web's."""
        return f"{self.name.replace('.', '[.]')}-[^-]+(-[^-]+)?"


class Autoscaler(Strict):
    """What a person asks for."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="of the fleet; lower-case letters, digits, dashes")
    workload: Workload
    group: Plain = Field(description="name of the Auto Scaling group")
    min_replicas: StrictInt = Field(ge=0, le=10_000)
    max_replicas: StrictInt = Field(ge=1, le=10_000)
    target_cpu_percent: Percent | None = None
    target_memory_percent: Percent | None = Field(None, description="as the CloudWatch agent measures it")
    target_gpu_percent: Percent | None = None
    gpu_metrics: Literal["dcgm", "cloudwatch_agent"] = Field(
        "dcgm", description="where GPUs are measured: by the DCGM exporter through Prometheus, or by the agent"
    )
    scale_check_interval_seconds: StrictInt = Field(
        CHECKED_EVERY, ge=CHECKED_EVERY, le=3600, description="looked at so often at least"
    )
    mode: Literal["observe", "approve", "auto"] = Field("observe", description="observe writes nothing")
    connection: Plain = Field("aws_default", description="Airflow connection to the AWS account")
    region: Plain | None = None
    prometheus: Plain = Field("prometheus_default", description="Airflow connection to Prometheus, for dcgm")

    @property
    def targets(self) -> dict[str, float]:
        """The targets that were given, by name."""
        known = {
            "cpu": self.target_cpu_percent,
            "memory": self.target_memory_percent,
            "gpu": self.target_gpu_percent,
        }
        return {name: percent for name, percent in known.items() if percent is not None}

    @model_validator(mode="after")
    def _can_be_measured(self) -> Autoscaler:
        for wrong, message in (
            (not self.targets, "no target: give target_cpu_percent, target_memory_percent or target_gpu_percent"),
            (
                self.min_replicas > self.max_replicas,
                f"min_replicas {self.min_replicas} is above max_replicas {self.max_replicas}: lower the one",
            ),
        ):
            if wrong:
                raise ValueError(message)
        return self

    def fleet_fields(self) -> dict[str, Any]:
        """Say it as a fleet file would."""
        first, *more = (
            {"metric": self._metric(name), "target_per_instance": percent} for name, percent in self.targets.items()
        )
        return {
            "name": self.name,
            "group": self.group,
            **first,
            "also": more,
            "min": self.min_replicas,
            "max": self.max_replicas,
            "mode": self.mode,
            "cooldown_down": STABILISATION,
            "reaction": {},
            "connection": self.connection,
            **({"region": self.region} if self.region else {}),
        }

    def spec(self) -> FleetSpec:
        """Give the fleet as the rest of the product knows it."""
        try:
            return FleetFile.model_validate(self.fleet_fields()).spec()
        except (ValidationError, ForecastingError) as error:
            msg = f"autoscaler {self.name}: {_told(error)}"
            raise InvalidFleet(msg) from error

    def _metric(self, target: str) -> dict[str, Any]:
        if target == "gpu" and self.gpu_metrics == "dcgm":
            return self._from_dcgm()
        namespace, metric, period = METRICS[target]
        return {
            "namespace": namespace,
            "name": metric,
            "dimensions": {"AutoScalingGroupName": self.group},
            "statistic": "Average",
            "per_instance": True,
            "period": period,
        }

    def _from_dcgm(self) -> dict[str, Any]:
        """Of each instance the mean of its GPUs, and of these the sum: the total, which a resize does not change."""
        # Unless Prometheus honours the exporter's labels, `pod` is the exporter itself and the workload `exported_pod`.
        namespace, pods = self.workload.namespace, self.workload.pods
        of_its_pods = " or ".join(
            f'DCGM_FI_DEV_GPU_UTIL{{{prefix}namespace="{namespace}", {prefix}pod=~"{pods}"}}'
            for prefix in ("", "exported_")
        )
        # DCGM's word for unknown is a number beyond any percent.
        by_host = f"avg by (Hostname) (({of_its_pods}) >= 0 <= 100)"
        return {
            "source": "prometheus",
            "name": "GPU percent, all instances",
            "query": f"sum({by_host})",
            "instances": f"count({by_host})",
            "connection": self.prometheus,
            "period": PERIOD,
        }


def _told(error: ValidationError | ForecastingError) -> str:
    if isinstance(error, ForecastingError):
        return str(error)
    faults = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return "; ".join(f"{where}: {what}" if where else what for where, what in faults)
