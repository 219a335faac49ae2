"""A fleet is one file; a wrong file gets one clear error, and costs no other fleet anything."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from demo.local_airflow import ROOT
from forecasting import Policy
from forecasting.decision import Rules
from forecasting.envelope import Envelope
from forecasting.policy_file import FLEET_KEYS
from forecasting.traffic_split import Terms
from predictive_scaling.errors import InvalidFleet, InvalidSetting
from predictive_scaling.fleet_file import FleetFile, fleet_schema, read_fleet
from predictive_scaling.fleet_folder import read_fleets
from predictive_scaling.fleet_spec import Mode
from predictive_scaling.metric import Metric

if TYPE_CHECKING:
    from pathlib import Path

SIX_LINES = """\
name: web
group: web-asg
metric: {namespace: AWS/ApplicationELB, name: RequestCount, dimensions: {LoadBalancer: app/web/1}}
target_per_instance: 600
min: 2
max: 20
"""
ALSO_SLOWER = "also: [{metric: {namespace: A, name: Jobs, period: 15m}, target_per_instance: 5}]\n"


def a_file(folder: Path, text: str = SIX_LINES, name: str = "web.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_six_lines_are_a_fleet_that_observes_and_writes_nothing(tmp_path: Path) -> None:
    fleet = read_fleet(a_file(tmp_path))

    assert (fleet.name, fleet.group, fleet.mode) == ("web", "web-asg", Mode.OBSERVE)
    assert (fleet.policy.min_size, fleet.policy.max_size, fleet.policy.target_per_instance) == (2, 20, 600)
    assert isinstance(fleet.metric, Metric)
    assert (fleet.metric.statistic, fleet.metric.period) == ("Sum", timedelta(minutes=5))


def test_everything_a_file_may_say_is_kept(tmp_path: Path) -> None:
    more = """\
mode: auto
timezone: Europe/Berlin
lead_time: 1m30s
quantile: 0.95
engine: seasonal_naive
history: 14d
region: eu-central-1
connection: aws_shop
events:
  - {name: sale, start: 2026-11-27T00:00, end: 2026-11-28T00:00, factor: 2.5}
"""
    fleet = read_fleet(a_file(tmp_path, SIX_LINES + more))

    assert (fleet.mode, fleet.policy.lead_time, fleet.policy.quantile) == (Mode.AUTO, timedelta(seconds=90), 0.95)
    assert (fleet.engine, fleet.history, fleet.region) == ("seasonal_naive", timedelta(days=14), "eu-central-1")
    (sale,) = fleet.events
    assert sale.start.isoformat() == "2026-11-26T23:00:00+00:00", "a time without zone is the fleet's own"


def test_costs_choose_the_quantile_unless_it_is_written(tmp_path: Path) -> None:
    costs = "price_per_hour: 0.1\nshortage_cost: 1.9\n"
    assert read_fleet(a_file(tmp_path, SIX_LINES + costs)).policy.quantile == pytest.approx(0.95)
    assert read_fleet(a_file(tmp_path, SIX_LINES + costs + "quantile: 0.8\n")).policy.quantile == 0.8


def test_a_fleet_file_is_a_policy_file_for_the_command_line_too(tmp_path: Path) -> None:
    policy_keys = {field.name for field in dataclasses.fields(Policy)} | {"min", "max"}
    assert set(FleetFile.model_fields) - policy_keys == set(FLEET_KEYS)
    assert Policy.from_yaml(a_file(tmp_path)).max_size == 20


def test_limits_on_change_and_freezes_are_kept(tmp_path: Path) -> None:
    limits = """\
timezone: Europe/Berlin
max_step_up: 5
max_step_down: 2
cooldown_up: 10m
cooldown_down: 30m
freezes:
  - {start: 2026-12-01T08:00, end: 2026-12-01T12:00}
"""
    policy = read_fleet(a_file(tmp_path, SIX_LINES + limits)).policy

    assert (policy.max_step_up, policy.max_step_down) == (5, 2)
    assert (policy.cooldown_up, policy.cooldown_down) == (timedelta(minutes=10), timedelta(minutes=30))
    (freeze,) = policy.freezes
    assert freeze.start.isoformat() == "2026-12-01T07:00:00+00:00", "a time without zone is the fleet's own"


def test_how_far_a_plan_may_go_unasked_is_kept(tmp_path: Path) -> None:
    agreed = "approval: {above: 12, lower_by: 4, within: 30m, by: [ada, grace]}\n"
    assert read_fleet(a_file(tmp_path)).approval is None
    approval = read_fleet(a_file(tmp_path, SIX_LINES + agreed)).approval
    assert approval == Envelope(above=12, lower_by=4, within=timedelta(minutes=30), by=("ada", "grace"))


ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
BURST = f"""\
burst:
  rule: {ELB}:listener-rule/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee
  baseline: {ELB}:targetgroup/gpu/73e2d6bc24d8a067
  serverless: {ELB}:targetgroup/function/943f017f100becff
"""


def test_where_the_rest_of_the_traffic_goes_is_kept(tmp_path: Path) -> None:
    assert read_fleet(a_file(tmp_path)).burst is None
    burst = read_fleet(a_file(tmp_path, SIX_LINES + BURST)).burst
    assert burst is not None
    assert burst.terms == Terms(ceiling=0.7, back=10)
    changed = read_fleet(a_file(tmp_path, f"{SIX_LINES}{BURST}  ceiling: 0.6\n  back: 5\n")).burst
    assert changed is not None
    assert changed.terms == Terms(ceiling=0.6, back=5)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [(SIX_LINES, 10), (SIX_LINES + ALSO_SLOWER, 30), (SIX_LINES.replace("metric: {", "metric: {period: 1h, "), 120)],
    ids=["a period of five minutes", "one more load, of 15 minutes", "a period of an hour"],
)
def test_a_load_is_fresh_until_its_next_value_is_there(tmp_path: Path, text: str, minutes: int) -> None:
    fleet = read_fleet(a_file(tmp_path, text + "reaction: {}\n"))
    assert fleet.reaction == Rules(fresh=timedelta(minutes=minutes))


def test_the_depth_of_a_queue_may_have_to_be_fresher_than_its_period(tmp_path: Path) -> None:
    text = _with("metric", "{source: sqs, queue: jobs}") + "reaction: {fresh: 90s}\n"
    assert read_fleet(a_file(tmp_path, text)).reaction == Rules(fresh=timedelta(seconds=90))


def _with(key: str, value: str) -> str:
    """Give the six lines with one of them said otherwise."""
    lines = [line for line in SIX_LINES.splitlines() if not line.startswith(f"{key}:")]
    return "\n".join([*lines, f"{key}: {value}"]) + "\n"


CPU = "{namespace: AWS/EC2, name: CPUUtilization, statistic: Average}"
BAD_FILES = {
    "an empty file": ("", r"web\.yaml: holds NoneType"),
    "a list": ("- name: web\n", r"web\.yaml: holds list"),
    "not YAML": ("name: [web\n", r"web\.yaml: not YAML"),
    "a tab": ("name: web\n\tgroup: x\n", r"web\.yaml: not YAML"),
    "a key twice": (SIX_LINES + "max: 5\n", r"'max' stands twice"),
    "no name": (SIX_LINES.replace("name: web\n", ""), r"web\.yaml: name: is missing"),
    "no group": (_with("group", ""), r"web\.yaml: group: None"),
    "no metric": (SIX_LINES.replace("metric:", "metrics:"), r"metric: is missing.*metrics: is no key"),
    "a name with spaces": (_with("name", "Web Shop"), r"name: 'Web Shop': write lower-case letters"),
    "a name that YAML reads as a date": (_with("name", "2026-01-01"), r"name: .*in quotes"),
    "a group that YAML reads as a number": (_with("group", "42"), r"group: 42.*in quotes"),
    "a target of zero": (_with("target_per_instance", "0"), r"target_per_instance: 0.*greater than 0"),
    "a target that is not a number": (_with("target_per_instance", "many"), r"target_per_instance: 'many'"),
    "a target without end": (_with("target_per_instance", ".inf"), r"target_per_instance: inf"),
    "a negative min": (_with("min", "-1"), r"min: -1.*greater than or equal to 0"),
    "a fractional max": (_with("max", "2.5"), r"max: 2\.5"),
    "min above max": (_with("min", "30"), r"min 30 is above max 20"),
    "an unknown key": (SIX_LINES + "maximum: 5\n", r"maximum: is no key of a fleet file.*max"),
    "an unknown mode": (SIX_LINES + "mode: automatic\n", r"mode: 'automatic'.*'observe', 'approve' or 'auto'"),
    "an unknown time zone": (SIX_LINES + "timezone: Berlin\n", r"timezone 'Berlin' is no IANA name"),
    "an unknown engine": (SIX_LINES + "engine: oracle\n", r"engine 'oracle' is none of .*prophet"),
    "a lead time in words": (SIX_LINES + "lead_time: soon\n", r"lead_time: 'soon'.*10m"),
    "a lead time of a day": (SIX_LINES + "lead_time: 24h\n", r"lead_time .* over 6 h"),
    "minutes ahead that nobody acts on": (SIX_LINES + "near_quantile: 0.9\n", "there is none: add `reaction: {}`"),
    "a quantile of one": (SIX_LINES + "quantile: 1\n", r"quantile: 1.*less than or equal to 0\.99"),
    "a history of an hour": (SIX_LINES + "history: 1h\n", r"history .* not between a day and"),
    "a utilisation alone": (_with("metric", CPU), r"metric: CPUUtilization falls when the fleet grows.*per_instance"),
    "a sum per instance": (_with("metric", "{namespace: A, name: B, per_instance: true}"), r"statistic: Average"),
    "an unknown statistic": (_with("metric", "{namespace: A, name: B, statistic: Mean}"), r"metric\.statistic: 'Mean'"),
    "a period CloudWatch lacks": (_with("metric", "{namespace: A, name: B, period: 7m}"), r"period 0:07:00 is none of"),
    "a country that is none": (SIX_LINES + "country: Atlantis\n", r"country 'Atlantis' is unknown: write an ISO code"),
    "a step of nothing": (SIX_LINES + "max_step_up: 0\n", r"max_step_up: 0.*greater than or equal to 1"),
    "a freeze that ends first": (
        SIX_LINES + "freezes: [{start: 2026-02-02, end: 2026-02-01}]\n",
        r"freeze ends at .* not after its start",
    ),
    "an approval that asks nothing": (SIX_LINES + "approval: {by: [ada]}\n", r"approval: .*asks nothing: give above"),
    "an approval of money without a price": (
        SIX_LINES + "approval: {dollars_a_day: 20}\n",
        r"approval\.dollars_a_day needs a price: give price_per_hour",
    ),
    "an approval without time": (SIX_LINES + "approval: {above: 3, within: 0s}\n", r"within is 0:00:00: give a time"),
    "an approval below nought": (SIX_LINES + "approval: {above: -3}\n", r"approval\.above: -3.*greater than or equal"),
    "a burst without a rule": (SIX_LINES + "burst: {}\n", r"burst\.rule: is missing"),
    "a burst by a listener": (SIX_LINES + BURST.replace("-rule/", "/"), r"burst\.rule: .*string should match"),
    "a burst to itself": (
        SIX_LINES + BURST.replace("function/943f017f100becff", "gpu/73e2d6bc24d8a067"),
        r"burst: baseline and serverless are both arn.*name two",
    ),
    "a ceiling that is never passed": (SIX_LINES + BURST + "  ceiling: 1\n", r"burst\.ceiling: 1.*equal to 0\.95"),
    "a reaction to a load that is never fresh": (
        SIX_LINES + "reaction: {fresh: 3m}\n",
        r"web\.yaml: reaction: fresh 3m is shorter than the period 5m of RequestCount and a minute: write fresh: 6m or",
    ),
    "a reaction to one more load that is never fresh": (
        SIX_LINES + ALSO_SLOWER + "reaction: {fresh: 15m}\n",
        r"fresh 15m is shorter than the period 15m of Jobs and a minute: write fresh: 16m or more, or a shorter period",
    ),
    "an event that ends first": (
        SIX_LINES + "events: [{name: sale, start: 2026-02-02, end: 2026-02-01}]\n",
        r"event 'sale' ends .* not after its start",
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_gets_one_line_that_names_file_key_value_and_mend(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidFleet, match=message) as refusal:
        read_fleet(a_file(tmp_path, text))
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("web.yaml: ")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidFleet, match="UTF-8"):
        read_fleet(tmp_path / "web.yaml")


def test_a_bad_file_leaves_the_other_fleets_working(tmp_path: Path) -> None:
    a_file(tmp_path)
    a_file(tmp_path, "name: broken\n", name="broken.yaml")

    folder = read_fleets(tmp_path)

    assert [fleet.name for fleet in folder.fleets] == ["web"]
    assert len(folder.problems) == 1
    assert folder.problems[0].startswith("broken.yaml: ")


def test_two_files_of_one_name_are_both_left_alone(tmp_path: Path) -> None:
    a_file(tmp_path, name="one.yaml")
    a_file(tmp_path, SIX_LINES.replace("web-asg", "other-asg"), name="two.yaml")

    folder = read_fleets(tmp_path)

    assert folder.fleets == ()
    assert [problem.split(":")[0] for problem in folder.problems] == ["one.yaml", "two.yaml"]


def test_two_fleets_that_would_move_one_group_are_both_left_alone(tmp_path: Path) -> None:
    a_file(tmp_path)
    a_file(tmp_path, SIX_LINES.replace("name: web\n", "name: shop\n"), name="shop.yaml")
    assert read_fleets(tmp_path).fleets == ()


def test_a_folder_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="fleets_folder"):
        read_fleets(tmp_path / "nowhere")


def test_the_shipped_schema_is_the_one_the_code_gives_and_accepts_the_shipped_fleets() -> None:
    shipped = json.loads((ROOT / "include" / "fleet.schema.json").read_text())
    assert shipped == fleet_schema(), "run `make schema`"
    for path in [each for each in (ROOT / "include" / "fleets").rglob("*.yaml") if each.parent.name != "blueprints"]:
        jsonschema.validate(yaml.safe_load(path.read_text()), shipped)


def test_the_shipped_fleets_are_good() -> None:
    folder = read_fleets(ROOT / "include" / "fleets")
    assert folder.problems == ()
    assert {fleet.name for fleet in folder.fleets} == {"web-shop", "api-checkout", "batch-video"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("reaction: {fallbacks: [static]}", "fallback static asks for a size: give static"),
        ("history: 3650d", "is not between a day and 455 days"),
        ("engine: 'statsforecast:Nope'", "name a model of statsforecast.models"),
        ("on_failure: [pray]", "on_failure"),
    ],
)
def test_what_would_first_fail_at_night_is_refused_in_the_file(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "web.yaml"
    good = "name: web\ngroup: web\nmetric: {namespace: A, name: B}\ntarget_per_instance: 10\nmin: 1\nmax: 5\n"
    path.write_text(f"{good}{line}\n")
    with pytest.raises(InvalidFleet, match=complaint):
        read_fleet(path)
