"""Files of demand are read with care, and refused with the line, the value and the mend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from forecasting import Demand, ForecastingError, InvalidDemand

if TYPE_CHECKING:
    from pathlib import Path


def a_file(folder: Path, *lines: str, header: str = "timestamp,value") -> Path:
    path = folder / "demand.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return path


def hours(first: str, *stamps: str) -> list[str]:
    return [f"{first}T{stamp},{index + 1}" for index, stamp in enumerate(stamps)]


def test_the_step_is_the_most_common_one_and_absent_rows_are_missing(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2026-01-05", "00:00", "00:05", "00:10", "00:30", "00:35"))
    demand = Demand.from_csv(path)
    assert demand.step == timedelta(minutes=5)
    assert len(demand) == 8
    assert demand.missing == 3


def test_an_empty_value_is_missing_and_other_columns_are_ignored(tmp_path: Path) -> None:
    path = a_file(tmp_path, "2026-01-05T00:00Z,,x", "2026-01-05T00:05Z,7,y", header="Timestamp,Value,label")
    demand = Demand.from_csv(path)
    assert np.isnan(demand.values[0])
    assert demand.values[1] == 7.0


def test_naive_timestamps_are_in_the_time_zone_given(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2026-01-05", "01:00", "02:00"))
    assert Demand.from_csv(path, timezone="Europe/Berlin").start == datetime(2026, 1, 5, tzinfo=UTC)


def test_the_hour_that_clocks_repeat_is_told_apart_by_the_order_of_rows(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2025-10-26", "01:00", "02:00", "02:00", "03:00"))
    demand = Demand.from_csv(path, timezone="Europe/Berlin")
    assert demand.values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert demand.start == datetime(2025, 10, 25, 23, tzinfo=UTC)


def test_a_repeated_hour_given_once_leaves_the_other_missing(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2025-10-26", "00:00", "01:00", "02:00", "03:00", "04:00"))
    demand = Demand.from_csv(path, timezone="Europe/Berlin")
    assert np.isnan(demand.values).tolist() == [False, False, False, True, False, False]


def test_the_hour_that_clocks_skip_leaves_no_gap(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2026-03-29", "00:00", "01:00", "03:00", "04:00"))
    assert Demand.from_csv(path, timezone="Europe/Berlin").values.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_value_in_the_skipped_hour_shows_that_the_zone_is_wrong(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2026-03-29", "01:00", "02:00", "03:00"))
    with pytest.raises(InvalidDemand, match=r"line 3: timestamp '2026-03-29T02:00' was skipped .* another time zone"):
        Demand.from_csv(path, timezone="Europe/Berlin")


def test_an_empty_row_in_the_skipped_hour_is_harmless(tmp_path: Path) -> None:
    path = a_file(tmp_path, "2026-03-29T01:00,1", "2026-03-29T02:00,", "2026-03-29T03:00,3")
    assert Demand.from_csv(path, timezone="Europe/Berlin").values.tolist() == [1.0, 3.0]


def test_rows_a_few_seconds_late_are_snapped_to_their_slot(tmp_path: Path) -> None:
    late = "2026-01-05T00:05:12,2"
    path = a_file(tmp_path, "2026-01-05T00:00:00,1", late, *hours("2026-01-05", "00:10", "00:15", "00:20", "00:25"))
    demand = Demand.from_csv(path)
    assert demand.values.tolist() == [1.0, 2.0, 1.0, 2.0, 3.0, 4.0]
    assert demand.start == datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ["2026-01-05T00:00,1", "2026-01-05T00:05,2", "2026-01-05T00:10,3", "2026-01-05T00:12,4"],
            "line 5: .* off the grid",
        ),
        (
            ["2026-01-05T00:00,1", "2026-01-05T00:05,2", "2026-01-05T00:05,3"],
            "line 3 and line 4 have the same timestamp",
        ),
        (["2026-01-05T00:00,1", "2026-01-05T00:05,abc"], "line 3: value 'abc' is not a number"),
        (["2026-01-05T00:00,1", "2026-01-05T00:05,-4"], "line 3: value '-4' is not a demand"),
        (["2026-01-05T00:00,1", "2026-01-05T00:05,inf"], "line 3: value 'inf' is not a demand"),
        (["2026-01-05T00:00,1", "05.01.2026,2"], "line 3: timestamp '05.01.2026' is not ISO 8601"),
        (["2026-01-05T00:00,1", "2026-01-05T00:05"], "line 3: .* too few columns"),
        (["2026-01-05T00:00,1"], "fewer than two rows"),
        ([], "fewer than two rows"),
        (["1026-01-05T00:00,1"], "line 2: timestamp 1026-.* outside the years 1900 to 2199: check the year"),
        (["2026-01-05T00:00,1", "2026-01-05T00:05,1e308"], "line 3: value '1e308' is above 1e\\+15, .* greater unit"),
        (["1926-01-05T00:00,1", *hours("2026-01-05", "00:00", "00:05", "00:10")], "line 3: .* check the year"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_the_mend(tmp_path: Path, lines: list[str], words: str) -> None:
    path = a_file(tmp_path, *lines)
    with pytest.raises(InvalidDemand, match=words) as refused:
        Demand.from_csv(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_file_without_the_columns_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, "1,2", header="when,count")
    with pytest.raises(InvalidDemand, match="no column 'timestamp' in 'when,count'"):
        Demand.from_csv(path)


def test_a_file_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDemand, match="cannot be read"):
        Demand.from_csv(tmp_path / "none.csv")


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, *hours("2026-01-05", "01:00", "02:00"))
    with pytest.raises(ForecastingError, match="'Mars/Base' is unknown"):
        Demand.from_csv(path, timezone="Mars/Base")


def test_a_file_that_begins_with_its_newest_row_reads_as_one_that_ends_with_it(tmp_path: Path) -> None:
    lines = hours("2025-10-26", "01:00", "02:00", "02:00", "03:00")
    told = [Demand.from_csv(a_file(tmp_path, *each), timezone="Europe/Berlin") for each in (lines, lines[::-1])]
    assert told[0] == told[1]


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_column_of_seconds_or_of_milliseconds_since_1970_is_read_whatever_the_time_zone(
    tmp_path: Path, unit: int
) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    path = a_file(tmp_path, *(f"{(int(start.timestamp()) + 300 * slot) * unit},{slot}" for slot in range(4)))
    demand = Demand.from_csv(path, timezone="Europe/Berlin")
    assert (demand.start, demand.step, demand.values.tolist()) == (start, timedelta(minutes=5), [0.0, 1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "stamps",
    [("1767571200", "1767571500000"), ("1767571200", "2026-01-05T00:05Z"), ("300", "600"), ("9" * 5000, "1767571200")],
    ids=["of two units", "of which one is text", "of no likely year", "of no number anybody writes"],
)
def test_whole_numbers_that_are_no_column_of_times_are_refused_with_the_mend(
    tmp_path: Path, stamps: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidDemand, match="every one as seconds or milliseconds since 1970"):
        Demand.from_csv(a_file(tmp_path, *(f"{stamp},1" for stamp in stamps)))


def test_days_written_without_dashes_are_days(tmp_path: Path) -> None:
    assert Demand.from_csv(a_file(tmp_path, "20260105,1", "20260106,2")).start == datetime(2026, 1, 5, tzinfo=UTC)
