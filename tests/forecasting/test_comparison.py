"""What if another policy, or another way of scaling, had steered the fleet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting import Demand, InvalidRequest, Policy
from forecasting.comparison import outcomes
from forecasting.rehearsal import Rehearsal

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def the_third_day() -> Rehearsal:
    """Of three days, each with six hours at 1,000 and the rest at 200."""
    day = np.repeat([200.0, 1_000.0, 200.0], [96, 72, 120])
    return Rehearsal(Demand(MONDAY, FIVE, np.tile(day, 3)), since=MONDAY + timedelta(days=2))


def test_money_is_counted_for_a_month_of_such_days() -> None:
    policies = {"web": Policy(1, 20, 100.0, price_per_hour=0.5)}
    static, reactive = outcomes(the_third_day(), policies, modes=("static", "reactive"))
    assert (static.card.under_time_share, static.card.actions_per_day) == (0, 0)
    assert static.monthly_cost == pytest.approx(10 * 24 * 30 * 0.5)
    # A quarter of the day at ten, the rest at two, and a while longer at ten until the load has stayed away.
    assert reactive.monthly_hours == pytest.approx(30 * (6 * 10 + 18 * 2 + 8 * 15 / 60), rel=0.001)
    assert reactive.monthly_cost == pytest.approx(reactive.monthly_hours * 0.5)


def test_a_policy_that_caps_is_cheaper_and_shorter() -> None:
    policies = {"free": Policy(1, 20, 100.0), "capped": Policy(1, 6, 100.0)}
    free, capped = outcomes(the_third_day(), policies, modes=("static",))
    assert capped.monthly_hours < free.monthly_hours
    assert capped.card.worst_shortage == 4
    assert capped.as_mapping()["policy"] == "capped"


@pytest.mark.parametrize(
    ("policies", "modes"),
    [({}, ("static",)), ({"a": Policy(1, 2, 1.0)}, ()), ({"a": Policy(1, 2, 1.0)}, ("magic",))],
)
def test_nothing_to_compare_is_refused(policies: dict[str, Policy], modes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest):
        outcomes(the_third_day(), policies, modes=modes)
