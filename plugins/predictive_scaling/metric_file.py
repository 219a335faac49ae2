"""The `metric` of a fleet file: one model a kind, chosen by its key `source`, checked to the last key."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from forecasting.duration import parse_duration
from predictive_scaling.metric import (
    RATES,
    AirflowMetric,
    ArrivalsMetric,
    FileMetric,
    Measure,
    Metric,
    MetricMath,
    PrometheusMetric,
    QueueMetric,
    SqlMetric,
)

UTILISATIONS: Final = re.compile(r"utili[sz]ation|used_percent|PerTarget$", re.IGNORECASE)
"""Metrics that fall when the fleet grows: alone they say nothing of the load."""
_PERIODS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 15, 30, 60))
_DRAIN: Final = (timedelta(minutes=1), timedelta(days=1))
_STATISTIC: Final = r"^(Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d+)?)$"
_PART: Final = r"^[a-z][a-zA-Z0-9_]{0,60}$"


def _duration(value: object) -> object:
    """Read "10m"; pydantic's own reading would take a bare number of seconds only."""
    if isinstance(value, str | int | float | timedelta) and not isinstance(value, bool):
        return parse_duration(value)
    return value


def _text_only(value: object) -> object:
    """YAML reads `on`, `1.0` or a date as something else than the text that was meant."""
    if isinstance(value, bool | int | float | date | datetime):
        msg = f"write it in quotes: YAML reads {value!r} here"
        raise ValueError(msg)  # noqa: TRY004 - pydantic turns ValueError into its own error
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": ["string", "number"], "examples": ["90s", "10m", "1h30m"]}),
]
Text = Annotated[str, BeforeValidator(_text_only), Field(min_length=1, max_length=255)]
Name = Annotated[str, BeforeValidator(_text_only), Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Query = Annotated[str, BeforeValidator(_text_only), Field(min_length=1, max_length=10_000)]


class Strict(BaseModel):
    """A part of a fleet file, in which a key that is none is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class _AnyMetric(Strict):
    """What every kind of metric can say."""

    period: Duration = Field(timedelta(minutes=5), description="1, 5, 10, 15, 30 or 60 minutes")
    may_stand_still: Duration | None = Field(
        None, description="the same value is believed so long; unless written, three times as long as it ever stood"
    )

    @model_validator(mode="after")
    def _has_a_period_there_is(self) -> _AnyMetric:
        if self.period not in _PERIODS:
            msg = f"period {self.period} is none of 1m, 5m, 10m, 15m, 30m, 60m"
            raise ValueError(msg)
        return self


class MetricFields(_AnyMetric):
    """A CloudWatch metric that shows how much the fleet has to do."""

    source: Literal["cloudwatch"] = Field("cloudwatch", description="where the metric is read")
    namespace: Text = Field(description="CloudWatch namespace, for example AWS/ApplicationELB")
    name: Text = Field(description="metric name, for example RequestCount")
    dimensions: dict[Text, Text] = Field(default_factory=dict, max_length=30)
    statistic: str = Field("Sum", pattern=_STATISTIC, description="Sum and SampleCount are kept per minute")
    per_instance: bool = Field(
        default=False, description="the value is a mean over instances; the load is value x instances in service"
    )

    @model_validator(mode="after")
    def _is_total_load(self) -> MetricFields:
        if UTILISATIONS.search(self.name) and not self.per_instance:
            msg = (
                f"{self.name} falls when the fleet grows, so alone it is not the load: "
                "add `per_instance: true`, and it is multiplied by the instances in service"
            )
            raise ValueError(msg)
        if self.per_instance and self.statistic in RATES and not self.name.endswith("PerTarget"):
            msg = f"per_instance needs a mean, but statistic is {self.statistic}: write `statistic: Average`"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        return Metric(**self.model_dump(exclude={"source"}))


class PartFields(Strict):
    """One metric of an expression."""

    namespace: Text
    name: Text
    dimensions: dict[Text, Text] = Field(default_factory=dict, max_length=30)
    statistic: str = Field("Sum", pattern=_STATISTIC)


class MathFields(_AnyMetric):
    """A CloudWatch expression over some metrics; its value is taken as it is."""

    source: Literal["cloudwatch"] = Field("cloudwatch", description="where the metric is read")
    name: Text = Field(description="what people call it")
    expression: Query = Field(description="metric math over the names in `metrics`, for example web + api")
    metrics: dict[Annotated[str, Field(pattern=_PART)], PartFields] = Field(min_length=1, max_length=10)

    @model_validator(mode="after")
    def _is_one_series(self) -> MathFields:
        if many := re.search(r"\b(SEARCH|SELECT|METRICS|ANOMALY_DETECTION_BAND)\b", self.expression):
            msg = f"expression uses {many[1]}, which gives several series: name each metric under `metrics`"
            raise ValueError(msg)
        if unused := [key for key in self.metrics if not re.search(rf"\b{key}\b", self.expression)]:
            msg = f"metrics names {', '.join(unused)}, which the expression {self.expression!r} does not use: remove it"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        parts = {key: Metric(**part.model_dump(), period=self.period) for key, part in self.metrics.items()}
        return MetricMath(**self.model_dump(exclude={"source", "metrics"}), metrics=parts)


class QueueFields(_AnyMetric):
    """How many messages an SQS queue holds; or, with `drain`, how many come to it."""

    source: Literal["sqs"]
    queue: Text = Field(pattern=r"^[A-Za-z0-9_-]{1,80}(\.fifo)?$", description="the queue's name, not its address")
    in_flight: bool = Field(default=True, description="messages that are being worked on count too")
    drain: Duration | None = Field(
        None, description="the load is how many messages come a minute, and those that wait are worked off in this time"
    )

    @model_validator(mode="after")
    def _is_one_load(self) -> QueueFields:
        if self.drain is None:
            return self
        if "in_flight" in self.model_fields_set:
            msg = "in_flight is of what a queue holds, and with drain it is what comes that counts: leave one out"
            raise ValueError(msg)
        if not _DRAIN[0] <= self.drain <= _DRAIN[1]:
            msg = f"drain {self.drain} is not between a minute and a day: write for example 10m"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        if self.drain is None:
            kept = self.model_dump(exclude={"source", "drain"})
            return QueueMetric(name=f"messages in {self.queue}", **kept)
        return ArrivalsMetric(name=f"messages sent to {self.queue}", **self.model_dump(exclude={"source", "in_flight"}))


class PrometheusFields(_AnyMetric):
    """A PromQL expression that gives one series."""

    source: Literal["prometheus"]
    name: Text = Field(description="what people call it")
    query: Query = Field(description="PromQL of the fleet's total, for example sum(rate(http_requests_total[5m]))")
    instances: Query | None = Field(
        None, description="PromQL of how many instances it was seen on: while some are silent, none is taken away"
    )
    connection: Text = Field("prometheus_default", description="Airflow connection of type http to the server")

    @model_validator(mode="after")
    def _is_total_load(self) -> PrometheusFields:
        if re.match(r"avg\b", self.query):
            msg = f"query {self.query!r} is a mean, which falls when the fleet grows: write sum, or max for one value"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        return PrometheusMetric(**self.model_dump(exclude={"source"}))


class SqlFields(_AnyMetric):
    """A query that gives rows of a time and a value."""

    source: Literal["sql"]
    name: Text = Field(description="what people call it")
    query: Query = Field(description="gives a time and a value for each row from :since to before :until, in UTC")
    connection: Text = Field(description="Airflow connection to the database")
    statistic: Literal["Sum", "Average"] = Field("Sum", description="what the rows of a period become")

    @model_validator(mode="after")
    def _is_bounded(self) -> SqlFields:
        if missing := [word for word in (":since", ":until") if not re.search(rf"(?<!:){word}\b", self.query)]:
            msg = f"query lacks {' and '.join(missing)}: bound it, as with WHERE time >= :since AND time < :until"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        return SqlMetric(**self.model_dump(exclude={"source"}))


class FileFields(_AnyMetric):
    """A CSV or Parquet file with the columns timestamp and value."""

    source: Literal["file"]
    name: Text = Field(description="what people call it")
    path: Text = Field(description="address of the file, for example s3://aws_shop@bucket/load.parquet")
    statistic: Literal["Sum", "Average"] = Field("Average", description="what the rows of a period become")

    @model_validator(mode="after")
    def _is_a_kind_there_is(self) -> FileFields:
        if not self.path.endswith((".csv", ".parquet")):
            msg = f"path {self.path!r} ends neither in .csv nor in .parquet: give it the ending of what it holds"
            raise ValueError(msg)
        return self

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        return FileMetric(**self.model_dump(exclude={"source"}))


class AirflowFields(_AnyMetric):
    """How many of an Airflow's task instances wait for a worker or are on one."""

    source: Literal["airflow"]
    queue: Text | None = Field(None, description="only those of this queue")
    pool: Text | None = Field(None, description="only those of this pool")
    dag: Text | None = Field(None, description="only those of this DAG")
    connection: Text = Field("airflow_api", description="Airflow connection of type http to the Airflow's API server")

    def measure(self) -> Measure:
        """Give the metric as the rest of the product knows it."""
        return AirflowMetric(name="task instances", **self.model_dump(exclude={"source"}))


MATH: Final = "cloudwatch expression"
KINDS: Final[dict[str, type[_AnyMetric]]] = {
    "cloudwatch": MetricFields,
    MATH: MathFields,
    "sqs": QueueFields,
    "prometheus": PrometheusFields,
    "sql": SqlFields,
    "airflow": AirflowFields,
    "file": FileFields,
}


def _kind(given: Any) -> str:
    """Name the kind by its source; CloudWatch unless another is named, and an expression by its key."""
    if not isinstance(given, dict):
        return "cloudwatch"
    source = given.get("source", "cloudwatch")
    return MATH if source == "cloudwatch" and "expression" in given else str(source)


AnyMetric = Annotated[
    Annotated[MetricFields, Tag("cloudwatch")]
    | Annotated[MathFields, Tag(MATH)]
    | Annotated[QueueFields, Tag("sqs")]
    | Annotated[PrometheusFields, Tag("prometheus")]
    | Annotated[SqlFields, Tag("sql")]
    | Annotated[AirflowFields, Tag("airflow")]
    | Annotated[FileFields, Tag("file")],
    Discriminator(_kind),
]
