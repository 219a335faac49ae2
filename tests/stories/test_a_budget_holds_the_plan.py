"""The promise: what apply_plans writes never passes the budget, and the log and the ledger show the sum."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from living import Life, a_spec, office_hours
from telling import told

if TYPE_CHECKING:
    from pathlib import Path

    import sandbox

MONDAY = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
BUDGET = """
budgets:
  - {name: web, fleets: [web], hourly: 0.6}
"""


def test_the_floor_stays_within_the_hourly_budget_though_the_load_wants_more(
    cloud: sandbox.Cloud, tmp_path: Path
) -> None:
    (tmp_path / "budgets.yaml").write_text(BUDGET)
    spec = a_spec()
    life = Life(cloud, tmp_path, MONDAY, replace(spec, policy=replace(spec.policy, price_per_hour=0.1)))
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()

    steered = life.steered()
    life.pass_by(timedelta(hours=7))

    assert max(step.capacity for step in steered.plan.steps) == 6
    assert life.sizes()[0] == 6
    assert "budgeted" in told(life.ledger)
    assert any("$0.6" in note or "0.60" in note for note in steered.notes)


def test_without_a_budget_nothing_is_asked_and_nothing_is_told(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    life = Life(cloud, tmp_path, MONDAY)
    life.measured(office_hours(20, end=MONDAY))
    life.reviewed()
    life.steered()
    assert "budgeted" not in told(life.ledger)
