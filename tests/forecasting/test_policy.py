"""A policy holds together, however it was written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from forecasting import InvalidPolicy, Policy

if TYPE_CHECKING:
    from pathlib import Path


def a_mapping(**changes: Any) -> dict[str, Any]:
    return {"min": 2, "max": 40, "target_per_instance": 600} | changes


def test_the_four_first_fields_are_positional() -> None:
    policy = Policy(2, 40, 600.0, timedelta(minutes=7))
    assert (policy.min_size, policy.max_size, policy.target_per_instance) == (2, 40, 600.0)
    assert policy.lead_time == timedelta(minutes=7)
    assert policy.quantile == 0.9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min": -1}, "min_size is -1"),
        ({"min": 41}, "min_size is 41, above max_size 40"),
        ({"max": 2.5}, "max_size is 2.5: give a whole number"),
        ({"max": "many"}, "max is 'many': give a whole number"),
        ({"target_per_instance": 0}, "target_per_instance is 0"),
        ({"target_per_instance": float("nan")}, "target_per_instance is nan"),
        ({"quantile": 90}, "quantile is 90: give a share between 0 and 1"),
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"headroom": -1}, "headroom is -1"),
        ({"price_per_hour": -1}, "price_per_hour is -1"),
        ({"granularity": "90s"}, "granularity is .* give whole minutes"),
        ({"granularity": "7m"}, "granularity is .* divide a day"),
        ({"lead_time": "soon"}, "lead_time: 'soon' is not a duration"),
        ({"lead_time": "2d"}, "lead_time is .* 0 to 24 hours"),
        ({"min_size": 3}, "given twice"),
        ({"target_per_instanc": 3}, "'target_per_instanc' is unknown: did you mean target_per_instance?"),
        ({"zzz": 3}, "'zzz' is unknown: a policy has min_size"),
    ],
)
def test_a_wrong_field_is_named_with_its_value_and_the_mend(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidPolicy, match=words):
        Policy.from_mapping(a_mapping(**changes))


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidPolicy, match="target_per_instance is missing"):
        Policy.from_mapping({"min": 1, "max": 2})


def test_a_fleet_file_is_a_policy_file(tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(
        "name: web\ngroup: web-asg\nmetric: {name: RequestCount}\nmode: observe\ntimezone: Europe/Berlin\n"
        "min: 2\nmax: 40\ntarget_per_instance: 600\nlead_time: 00:06:00\nevents: []\n"
    )
    assert Policy.from_yaml(path) == Policy(2, 40, 600, timedelta(minutes=6))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("min: [", "is not YAML"),
        ("- 1", "holds list, not keys"),
        ("min: 1\nmax: 0\ntarget_per_instance: 1", "min_size is 1"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(InvalidPolicy, match=words) as refused:
        Policy.from_yaml(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert str(refused.value).count(str(path)) == 1
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("demand", "instances"), [(0, 0), (1, 1), (600, 1), (600.1, 2), (8_400, 14), (8_420, 15)])
def test_instances_are_counted_up(demand: float, instances: int) -> None:
    assert Policy(0, 40, 600).needed(demand) == instances


def test_headroom_is_added_before_counting() -> None:
    assert Policy(0, 40, 100, headroom=0.2).needed(1_000) == 12
