"""The promise: what one deployment holds no hand of another moves, and who holds it is told before any write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from by_hand import FLEET_FILE, Desk, a_desk, sizes, the_fleet

import sandbox
from predictive_scaling.fleets import HELD_BY
from predictive_scaling.operators import RollbackOperator, ScaleInOperator, ScaleOutOperator, SetCapacityOperator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BY_HAND = [
    ScaleOutOperator(task_id="add", fleet="web", amount=1, reason="a sale"),
    ScaleInOperator(task_id="remove", fleet="web", amount=1, reason="it is over"),
    SetCapacityOperator(task_id="set", fleet="web", desired=6, reason="a test"),
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Four instances, bounds 2..20; the deployment is called blue."""
    with sandbox.running() as cloud:
        cloud.create_fleet("web", min_size=2, max_size=20, desired=4)
        cloud.advance(900)
        be(monkeypatch, "blue")
        yield a_desk(cloud, tmp_path, monkeypatch)


def be(monkeypatch: pytest.MonkeyPatch, deployment: str) -> None:
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__DEPLOYMENT", deployment)


def set_to(desired: int, **options: Any) -> SetCapacityOperator:
    return SetCapacityOperator(task_id="set", fleet="web", desired=desired, reason="a test", **options)


@pytest.mark.parametrize("operator", BY_HAND, ids=lambda operator: operator.task_id)
def test_the_second_is_refused_and_told_who_holds_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, operator: Any
) -> None:
    desk.carry_out(set_to(5))
    assert the_fleet(desk.cloud).observe().tags[HELD_BY] == "blue"
    before = desk.ledger.events(fleet="web")
    be(monkeypatch, "green")
    with pytest.raises(AirflowFailException, match=r"deployment 'blue' holds the group, and we are 'green'.*take_over"):
        desk.carry_out(operator, run=2)
    assert sizes(desk.cloud) == (2, 5, 20)
    assert desk.ledger.events(fleet="web") == before, "not even an intent"


def test_what_another_holds_by_now_is_not_rolled_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.carry_out(set_to(5))
    (event, *_) = desk.ledger.events(fleet="web")
    be(monkeypatch, "green")
    undo = RollbackOperator(task_id="back", event_id=event.id, reason="a mistake", force=True)
    with pytest.raises(AirflowFailException, match="deployment 'blue' holds the group"):
        desk.carry_out(undo, run=2)
    assert sizes(desk.cloud) == (2, 5, 20)


def test_whoever_takes_over_holds_it_from_then_on(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    desk.carry_out(set_to(5))
    be(monkeypatch, "green")
    (tmp_path / "fleets" / "web.yaml").write_text(f"{FLEET_FILE}ownership: take_over\n")
    desk.carry_out(set_to(6), run=2)
    be(monkeypatch, "blue")
    (tmp_path / "fleets" / "web.yaml").write_text(FLEET_FILE)
    with pytest.raises(AirflowFailException, match="deployment 'green' holds the group"):
        desk.carry_out(set_to(7), run=3)
    assert sizes(desk.cloud) == (2, 6, 20)


def test_a_dry_run_and_a_refusal_claim_nothing(desk: Desk) -> None:
    desk.carry_out(set_to(5, only_plan=True))
    with pytest.raises(AirflowFailException, match="outside"):
        desk.carry_out(set_to(99), run=2)
    assert HELD_BY not in the_fleet(desk.cloud).observe().tags
    assert "autoscaling.CreateOrUpdateTags" not in desk.cloud.calls()


def test_the_claim_costs_one_write_in_the_life_of_a_group(desk: Desk) -> None:
    for run, size in enumerate((5, 6, 7)):
        desk.carry_out(set_to(size), run=run)
    assert desk.cloud.calls()["autoscaling.CreateOrUpdateTags"] == 1
