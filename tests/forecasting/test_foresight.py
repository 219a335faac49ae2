"""What a fleet file says of forecasting counts on the command line too, until the command line says otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from forecasting import Event, InvalidRequest
from forecasting.__main__ import main
from forecasting.foresight import Foresight
from forecasting.synthetic import synthetic_demand

if TYPE_CHECKING:
    from pathlib import Path

FLEET = """
name: shop
group: shop-web
metric: {source: file, path: shop.csv}
min: 2
max: 90
target_per_instance: 600
timezone: Europe/Berlin
engine: seasonal_naive
country: DE
events:
  - {name: sale, start: 2026-01-16T12:00, end: 2026-01-16T14:00, factor: 3}
"""
SALE = Event(
    name="sale", start=datetime(2026, 1, 16, 11, tzinfo=UTC), end=datetime(2026, 1, 16, 13, tzinfo=UTC), factor=3
)
TAKEN = {"timezone": "Europe/Berlin", "engine": "seasonal_naive", "country": "DE", "events": ["sale"]}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A demand of eleven days until the morning of the sale, and the fleet file."""
    demand = synthetic_demand(days=11.25, step=timedelta(minutes=30), level=8_000, timezone="Europe/Berlin")
    rows = (f"{when.isoformat()},{value:.2f}\n" for when, value in zip(demand.times(), demand.values, strict=True))
    (tmp_path / "shop.csv").write_text("timestamp,value\n" + "".join(rows))
    (tmp_path / "shop.yaml").write_text(FLEET)
    return str(tmp_path / "shop.csv"), str(tmp_path / "shop.yaml")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_fleet_file_is_read_in_its_own_time_zone() -> None:
    event = {"name": "sale", "start": datetime(2026, 1, 16, 12), "end": "2026-01-16T13:00Z", "factor": 3}  # noqa: DTZ001
    found = Foresight.from_mapping({"timezone": "Europe/Berlin", "engine": "prophet", "events": [event], "min": 2})
    assert found == Foresight(timezone="Europe/Berlin", engine="prophet", events=(SALE,))


def test_a_file_that_says_nothing_of_it_leaves_the_defaults() -> None:
    assert Foresight.from_mapping({"min": 2}) == Foresight()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"timezone": "Mars"}, "^timezone: time zone 'Mars'"),
        ({"engine": "crystal"}, "^engine: engine 'crystal'"),
        ({"country": "XX"}, "^country: country 'XX'"),
        ({"country": False}, "^country is False: .* in quotes"),
        ({"events": None}, "^events is None: list each as"),
        (
            {"events": [{"name": "sale", "start": "soon", "end": "later"}]},
            r"^events\[0\]: start 'soon' is not an instant",
        ),
        ({"events": ["sale"]}, r"^events\[0\] is 'sale': write"),
        (
            {"events": [{"name": "sale", "start": "2026-01-16", "end": "2026-01-17", "fctor": 3}]},
            r"^events\[0\]: key 'fctor' is unknown: did you mean factor",
        ),
        (
            {"events": [{"name": "sale", "start": "2026-01-16", "end": "2026-01-17", "factor": True}]},
            r"^events\[0\]: factor is True: write a number",
        ),
    ],
)
def test_what_nobody_knows_is_refused_by_its_key(said: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest if "engine" not in said else ValueError, match=words):
        Foresight.from_mapping(said)


def test_a_plan_is_drawn_as_the_fleet_would_have_it(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    demand, fleet = files
    data = answer(capsys, "plan", demand, "--policy", fleet)
    assert data["engine"] == "seasonal_naive"
    assert data["from_file"] == TAKEN
    during = next(step for step in data["steps"] if step["at"] > "2026-01-16T10:50")
    before = next(step for step in data["steps"] if step["at"] > "2026-01-16T09")
    assert during["capacity"] > 2 * before["capacity"]


def test_what_is_typed_goes_before_the_file(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    demand, fleet = files
    data = answer(capsys, "plan", demand, "--policy", fleet, "--engine", "ensemble_quick", "--timezone", "UTC")
    assert data["engine"] == "ensemble_quick"
    assert data["from_file"] == {"country": "DE", "events": ["sale"]}


def test_a_table_says_what_was_taken(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    demand, fleet = files
    assert main(["plan", demand, "--policy", fleet]) == 0
    told = f"; from {fleet}: timezone Europe/Berlin, engine seasonal_naive, country DE, events sale\n"
    assert capsys.readouterr().out.endswith(told)


def test_trials_take_the_same_from_the_file(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    demand, fleet = files
    stretch = ("--since", "2026-01-15T18:00Z", "--refresh", "6h")
    replayed = answer(capsys, "replay", demand, "--policy", fleet, "--mode", "predictive", *stretch)
    assert replayed["from_file"] == TAKEN
    other = answer(
        capsys, "replay", demand, "--policy", fleet, "--mode", "predictive", *stretch, "--engine", "ensemble"
    )
    assert other["instance_hours"] != replayed["instance_hours"]
    compared = answer(capsys, "what-if", demand, "--policy", fleet, "--mode", "predictive", *stretch)
    assert compared["from_files"] == {"shop": TAKEN}
    assert compared["outcomes"][0]["instance_hours"] == replayed["instance_hours"]


def test_files_of_two_time_zones_need_one_named(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demand, fleet = files
    (tmp_path / "plain.yaml").write_text("min: 2\nmax: 90\ntarget_per_instance: 600\nengine: ensemble_quick\n")
    both = ("what-if", demand, "--policy", fleet, str(tmp_path / "plain.yaml"), "--mode", "predictive")
    assert main([*both]) == 2
    assert "different time zones (shop Europe/Berlin, plain UTC): choose one with --timezone" in capsys.readouterr().err
    one, other = answer(capsys, *both, "--timezone", "UTC", "--refresh", "12h")["outcomes"]
    assert one["instance_hours"] != other["instance_hours"]
