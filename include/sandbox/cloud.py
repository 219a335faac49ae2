"""The handle that tests and programs hold on a running sandbox."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
from botocore.config import Config
from moto import mock_aws
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from sandbox import control, patches
from sandbox.faults import FAULTS, Faults
from sandbox.market import SHORTAGES, Shortages
from sandbox.metrics import Metric, store_of
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from sandbox.settings import Settings

REGION = "us-east-1"
LOOPBACK = "127.0.0.1"
_running = False


class Cloud:
    """A running sandbox: its address, clients for it, and its clock, faults and call counts."""

    def __init__(self, url: str = "") -> None:
        """Take the address of the server; none in process."""
        self.url = url
        self.faults: Faults = FAULTS
        self.shortages: Shortages = SHORTAGES

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client that talks to the sandbox; it does not retry unless its config says so."""
        options.setdefault("region_name", REGION)
        options.setdefault("config", Config(retries={"total_max_attempts": 1}))
        if self.url:
            options.setdefault("endpoint_url", self.url)
        return boto3.client(service, aws_access_key_id="sandbox", aws_secret_access_key="sandbox", **options)  # noqa: S106

    def now(self) -> datetime:
        """Return the virtual instant."""
        return WORLD.now()

    def clock(self, *, now: datetime | str | None = None, speed: float | None = None) -> datetime:
        """Set the virtual time, its speed, or both; return the virtual instant."""
        instant = datetime.fromisoformat(now) if isinstance(now, str) else now
        if instant is not None or speed is not None:
            WORLD.set_clock(now=instant, speed=speed)
        return WORLD.now()

    def advance(self, seconds: float) -> datetime:
        """Let time pass; everything due on the way happens in order."""
        return WORLD.advance(seconds)

    def configure(self, **changes: float) -> Settings:
        """Change settings, for example boot_seconds."""
        return WORLD.configure(changes)

    def create_fleet(
        self, name: str, *, min_size: int = 0, max_size: int = 10, desired: int = 0, balanced: bool = False
    ) -> str | None:
        """Create an Auto Scaling group with a launch template; return the ARN of its target group if it is balanced."""
        from sandbox.seed import Builder, FleetPlan

        plan = FleetPlan(name=name, min_size=min_size, max_size=max_size, desired=desired, balanced=balanced)
        with WORLD.lock:
            return next(iter(Builder(REGION).fleet(plan).target_group_arns), None)

    def write_metric(  # noqa: PLR0913 - a metric has a three-part name, a start, a step and values
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        *,
        start: datetime,
        step: timedelta,
        values: Sequence[float],
    ) -> None:
        """Write the history of a metric past the limits of the API; NaN leaves a gap."""
        times = start.timestamp() + step.total_seconds() * np.arange(len(values))
        kept = ~np.isnan(np.asarray(values, dtype=float))
        metric = Metric(namespace, name, tuple(sorted(dimensions.items())))
        with WORLD.lock:
            store = store_of(cloudwatch_backends[DEFAULT_ACCOUNT_ID][REGION])
            store.write(metric, times[kept], np.asarray(values, dtype=float)[kept])

    def calls(self) -> dict[str, int]:
        """Return how often each operation was called, for example autoscaling.SetDesiredCapacity."""
        return dict(FAULTS.calls)

    def reset(self) -> None:
        """Empty the cloud and forget the settings, the rules and the counts."""
        control.reset({})


@contextmanager
def _exclusive() -> Iterator[None]:
    """Hold the one world of this process, clean before and after."""
    global _running  # noqa: PLW0603 - moto's state is global, so is this flag
    if _running:
        message = "a sandbox is already running in this process; stop it first, or start another one as its own process"
        raise RuntimeError(message)
    _running = True
    patches.install()
    Cloud().reset()
    try:
        yield
    finally:
        Cloud().reset()
        patches.uninstall()
        _running = False


@contextmanager
def running(port: int = 0, host: str = LOOPBACK) -> Iterator[Cloud]:
    """Serve the sandbox over HTTP from a thread of this process."""
    from sandbox.server import Server

    with _exclusive():
        server = Server(port, host)
        server.start()
        try:
            yield Cloud(server.url)
        finally:
            server.stop()


@contextmanager
def in_process() -> Iterator[Cloud]:
    """Run the sandbox without HTTP: every boto3 client of this process talks to it."""
    with _exclusive(), mock_aws():
        yield Cloud()
