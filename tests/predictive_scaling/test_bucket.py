"""What is kept in a bucket is seen as it is now, whoever wrote it, with the shipped rights and a few requests."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from bucket import (
    ADDRESS,
    BEGIN,
    FIVE,
    WEB,
    a_bucket,
    a_fleet,
    a_forecast,
    a_load,
    asked,
    elsewhere,
    points,
)

from predictive_scaling.cost_store import CostStore
from predictive_scaling.demand_forecast import forecast_fleets
from predictive_scaling.errors import NoHistory
from predictive_scaling.object_store import AT_ONCE
from predictive_scaling.pull import pull
from predictive_scaling.sources.object_file import FileSource
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", autouse=True)
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Connect to a bucket, and give the folder where it notes what it is asked."""
    folder = tmp_path_factory.mktemp("bucket")
    with a_bucket(folder) as connection, pytest.MonkeyPatch.context() as patch:
        for name, value in connection.items():
            patch.setenv(name, value)
        yield folder


def test_a_history_that_grew_elsewhere_is_read_whole_and_its_new_month_found() -> None:
    storage = Storage.at(ADDRESS)
    assert storage.append(WEB, points(0, 100)) == 100
    assert len(storage.demand(WEB, since=BEGIN)) == 100
    elsewhere("storage.append(WEB, points(100, 9000))")
    assert storage.demand(WEB, since=BEGIN).values.tolist() == [float(slot) for slot in range(9000)]
    assert storage.last_measured(WEB) == BEGIN + 8999 * FIVE


def test_a_forecast_made_elsewhere_is_the_newest_at_once() -> None:
    storage = Storage.at(ADDRESS)
    storage.save_forecast(WEB, a_forecast(BEGIN))
    assert storage.newest_forecast(WEB)[0] == "web@20260101T0000Z"
    elsewhere("storage.save_forecast(WEB, a_forecast(BEGIN + 12 * FIVE))")
    assert storage.newest_forecast(WEB) == ("web@20260101T0100Z", a_forecast(BEGIN + timedelta(hours=1)))


def test_a_document_about_money_that_was_written_anew_elsewhere_is_read_anew() -> None:
    costs = CostStore.at(ADDRESS)
    costs.write("prices/eu", {"m5.large": 1})
    assert costs.read("prices/eu") == {"m5.large": 1}
    deed = "CostStore.at(ADDRESS).write('prices/eu', dict.fromkeys(map(str, range(99)), 2))"
    elsewhere(f"from predictive_scaling.cost_store import CostStore; {deed}")
    assert len(costs.read("prices/eu")) == 99


def test_an_hour_of_a_fleet_costs_the_bucket_a_dozen_requests(log: Path, tmp_path: Path) -> None:
    storage, fleets = Storage.at(ADDRESS), [a_fleet(name, tmp_path / "load.csv") for name in ("east", "west")]
    now = a_load(tmp_path / "load.csv", days=15)
    pull(fleets, FileSource(), storage, now=now - HOUR)
    forecast_fleets(fleets, storage, now=now - HOUR)
    before = len(asked(log))
    pulled = pull(fleets, FileSource(), storage, now=now)
    forecasted = forecast_fleets(fleets, storage, now=now)
    requests = len(asked(log)) - before
    assert [(each.fleet, each.added) for each in pulled] == [("east", 12), ("west", 12)]
    assert [each.forecast_id for each in forecasted] == [storage.newest_forecast(fleet)[0] for fleet in fleets]
    assert 0 < requests <= 12 * len(fleets)


def test_what_many_fleets_have_is_asked_for_side_by_side_and_given_in_their_order() -> None:
    storage, all_at_once = Storage.at(ADDRESS), Barrier(AT_ONCE)

    def work(number: int) -> int:
        all_at_once.wait(timeout=60)  # nobody comes past it alone
        return number

    assert storage.each(work, range(2 * AT_ONCE)) == list(range(2 * AT_ONCE))


def test_the_oldest_forecast_goes_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictive_scaling.storage.KEPT_FORECASTS", 2)
    storage, fleet = Storage.at(ADDRESS), a_fleet("old")
    first, *_ = (storage.save_forecast(fleet, a_forecast(BEGIN + hours * HOUR)) for hours in range(3))
    assert storage.forecasts_before(fleet, BEGIN + 2 * HOUR) == ["20260101T0100Z", "20260101T0200Z"]
    with pytest.raises(NoHistory, match="forecast 20260101T0000Z is not stored"):
        storage.forecast(fleet, first.partition("@")[2])


def test_replays_are_named_newest_first_of_one_fleet_or_of_all() -> None:
    storage = Storage.at(ADDRESS)
    assert storage.replays() == []
    for hours, fleet in enumerate(("web", "web-two", "web")):
        storage.save_replay(fleet, {"hours": hours}, now=BEGIN + hours * HOUR)
    assert storage.replays() == ["web/20260101T020000Z", "web-two/20260101T010000Z", "web/20260101T000000Z"]
    assert storage.replay(storage.replays("web")[0]) == (BEGIN + 2 * HOUR, {"hours": 2})
    assert storage.replays("nobody") == []
