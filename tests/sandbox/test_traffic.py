"""The traffic of a load simulation: what its table says, and what the instances of a sandbox make of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import sandbox
from demo import clean_up, load_simulation, traffic
from demo.cloud_api import CloudApi
from demo.figures import figures
from demo.load_simulation import Minute, simulated, told
from demo.local_airflow import ROOT
from demo.trial_fleet import TrialFleet, minutes_ago

if TYPE_CHECKING:
    from collections.abc import Iterator


PAGE = ROOT / "docs" / "page.md"


@pytest.fixture
def fleet() -> Iterator[TrialFleet]:
    """A trial fleet in a sandbox, its two instances in service."""
    with sandbox.running() as cloud:
        cloud.configure(boot_seconds=10, boot_jitter=0)
        fleet = TrialFleet("trial-load", CloudApi(cloud.url))
        fleet.build()
        cloud.advance(30)
        yield fleet


@pytest.mark.parametrize("load", traffic.SHAPES)
def test_the_documented_numbers_are_those_of_the_shape(load: str) -> None:
    (row,) = re.findall(rf"^\| {load} \|.*\| ([\d to]+) \|$", traffic.__doc__ or "", re.MULTILINE)
    counts = {traffic.needed(traffic.SHAPES[load](minute)) for minute in range(20)}

    assert sorted({min(counts), max(counts)}) == [int(number) for number in row.split(" to ")]
    assert row in next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{load}` |"))


def test_a_burst_comes_at_once_and_a_ramp_in_five_minutes() -> None:
    assert (traffic.high(2.9), traffic.high(3)) == (150, 900)
    assert [traffic.medium(minute) for minute in (3, 5.5, 8, 14, 16.5, 19)] == [150, 300, 450, 450, 300, 150]


def test_an_instance_that_is_full_uses_no_more() -> None:
    assert traffic.use(200, 2) == traffic.TARGET
    assert traffic.use(900, 2) == traffic.FULL
    assert traffic.use(900, 0) == traffic.FULL


def test_each_minute_tells_what_was_needed_and_publishes_how_busy_the_instances_were(fleet: TrialFleet) -> None:
    lived = list(simulated(traffic.high, 4, fleet, pause=lambda _: None))

    assert [minute.needed for minute in lived] == [2, 2, 2, 9]
    assert [minute.percent for minute in lived] == [52.5, 52.5, 52.5, 100]
    assert str(lived[-1]).split() == ["3", "900", "100", "9", "2", "2", "short"]
    assert told(lived).splitlines() == [
        "short of instances in 1 of 4 minutes; 9 needed at most, 2 wanted at most",
        "reaction:  from minute 3 on more were needed; NEVER: more were wanted; NEVER: enough were in service",
        "stability: 0 up, 0 down; turns: 0",
        "accuracy:  of the instance-minutes needed 47% were missing, and 0% idle beside them",
        "window:    nothing was lowered",
    ]
    (published,) = fleet.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="CWAgent",
        MetricName="nvidia_smi_utilization_gpu",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": "trial-load"}],
        StartTime=minutes_ago(3),
        EndTime=minutes_ago(0),
        Period=180,
        Statistics=["Maximum"],
    )["Datapoints"]
    assert published["Maximum"] == 100


def a_course(*minutes: tuple[int, int, int]) -> list[Minute]:
    """Of each minute what was needed, wanted and in service."""
    return [
        Minute(number=number, requests=0, percent=0, needed=needed, wanted=wanted, in_service=serving)
        for number, (needed, wanted, serving) in enumerate(minutes)
    ]


def test_the_figures_tell_how_soon_how_steadily_how_nearly_and_after_which_wait_the_need_was_followed() -> None:
    rising = [(2, 2, 2), (4, 2, 2), (4, 4, 2), (4, 4, 4)]
    falling = [(2, 4, 4)] * 5 + [(2, 2, 4), (2, 2, 2)]
    reaction, *others = figures(a_course(*rising, *falling))
    assert reaction.startswith("reaction:  from minute 1 on more were needed; more were wanted within 2 min; ")
    assert reaction.endswith("; enough were in service within 3 min")
    assert others == [
        "stability: 1 up, 1 down; turns: 1",
        "accuracy:  of the instance-minutes needed 14% were missing, and 43% idle beside them",
        "window:    the need had been low for at least 5 min before a lowering",
    ]
    hasty = [*rising, (2, 2, 2)]
    assert figures(a_course(*hasty))[-1] == "window:    the need had been low for at least 0 min before a lowering"
    assert figures(a_course((1, 2, 2)))[0] == "reaction:  never were more needed than were wanted"


def test_a_fleet_that_is_removed_takes_its_instances_along(fleet: TrialFleet) -> None:
    assert not fleet.build()
    fleet.remove()
    assert fleet.counts() is None


def test_a_name_that_clean_up_would_not_find_is_refused() -> None:
    with pytest.raises(ValueError, match="begin it with 'trial-'"):
        TrialFleet("web", CloudApi("http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("load", "minutes", "why"),
    [
        ("hgih", "20", "LOAD=hgih: choose low, medium, high"),
        ("", "20", "LOAD=: choose low, medium, high"),
        ("low", "soon", "MINUTES=soon: give a whole number, at least 1"),
        ("low", "20", "no demo runs here: start `make demo`, with the same AIRFLOW_PORT and SANDBOX_PORT as this"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(
    load: str, minutes: str, why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"AIRFLOW_PORT": "9", "SANDBOX_PORT": "9", "MINUTES": minutes}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["load_simulation", load])

    assert load_simulation.main() == 1
    assert capsys.readouterr().err == f"load-simulation: {why}\n"


def test_half_a_demo_is_said_and_nothing_is_removed(
    fleet: TrialFleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_PORT", "9")
    monkeypatch.setenv("SANDBOX_PORT", fleet.cloud.url.rpartition(":")[2])

    assert clean_up.main() == 1
    assert "a sandbox answers at" in capsys.readouterr().err
    assert fleet.counts() is not None
