"""What is kept in a bucket is seen as it is now, whoever wrote it, by those who have looked before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from bucket import ADDRESS, BEGIN, FIVE, WEB, a_bucket, a_forecast, elsewhere, points

from predictive_scaling.cost_store import CostStore
from predictive_scaling.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def _connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with a_bucket(tmp_path_factory.mktemp("bucket")) as connection, pytest.MonkeyPatch.context() as patch:
        for name, value in connection.items():
            patch.setenv(name, value)
        yield


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
