"""A CSV or Parquet file as a source, under any address that ObjectStoragePath knows."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from forecasting.instant import epoch_unit
from predictive_scaling.metric import FileMetric
from predictive_scaling.object_store import opened
from predictive_scaling.sources import Latest, Reading, SourceUnavailable, metric_of
from predictive_scaling.sources.in_turn import in_turn
from predictive_scaling.sources.periods import newest_of, one_a_period

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Request
    from predictive_scaling.storage import Points

COLUMNS: Final = ("timestamp", "value")
_MISSING: Final = frozenset({"", "null", "none", "na"})


class FileSource:
    """Keeps the contract of `Source` by reading the whole file again, as its writer may have rewritten it."""

    def read(self, requests: Sequence[Request], *, until: datetime) -> Reading:
        """Read file after file."""
        since = {request.fleet.name: request.since for request in requests}

        def ask(_account: str, fleet: FleetSpec) -> Points:
            return _points(metric_of(fleet, FileMetric), since[fleet.name], until)

        points, problems = in_turn([request.fleet for request in requests], reach=str, ask=ask)
        return Reading(points=points, problems=problems)

    def latest(self, fleets: Sequence[FleetSpec], *, now: datetime) -> Latest:
        """Give the value of the newest closed period."""
        return newest_of(self, fleets, now=now)


def _points(metric: FileMetric, since: datetime, until: datetime) -> Points:
    try:
        return one_a_period(_rows(metric.path), metric, since=since, until=until)
    except SourceUnavailable as error:
        msg = f"{metric.described}: {error}"
        raise SourceUnavailable(msg) from error


def _rows(address: str) -> Iterable[tuple[Any, Any]]:
    content = _content(address)
    if address.endswith(".parquet"):
        return _of_parquet(content)
    return _of_csv(content)


def _content(address: str) -> bytes:
    try:
        content: bytes = opened(address).read_bytes()
    except Exception as error:
        msg = f"cannot be read ({type(error).__name__}: {error}): check the address and the rights of the workers"
        raise SourceUnavailable(msg) from error
    return content


def _of_parquet(content: bytes) -> Iterable[tuple[Any, Any]]:
    try:
        table = pq.read_table(pa.BufferReader(content), columns=list(COLUMNS))
        return list(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))
    except (pa.ArrowException, KeyError) as error:
        msg = f"is not Parquet with the columns {' and '.join(COLUMNS)}: {error}"
        raise SourceUnavailable(msg) from error


def _of_csv(content: bytes) -> Iterable[tuple[Any, Any]]:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig", errors="replace")))
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        msg = (
            f"has the columns {', '.join(reader.fieldnames or ()) or 'none'}: name two of them {' and '.join(COLUMNS)}"
        )
        raise SourceUnavailable(msg)
    rows = [((row["timestamp"] or "").strip(), _value(row["value"])) for row in reader]
    unit = epoch_unit([stamp for stamp, _ in rows])
    return [(int(stamp) / unit, value) for stamp, value in rows] if unit else rows


def _value(text: str | None) -> str | None:
    return None if text is None or text.strip().lower() in _MISSING else text
