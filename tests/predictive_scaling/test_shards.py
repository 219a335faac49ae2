"""Fleets are cut into shards by name alone, so that every task of a chain cuts them alike."""

from __future__ import annotations

import dataclasses

import pytest

from forecasting import Policy
from predictive_scaling.errors import InvalidSetting
from predictive_scaling.fleet_spec import FleetSpec, Shard, in_shard, shards_of
from predictive_scaling.metric import Metric


def fleets(count: int) -> list[FleetSpec]:
    one = FleetSpec(name="f", group="g", metric=Metric(namespace="A", name="B"), policy=Policy(1, 2, 10.0))
    return [dataclasses.replace(one, name=f"fleet-{number}", group=f"group-{number}") for number in range(count)]


def test_a_thousand_fleets_make_five_shards_and_every_fleet_is_in_exactly_one() -> None:
    specs = fleets(1000)
    shards = shards_of(specs, fleets_per_shard=200)

    assert len(shards) == 5
    members = [spec.name for shard in shards for spec in in_shard(specs, shard)]
    assert sorted(members) == sorted(spec.name for spec in specs)


def test_a_shard_is_read_back_from_its_key() -> None:
    assert Shard.parse(str(Shard(2, 5))) == Shard(2, 5)


def test_no_key_means_all_fleets() -> None:
    assert all(Shard.parse("").holds(spec.name) for spec in fleets(20))


@pytest.mark.parametrize("key", ["6-of-5", "0-of-5", "two-of-five", "2/5"])
def test_a_key_that_is_none_is_refused_with_an_example(key: str) -> None:
    with pytest.raises(InvalidSetting, match="2-of-5"):
        Shard.parse(key)


def test_no_fleets_make_no_shards() -> None:
    assert shards_of([], fleets_per_shard=200) == []
