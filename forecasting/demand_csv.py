"""Reading demand from a CSV file, with errors that name the file, the line, the value and the mend."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from forecasting.errors import InvalidDemand, shown
from forecasting.grid import place
from forecasting.instant import check_year, epoch_unit, zone
from forecasting.values import GREATEST, TOO_GREAT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from forecasting.values import Values

_OR_EPOCH = ", or every one as seconds or milliseconds since 1970"
_MISSING = {"", "nan", "null", "none", "na"}


def read_demand(path: str | Path, timezone: str) -> tuple[datetime, timedelta, Values]:
    """Read the start, step and values of a file with the columns timestamp and value."""
    local = zone(timezone)
    seconds: list[float] = []
    values: list[float] = []
    names: list[str] = []
    folds: dict[datetime, int] = {}
    rows = _oldest_first(list(_rows(Path(path))))
    unit = epoch_unit([stamp for _, stamp, _ in rows])
    for line, stamp, text in rows:
        value = _value(text, line)
        when = datetime.fromtimestamp(int(stamp) / unit, UTC) if unit else _instant(stamp, local, folds, line)
        if not _exists(when):
            _refuse_value_in_gap(value, stamp, local, line)
            continue
        seconds.append(when.astimezone(UTC).timestamp())
        values.append(value)
        names.append(f"line {line}")
    return place(seconds, values, names)


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip().lower() for name in next(reader, [])]
            stamp, value = _column(header, "timestamp"), _column(header, "value")
            for row in reader:
                if any(cell.strip() for cell in row):
                    yield reader.line_num, _cell(row, stamp, reader.line_num), _cell(row, value, reader.line_num)
    except OSError as error:
        msg = f"cannot be read ({error.strerror}): give the path of a CSV file"
        raise InvalidDemand(msg) from error
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"is not a CSV file in UTF-8 ({error}): export it again"
        raise InvalidDemand(msg) from error


def _oldest_first(rows: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Turn a file round that begins with its newest row: an hour that comes twice is told apart by the order."""
    return rows[::-1] if rows and rows[0][1] > rows[-1][1] else rows


def _column(header: list[str], name: str) -> int:
    if name not in header:
        msg = f"line 1: no column {name!r} in {shown(','.join(header))}: name the columns timestamp,value"
        raise InvalidDemand(msg)
    return header.index(name)


def _cell(row: list[str], column: int, line: int) -> str:
    if column >= len(row):
        msg = f"line {line}: {shown(','.join(row))} has too few columns: write timestamp,value (nothing if missing)"
        raise InvalidDemand(msg)
    return row[column].strip()


def _value(text: str, line: int) -> float:
    if text.lower() in _MISSING:
        return float("nan")
    try:
        value = float(text)
    except ValueError as error:
        msg = f"line {line}: value {shown(text)} is not a number: write digits with a point, or nothing if missing"
        raise InvalidDemand(msg) from error
    if not 0 <= value < float("inf"):
        msg = (
            f"line {line}: value {shown(text)} is not a demand: it must be finite and at least 0, or empty when missing"
        )
        raise InvalidDemand(msg)
    if value > GREATEST:
        msg = f"line {line}: value {shown(text)} {TOO_GREAT}"
        raise InvalidDemand(msg)
    return value


def _instant(stamp: str, local: ZoneInfo, folds: dict[datetime, int], line: int) -> datetime:
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError as error:
        msg = f"line {line}: timestamp {shown(stamp)} is not ISO 8601: write it as 2026-01-05T00:00:00Z{_OR_EPOCH}"
        raise InvalidDemand(msg) from error
    check_year(when, f"line {line}: timestamp", InvalidDemand)
    if when.tzinfo is not None:
        return when
    # An hour that the clocks repeat in autumn is told apart by the order of the rows: first summer, then winter time.
    seen = folds.get(when, 0)
    folds[when] = seen + 1
    return when.replace(tzinfo=local, fold=min(seen, 1))


def _exists(when: datetime) -> bool:
    """Tell whether the clocks ever showed this time: in spring they skip an hour."""
    return when.astimezone(UTC).astimezone(when.tzinfo).replace(tzinfo=None) == when.replace(tzinfo=None)


def _refuse_value_in_gap(value: float, stamp: str, local: ZoneInfo, line: int) -> None:
    if value == value:  # noqa: PLR0124  (not NaN: an empty row in the skipped hour is harmless)
        msg = (
            f"line {line}: timestamp {stamp!r} was skipped by the clocks of {local.key}: "
            "the file is in another time zone, name it"
        )
        raise InvalidDemand(msg)
