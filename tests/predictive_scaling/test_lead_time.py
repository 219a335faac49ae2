"""A fleet is asked for as early as its own launches have taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from forecasting.gate import Standing
from predictive_scaling.fleets import Activity
from predictive_scaling.lead_time import Boot, lead_time, learned, learned_boot
from predictive_scaling.ledger.gates import Gate

FIVE = timedelta(minutes=5)


def a_gate(boot: timedelta | None) -> Gate:
    standing = Standing(since=datetime(2026, 3, 2, tzinfo=UTC))
    return Gate(fleet="web", standing=standing, actor="ada", measured_by="requests", boot=boot, launches=40)


def seconds(*values: float) -> list[timedelta]:
    return [timedelta(seconds=value) for value in values]


def test_nine_launches_of_ten_are_within_the_learned_boot() -> None:
    found = learned_boot(seconds(*range(60, 160)))
    assert found is not None
    assert sum(boot <= found for boot in seconds(*range(60, 160))) == 90


def test_a_few_launches_teach_nothing() -> None:
    assert learned_boot(seconds(60, 70, 80, 900)) is None


def a_launch(boot: timedelta) -> Activity:
    began = datetime(2026, 3, 2, tzinfo=UTC)
    return Activity(id="a", description="Launching it", status="Successful", began=began, ended=began + boot)


def test_what_served_at_once_was_there_before_and_teaches_nothing() -> None:
    there, booted = [a_launch(timedelta(0))] * 9, [a_launch(FIVE)] * 9
    assert learned(there, Boot()) == Boot()
    assert learned([*there, *booted], Boot()) == Boot(FIVE, 9)


def test_one_slow_launch_of_many_does_not_count() -> None:
    found = learned_boot(seconds(*[90] * 20, 3600))
    assert found == timedelta(seconds=90)


def test_without_anything_learned_the_file_decides() -> None:
    assert lead_time(FIVE, None) == (FIVE, ())
    assert lead_time(FIVE, a_gate(None)) == (FIVE, ())


def test_a_gpu_that_takes_sixteen_minutes_is_asked_for_earlier_and_the_log_says_why() -> None:
    found, (note,) = lead_time(FIVE, a_gate(timedelta(minutes=15, seconds=40)))
    assert found == timedelta(minutes=18)
    assert note == (
        "asks 18 min ahead instead of 5: nine in ten of 40 launches were in service within 15.7 min, "
        "and AWS may be 2 late"
    )


def test_a_fleet_that_boots_at_once_is_asked_for_later() -> None:
    assert lead_time(timedelta(minutes=10), a_gate(timedelta(seconds=40)))[0] == timedelta(minutes=3)


def test_what_was_learned_and_agrees_with_the_file_needs_no_words() -> None:
    assert lead_time(FIVE, a_gate(timedelta(minutes=3))) == (FIVE, ())
