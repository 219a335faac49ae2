"""The promise: whatever AWS makes of a call, retries alone bring a change to its end, once, and nothing stays open."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from aftermath import assert_every_intent_has_one_certain_outcome, launches_and_ends
from arranging import a_cloud_of_four
from botocore.config import Config
from by_hand import at_work, seen, sizes, the_fleet
from deeds import DEEDS, set_sizes
from rights import client_of, keys_of
from telling import a_ledger

from predictive_scaling.errors import CloudUnavailable, OutcomeUnknown, WriteRefused
from predictive_scaling.fleets.auto_scaling import AutoScalingFleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sandbox
    from predictive_scaling.ledger.store import SqlLedger

PASSING = (CloudUnavailable, OutcomeUnknown, WriteRefused)
WRITES = "Update.*|Terminate.*"
READ_TIMEOUT = 1.0
TROUBLES: dict[str, dict[str, Any]] = {
    "throttled for five minutes": {"error": "Throttling", "seconds": 300},
    "down for five minutes": {"error": "ServiceUnavailable", "status": 503, "seconds": 300},
    "each write answered late": {"operation": WRITES, "after": True, "latency": 2 * READ_TIMEOUT, "seconds": 60},
    "each write done and answered 500": {
        "operation": WRITES,
        "error": "InternalFailure",
        "status": 500,
        "after": True,
        "seconds": 60,
    },
    "each write done and cut off": {"operation": WRITES, "drop": True, "after": True, "seconds": 60},
    "each write meets another change": {
        "operation": WRITES,
        "error": "ResourceContention",
        "status": 500,
        "seconds": 60,
    },
    "each write cut off before": {"operation": WRITES, "drop": True, "seconds": 60},
}
ENDS = {
    "scale_out": ((2, 6, 20), (2, 0)),
    "scale_in": ((2, 2, 20), (0, 2)),
    "set_capacity": ((3, 6, 20), (2, 0)),
    "give_up": ((2, 4, 20), (2, 2)),
    "roll_back": ((2, 4, 20), (2, 2)),
}
"""Sizes in the end, and how many instances were launched and ended on the way."""


@pytest.fixture
def cloud() -> Iterator[sandbox.Cloud]:
    with a_cloud_of_four() as running:
        yield running


def tries_until_done(deed: str, cloud: sandbox.Cloud, ledger: SqlLedger, *, impatient: bool) -> int:
    """Try as Airflow does, a minute of the cloud apart; give how many tries it took."""
    once = Config(retries={"total_max_attempts": 1}, read_timeout=READ_TIMEOUT if impatient else 60)
    reach = partial(client_of, cloud, keys=keys_of(cloud, "scale"), config=once)
    fleet = AutoScalingFleet(reach("autoscaling"), "web", reach)
    for attempt in count(1):
        try:
            DEEDS[deed](at_work(fleet, ledger, run=2, attempt=attempt))
        except PASSING:
            cloud.advance(60)
        else:
            return attempt
    raise AssertionError


CASES = [
    *((deed, "throttled for five minutes", calls) for deed in ENDS for calls in (0, 5)),
    *((deed, "down for five minutes", 5) for deed in ENDS),
    *((deed, each, 0) for deed in ("scale_out", "scale_in", "give_up") for each in TROUBLES if each.startswith("each")),
    ("set_capacity", "each write answered late", 0),
    ("roll_back", "each write done and cut off", 0),
]
"""What is done, the trouble, and how many calls are made before it begins."""


@pytest.mark.parametrize(("deed", "trouble", "skip"), CASES)
def test_retries_alone_bring_it_to_its_end(
    cloud: sandbox.Cloud, tmp_path: Path, deed: str, trouble: str, skip: int
) -> None:
    ledger = a_ledger(tmp_path)
    if deed == "roll_back":
        set_sizes(at_work(the_fleet(cloud), ledger))
    before = launches_and_ends(cloud) if deed != "roll_back" else (4, 0)
    cloud.faults.add(**{"service": "autoscaling", **TROUBLES[trouble], "skip": skip})

    tries = tries_until_done(deed, cloud, ledger, impatient="latency" in TROUBLES[trouble])
    assert tries <= 6, "five minutes of trouble, a minute apart"

    cloud.advance(900)
    ends = launches_and_ends(cloud)
    assert sizes(cloud) == ENDS[deed][0]
    assert (ends[0] - before[0], ends[1] - before[1]) == ENDS[deed][1], "nothing was done twice"
    assert seen(cloud).serving_units == ENDS[deed][0][1]
    assert_every_intent_has_one_certain_outcome(ledger)


def test_a_group_with_another_change_pending_is_known_to_be_unchanged(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(service="autoscaling", **TROUBLES["each write meets another change"])
    with pytest.raises(WriteRefused, match="ResourceContention"):
        DEEDS["set_capacity"](at_work(the_fleet(cloud), ledger))
    assert ledger.open_operation("web") is None, "certain, though AWS answers it with 500"


def test_a_group_whose_service_role_is_not_ready_is_known_to_be_unchanged(cloud: sandbox.Cloud, tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    cloud.faults.add(service="autoscaling", operation=WRITES, error="ServiceLinkedRoleFailure", status=500)
    with pytest.raises(WriteRefused, match="ServiceLinkedRoleFailure"):
        DEEDS["set_capacity"](at_work(the_fleet(cloud), ledger))
    assert ledger.open_operation("web") is None
