"""A blueprint is checked to the last key; each mistake is one line with file, key, value and mend."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from demo.local_airflow import ROOT
from predictive_scaling.blueprint import WarmPool
from predictive_scaling.blueprint_file import blueprint_schema, read_blueprint
from predictive_scaling.errors import InvalidFleet

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
fleet: web
image: ami-0abc
instance_types: [m6i.large]
zones: [us-east-1a]
"""


def read(folder: Path, text: str) -> str:
    """Read a blueprint that is wrong, and give what is said about it."""
    (folder / "web.yaml").write_text(text)
    with pytest.raises(InvalidFleet) as refused:
        read_blueprint(folder / "web.yaml")
    return str(refused.value)


def test_what_is_not_written_has_a_sound_default(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(GOOD)
    blueprint = read_blueprint(tmp_path / "web.yaml")
    assert (blueprint.cooldown, blueprint.grace) == (timedelta(minutes=3), timedelta(minutes=5))
    assert (blueprint.mixed, blueprint.warm_pool, blueprint.farewell) == (False, None, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD.replace("ami-0abc", "ubuntu"), "web.yaml: image: 'ubuntu'"),
        (GOOD + "imag: x\n", "web.yaml: imag: is no key of a blueprint: remove it or use one of fleet, image"),
        (GOOD.replace("image: ami-0abc", ""), "web.yaml: image: is missing: add it"),
        (GOOD + "subnets: [subnet-1]\n", "write either `subnets:` or `zones:`"),
        (GOOD + "spot: {share: 50}\nwarm_pool: {min: 1}\n", "a warm pool needs one on-demand type"),
        (GOOD + "health_check: ELB\n", "health_check ELB asks target groups, and none is given"),
        (GOOD + "capacity_rebalance: true\n", "capacity_rebalance is for Spot"),
        (GOOD + "farewell: 10s\n", "farewell 0:00:10 is none that AWS takes: write 30s to 2h, or 0"),
        (GOOD + "user_data: missing.sh\n", "user_data: 'missing.sh' cannot be read"),
        (GOOD.replace("fleet: web", "fleet: api"), "fleet: 'api' must be the file's own name, 'web'"),
        ("just text", "web.yaml"),
        ("a: [", "web.yaml: cannot be read"),
    ],
)
def test_each_mistake_is_told_with_its_mend(tmp_path: Path, text: str, says: str) -> None:
    assert says in read(tmp_path, text)


def test_a_fleet_without_one_is_told_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(InvalidFleet, match=r"web\.yaml: there is no blueprint: write what the group is made of"):
        read_blueprint(tmp_path / "web.yaml")


def test_the_script_carries_the_fleets_name_and_is_no_longer_than_aws_takes(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/bash\necho @fleet@\n")
    (tmp_path / "web.yaml").write_text(GOOD + "user_data: start.sh\n")
    assert read_blueprint(tmp_path / "web.yaml").user_data == "#!/bin/bash\necho web\n"
    (tmp_path / "start.sh").write_text("#" * 16385)
    assert "is 16385 bytes, AWS takes 16384" in read(tmp_path, GOOD + "user_data: start.sh\n")


def test_every_example_is_good() -> None:
    paths = sorted((ROOT / "include" / "fleets").rglob("blueprints/*.yaml"))
    assert len(paths) == 11
    blueprints = [read_blueprint(path) for path in paths]
    warm = [each for each in blueprints if each.warm_pool]
    assert [each.fleet for each in warm] == ["ai-gpu", "ai-inference"]
    assert all(each.warm_pool == WarmPool(min_size=1, max_prepared=3) and each.has_accelerator for each in warm)


def test_the_schema_names_every_key() -> None:
    assert {"image", "warm_pool", "farewell"} <= set(blueprint_schema()["properties"])
