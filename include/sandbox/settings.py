"""The knobs of the sandbox: how slow its instances are and how strict its limits."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


WHOLE = (
    "max_scheduled_actions",
    "max_groups",
    "standard_vcpus",
    "graphics_vcpus",
    "standard_spot_vcpus",
    "graphics_spot_vcpus",
    "p_vcpus",
    "inf_vcpus",
    "trn_vcpus",
    "p_spot_vcpus",
    "inf_spot_vcpus",
    "trn_spot_vcpus",
    "other_vcpus",
    "iam",
    "seed",
)
"""Settings that count things."""


class InvalidSetting(ValueError):
    """A control request names a key or a value that the sandbox cannot use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the simulated cloud behaves; every field can be set through /_sandbox/config."""

    boot_seconds: float = 120.0
    """From launch to InService."""
    boot_jitter: float = 0.1
    """The boot time of an instance varies by up to this share, both ways."""
    warm_boot_seconds: float = 30.0
    """From leaving a warm pool to InService."""
    health_seconds: float = 20.0
    """From registration in a target group to healthy."""
    drain_seconds: float = 60.0
    """From deregistration to gone."""
    schedule_delay_seconds: float = 0.0
    """A scheduled action runs up to this late (AWS allows itself up to two minutes); in order within its group."""
    max_scheduled_actions: int = 125
    """Per Auto Scaling group."""
    max_groups: int = 500
    """Auto Scaling groups per account and region."""
    metric_past_days: float = 14.0
    """PutMetricData refuses data older than this."""
    account_rate: float = 0.0
    """Auto Scaling calls of the account per real second, all operations together; 0 is without limit."""
    account_burst: float = 0.0
    """Auto Scaling calls that pass at once before the rate is felt; 0 is as many as the rate, at least 1."""
    iam: int = 0
    """1: a call needs a policy of its caller that allows it; 0: everything passes."""
    launch_retry_seconds: float = 60.0
    """From a failed launch to the next attempt."""
    standard_vcpus: int = 1_000_000
    """Quota L-1216C47A: vCPUs of on-demand instances of the families A, C, D, H, I, M, R, T, Z (AWS begins with 5)."""
    graphics_vcpus: int = 10_000
    """Quota L-DB2E81BA: vCPUs of on-demand instances of the families G and VT (AWS begins with 0)."""
    standard_spot_vcpus: int = 1_000_000
    """Quota L-34B43A08: the same for Spot."""
    graphics_spot_vcpus: int = 10_000
    """Quota L-3819A6DF: the same for Spot."""
    p_vcpus: int = 10_000
    """Quota L-417A185B: vCPUs of on-demand instances of the family P (AWS begins with 0)."""
    inf_vcpus: int = 10_000
    """Quota L-1945791B: the same of the family Inf."""
    trn_vcpus: int = 10_000
    """Quota L-2C3B7624: the same of the family Trn."""
    p_spot_vcpus: int = 10_000
    """Quotas L-7212CCBC and, for P5, L-C4BD4855: the families P as Spot."""
    inf_spot_vcpus: int = 10_000
    """Quota L-B5D1601B: Inf as Spot."""
    trn_spot_vcpus: int = 10_000
    """Quota L-6B0D517C: Trn as Spot."""
    other_vcpus: int = 10_000
    """Each of the quotas of DL, F and X, on demand and as Spot."""
    lost_events: float = 0.0
    """The share of Auto Scaling's and EC2's events that EventBridge never gets: AWS sends them as best it can."""
    seed: int = 1
    """Of the boot jitter and of the fault probabilities; setting it starts the sequence again."""

    def __post_init__(self) -> None:
        """Refuse what no cloud could do."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                message = f"{field.name}: {value!r} is not a number; give a number of 0 or more"
                raise InvalidSetting(message)
            if not 0 <= value < float("inf"):
                message = f"{field.name}: {value!r} is out of range; give a number of 0 or more"
                raise InvalidSetting(message)
        for name in WHOLE:
            if getattr(self, name) != int(getattr(self, name)):
                message = f"{name}: {getattr(self, name)!r} is not whole; give a whole number"
                raise InvalidSetting(message)
        for name in ("boot_jitter", "lost_events"):
            if getattr(self, name) > 1:
                message = f"{name}: {getattr(self, name)!r} is more than 1; give a share between 0 and 1"
                raise InvalidSetting(message)

    def changed(self, changes: Mapping[str, object]) -> Settings:
        """Return these settings with some of them changed."""
        known = {field.name for field in fields(self)}
        for key in changes:
            if key not in known:
                message = f"{key}: unknown setting; use one of {', '.join(sorted(known))}"
                raise InvalidSetting(message)
        return replace(self, **changes)  # type: ignore[arg-type]  # __post_init__ checks the types
