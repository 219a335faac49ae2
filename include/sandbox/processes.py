"""Process mode: each instance in service of a group is a real process on this machine, and ends as an instance does.

It reads the simulated world and nothing of how a process works: any command will do. See processes.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from moto.autoscaling.models import autoscaling_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from sandbox.cloud import REGION
from sandbox.group_lookup import existing_group
from sandbox.interruptions import LOST, NOTICED
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from moto.autoscaling.models import InstanceState

    from sandbox.cloud import Cloud

LOOK_SECONDS = 0.1
WAITING = "Terminating:Wait"


@dataclass(slots=True)
class Member:
    """One instance and its process."""

    state: InstanceState
    process: subprocess.Popen[bytes]
    told_at: float | None = None
    completed: bool = False

    @property
    def must_go(self) -> bool:
        """Tell whether the instance is on its way out, or has been given notice."""
        leaving = self.state.lifecycle_state.startswith("Terminating") or self.state.instance.state == "terminated"
        return leaving or bool(vars(self.state).get(NOTICED))

    @property
    def lost(self) -> bool:
        """Tell whether the instance is gone without a goodbye."""
        return bool(vars(self.state).get(LOST))


@dataclass(slots=True, kw_only=True)
class Job:
    """What every instance runs, and how long it may take to stop, in real seconds."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 30.0


class Crew:
    """The processes of one group, kept in step with its instances while the context lasts."""

    def __init__(self, cloud: Cloud, group: str, job: Job) -> None:
        """Take a running sandbox, the name of a group in it, and what to run."""
        self._autoscaling = cloud.client("autoscaling")
        self._group = group
        self._job = job
        self._members: dict[str, Member] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_in_step, daemon=True)
        self.ended: dict[str, int] = {}
        """How each process that ended did: its exit code by the id of its instance; negative: killed by a signal."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for member in self._members.values():
            member.process.terminate()
        end = time.monotonic() + self._job.grace
        for instance, member in list(self._members.items()):
            try:
                self.ended[instance] = member.process.wait(max(end - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                member.process.kill()
                self.ended[instance] = member.process.wait()
        self._members.clear()

    @property
    def at_work(self) -> tuple[str, ...]:
        """Name the instances whose process runs and was not told to stop."""
        return tuple(instance for instance, each in list(self._members.items()) if each.told_at is None)

    def _keep_in_step(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        """Start, tell to stop, kill, and bury, as the group asks."""
        with WORLD.lock:
            WORLD.catch_up()
            group = existing_group(autoscaling_backends[DEFAULT_ACCOUNT_ID][REGION], self._group)
            serving = [state for state in group.instance_states if state.lifecycle_state == "InService"]
        for state in serving:
            if state.instance_id not in {*self._members, *self.ended}:
                self._members[state.instance_id] = Member(state, self._start(state.instance_id))
        for instance, member in list(self._members.items()):
            self._attend(instance, member)

    def _start(self, instance: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self._job.environment, "INSTANCE_ID": instance}
        return subprocess.Popen(list(self._job.command), env=environment)  # noqa: S603 - the caller's own command

    def _attend(self, instance: str, member: Member) -> None:
        code = member.process.poll()
        if code is None and member.lost and member.told_at is None:
            member.process.kill()
        elif code is None and member.must_go and member.told_at is None:
            member.told_at = time.monotonic()
            member.process.send_signal(signal.SIGTERM)
        elif code is None and member.told_at is not None and time.monotonic() - member.told_at > self._job.grace:
            member.process.kill()
        elif code is not None:
            self.ended[instance] = code
            self._bury(instance, member)

    def _bury(self, instance: str, member: Member) -> None:
        """An instance whose work is done need not wait for its hook's timeout; one that crashed is gone."""
        if member.state.lifecycle_state == WAITING and not member.completed:
            member.completed = True
            for hook in self._autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=self._group)["LifecycleHooks"]:
                if hook["LifecycleTransition"].endswith("TERMINATING"):
                    self._autoscaling.complete_lifecycle_action(
                        AutoScalingGroupName=self._group,
                        LifecycleHookName=hook["LifecycleHookName"],
                        InstanceId=instance,
                        LifecycleActionResult="CONTINUE",
                    )
        if member.state.lifecycle_state != "Terminating" or member.state.instance.state == "terminated":
            del self._members[instance]
