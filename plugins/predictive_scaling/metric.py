"""What a fleet's demand is measured by: one class a kind of metric, each read by the source it names."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OF_GROUPS: Final = "AWS/AutoScaling"
IN_SERVICE: Final = "GroupInServiceInstances"
SIZES: Final = ("GroupMinSize", "GroupDesiredCapacity", IN_SERVICE, "GroupMaxSize")
"""What a group can tell of its size; AWS takes nothing for it, and counts only when told to."""
RATES: Final = frozenset({"Sum", "SampleCount"})
"""Statistics that count what happened in a period; they are kept per minute, so the period may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(ABC):
    """What every kind of metric says of itself."""

    source: ClassVar[str]
    """The source that reads it, by its name in a fleet file."""
    mend: ClassVar[str]
    """What to look at when there is no data."""
    steady: ClassVar[bool] = False
    """Whether every period has a value, so that none for long is trouble and not a quiet night."""
    instant: ClassVar[bool] = False
    """Whether its source can say what it is at this moment, and not only what it was in the last whole period."""
    settles: ClassVar[timedelta] = timedelta(hours=1)
    """For how long its source may still add to a period: what comes late is read with the next pull."""
    of_account: ClassVar[bool] = False
    """Whether it is one of the fleet's own AWS account: in another one, the same words name something else."""
    name: str
    period: timedelta = timedelta(minutes=5)
    may_stand_still: timedelta | None = None
    """For how long the same value is believed; None: as long as the history makes likely."""

    @property
    def reached_by(self) -> str | None:
        """The Airflow connection to it; None: the fleet's own, to its AWS account."""
        return None

    @property
    def scale(self) -> float:
        """What a measured value is multiplied by before it is stored."""
        return 1.0

    @property
    def counts_instances(self) -> bool:
        """Whether it needs what AWS counts of a group, which it does only when told to."""
        return False

    @property
    def unit(self) -> str:
        """How a person reads a stored value."""
        return self.name

    @property
    @abstractmethod
    def described(self) -> str:
        """What is measured, in words that can be looked up where it comes from."""

    @property
    @abstractmethod
    def parts(self) -> list[object]:
        """Everything that makes this definition differ from another one."""

    def identity(self, account: Sequence[str | None]) -> str:
        """A short name for exactly this definition, read in this account, so that two histories never mix."""
        parts = [*self.parts, *account] if self.of_account else self.parts
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Measure):
    """One CloudWatch metric, read so that it gives the fleet's *total* load."""

    source: ClassVar[str] = "cloudwatch"
    mend: ClassVar[str] = "check that namespace, name and dimensions are exactly those CloudWatch shows"
    of_account: ClassVar[bool] = True
    namespace: str
    dimensions: Mapping[str, str] = field(default_factory=dict)
    statistic: str = "Sum"
    per_instance: bool = False

    @property
    def counts_instances(self) -> bool:
        """Whether it is one of a group's own, or multiplied by one."""
        return self.per_instance or self.namespace == OF_GROUPS

    @property
    def is_rate(self) -> bool:
        """Whether the value counts events, and is therefore kept per minute."""
        return self.statistic in RATES

    @property
    def scale(self) -> float:
        """Counts are kept per minute."""
        return per_minute(self.statistic, self.period)

    @property
    def unit(self) -> str:
        """How a person reads a stored value."""
        return f"{self.name} per minute" if self.is_rate else self.name

    @property
    def described(self) -> str:
        """The metric as CloudWatch's console lists it."""
        dimensions = ", ".join(f"{key}={value}" for key, value in self.dimensions.items()) or "no dimensions"
        times = f" times {IN_SERVICE} of the fleet's group" if self.per_instance else ""
        return f"{self.namespace} {self.name} ({dimensions}, {self.statistic}){times}"

    @property
    def parts(self) -> list[object]:
        """Namespace, name, dimensions and how they are put together."""
        dimensions = sorted(self.dimensions.items())
        return [self.namespace, self.name, dimensions, self.statistic, self.period.total_seconds(), self.per_instance]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricMath(Measure):
    """A CloudWatch expression over some metrics, by the names it uses for them."""

    source: ClassVar[str] = "cloudwatch"
    mend: ClassVar[str] = "check that CloudWatch shows a value for each metric the expression names"
    of_account: ClassVar[bool] = True
    expression: str
    metrics: Mapping[str, Metric]

    @property
    def counts_instances(self) -> bool:
        """Whether a metric it names does."""
        return any(metric.counts_instances for metric in self.metrics.values())

    @property
    def described(self) -> str:
        """The expression, and each metric it names."""
        named = "; ".join(f"{key}: {metric.described}" for key, metric in self.metrics.items())
        return f"{self.expression} ({named})"

    @property
    def parts(self) -> list[object]:
        """The expression and all its metrics."""
        metrics = {key: metric.parts for key, metric in sorted(self.metrics.items())}
        return ["math", self.expression, self.period.total_seconds(), metrics]


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfQueue(Measure):
    """Something of an SQS queue."""

    source: ClassVar[str] = "sqs"
    mend: ClassVar[str] = (
        "check the queue's name, account and region; SQS stops reporting to CloudWatch when a queue was idle for 6 h"
    )
    of_account: ClassVar[bool] = True
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMetric(_OfQueue):
    """How many messages an SQS queue holds: those that wait, and those being worked on."""

    instant: ClassVar[bool] = True
    in_flight: bool = True

    @property
    def described(self) -> str:
        """The queue, and which of its messages count."""
        return f"messages {'waiting and in flight' if self.in_flight else 'waiting'} in queue {self.queue}"

    @property
    def parts(self) -> list[object]:
        """The queue and what is counted."""
        return [self.source, self.queue, self.in_flight, self.period.total_seconds()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalsMetric(_OfQueue):
    """How many messages come to an SQS queue: the same, however well they are served.

    Those that wait are worked off within `drain`, which is no part of what is forecast.
    """

    drain: timedelta

    def load_of(self, waiting: float) -> float:
        """Give the load that working off so many messages in time is."""
        return waiting * (timedelta(minutes=1) / self.drain)

    @property
    def scale(self) -> float:
        """Messages are kept per minute."""
        return per_minute("Sum", self.period)

    @property
    def unit(self) -> str:
        """How a person reads a stored value."""
        return f"{self.name} per minute"

    @property
    def described(self) -> str:
        """The queue, and what of it counts."""
        return f"messages sent to queue {self.queue}"

    @property
    def parts(self) -> list[object]:
        """The queue and what is counted."""
        return [self.source, self.queue, "sent", self.period.total_seconds()]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusMetric(Measure):
    """A PromQL expression that gives one series."""

    source: ClassVar[str] = "prometheus"
    mend: ClassVar[str] = "check that the exporter is up and scraped, and the query in Prometheus' own page"
    steady: ClassVar[bool] = True
    instant: ClassVar[bool] = True
    query: str
    instances: str | None = None  # counts those that the load was seen on
    connection: str = "prometheus_default"

    @property
    def reached_by(self) -> str:
        """The connection to the server."""
        return self.connection

    @property
    def described(self) -> str:
        """The query."""
        return f"Prometheus query {self.query}"

    @property
    def parts(self) -> list[object]:
        """The query and where it is asked."""
        return [self.source, self.connection, self.query, self.period.total_seconds()]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowsMetric(Measure):
    """Rows of a time and a value, of which a period may have many."""

    statistic: str

    @property
    def scale(self) -> float:
        """Counts are kept per minute."""
        return per_minute(self.statistic, self.period)

    @property
    def unit(self) -> str:
        """How a person reads a stored value."""
        return f"{self.name} per minute" if self.statistic in RATES else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlMetric(_RowsMetric):
    """A query that gives rows of a time and a value between :since and :until."""

    source: ClassVar[str] = "sql"
    mend: ClassVar[str] = "run the query by hand with a :since and an :until of today, in UTC"
    query: str
    connection: str
    statistic: str = "Sum"

    @property
    def reached_by(self) -> str:
        """The connection to the database."""
        return self.connection

    @property
    def described(self) -> str:
        """Where the query runs."""
        return f"the query for {self.name} on connection {self.connection}"

    @property
    def parts(self) -> list[object]:
        """The query, where it runs, and how its rows are put together."""
        return [self.source, self.connection, self.query, self.statistic, self.period.total_seconds()]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMetric(_RowsMetric):
    """A CSV or Parquet file with the columns timestamp and value, under any address ObjectStoragePath knows."""

    source: ClassVar[str] = "file"
    mend: ClassVar[str] = "check that whoever writes the file still does"
    path: str
    statistic: str = "Average"

    @property
    def described(self) -> str:
        """The file's address."""
        return f"file {self.path}"

    @property
    def parts(self) -> list[object]:
        """The file, and how its rows are put together."""
        return [self.source, self.path, self.statistic, self.period.total_seconds()]


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowMetric(Measure):
    """How many of an Airflow's task instances wait for a worker or are on one."""

    source: ClassVar[str] = "airflow"
    mend: ClassVar[str] = "check in Airflow's list of task instances that the filters find any"
    steady: ClassVar[bool] = True
    instant: ClassVar[bool] = True
    settles: ClassVar[timedelta] = timedelta()  # a task tried again is forgotten where it ran before
    connection: str = "airflow_api"
    queue: str | None = None
    pool: str | None = None
    dag: str | None = None

    @property
    def reached_by(self) -> str:
        """The connection to Airflow's API."""
        return self.connection

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the task instances down."""
        given = {"queue": self.queue, "pool": self.pool, "dag": self.dag}
        return {key: value for key, value in given.items() if value}

    @property
    def described(self) -> str:
        """Which task instances count."""
        which = ", ".join(f"{key} {value}" for key, value in self.filters.items()) or "all of them"
        return f"task instances queued or running in Airflow ({which})"

    @property
    def parts(self) -> list[object]:
        """The filters, and the Airflow that is asked."""
        return [self.source, self.connection, sorted(self.filters.items()), self.period.total_seconds()]


def per_minute(statistic: str, period: timedelta) -> float:
    """Give what a value is multiplied by so that a count is one of a minute, whatever the period."""
    return timedelta(minutes=1) / period if statistic in RATES else 1.0
