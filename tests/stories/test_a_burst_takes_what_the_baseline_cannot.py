"""The promise: a baseline gets the traffic it can bear, the burst the rest; nothing is given back that is not seen."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from balancing import CONDITION, STICKY, a_balancer, the_rule, weights
from by_hand import FLEET_FILE, WEB, Desk, a_desk
from rights import client_of, connect, keys_of
from telling import PATIENCE, a_ledger, a_run

from demo.local_airflow import ROOT
from forecasting.override import OverrideKind
from predictive_scaling.balancer import Balancer
from predictive_scaling.burst import Burst
from predictive_scaling.errors import FleetBusy, OutcomeUnknown
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.store import SqlLedger
from predictive_scaling.operators import (
    EnsureAlarmsOperator,
    EnsureDashboardOperator,
    RollbackOperator,
    SplitTrafficOperator,
)
from predictive_scaling.overriding import Desk as OverridesDesk
from predictive_scaling.overriding import Wish, impose
from predictive_scaling.traffic import Crossing, split_traffic
from predictive_scaling.workplace import Turn, Workplace

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.records import Event


def before_the_group(cloud: sandbox.Cloud) -> Burst:
    """Arrange a load balancer before the group `web`."""
    elb, vpc = cloud.client("elbv2"), cloud.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    made = elb.create_target_group(Name="baseline", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="instance")
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    burst = a_balancer(cloud.client, arn)
    cloud.client("autoscaling").attach_load_balancer_target_groups(AutoScalingGroupName="web", TargetGroupARNs=[arn])
    cloud.advance(600)
    return burst


def busy(cloud: sandbox.Cloud, cpu: float) -> None:
    """Let six minutes go by, in each of which the group is so busy: the last is not complete in CloudWatch yet."""
    for _ in range(6):
        dimensions = [{"Name": "AutoScalingGroupName", "Value": "web"}]
        datum = {"MetricName": "CPUUtilization", "Dimensions": dimensions, "Value": cpu, "Timestamp": cloud.now()}
        cloud.client("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=[datum])
        cloud.advance(60)


@dataclass
class Shop:
    """The fleet `web` with a function beside it, whose traffic is split again and again."""

    cloud: sandbox.Cloud
    folder: Path
    turns: int = 0
    burst: Burst = field(init=False)

    def __post_init__(self) -> None:
        self.burst = before_the_group(self.cloud)
        self.ledger = SqlLedger(a_ledger(self.folder)._engine, self.cloud.now)  # noqa: SLF001 - the cloud's clock
        self.spec = replace(WEB, burst=self.burst)

    def turn(self, cpu: float | None = None, *, why_not: str = "", attempt: int = 1) -> str:
        """Let some minutes go by at this CPU, or unmeasured, and take the turn after them."""
        busy(self.cloud, cpu) if cpu is not None else self.cloud.advance(360)
        return self.look(why_not=why_not, attempt=attempt)

    def look(self, *, why_not: str = "", attempt: int = 1) -> str:
        """Take a turn now."""
        self.turns += attempt == 1
        turn = Turn(by=a_run(self.turns, attempt=attempt), now=self.cloud.now(), patience=PATIENCE)
        at = Workplace(name="web", fleet=AutoScalingFleet.of(self.spec), ledger=self.ledger, turn=turn)
        balancer = Balancer(burst=self.burst, elb=client_of(self.cloud, "elbv2", keys_of(self.cloud, "burst")))
        return split_traffic(Crossing(spec=self.spec, balancer=balancer, at=at), why_not)

    def share(self) -> int:
        return weights(self.cloud.client, self.burst)[1]

    def told(self) -> list[Event]:
        return sorted(self.ledger.events(fleet="web", limit=1000), key=lambda event: event.id or 0)


@pytest.fixture
def shop(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop(cloud, tmp_path)
    connect(cloud, monkeypatch, "burst")
    cloud.faults.forget_calls()
    return shop


def test_the_burst_follows_the_load_at_once_up_and_slowly_down(shop: Shop) -> None:
    assert shop.turn(40).startswith("0% to the burst, as it is: the baseline is at 40% with 100% of the traffic")

    assert shop.turn(100) == (
        "wrote burst 0% -> 30%: the baseline is at 100% with 100% of the traffic, above its ceiling of 70%: "
        "it keeps 70%; read back and verified"
    )
    shares = [(shop.turn(cpu), shop.share())[1] for cpu in (84, 71, 35, 35, 35, 35, 35)]
    assert shares == [42, 42, 32, 22, 12, 2, 0]

    kinds = [event.kind.value for event in shop.told()]
    assert kinds == ["intent", "applied"] * 7, "and nothing where nothing was changed"
    assert [event.after for event in shop.told()[::2]] == [{"burst": percent} for percent in (30, 42, 32, 22, 12, 2, 0)]
    assert shop.ledger.open_operation("web/traffic") is None


def test_all_but_the_weights_stays_as_it_was(shop: Shop) -> None:
    shop.turn(100)
    rule = the_rule(shop.cloud.client, shop.burst)
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"] == STICKY
    assert (rule["Priority"], rule["Conditions"][0]["Values"]) == ("7", CONDITION["Values"])


def test_a_log_in_before_the_forward_keeps_its_secret(shop: Shop) -> None:
    places = {name: f"https://login.example/{name}" for name in ("Issuer", "AuthorizationEndpoint", "TokenEndpoint")}
    login = {**places, "UserInfoEndpoint": "https://login.example/me", "ClientId": "shop"}
    actions = [
        {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**login, "ClientSecret": "hush"}},
        {**the_rule(shop.cloud.client, shop.burst)["Actions"][0], "Order": 2},
    ]
    shop.cloud.client("elbv2").modify_rule(RuleArn=shop.burst.rule, Actions=actions)

    shop.turn(100)
    asked, forward = the_rule(shop.cloud.client, shop.burst)["Actions"]
    assert asked["AuthenticateOidcConfig"]["UseExistingClientSecret"]
    assert [group["Weight"] for group in forward["ForwardConfig"]["TargetGroups"]] == [70, 30]


def test_an_unhealthy_baseline_gets_nothing_and_is_tried_again_with_a_little(shop: Shop) -> None:
    autoscaling = shop.cloud.client("autoscaling")
    autoscaling.detach_load_balancer_target_groups(AutoScalingGroupName="web", TargetGroupARNs=[shop.burst.baseline])
    assert "no target of the baseline is healthy" in shop.turn(40)
    assert weights(shop.cloud.client, shop.burst) == (0, 100)

    autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName="web", TargetGroupARNs=[shop.burst.baseline])
    shop.cloud.advance(600)
    shop.turn(5)
    assert weights(shop.cloud.client, shop.burst) == (10, 90)


def test_a_cpu_that_is_not_seen_or_of_before_the_last_split_gives_nothing_back(shop: Shop) -> None:
    shop.turn(100)
    assert "CPU of group web since it was split at" in shop.look(), "what was measured belongs to other weights"
    for _ in range(4):
        assert "nothing is given back unseen (CloudWatch has no CPU of group web" in shop.turn()
    assert shop.share() == 30
    shop.cloud.faults.add(service="cloudwatch", operation="GetMetricData", error="AccessDenied", status=403)
    assert "AccessDenied" in shop.turn(20)
    assert shop.share() == 30


def test_what_may_not_be_written_is_told(shop: Shop) -> None:
    assert "wrote nothing of burst 0% -> 30%" in shop.turn(100, why_not="this is a dry run")
    (event,) = shop.told()
    assert (event.kind.value, shop.share()) == ("observed", 0)
    assert "would split to 30%: burst 0% -> 30%" in event.reason
    assert "this is a dry run" in event.reason
    assert "elbv2.ModifyRule" not in shop.cloud.calls()


@pytest.mark.parametrize(("after", "end", "calls"), [(True, "applied", 1), (False, "failed", 2)])
def test_a_write_without_an_answer_is_ended_by_a_look_at_the_rule(
    shop: Shop,
    after: bool,  # noqa: FBT001 - pytest gives it
    end: str,
    calls: int,
) -> None:
    shop.cloud.faults.add(service="elbv2", operation="ModifyRule", drop=True, after=after, count=1)
    with pytest.raises(OutcomeUnknown):
        shop.turn(100)
    assert shop.ledger.open_operation("web/traffic") is not None
    assert shop.ledger.open_operation("web") is None, "the group's size can be changed meanwhile"
    with pytest.raises(FleetBusy, match="web/traffic"):
        shop.look()

    shop.turns -= 1
    shop.look(attempt=2)
    assert [event.kind.value for event in shop.told()][:3] == ["intent", "unknown", end]
    assert "looked at the rule after apply_plans.apply run run-1 try 1 for ada" in shop.told()[2].reason
    assert (shop.share(), shop.cloud.calls()["elbv2.ModifyRule"]) == (30, calls), "what is done is not done again"


def a_file(burst: Burst) -> str:
    return f"{FLEET_FILE}burst: {{rule: {burst.rule}, baseline: {burst.baseline}, serverless: {burst.serverless}}}\n"


@pytest.fixture
def desk(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A deployment on the real day whose fleet `web` has a burst, and is busy."""
    cloud.clock(now=(datetime.now(UTC) - timedelta(minutes=18)).isoformat(), speed=0)
    burst = before_the_group(cloud)
    desk = a_desk(cloud, tmp_path, monkeypatch, rights=("burst", "alarms", "dashboards"))
    cloud.clock(speed=0)
    (tmp_path / "fleets" / "web.yaml").write_text(a_file(burst))
    cloud.clock(now=(datetime.now(UTC) - timedelta(minutes=6)).isoformat(), speed=0)
    busy(cloud, 100)
    cloud.faults.forget_calls()
    return desk


def the_burst(cloud: sandbox.Cloud) -> Burst:
    rules = cloud.client("elbv2")
    listener = rules.describe_listeners(
        LoadBalancerArn=rules.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    )["Listeners"][0]["ListenerArn"]
    rule = next(each for each in rules.describe_rules(ListenerArn=listener)["Rules"] if not each["IsDefault"])
    groups = [group["TargetGroupArn"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]]
    return Burst(rule=rule["RuleArn"], baseline=groups[0], serverless=groups[1])


def split(desk: Desk, run: int = 1, **options: Any) -> dict[str, str]:
    told: dict[str, str] = desk.carry_out(SplitTrafficOperator(task_id="split", **options), run=run)
    return told


def test_a_task_splits_what_it_may_with_the_rights_we_ask_for(desk: Desk, tmp_path: Path) -> None:
    burst, file = the_burst(desk.cloud), tmp_path / "fleets" / "web.yaml"
    assert "this is a dry run" in split(desk, only_plan="True")["web"]
    file.write_text(a_file(burst).replace("mode: auto", "mode: observe"))
    assert "mode is observe" in split(desk)["web"]
    file.write_text(a_file(burst))
    by, now = a_run(), datetime.now(UTC)
    stop = Wish(kind=OverrideKind.STOP, reason="an incident", starts_at=now, ends_at=now + timedelta(hours=1))
    overrides = SqlOverrides(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    people = OverridesDesk(overrides=overrides, ledger=desk.ledger, by=by)
    impose(stop, "web", None, people, now=now)
    assert "an incident" in split(desk)["web"]
    assert weights(desk.cloud.client, burst) == (100, 0)

    overrides.returned(overrides.open("web")[0], at=now)
    assert split(desk)["web"].startswith("wrote burst 0% -> 30%")
    assert weights(desk.cloud.client, burst) == (70, 30)

    statements = json.loads((ROOT / "include" / "iam" / "burst.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    called = {name.replace("elbv2.", "elasticloadbalancing:").replace(".", ":") for name in desk.cloud.calls()}
    owners = {"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancers"}
    assert called - owners == allowed


def test_the_trouble_of_one_fleet_stops_no_other(desk: Desk, tmp_path: Path) -> None:
    burst = the_burst(desk.cloud)
    wrong = a_file(replace(burst, serverless=burst.serverless.replace("function", "nothing")))
    (tmp_path / "fleets" / "api.yaml").write_text(wrong.replace(": web", ": api"))
    with pytest.raises(AirflowFailException, match=r"1 fleets was not split: api: rule .* let it forward to"):
        split(desk)
    assert weights(desk.cloud.client, burst) == (70, 30)

    desk.cloud.faults.add(service="elbv2", operation="DescribeRules", error="AccessDenied", status=403)
    with pytest.raises(AirflowException, match="the traffic of 2 fleets was not split") as refused:
        split(desk, run=2)
    assert refused.type is AirflowException, "a retry may help"


def test_without_a_burst_the_task_is_skipped(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "fleets" / "web.yaml").write_text(FLEET_FILE)
    desk.cloud.faults.forget_calls()
    with pytest.raises(AirflowSkipException, match="no fleet file has `burst:`"):
        split(desk)
    assert desk.cloud.calls() == {}


def test_a_split_can_be_rolled_back_unless_it_was_moved_since(desk: Desk) -> None:
    burst = the_burst(desk.cloud)
    split(desk)
    event = desk.ledger.events(fleet="web", limit=1)[0]
    undo = {"event_id": str(event.id), "reason": "a mistake"}

    planned = desk.carry_out(RollbackOperator(task_id="roll_back", only_plan=True, **undo), run=2)
    assert (planned["written"], weights(desk.cloud.client, burst)) == (False, (70, 30))
    assert desk.carry_out(RollbackOperator(task_id="roll_back", **undo), run=3)["written"]
    assert weights(desk.cloud.client, burst) == (100, 0)
    assert desk.carry_out(RollbackOperator(task_id="roll_back", **undo), run=4)["written"] is False

    balancer = Balancer(burst=burst, elb=desk.cloud.client("elbv2"))
    balancer.put(55, balancer.look())
    with pytest.raises(AirflowFailException, match="55% go to the burst, 30% were left to it, and 0% before"):
        desk.carry_out(RollbackOperator(task_id="roll_back", **undo), run=5)


def test_a_baseline_that_stays_above_its_ceiling_rings(desk: Desk) -> None:
    (row,) = desk.carry_out(EnsureAlarmsOperator(task_id="ensure"))
    assert (row["alarm"], row["change"]) == ("ps-baseline-web", "create")
    (again,) = desk.carry_out(EnsureAlarmsOperator(task_id="ensure"))
    assert again["change"] == "keep"

    cloudwatch = desk.cloud.client("cloudwatch")
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (70, 2, 2)
    assert alarm["Metrics"][0]["MetricStat"]["Period"] == 300

    def state() -> str:
        return str(cloudwatch.describe_alarms()["MetricAlarms"][0]["StateValue"])

    for _ in range(3):
        busy(desk.cloud, 60)
    assert state() == "OK"
    for _ in range(3):
        busy(desk.cloud, 90)
    assert state() == "ALARM"


def test_the_dashboard_shows_baseline_burst_and_share(desk: Desk) -> None:
    desk.carry_out(EnsureDashboardOperator(task_id="ensure"))
    body = desk.cloud.client("cloudwatch").get_dashboard(DashboardName="predictive-scaling")["DashboardBody"]
    *_, cpu, calls, share = json.loads(body)["widgets"]

    burst = the_burst(desk.cloud)
    assert cpu["properties"]["metrics"] == [["AWS/EC2", "CPUUtilization", "AutoScalingGroupName", "web"]]
    assert cpu["properties"]["annotations"] == {"horizontal": [{"label": "ceiling", "value": 70.0}]}
    (series,) = calls["properties"]["metrics"]
    target = burst.serverless.split(":")[-1]
    balancer = desk.cloud.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    assert series[:2] == ["AWS/ApplicationELB", "RequestCount"]
    assert series[2:6] == ["LoadBalancer", balancer.split("loadbalancer/")[-1], "TargetGroup", target]
    assert share["properties"]["metrics"][2][0]["expression"] == "100*FILL(b,0)/(FILL(a,0)+FILL(b,0))"
    assert cpu["y"] == calls["y"] == share["y"] == 8
