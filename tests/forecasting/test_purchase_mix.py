from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.local_airflow import ROOT
from forecasting import InvalidRequest
from forecasting.__main__ import main
from forecasting.cost_comparison import compare_costs, lines
from forecasting.cost_profile import CostProfile
from forecasting.price_book import PriceBook, Purchase, Rate
from forecasting.purchase_mix import Offers, Part, Requests, Units, always_on, cheapest
from sandbox.prices import HOURLY, SPOT_SHARE

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ROOT / "include" / "samples" / "daily-profile.yaml"
PRICES = ROOT / "include" / "prices" / "2025-01-01.yaml"


def changed(folder: Path, **keys: Any) -> Path:
    """Write the sample with other keys; None takes one out."""
    content = {**yaml.safe_load(SAMPLE.read_text()), **keys}
    file = folder / "profile.yaml"
    file.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return file


def test_the_samples_hybrid_is_computed_from_its_profile_and_prices() -> None:
    peak, mixed, _ = lines(compare_costs(CostProfile.from_yaml(SAMPLE)))
    assert peak.startswith("always on for the peak: $500 GPU server = $500 a month (+0%)")
    assert mixed == (
        "cheapest within the risk limit: $350 GPU server + $30 burst + $10 gateway + $5 monitoring = $395 a month "
        "(-21%); at most 30% of the load may fail at once"
    )


def test_a_higher_load_costs_more(tmp_path: Path) -> None:
    profile = {"00:00": 10, "06:00": 50, "09:00": 70, "12:00": 120, "14:00": 70, "18:00": 90, "21:00": 40}
    peak, mixed, *_ = compare_costs(CostProfile.from_yaml(changed(tmp_path, profile=profile)))
    assert round(peak.mix.cost) == 600
    assert mixed.mix.always_on == 9, "30 % of 120 is 36, so 84 must be always on"


def test_without_any_risk_everything_is_firm(tmp_path: Path) -> None:
    peak, mixed, at_any_risk = compare_costs(CostProfile.from_yaml(changed(tmp_path, risk_limit=0)))
    assert mixed.mix.cost == peak.mix.cost
    assert at_any_risk.mix.cost < peak.mix.cost


def test_on_demand_takes_what_spot_may_not() -> None:
    parts = (Part(start=timedelta(0), hours=20, load=10), Part(start=timedelta(hours=20), hours=4, load=100))
    offers = Offers(
        always_on=Units(name="reserved", capacity=10, per_hour=0.6),
        on_demand=Units(name="on demand", capacity=10, per_hour=1.0),
        spot=Units(name="spot", capacity=10, per_hour=0.35),
        risk_limit=0.5,
    )
    mix = cheapest(parts, offers)
    night, evening = mix.served
    assert (mix.always_on, night.spot, evening.spot, evening.on_demand) == (1, 0, 5, 4)
    assert mix.monthly == pytest.approx({"reserved": 432, "on demand": 480, "spot": 210})


loads = st.lists(st.integers(0, 40), min_size=1, max_size=3)
prices = st.floats(0.01, 2)
sizes = st.integers(3, 12)


@settings(max_examples=150, deadline=None)
@given(
    loads,
    st.tuples(prices, prices, prices, prices),
    st.tuples(sizes, sizes, sizes),
    st.sampled_from([0, 0.2, 0.5, 1]),
    st.sampled_from([0, 5, 20]),
)
def test_no_other_mix_is_cheaper(
    load: list[int],
    price: tuple[float, float, float, float],
    size: tuple[int, int, int],
    limit: float,
    fee: float,
) -> None:
    names = ("always", "hourly", "spot")
    units = [
        Units(name=name, capacity=each, per_hour=cost) for name, each, cost in zip(names, size, price, strict=False)
    ]
    burst = Requests(name="burst", per_request=price[3] / 600, monthly_fees=(("gateway", fee),))
    offers = Offers(always_on=units[0], on_demand=units[1], spot=units[2], serverless=burst, risk_limit=limit, days=1)
    hours = 24 / len(load)
    parts = tuple(Part(start=timedelta(hours=at * hours), hours=hours, load=each) for at, each in enumerate(load))

    found = cheapest(parts, offers)

    assert found.risk <= limit + 1e-6
    with_burst, without = _tried(parts, offers, burst=True), _tried(parts, offers, burst=False)
    assert found.cost == pytest.approx(min(*without, *(cost + fee for cost in with_burst)), abs=1e-6)
    assert found.cost <= always_on(parts, offers).cost + 1e-9


def test_a_fee_that_saves_less_than_it_costs_is_not_paid(tmp_path: Path) -> None:
    serverless = {**yaml.safe_load(SAMPLE.read_text())["serverless"], "fees": {"gateway": 150}}
    _, mixed, *_ = compare_costs(CostProfile.from_yaml(changed(tmp_path, serverless=serverless)))
    assert mixed.mix.monthly == {"GPU server": pytest.approx(500)}


def _tried(parts: tuple[Part, ...], offers: Offers, *, burst: bool) -> list[float]:
    """Cost every count of always on with, for each part, the best of every pair of other counts."""
    most = offers.always_on.count(max(part.load for part in parts))
    return [
        sum(_best(part, base, offers, burst=burst) for part in parts) + base * offers.always_on.per_hour * 24
        for base in range(most + 1)
    ]


def _best(part: Part, base: int, offers: Offers, *, burst: bool) -> float:
    assert offers.on_demand
    assert offers.spot
    assert offers.serverless
    rest = max(part.load - base * offers.always_on.capacity, 0)
    best = float("inf")
    for spots in range(offers.spot.count(rest) + 1):
        for hourly in range(offers.on_demand.count(rest) + 1):
            on_spot = min(spots * offers.spot.capacity, rest, offers.risk_limit * part.load)
            beyond = max(rest - on_spot - hourly * offers.on_demand.capacity, 0.0)
            if (beyond > 1e-9 and not burst) or on_spot + beyond > (offers.risk_limit + 1e-9) * part.load:
                continue
            cost = spots * offers.spot.per_hour + hourly * offers.on_demand.per_hour
            best = min(best, (cost + offers.serverless.per_hour(beyond)) * part.hours)
    return best


def test_a_rate_is_looked_up_in_the_price_files(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("as_of: 2026-01-05\nsource: our contract\nrates: [{name: m6i.large, reserved: 0.06}]")
    file = changed(
        tmp_path,
        always_on={"name": "reserved", "capacity": 10, "rate": "m6i.large"},
        spot={"name": "spot", "capacity": 10, "rate": "m6i.large"},
        serverless=None,
    )
    offers = CostProfile.from_yaml(file, PriceBook.read([PRICES, own])).offers
    assert (offers.always_on.per_hour, offers.spot and offers.spot.per_hour) == (0.06, 0.0336)


def test_a_rate_that_differs_between_regions_is_not_chosen_for_the_user(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("{as_of: 2026-01-05, source: list, region: eu-west-1, rates: [{name: m6i.large, on_demand: 0.107}]}")
    file = changed(tmp_path, on_demand={"name": "on demand", "capacity": 10, "rate": "m6i.large"})
    with pytest.raises(
        InvalidRequest, match=r"on_demand\.rate is 'm6i\.large': it differs between eu-west-1, us-east-1"
    ):
        CostProfile.from_yaml(file, PriceBook.read([PRICES, own]))


def test_the_shipped_prices_are_those_they_are_said_to_be() -> None:
    book = PriceBook.read([PRICES])
    listed = {name: book.rate(name, Purchase.ON_DEMAND, "us-east-1") for name in HOURLY}
    assert {name: rate.price for name, rate in listed.items() if rate} == HOURLY
    for name, price in HOURLY.items():
        spot = book.rate(name, Purchase.SPOT, "us-east-1")
        assert spot
        assert spot.price == pytest.approx(price * SPOT_SHARE, rel=1e-4)
    assert all(rate.as_of == date(2025, 1, 1) and rate.source for rate in book.rates)


def test_a_users_own_rate_stands_over_the_list_in_its_region_alone() -> None:
    def rate(price: float, region: str) -> Rate:
        where = {"as_of": date(2026, 1, 5), "source": "a test", "region": region}
        return Rate(name="m6i.large", purchase=Purchase.ON_DEMAND, price=price, **where)  # type: ignore[arg-type]

    book = PriceBook((rate(0.096, "us-east-1"), rate(0.09, ""), rate(0.08, "us-east-1")))
    found = [book.rate("m6i.large", Purchase.ON_DEMAND, region) for region in ("us-east-1", "eu-central-1")]
    assert [each and each.price for each in found] == [0.08, 0.09]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rates: [{name: x, on_demand: 1}]", "x has no as_of date or no source"),
        ("{as_of: 2026-01-01, source: s, rates: [{name: x}]}", "x has no price: write one or more of on_demand"),
        ("{as_of: 2026-01-01, source: s, rates: [{name: x, spot: -1}]}", "spot of x costs -1"),
        ("rates: 7", "rates is 7: write a list"),
    ],
)
def test_a_wrong_price_file_says_what_and_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(InvalidRequest, match=message) as caught:
        PriceBook.read([file])
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"profile": {"6 am": 5}}, "profile is '6 am': write a time of day in quotes, such as \"06:00\""),
        ({"profile": {"06:00": 5}}, 'begin at "00:00"'),
        ({"profile": {"00:00": -5}}, "00:00 is -5: give a number of 0 or more"),
        ({"always_on": None}, "always_on is None: describe the capacity"),
        ({"always_on": {"capacity": 10}}, "give one of per_hour, per_month and rate"),
        ({"always_on": {"capacity": 0, "per_hour": 1}}, "give a capacity above 0"),
        ({"always_on": {"capacity": 1, "rate": "m9.huge"}}, "name one that the price files have"),
        ({"risk_limit": 30}, "risk_limit is 30.0"),
        ({"serverless": {"name": "burst"}}, "give per_million, or seconds"),
        ({"on_demand": {"name": "GPU server", "capacity": 1, "per_hour": 1}}, "'GPU server' names more than one of"),
        ({"serverless": {"name": "x", "per_million": 1, "fees": {"x": 5}}}, "'x' names more than one of"),
        ({"colour": "red"}, "that is no key here"),
    ],
)
def test_a_wrong_profile_is_one_line_that_names_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: dict[str, Any], message: str
) -> None:
    file = changed(tmp_path, **keys)
    assert main(["costs", str(file)]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert str(file) in told
    assert told.count("\n") == 1


def test_the_command_gives_a_table_json_and_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "costs.png"
    assert main(["costs", str(SAMPLE), "--plot", str(picture)]) == 0
    table = capsys.readouterr().out
    assert "395.00" in table
    assert "-21.0%" in table
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["costs", str(SAMPLE), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [round(way["cost"]) for way in found["ways"]] == [500, 395, 327]
    assert found["ways"][1]["change"] == -0.21


def test_a_profile_beyond_all_measure_is_refused() -> None:
    parts = (Part(start=timedelta(0), hours=24, load=1e6),)
    offers = Offers(always_on=Units(name="server", capacity=1, per_hour=1))
    with pytest.raises(InvalidRequest, match="count in larger units"):
        cheapest(parts, offers)
    assert cheapest(parts, replace(offers, always_on=Units(name="rack", capacity=1000, per_hour=1))).always_on == 1000
