"""One look decides: it is done, it failed, it was overtaken, or it is worth waiting on."""

from __future__ import annotations

import json

from predictive_scaling.fleets import Activity, Examined, Instance, Observed
from predictive_scaling.waits import Ended, GoneWait, InServiceWait, Verdict, wait_from

FAILED = Activity(
    id="new", description="Launching a new EC2 instance", status="Failed", message="VcpuLimitExceeded - no more"
)
OLD = Activity(id="old", description="Launching a new EC2 instance", status="Failed", message="long ago")


def a_look(*instances: Instance, desired: int = 3, activities: tuple[Activity, ...] = ()) -> Examined:
    observed = Observed(min_size=0, max_size=9, desired=desired, in_service=0, instances=instances)
    return Examined(observed=observed, activities=activities)


def serving(number: int) -> Instance:
    return Instance(id=f"i-{number}", targets=("healthy",))


def test_it_is_done_when_enough_serve_and_not_before_their_targets_are_healthy() -> None:
    wait, fresh = InServiceWait(goal=2), Instance(id="i-9", targets=("initial",))
    assert wait.judge(a_look(serving(1), fresh)) is None
    assert wait.progress(a_look(serving(1), fresh)) == "1 of 2 serve, 0 on their way, 1 not yet healthy"
    done = wait.judge(a_look(serving(1), serving(2)))
    assert done is not None
    assert done.ended is Ended.DONE


def test_capacity_is_counted_in_the_units_of_the_desired_capacity() -> None:
    assert InServiceWait(goal=4).judge(a_look(Instance(id="i-1", weight=4), desired=4)) is not None


def test_a_failed_launch_ends_it_only_if_it_is_new_and_the_group_is_short() -> None:
    wait = InServiceWait(goal=3, mark="old")
    assert wait.judge(a_look(serving(1), activities=(OLD,))) is None
    booting = [Instance(id=f"i-{number}", lifecycle="Pending") for number in (7, 8)]
    elsewhere = a_look(serving(1), *booting, activities=(FAILED, OLD))
    assert wait.judge(elsewhere) is None, "it failed in one zone and came in another"
    verdict = wait.judge(a_look(serving(1), activities=(FAILED, OLD)))
    assert verdict is not None
    assert (verdict.ended, verdict.mark) == (Ended.LAUNCH_FAILED, "new")
    assert verdict.failure is not None
    assert verdict.failure.kind.value == "quota"


def test_an_instance_that_gets_another_root_volume_is_there_and_not_missing() -> None:
    wait = InServiceWait(goal=2, mark="old")
    for lifecycle in ("ReplacingRootVolume", "ReplacingRootVolume:Wait", "RootVolumeReplaced"):
        refreshed = Instance(id="i-9", lifecycle=lifecycle)
        look = a_look(serving(1), refreshed, desired=2, activities=(FAILED, OLD))
        assert look.observed.staying_units == 2
        assert wait.judge(look) is None, "what failed in one zone came in another"


def test_somebody_elses_hand_ends_it() -> None:
    verdict = InServiceWait(goal=3).judge(a_look(serving(1), desired=2))
    assert verdict is not None
    assert verdict.ended is Ended.OVERTAKEN


def test_gone_means_not_in_the_group_any_more_and_each_step_out_has_a_word() -> None:
    wait = GoneWait(instances=("i-1", "i-2", "i-3"))
    draining = Instance(id="i-1", lifecycle="Terminating", targets=("draining",))
    held = Instance(id="i-2", lifecycle="Terminating:Wait")
    assert wait.judge(a_look(draining, held)) is None
    assert wait.progress(a_look(draining, held)) == "i-1 draining, i-2 held by its lifecycle hook, i-3 gone"
    assert wait.judge(a_look(serving(9))) is not None


def test_waits_and_verdicts_survive_a_restart_as_json() -> None:
    for wait in (InServiceWait(goal=3, mark="old"), GoneWait(instances=("i-1",))):
        assert wait_from(json.loads(json.dumps(wait.as_json()))) == wait
    verdict = InServiceWait(goal=3).judge(a_look(activities=(FAILED,)))
    assert verdict is not None
    assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict
