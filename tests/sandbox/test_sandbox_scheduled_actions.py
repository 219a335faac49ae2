"""Scheduled actions: what AWS refuses, what it lists, and that they run at their time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from sandbox import Cloud

HOUR = timedelta(hours=1)


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def put(cloud: Cloud, name: str = "up", group: str = "web", **request: Any) -> None:
    cloud.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName=group, ScheduledActionName=name, **request
    )


def names(cloud: Cloud, **request: Any) -> list[str]:
    answer = cloud.client("autoscaling").describe_scheduled_actions(**request)
    return [action["ScheduledActionName"] for action in answer["ScheduledUpdateGroupActions"]]


def sizes(cloud: Cloud, name: str = "web") -> tuple[int, int, int]:
    answer = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    (group,) = answer["AutoScalingGroups"]
    return group["MinSize"], group["DesiredCapacity"], group["MaxSize"]


# ---------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"StartTime": "2026-01-05T09:00:00Z"}, "At least one of"),
        ({"MinSize": 1}, "Either StartTime or Recurrence"),
        ({"StartTime": "2026-01-05T07:59:00Z", "MinSize": 1}, "Given start time is in the past"),
        ({"StartTime": "2026-01-05T09:00:00Z", "MinSize": 4, "MaxSize": 2}, "greater than or equal to min bound"),
        ({"StartTime": "2026-01-05T09:00:00Z", "MaxSize": 2, "DesiredCapacity": 3}, "Desired capacity:3"),
        ({"Recurrence": "99 8 * * *", "MinSize": 1}, "recurrence"),
        ({"Recurrence": "0 0 8 * * *", "MinSize": 1}, "recurrence"),
        ({"Recurrence": "0 8 * * *", "TimeZone": "Europe/Nowhere", "MinSize": 1}, "Europe/Nowhere"),
        ({"StartTime": "2026-01-05T09:00:00Z", "EndTime": "2026-01-05T08:30:00Z", "MinSize": 1}, "end time"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(cloud: Cloud, request_: dict[str, Any], words: str) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError) as caught:
        put(cloud, **request_)
    assert refusal(caught)[0] == "ValidationError"
    assert words in refusal(caught)[1]
    assert names(cloud) == []


def test_two_actions_of_a_group_cannot_start_together(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    cloud.create_fleet("api")
    put(cloud, "first", StartTime=cloud.now() + HOUR, MinSize=1)
    with pytest.raises(ClientError) as caught:
        put(cloud, "second", StartTime=cloud.now() + HOUR, MinSize=2)
    assert refusal(caught)[0] == "AlreadyExists"
    put(cloud, "second", group="api", StartTime=cloud.now() + HOUR, MinSize=2)
    put(cloud, "first", StartTime=cloud.now() + HOUR, MinSize=3)
    assert names(cloud, AutoScalingGroupName="web") == ["first"]


def test_one_name_in_two_groups_means_two_actions(cloud: Cloud) -> None:
    for group in ("web", "api"):
        cloud.create_fleet(group)
        put(cloud, "up", group=group, StartTime=cloud.now() + HOUR, MinSize=1)
    cloud.client("autoscaling").delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="up")
    assert names(cloud, AutoScalingGroupName="web") == []
    assert names(cloud, AutoScalingGroupName="api") == ["up"]


def test_a_group_holds_125_actions_and_no_more(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    assert [batch_put(cloud, first, 25) for first in range(0, 125, 25)] == [[]] * 5
    with pytest.raises(ClientError) as caught:
        put(cloud, "one-too-many", StartTime=cloud.now() + 500 * HOUR, MinSize=1)
    assert refusal(caught)[0] == "LimitExceeded"
    put(cloud, "a-0", StartTime=cloud.now() + 500 * HOUR, MinSize=1)


def batch_put(cloud: Cloud, first: int, count: int, **changes: Any) -> list[dict[str, str]]:
    actions = [
        {
            "ScheduledActionName": f"a-{number}",
            "StartTime": cloud.now() + (number + 1) * timedelta(minutes=5),
            "MinSize": 1,
            **changes,
        }
        for number in range(first, first + count)
    ]
    answer = cloud.client("autoscaling").batch_put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledUpdateGroupActions=actions
    )
    return list(answer["FailedScheduledUpdateGroupActions"])


# ---------------------------------------------------------------------------------------------- batches


def test_a_batch_takes_at_most_50_actions(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    assert batch_put(cloud, 0, 50) == []
    with pytest.raises(ClientError) as caught:
        batch_put(cloud, 50, 51)
    assert refusal(caught)[0] == "ValidationError"
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError) as caught:
        autoscaling.batch_delete_scheduled_action(
            AutoScalingGroupName="web", ScheduledActionNames=[f"a-{number}" for number in range(51)]
        )
    assert refusal(caught)[0] == "ValidationError"


def test_a_batch_reports_what_failed_in_its_answer_and_keeps_the_rest(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    start = cloud.now() + HOUR
    actions = [
        {"ScheduledActionName": "good", "StartTime": start, "MinSize": 1},
        {"ScheduledActionName": "late", "StartTime": cloud.now() - HOUR, "MinSize": 1},
        {"ScheduledActionName": "twin", "StartTime": start, "MinSize": 1},
    ]
    answer = cloud.client("autoscaling").batch_put_scheduled_update_group_action(
        AutoScalingGroupName="web", ScheduledUpdateGroupActions=actions
    )
    failed = answer["FailedScheduledUpdateGroupActions"]
    assert [(each["ScheduledActionName"], each["ErrorCode"]) for each in failed] == [
        ("late", "ValidationError"),
        ("twin", "AlreadyExists"),
    ]
    assert failed[0]["ErrorMessage"] == "Given start time is in the past"
    assert names(cloud) == ["good"]


def test_a_batch_delete_reports_what_it_did_not_find(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    batch_put(cloud, 0, 2)
    answer = cloud.client("autoscaling").batch_delete_scheduled_action(
        AutoScalingGroupName="web", ScheduledActionNames=["a-0", "ghost", "a-1"]
    )
    (failed,) = answer["FailedScheduledActions"]
    assert (failed["ScheduledActionName"], failed["ErrorCode"]) == ("ghost", "ValidationError")
    assert failed["ErrorMessage"] == "Scheduled action name not found"
    assert names(cloud) == []


def test_deleting_an_action_that_is_gone_is_refused(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    with pytest.raises(ClientError) as caught:
        cloud.client("autoscaling").delete_scheduled_action(AutoScalingGroupName="web", ScheduledActionName="ghost")
    assert refusal(caught) == ("ValidationError", "Scheduled action name not found")


# ---------------------------------------------------------------------------------------------- what is listed


def test_the_list_is_narrowed_by_group_name_and_time(cloud: Cloud) -> None:
    now = cloud.now()
    for group in ("web", "api"):
        cloud.create_fleet(group)
        for hour in (1, 2, 3):
            put(cloud, f"{group}-{hour}", group=group, StartTime=now + hour * HOUR, MinSize=1)
    assert names(cloud) == ["api-1", "web-1", "api-2", "web-2", "api-3", "web-3"]
    assert names(cloud, AutoScalingGroupName="web") == ["web-1", "web-2", "web-3"]
    assert names(cloud, AutoScalingGroupName="web", ScheduledActionNames=["web-2", "ghost"]) == ["web-2"]
    assert names(cloud, AutoScalingGroupName="web", StartTime=now + 2 * HOUR) == ["web-2", "web-3"]
    assert names(cloud, AutoScalingGroupName="web", EndTime=now + 2 * HOUR) == ["web-1", "web-2"]
    assert names(cloud, ScheduledActionNames=["web-1"], StartTime=now + 3 * HOUR) == ["web-1"]


def test_the_list_comes_in_pages(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    batch_put(cloud, 0, 50)
    batch_put(cloud, 50, 50)
    autoscaling = cloud.client("autoscaling")
    first = autoscaling.describe_scheduled_actions(AutoScalingGroupName="web")
    assert len(first["ScheduledUpdateGroupActions"]) == 50
    assert len(names(cloud, AutoScalingGroupName="web", MaxRecords=100)) == 100
    rest = names(cloud, AutoScalingGroupName="web", NextToken=first["NextToken"])
    assert rest == [f"a-{number}" for number in range(50, 100)]


def test_a_listed_action_shows_what_was_put(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    start = cloud.now() + HOUR
    put(cloud, "once", StartTime=start, MinSize=1, MaxSize=4, DesiredCapacity=2)
    put(cloud, "daily", Recurrence="30 7 * * *", TimeZone="Europe/Berlin", MinSize=3)
    answer = cloud.client("autoscaling").describe_scheduled_actions(AutoScalingGroupName="web")
    once, daily = answer["ScheduledUpdateGroupActions"]
    assert (once["StartTime"], once["MinSize"], once["MaxSize"], once["DesiredCapacity"]) == (start, 1, 4, 2)
    assert (daily["Recurrence"], daily["TimeZone"]) == ("30 7 * * *", "Europe/Berlin")
    assert daily["StartTime"] == datetime.fromisoformat("2026-01-06T06:30:00+00:00")
    assert "MaxSize" not in daily


# ---------------------------------------------------------------------------------------------- when they run


def test_an_action_runs_at_its_time_and_is_gone(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5)
    put(cloud, StartTime=cloud.now() + HOUR, DesiredCapacity=3)
    cloud.advance(3599)
    assert sizes(cloud) == (0, 0, 5)
    cloud.advance(1)
    assert sizes(cloud) == (0, 3, 5)
    assert names(cloud) == []


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"MinSize": 4}, (4, 4, 6)),
        ({"MinSize": 1}, (1, 3, 6)),
        ({"MaxSize": 2}, (2, 2, 2)),
        ({"MaxSize": 9}, (2, 3, 9)),
        ({"MinSize": 3, "MaxSize": 8, "DesiredCapacity": 5}, (3, 5, 8)),
    ],
)
def test_new_bounds_move_the_desired_capacity_only_if_they_exclude_it(
    cloud: Cloud, change: dict[str, Any], after: tuple[int, int, int]
) -> None:
    cloud.create_fleet("web", min_size=2, max_size=6, desired=3)
    put(cloud, StartTime=cloud.now() + HOUR, **change)
    cloud.advance(3600)
    assert sizes(cloud) == after


def test_an_action_that_the_bounds_no_longer_allow_fails_and_says_why(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5)
    put(cloud, StartTime=cloud.now() + HOUR, DesiredCapacity=4)
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=3)
    cloud.advance(3600)
    activities = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    assert activities[0]["StatusCode"] == "Failed"
    assert "Desired capacity:4" in activities[0]["StatusMessage"]
    assert sizes(cloud) == (0, 0, 3)


def test_many_actions_run_in_order_during_one_long_advance(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=9)
    for hour, desired in ((3, 1), (1, 2), (2, 5)):
        put(cloud, f"at-{hour}", StartTime=cloud.now() + hour * HOUR, DesiredCapacity=desired)
    start = cloud.now()
    cloud.advance(4 * 3600)
    activities = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")["Activities"]
    run = [(a["Description"][-4:], a["StartTime"] - start) for a in activities if "Executing" in a["Description"]]
    assert run[::-1] == [("at-1", HOUR), ("at-2", 2 * HOUR), ("at-3", 3 * HOUR)]
    assert sizes(cloud)[1] == 1


def test_a_recurring_action_follows_the_clocks_of_its_time_zone(cloud: Cloud) -> None:
    cloud.clock(now="2026-03-27T12:00:00+00:00")
    cloud.create_fleet("web")
    put(cloud, "open", Recurrence="0 8 * * *", TimeZone="Europe/Berlin", DesiredCapacity=2)
    put(cloud, "close", Recurrence="0 20 * * *", TimeZone="Europe/Berlin", DesiredCapacity=0)
    cloud.clock(now="2026-03-28T06:59:59+00:00")
    assert sizes(cloud)[1] == 0
    cloud.advance(1)
    assert sizes(cloud)[1] == 2
    cloud.advance(12 * 3600)
    assert sizes(cloud)[1] == 0
    cloud.clock(now="2026-03-29T06:00:00+00:00")
    assert sizes(cloud)[1] == 2
    assert names(cloud) == ["close", "open"]


def test_a_recurring_action_ends_at_its_end(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    put(cloud, Recurrence="0 9 * * *", EndTime="2026-01-06T10:00:00Z", MinSize=1)
    cloud.advance(24 * 3600)
    assert names(cloud) == ["up"]
    cloud.advance(24 * 3600)
    assert names(cloud) == []


def test_a_suspended_action_is_missed_for_good(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5)
    put(cloud, "missed", StartTime=cloud.now() + HOUR, DesiredCapacity=3)
    put(cloud, "daily", Recurrence="30 8 * * *", MinSize=1)
    autoscaling = cloud.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    cloud.advance(2 * 3600)
    autoscaling.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    cloud.advance(3600)
    assert sizes(cloud) == (0, 0, 5)
    assert names(cloud) == ["daily"]
    cloud.advance(24 * 3600)
    assert sizes(cloud) == (1, 1, 5)


def test_an_action_that_was_replaced_runs_at_its_new_time_only(cloud: Cloud) -> None:
    cloud.create_fleet("web", max_size=5)
    put(cloud, StartTime=cloud.now() + HOUR, DesiredCapacity=3)
    put(cloud, StartTime=cloud.now() + 2 * HOUR, DesiredCapacity=4)
    cloud.advance(3600)
    assert sizes(cloud)[1] == 0
    cloud.advance(3600)
    assert sizes(cloud)[1] == 4


def lateness(cloud: Cloud, seed: int, count: int = 20) -> list[float]:
    """Return how late each of some actions ran, an hour apart."""
    cloud.reset()
    cloud.clock(now="2026-01-05T08:00:00Z", speed=0)
    cloud.configure(schedule_delay_seconds=120, seed=seed)
    cloud.create_fleet("web", max_size=count)
    starts = [cloud.now() + number * HOUR for number in range(1, count + 1)]
    for number, start in enumerate(starts, start=1):
        put(cloud, f"a{number}", StartTime=start, MinSize=number)
    cloud.advance((count + 1) * 3600)
    answer = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")
    ran = sorted(a["StartTime"] for a in answer["Activities"] if a["Description"].startswith("Executing"))
    return [(run - start).total_seconds() for run, start in zip(ran, starts, strict=True)]


def test_actions_run_up_to_so_late_and_alike_with_the_same_seed(cloud: Cloud) -> None:
    late = lateness(cloud, seed=3)
    assert all(0 <= seconds <= 120 for seconds in late)
    assert max(late) - min(late) > 30
    assert lateness(cloud, seed=3) == late
    assert lateness(cloud, seed=4) != late


def test_late_actions_of_one_group_keep_their_order(cloud: Cloud) -> None:
    cloud.configure(schedule_delay_seconds=120, seed=5)
    cloud.create_fleet("web", max_size=20)
    for number in range(1, 11):
        start = cloud.now() + HOUR + timedelta(seconds=number)
        put(cloud, f"a{number}", StartTime=start, MinSize=number)
    cloud.advance(2 * 3600)
    answer = cloud.client("autoscaling").describe_scaling_activities(AutoScalingGroupName="web")
    ran = [a["Description"] for a in answer["Activities"] if a["Description"].startswith("Executing")]
    assert ran == [f"Executing scheduled action a{number}" for number in range(10, 0, -1)]
    assert sizes(cloud)[0] == 10


def test_an_action_is_not_affected_by_the_cooldown(cloud: Cloud) -> None:
    cloud.create_fleet("web")
    put(cloud, StartTime=cloud.now() + timedelta(seconds=60), DesiredCapacity=2)
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    cloud.advance(60)
    assert sizes(cloud)[1] == 2
