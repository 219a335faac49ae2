"""The promise: what befalls one fleet's turn stops no other's, and what others see while it goes on is not lost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException
from by_hand import FLEET_FILE, Desk, a_desk
from living import Life

from forecasting.override import OverrideKind
from predictive_scaling import steer
from predictive_scaling.fleet_folder import read_fleets
from predictive_scaling.fleets import Observed
from predictive_scaling.ledger.overrides import SqlOverrides
from predictive_scaling.ledger.statuses import SqlStatuses
from predictive_scaling.operators import ApplyPlansOperator
from predictive_scaling.overriding import Wish, impose
from predictive_scaling.summary import keep_resized

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox


@pytest.fixture
def desk(cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{tmp_path}/storage")
    return a_desk(cloud, tmp_path, monkeypatch, rights=("auto",))


def applied(desk: Desk, run: int = 1) -> Any:
    return desk.carry_out(ApplyPlansOperator(task_id="apply", shard="1-of-1", only_plan=False), run)


def statuses_of(desk: Desk) -> SqlStatuses:
    return SqlStatuses(desk.ledger._engine)  # noqa: SLF001 - one database for all tables


def test_a_file_of_one_fleet_that_nobody_can_read_keeps_no_other_from_its_turn(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "fleets" / "zoo.yaml").write_text(FLEET_FILE.replace(" web\n", " zoo\n"))
    web, _ = read_fleets(tmp_path / "fleets").fleets
    broken = tmp_path / "storage" / "accuracy" / "web" / f"{web.metric_identity}.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("")

    with pytest.raises(AirflowException, match="2 fleets were not steered"):
        applied(desk)

    found, other = statuses_of(desk).all()
    assert (found.problem or "").startswith("stored file accuracy/web/")
    assert (other.problem or "").startswith("Auto Scaling group 'zoo' does not exist")


def test_a_size_that_the_watch_keeps_while_a_turn_goes_on_stays(
    cloud: sandbox.Cloud, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    life = Life(cloud, tmp_path, now)
    life.overrides = SqlOverrides(desk.ledger._engine)  # noqa: SLF001 - one database for all tables
    wish = Wish(kind=OverrideKind.FREEZE, reason="a sale", starts_at=now)
    impose(wish, "web", life.reach(life.spec).observe(), life.around().desk, now=now)
    applied(desk)
    statuses, turn = statuses_of(desk), steer.steer

    def with_a_watch(*asked: Any, **more: Any) -> Any:
        steered = turn(*asked, **more)
        raised = Observed(min_size=2, max_size=20, desired=9, in_service=2)
        keep_resized("web", raised, statuses, now=datetime.now(UTC))
        return steered

    monkeypatch.setattr(steer, "steer", with_a_watch)
    applied(desk, 2)

    status = statuses.of("web")
    assert status is not None
    assert status.desired == 9
    assert status.resized_at is not None
    assert status.resized_at > status.at, "budgets go on by it until the next turn looks"
