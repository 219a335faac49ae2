"""Waits for a group, look by look, until its wait is over or its time is up.

All there is to know is in the arguments: what is waited for, and until when. A triggerer that restarts makes the
trigger again from them and nothing is lost, for the next look shows the same as the last.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent

from predictive_scaling.errors import CloudUnavailable, GroupNotFound
from predictive_scaling.fleets import Examined, aws_answers
from predictive_scaling.waits import Ended, Verdict, Wait, wait_from

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from predictive_scaling.fleet_spec import FleetSpec


FIRST_LOOK: Final = 10.0
"""Seconds until it at the most. The task has just looked; and a trigger that ends before Airflow has seen the process
of its task end, which takes it five seconds and more, has the task run again as though it had been killed."""


class FleetTrigger(BaseTrigger):
    """Looks at one Auto Scaling group every few seconds; its event is a `Verdict`."""

    def __init__(self, *, place: Mapping[str, Any], wait: Mapping[str, Any], every: float, until: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.place = dict(place)
        self.wait = dict(wait)
        self.every = every
        self.until = until

    @classmethod
    def of(cls, spec: FleetSpec, wait: Wait, *, every: float, until: datetime) -> FleetTrigger:
        """Make the trigger that waits for a fleet's group."""
        place = {"fleet": spec.name, "group": spec.group, "connection": spec.connection, "region": spec.region}
        return cls(place=place, wait=wait.as_json(), every=every, until=until.isoformat())

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what the trigger is made again from."""
        fields = {"place": self.place, "wait": self.wait, "every": self.every, "until": self.until}
        return f"{type(self).__module__}.{type(self).__qualname__}", fields

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is a verdict; a group that is deleted meanwhile is one too."""
        try:
            verdict = await self._verdict()
        except GroupNotFound as gone:
            verdict = Verdict(ended=Ended.OVERTAKEN, reason=str(gone))
        yield TriggerEvent(verdict.as_json())

    async def _verdict(self) -> Verdict:
        wait, until = wait_from(self.wait), datetime.fromisoformat(self.until)
        told = ""
        await asyncio.sleep(min(self.every, FIRST_LOOK))
        async with AsyncExitStack() as stack:
            group = AsyncGroup(self.place, stack)
            while True:
                seen, line = await _look(group, wait)
                verdict = wait.judge(seen) if seen else None
                if line != told:
                    self.log.info("%s: %s", self.place["fleet"], line)
                    told = line
                if verdict is None and datetime.now(UTC) >= until:
                    verdict = Verdict(ended=Ended.TIMED_OUT, reason=f"the time was up at {until:%H:%M:%S} UTC: {told}")
                if verdict:
                    return verdict
                await asyncio.sleep(self.every)


class AsyncGroup:
    """Examines a group with aiobotocore: as much of it as a wait needs, a call a page of it."""

    def __init__(self, place: Mapping[str, Any], stack: AsyncExitStack) -> None:
        self._place = place
        self._stack = stack
        self._clients: dict[str, Any] = {}

    async def examine(self) -> Examined:
        """Describe the group, its activities, and its targets' health."""
        group, autoscaling = self._place["group"], await self._client("autoscaling")
        answer = await autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        if not answer["AutoScalingGroups"]:
            msg = f"Auto Scaling group {group!r} is gone"
            raise GroupNotFound(msg)
        seen = aws_answers.observed(answer["AutoScalingGroups"][0])
        rows = (await autoscaling.describe_scaling_activities(AutoScalingGroupName=group))["Activities"]
        states = [await self._targets(arn) for arn in seen.target_groups]
        activities = tuple(aws_answers.activity(row) for row in rows)
        return Examined(observed=aws_answers.with_targets(seen, states), activities=activities)

    async def _targets(self, arn: str) -> dict[str, str]:
        elb = await self._client("elbv2")
        return aws_answers.target_states(await elb.describe_target_health(TargetGroupArn=arn))

    async def _client(self, service: str) -> Any:
        if service not in self._clients:
            place = {name: self._place[name] for name in ("connection", "region")}
            self._clients[service] = await opened(service, self._stack, **place)
        return self._clients[service]


async def opened(service: str, stack: AsyncExitStack, *, connection: str, region: str | None) -> Any:
    """Give an aiobotocore client for an Airflow connection, which must exist: as `aws_client.client` does."""
    from airflow.sdk import Connection
    from asgiref.sync import sync_to_async

    from predictive_scaling.aws_client import hook_of
    from predictive_scaling.pace import hold_async, pacer_of
    from predictive_scaling.settings import calls_per_second

    try:
        await Connection.async_get(connection)
    except Exception as error:
        msg = f"no Airflow connection {connection!r} in the triggerer: define it there too"
        raise CloudUnavailable(msg) from error
    hook = await sync_to_async(hook_of)(service, connection, region)
    made = await stack.enter_async_context(await hook.get_async_conn())
    hold_async(made, pacer_of(made, connection, calls_per_second()))
    return made


async def _look(group: AsyncGroup, wait: Wait) -> tuple[Examined | None, str]:
    """Look once; a look that fails is told, and the next one may not."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        seen = await group.examine()
    except (BotoCoreError, ClientError, OSError) as error:
        return None, f"could not look, trying again: {error}"
    return seen, wait.progress(seen)
