"""An autoscaler's status tells what was seen last and when, and never a number that was not measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from predictive_scaling.api.autoscaler_routes import list_autoscalers
from predictive_scaling.api.autoscaler_views import AutoscalerStatus, Seen, autoscaler_view
from predictive_scaling.api.records import Records
from predictive_scaling.fleet_folder import FleetFolder, spec_of
from predictive_scaling.ledger.autoscalers import StoredAutoscaler
from predictive_scaling.ledger.connection import engine_for
from predictive_scaling.ledger.tables import metadata
from predictive_scaling.look import LoadSeen, Look
from predictive_scaling.settings import Settings
from predictive_scaling.status import Status
from predictive_scaling.summary import status_of_trouble

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NO_FILES = FleetFolder(fleets=(), problems=())
TURN = Status(fleet="trainer", at=NOW - HOUR, group="g", mode="auto", unit="GPU", desired=2, in_service=2)


def an_autoscaler(**targets: Any) -> StoredAutoscaler:
    asked = {"name": "trainer", "workload": {"name": "trainer"}, "group": "g", "min_replicas": 1, "max_replicas": 8}
    made = NOW - timedelta(days=1)
    return StoredAutoscaler(name="trainer", asked={**asked, **targets}, actor="ada", created_at=made)


def a_look(*loads: float | None, instances: int = 4, at: datetime = NOW, **targets: Any) -> Look:
    """Look at five wanted of which four serve; each load is of a minute ago, and of so many instances."""
    specs = spec_of(an_autoscaler(**targets)).loads
    seen = tuple(
        LoadSeen(metric=spec.metric_identity, value=load, at=at - MINUTE, instances=instances)
        for spec, load in zip(specs, loads, strict=False)
        if load is not None
    )
    return Look(fleet="trainer", at=at, min_size=1, max_size=8, desired=5, in_service=4, loads=seen)


def shown(seen: Seen, **targets: Any) -> AutoscalerStatus:
    return autoscaler_view(an_autoscaler(**targets), NO_FILES, seen, now=NOW).status


def test_the_numbers_are_those_of_the_last_look_and_say_when_they_were_so() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    for before in (None, TURN):
        status = shown(Seen(status=before, look=a_look(336.0, **asked), resized=(3, 1)), **asked)
        assert (status.current_replicas, status.desired_replicas, status.seen_at) == (4, 5, NOW)
        (gpu,) = status.metrics
        assert (gpu.name, gpu.current_percent, gpu.target_percent) == ("gpu", 84.0, 70.0)
        assert gpu.measured_at == NOW - MINUTE
        assert status.load_of_target == 1.2
        assert (status.scale_ups, status.scale_downs) == (3, 1)


def test_a_turn_that_looked_later_goes_before_the_look() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    status = shown(Seen(status=TURN, look=a_look(336.0, at=NOW - 2 * HOUR, **asked)), **asked)
    assert (status.current_replicas, status.desired_replicas, status.seen_at) == (2, 2, NOW - HOUR)
    assert status.metrics[0].current_percent is None, "what was measured three hours ago is not current"


def test_a_turn_that_failed_hides_neither_the_sizes_nor_the_trouble_that_the_watch_saw_before_it() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    look = replace(a_look(at=NOW - MINUTE, **asked), problem="the exporter is silent")
    first = Status(fleet="trainer", at=NOW, group="g", mode="auto", unit="GPU", problem="no forecast is stored yet")
    later = status_of_trouble(spec_of(an_autoscaler(**asked)), TURN, "no forecast is stored yet", now=NOW)
    for turn in (first, later, replace(later, at=NOW + MINUTE)):
        status = shown(Seen(status=turn, look=look), **asked)
        assert (status.current_replicas, status.desired_replicas, status.seen_at) == (4, 5, NOW - MINUTE)
        assert status.problem == "the exporter is silent; no forecast is stored yet"
    assert shown(Seen(status=first), **asked).seen_at is None, "no sizes were seen"
    assert shown(Seen(status=later), **asked).seen_at == TURN.at


def test_a_load_is_put_beside_the_instances_that_it_was_measured_on() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    status = shown(Seen(look=a_look(200.0, instances=2, **asked)), **asked)
    assert (status.current_replicas, status.metrics[0].current_percent) == (4, 100.0)


def test_of_several_targets_each_is_told_and_the_greatest_share_counts() -> None:
    asked: dict[str, Any] = {"target_cpu_percent": 60, "target_memory_percent": 70}
    status = shown(Seen(look=a_look(180.0, 252.0, **asked)), **asked)
    assert [each.current_percent for each in status.metrics] == [45.0, 63.0]
    assert status.load_of_target == 0.9
    half = shown(Seen(look=a_look(None, 252.0, **asked)), **asked)
    assert [each.current_percent for each in half.metrics] == [None, 63.0]


def test_without_a_measurement_or_an_instance_there_is_no_number() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    looks = (None, a_look(**asked), a_look(336.0, instances=0, **asked))
    for seen in (Seen(), Seen(status=TURN), *(Seen(look=look) for look in looks)):
        status = shown(seen, **asked)
        (gpu,) = status.metrics
        assert (gpu.current_percent, gpu.measured_at, status.load_of_target) == (None, None, None)


def test_what_was_seen_of_an_earlier_one_of_its_name_is_none_of_its_own() -> None:
    asked: dict[str, Any] = {"target_gpu_percent": 70}
    early = a_look(336.0, at=NOW - timedelta(days=2), **asked)
    status = shown(Seen(look=early), **asked)
    assert (status.current_replicas, status.seen_at) == (None, None)


def test_a_list_of_many_asks_the_database_no_more_often_than_a_list_of_one(tmp_path: Path) -> None:
    engine = engine_for(f"sqlite:///{tmp_path}/ledger.db")
    metadata.create_all(engine)
    settings = Settings.from_airflow()
    records = Records(replace(settings, fleets_folder=tmp_path, storage=f"file://{tmp_path}"), engine)
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    def statements(number: int) -> int:
        for each in range(len(records.autoscalers.all()), number):
            one = an_autoscaler(target_gpu_percent=70)
            own = {"name": f"a{each}", "group": f"g{each}"}
            assert records.autoscalers.add(replace(one, name=own["name"], asked={**one.asked, **own}))
        records.statuses.save(replace(TURN, fleet="a0"))
        asked.clear()
        page = list_autoscalers(records, limit=500, offset=0)
        assert (len(page.items), page.total) == (number, number)
        assert [each.status.current_replicas for each in page.items[:2]] == [2, None][:number]
        return len(asked)

    of_one = statements(1)
    assert statements(30) == of_one
