"""What is wrong with a group before anything is written to it: the number found, the number wanted, and the mend.

Pure: `Facts` go in, `Flaw`s come out. A check that lacks its facts says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from predictive_scaling.metric import IN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forecasting import Policy
    from predictive_scaling.fleets import Observed

MARK: Final = ("predictive-scaling", "yes")
"""The tag that the policies of include/iam ask for."""
SPARE: Final = 2
"""Instances above what the deepest queue needs: one that boots, one that goes."""
VISIBILITY_FACTOR: Final = 3
COOLDOWN: Final = (timedelta(seconds=120), timedelta(seconds=300))
HEALTHY_WITHIN: Final = timedelta(minutes=2)
SPOT_NOTICE: Final = timedelta(minutes=2)
LAUNCH_WAIT: Final = timedelta(minutes=10)
"""A launching hook that nobody completes holds an instance for so long; AWS's default is an hour."""
DRAIN: Final = (timedelta(seconds=30), timedelta(minutes=10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit of the account on running vCPUs, and how many the group has at its largest."""

    code: str
    name: str
    limit: float
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """The queue that feeds a group."""

    name: str
    visibility: timedelta
    deepest: float | None = None  # the load that it was at its deepest


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """How a load balancer finds out who is healthy, and how long it lets one finish."""

    name: str
    interval: timedelta
    timeout: timedelta
    healthy_after: int
    unhealthy_after: int
    drain: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One lifecycle hook."""

    name: str
    launching: bool
    timeout: timedelta
    abandons: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one fleet's group."""

    fleet: str
    policy: Policy
    observed: Observed
    cooldown: timedelta
    grace: timedelta
    health_check: str = "EC2"
    capacity_rebalance: bool = False
    spot_share: int = 0
    quotas: tuple[Quota, ...] = ()
    queue: Queue | None = None
    processing: timedelta | None = None
    boot: timedelta | None = None
    target_groups: tuple[TargetGroup, ...] = ()
    hooks: tuple[Hook, ...] = ()
    uncounted: bool = False  # a load needs the count of the group's instances, and AWS makes none

    @property
    def asks_balancer(self) -> bool:
        """Whether one that the load balancer finds unhealthy is replaced."""
        return asks_balancer(self.health_check)

    @property
    def max_size(self) -> int:
        """The most instances the group may have: its own bound, or what a plan may raise it to."""
        return max(self.observed.max_size, self.policy.breach_max or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing that should be otherwise; a grave one loses work, or keeps the plan from being carried out."""

    check: str
    found: str
    wanted: str
    mend: str
    grave: bool = False

    def __str__(self) -> str:
        return f"{self.check}: found {self.found}, wanted {self.wanted}: {self.mend}"


def asks_balancer(kinds: str) -> bool:
    """Whether the load balancer is among the kinds of a group's health checks, such as EBS,ELB."""
    return "ELB" in kinds.split(",")


def flaws_of(facts: Facts) -> tuple[Flaw, ...]:
    """Make every check; the grave flaws come first."""
    found = (flaw for check in CHECKS for flaw in check(facts))
    return tuple(sorted(found, key=lambda flaw: not flaw.grave))


def lines_of(fleet: str, flaws: Sequence[Flaw]) -> list[str]:
    """Tell them to a person, the grave ones marked."""
    if not flaws:
        return [f"{fleet}: nothing to mend"]
    grave = sum(flaw.grave for flaw in flaws)
    return [
        f"{fleet}: {len(flaws)} to mend, {grave} grave",
        *(f"{fleet}: {'GRAVE ' if flaw.grave else ''}{flaw}" for flaw in flaws),
    ]


def _quotas(facts: Facts) -> Iterator[Flaw]:
    for quota in facts.quotas:
        if quota.limit < quota.needed:
            yield Flaw(
                check=f"quota {quota.code}",
                found=f"{quota.limit:g} vCPUs",
                wanted=f"at least {quota.needed}, for {facts.max_size} instances",
                mend=f"raise {quota.name!r} in Service Quotas, or lower max: launches above it fail",
                grave=True,
            )


def _max_of_a_queue(facts: Facts) -> Iterator[Flaw]:
    if facts.queue is None or facts.queue.deepest is None:
        return
    needed = ceil(facts.queue.deepest / facts.policy.target_per_instance) + SPARE
    if facts.max_size < needed:
        yield Flaw(
            check="max",
            found=str(facts.max_size),
            wanted=f"at least {needed}: the deepest queue, {facts.queue.deepest:,.0f}, over "
            f"{facts.policy.target_per_instance:g} an instance, and {SPARE} to spare",
            mend="raise max in the fleet file and the group's MaxSize, or accept that messages wait",
        )


def _count(facts: Facts) -> Iterator[Flaw]:
    if facts.uncounted:
        yield Flaw(
            check="metrics collection",
            found=f"no {IN_SERVICE}",
            wanted=f"{IN_SERVICE}, without which the load is not known",
            mend="enable it on the group (it is free), or run ensure_fleet: until then the fleet is not forecast",
            grave=True,
        )


def _visibility(facts: Facts) -> Iterator[Flaw]:
    if facts.queue is None or facts.processing is None:
        return
    wanted = VISIBILITY_FACTOR * facts.processing
    if facts.queue.visibility < wanted:
        yield Flaw(
            check="visibility timeout",
            found=_seconds(facts.queue.visibility),
            wanted=f"at least {_seconds(wanted)}, {VISIBILITY_FACTOR} times what one message takes",
            mend=f"raise it on queue {facts.queue.name}: a message that becomes visible too soon is done twice",
            grave=True,
        )


def _cooldown(facts: Facts) -> Iterator[Flaw]:
    shortest, longest = COOLDOWN
    if not shortest <= facts.cooldown <= longest:
        yield Flaw(
            check="cooldown",
            found=_seconds(facts.cooldown),
            wanted=f"{_seconds(shortest)} to {_seconds(longest)}",
            mend="set the group's DefaultCooldown: shorter flaps, longer keeps what nobody needs",
        )


def _grace(facts: Facts) -> Iterator[Flaw]:
    boot = facts.boot or facts.policy.lead_time
    if facts.grace < boot:
        source = "as measured" if facts.boot else "the fleet file's lead_time"
        yield Flaw(
            check="health check grace period",
            found=_seconds(facts.grace),
            wanted=f"at least {_seconds(boot)}, the time to boot, {source}",
            mend="raise the group's HealthCheckGracePeriod: an instance that still boots is ended as unhealthy",
            grave=facts.asks_balancer,
        )


def _target_groups(facts: Facts) -> Iterator[Flaw]:
    if facts.target_groups and not facts.asks_balancer:
        yield Flaw(
            check="health check type",
            found=facts.health_check,
            wanted="ELB",
            mend="set HealthCheckType ELB: else an instance that answers no request is kept for ever",
        )
    for each in facts.target_groups:
        yield from _health_check(each)
        yield from _drain(each, facts)


def _health_check(group: TargetGroup) -> Iterator[Flaw]:
    takes = group.interval * group.healthy_after
    if takes > HEALTHY_WITHIN:
        yield Flaw(
            check=f"target group {group.name}: time to healthy",
            found=f"{_seconds(takes)} ({group.healthy_after} checks, {_seconds(group.interval)} apart)",
            wanted=f"at most {_seconds(HEALTHY_WITHIN)}",
            mend="lower HealthyThresholdCount or the interval: capacity that is there gets no requests until then",
        )
    if group.timeout >= group.interval or group.unhealthy_after < 2:  # noqa: PLR2004 - one is never enough
        yield Flaw(
            check=f"target group {group.name}: health check",
            found=f"timeout {_seconds(group.timeout)} of {_seconds(group.interval)}, unhealthy after "
            f"{group.unhealthy_after}",
            wanted="a timeout under the interval, and at least 2 failures in a row",
            mend="set HealthCheckTimeoutSeconds and UnhealthyThresholdCount: one slow answer must not end an instance",
        )


def _drain(group: TargetGroup, facts: Facts) -> Iterator[Flaw]:
    shortest, longest = DRAIN
    if not shortest <= group.drain <= longest:
        yield Flaw(
            check=f"target group {group.name}: deregistration delay",
            found=_seconds(group.drain),
            wanted=f"{_seconds(shortest)} to {_seconds(longest)}",
            mend="set deregistration_delay.timeout_seconds: shorter cuts requests, longer is paid for",
            grave=facts.asks_balancer and group.drain < shortest,
        )


def _rebalance(facts: Facts) -> Iterator[Flaw]:
    goodbye = max((hook.timeout for hook in facts.hooks if not hook.launching), default=timedelta(0))
    if facts.capacity_rebalance and not facts.spot_share:
        yield Flaw(
            check="capacity rebalancing",
            found="on, with no Spot",
            wanted="off",
            mend="switch it off: it does nothing here, and would surprise the one who adds Spot later",
        )
    if facts.spot_share and not facts.capacity_rebalance:
        yield Flaw(
            check="capacity rebalancing",
            found=f"off, with {facts.spot_share} % Spot",
            wanted="on",
            mend="switch it on: else a replacement starts only when Spot has taken the instance back",
        )
    if facts.spot_share and goodbye > SPOT_NOTICE:
        yield Flaw(
            check="terminating hook with Spot",
            found=_seconds(goodbye),
            wanted=f"at most {_seconds(SPOT_NOTICE)}",
            mend="shorten the hook, or buy on demand: Spot ends an instance after its notice, hook or not",
            grave=facts.processing is not None and facts.processing > SPOT_NOTICE,
        )
    if facts.capacity_rebalance and facts.spot_share:
        yield from _room_to_rebalance(facts)


def _room_to_rebalance(facts: Facts) -> Iterator[Flaw]:
    """Replacements start before those they replace end, so the group passes its max by a tenth for a while."""
    extra = ceil(facts.max_size / 10)
    for quota in facts.quotas:
        wanted = ceil(quota.needed * (1 + extra / max(facts.max_size, 1)))
        if quota.needed <= quota.limit < wanted:
            yield Flaw(
                check=f"quota {quota.code} while rebalancing",
                found=f"{quota.limit:g} vCPUs",
                wanted=f"at least {wanted}: the group may pass max by {extra}",
                mend=f"raise {quota.name!r} in Service Quotas, or lower max",
            )


def _mark(facts: Facts) -> Iterator[Flaw]:
    key, value = MARK
    if facts.observed.tags.get(key) != value:
        yield Flaw(
            check=f"tag {key}",
            found=facts.observed.tags.get(key) or "none",
            wanted=value,
            mend=f"tag the group {key}={value}: the policies of include/iam allow writes to such groups alone",
            grave=True,
        )


def _hooks(facts: Facts) -> Iterator[Flaw]:
    goodbyes = [hook for hook in facts.hooks if not hook.launching]
    if facts.queue is not None and not goodbyes:
        yield Flaw(
            check="terminating hook",
            found="none",
            wanted="one, so that a worker can finish the message in hand",
            mend="add a hook for autoscaling:EC2_INSTANCE_TERMINATING: `ensure_fleet` does, see `farewell:`",
        )
    for hook in goodbyes:
        if facts.processing is not None and hook.timeout < facts.processing:
            yield Flaw(
                check=f"hook {hook.name}",
                found=_seconds(hook.timeout),
                wanted=f"at least {_seconds(facts.processing)}, what one message takes",
                mend="raise its HeartbeatTimeout, or let the worker send heartbeats",
                grave=True,
            )
    for hook in facts.hooks:
        if hook.launching and hook.timeout > LAUNCH_WAIT:
            yield Flaw(
                check=f"hook {hook.name}",
                found=_seconds(hook.timeout),
                wanted=f"at most {_seconds(LAUNCH_WAIT)}",
                mend="lower its HeartbeatTimeout: an instance that nobody lets in waits so long, and "
                + ("is then thrown away" if hook.abandons else "is then let in untested"),
            )


def _suspended(facts: Facts) -> Iterator[Flaw]:
    if facts.observed.suspended:
        yield Flaw(
            check="suspended processes",
            found=", ".join(facts.observed.suspended),
            wanted="none",
            mend="resume them; AWS suspends Launch by itself after a day of failing launches",
            grave=bool({"ScheduledActions", "Launch"}.intersection(facts.observed.suspended)),
        )


def _bounds(facts: Facts) -> Iterator[Flaw]:
    found = facts.observed.max_size
    if found < facts.policy.max_size:
        yield Flaw(
            check="MaxSize",
            found=str(found),
            wanted=f"{facts.policy.max_size}, max of the fleet file",
            mend="raise it, or lower max: no plan goes above the group's own bound",
        )


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():g} s"


CHECKS: Final[tuple[Callable[[Facts], Iterator[Flaw]], ...]] = (
    _quotas,
    _max_of_a_queue,
    _bounds,
    _count,
    _visibility,
    _cooldown,
    _grace,
    _target_groups,
    _rebalance,
    _mark,
    _hooks,
    _suspended,
)
