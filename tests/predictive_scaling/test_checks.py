"""Each check says the number found, the number wanted and the mend, and nothing of a group that is as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from forecasting import Policy
from predictive_scaling.checks import Facts, Hook, Queue, Quota, TargetGroup, flaws_of
from predictive_scaling.fleet_check import quotas_of
from predictive_scaling.fleets import Observed
from sandbox.quotas import QUOTAS
from sandbox.usage import ON_DEMAND, SPOT, Pool

SECOND = timedelta(seconds=1)
QUOTA = Quota(code="L-1216C47A", name="Standard", limit=40, needed=40)
QUEUE = Queue(name="jobs", visibility=90 * SECOND, deepest=150)
BALANCED = TargetGroup(
    name="web", interval=10 * SECOND, timeout=5 * SECOND, healthy_after=3, unhealthy_after=3, drain=60 * SECOND
)
GOODBYE = Hook(name="farewell", launching=False, timeout=60 * SECOND, abandons=False)


def a_group(**changes: Any) -> Observed:
    group = Observed(min_size=1, max_size=10, desired=2, in_service=2, tags={"predictive-scaling": "yes"})
    return replace(group, **changes)


def good_facts(**changes: Any) -> Facts:
    """A queue worker behind a load balancer, with nothing wrong."""
    facts = Facts(
        fleet="web",
        policy=Policy(1, 10, 20.0, timedelta(minutes=4)),
        observed=a_group(),
        cooldown=180 * SECOND,
        grace=300 * SECOND,
        health_check="ELB",
        quotas=(QUOTA,),
        queue=QUEUE,
        processing=30 * SECOND,
        target_groups=(BALANCED,),
        hooks=(GOODBYE,),
    )
    return replace(facts, **changes)


def test_a_group_as_it_should_be_has_no_flaw() -> None:
    assert flaws_of(good_facts()) == ()
    assert flaws_of(good_facts(queue=replace(QUEUE, deepest=None))) == ()
    assert flaws_of(good_facts(health_check="EBS,ELB")) == (), "a group may have several kinds of checks"


@pytest.mark.parametrize(
    ("facts", "check", "found", "wanted", "grave"),
    [
        (good_facts(quotas=(replace(QUOTA, limit=32),)), "quota L-1216C47A", "32 vCPUs", "at least 40", True),
        (good_facts(queue=replace(QUEUE, deepest=161)), "max", "10", "at least 11", False),
        (
            good_facts(uncounted=True),
            "metrics collection",
            "no GroupInServiceInstances",
            "GroupInServiceInstances, without which the load is not known",
            True,
        ),
        (good_facts(processing=31 * SECOND), "visibility timeout", "90 s", "at least 93 s", True),
        (good_facts(cooldown=60 * SECOND), "cooldown", "60 s", "120 s to 300 s", False),
        (good_facts(cooldown=301 * SECOND), "cooldown", "301 s", "120 s to 300 s", False),
        (good_facts(boot=301 * SECOND), "health check grace period", "300 s", "at least 301 s", True),
        (good_facts(grace=200 * SECOND), "health check grace period", "200 s", "at least 240 s", True),
        (good_facts(health_check="EC2"), "health check type", "EC2", "ELB", False),
        (good_facts(health_check="EC2,EBS"), "health check type", "EC2,EBS", "ELB", False),
        (
            good_facts(health_check="EBS,ELB", grace=200 * SECOND),
            "health check grace period",
            "200 s",
            "at least 240 s",
            True,
        ),
        (
            good_facts(target_groups=(replace(BALANCED, interval=60 * SECOND),)),
            "target group web: time to healthy",
            "180 s",
            "at most 120 s",
            False,
        ),
        (
            good_facts(target_groups=(replace(BALANCED, unhealthy_after=1),)),
            "target group web: health check",
            "unhealthy after 1",
            "2 failures",
            False,
        ),
        (
            good_facts(target_groups=(replace(BALANCED, drain=SECOND),)),
            "target group web: deregistration delay",
            "1 s",
            "30 s to 600 s",
            True,
        ),
        (good_facts(capacity_rebalance=True), "capacity rebalancing", "on, with no Spot", "off", False),
        (good_facts(spot_share=50), "capacity rebalancing", "off, with 50 % Spot", "on", False),
        (
            good_facts(
                spot_share=50,
                capacity_rebalance=True,
                quotas=(),
                hooks=(replace(GOODBYE, timeout=121 * SECOND),),
            ),
            "terminating hook with Spot",
            "121 s",
            "at most 120 s",
            False,
        ),
        (
            good_facts(spot_share=50, capacity_rebalance=True),
            "quota L-1216C47A while rebalancing",
            "40 vCPUs",
            "at least 44",
            False,
        ),
        (good_facts(observed=a_group(tags={})), "tag predictive-scaling", "none", "yes", True),
        (good_facts(hooks=()), "terminating hook", "none", "one", False),
        (good_facts(hooks=(replace(GOODBYE, timeout=29 * SECOND),)), "hook farewell", "29 s", "at least 30 s", True),
        (
            good_facts(hooks=(GOODBYE, Hook(name="in", launching=True, timeout=3600 * SECOND, abandons=True))),
            "hook in",
            "3600 s",
            "at most 600 s",
            False,
        ),
        (good_facts(observed=a_group(suspended=("Launch",))), "suspended processes", "Launch", "none", True),
    ],
)
def test_each_flaw_is_told_with_both_numbers_and_the_mend(
    facts: Facts,
    check: str,
    found: str,
    wanted: str,
    grave: bool,  # noqa: FBT001 - a column of the table
) -> None:
    (flaw,) = flaws_of(facts)
    assert (flaw.check, flaw.grave) == (check, grave)
    assert found in flaw.found
    assert wanted in flaw.wanted
    assert flaw.mend


def test_a_maximum_that_a_forecast_may_pass_counts_as_it_is_passed() -> None:
    policy = Policy(1, 10, 20.0, timedelta(minutes=4), breach_max=12)
    assert flaws_of(good_facts(policy=policy, queue=replace(QUEUE, deepest=200))) == ()


def test_the_grave_flaws_come_first() -> None:
    flaws = flaws_of(good_facts(cooldown=SECOND, observed=a_group(tags={})))
    assert [flaw.grave for flaw in flaws] == [True, False]


@pytest.mark.parametrize(
    "of", ["m6i", "t3a", "im4gn", "g5", "gr6", "vt1", "p4d", "p5en", "inf2", "trn1", "dl1", "f1", "x2i"]
)
@pytest.mark.parametrize("way", [ON_DEMAND, SPOT])
def test_the_quota_asked_for_is_the_one_a_launch_counts_towards(of: str, way: str) -> None:
    pool = Pool(instance_type=f"{of}.xlarge", zone="us-east-1a", purchase=way)
    (counted,) = [quota.code for quota in QUOTAS if quota.covers(pool)]
    assert quotas_of(pool.instance_type)[way == SPOT] == counted


def test_of_a_family_nobody_knows_no_quota_is_asked() -> None:
    assert quotas_of("zz9.large") == ()
