"""A fleet as a person writes it: one YAML file, checked to the last key.

Pydantic lives here, at the edge; inside, a fleet is a `FleetSpec`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import Field, ValidationError, model_validator

from forecasting import ENGINES, Policy
from forecasting.envelope import Envelope
from forecasting.errors import ForecastingError
from forecasting.event import Event
from forecasting.freeze import Freeze
from forecasting.models import check_engine
from forecasting.models.statsforecast import PREFIX
from forecasting.occasions import holidays_of
from forecasting.yaml_file import parse_yaml
from predictive_scaling.burst_file import BurstFields  # noqa: TC001 - pydantic reads it
from predictive_scaling.errors import InvalidFleet
from predictive_scaling.fleet_spec import FleetSpec, Load, Mode, Ownership
from predictive_scaling.metric_file import KINDS, MATH, AnyMetric, Duration, Name, QueueFields, Strict, Text
from predictive_scaling.reaction_file import ReactionFields  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from forecasting.decision import Rules

LONGEST_HISTORY: Final = timedelta(days=455)
"""CloudWatch keeps nothing longer."""


class EventFields(Strict):
    """A day or hours that are not like others: a sale, a release, a holiday of your own."""

    name: Text
    start: datetime
    end: datetime
    factor: float | None = Field(None, gt=0, le=100, description="load as a multiple of the usual, when you know it")


class FreezeFields(Strict):
    """Hours in which the floor stays as it is, because people are at work on the fleet."""

    start: datetime
    end: datetime


class AlsoFields(Strict):
    """One more load that the fleet must serve: at every moment the greatest need counts."""

    metric: AnyMetric
    target_per_instance: float = Field(gt=0, allow_inf_nan=False, description="of this load one instance serves well")


class ApprovalFields(Strict):
    """How far a plan may go unasked; what goes further waits for a person."""

    above: int | None = Field(None, ge=0, description="a floor higher than this asks")
    raise_by: int | None = Field(None, ge=0, description="a rise by more than so many within an hour asks")
    lower_by: int | None = Field(None, ge=0, description="a fall by more than so many within an hour asks")
    dollars_a_day: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="a plan that costs more in its first 24 hours asks"
    )
    first: bool = Field(False, description="the first plan of the fleet asks")  # noqa: FBT003 - a field's default
    within: Duration = Field(timedelta(hours=1), description="time to answer; then a raise passes, and nothing else")
    lasts: Duration = Field(timedelta(days=1), description="for how long an answer holds")
    by: tuple[Text, ...] = Field((), description="who may answer: names as Airflow signs them in; else who may act")

    @model_validator(mode="after")
    def _asks_something(self) -> ApprovalFields:
        if not self.first and self.above is self.raise_by is self.lower_by is self.dollars_a_day is None:
            msg = "asks nothing: give above, raise_by, lower_by, dollars_a_day or first"
            raise ValueError(msg)
        return self

    def envelope(self) -> Envelope:
        """Give it as the planner knows it."""
        return Envelope(**self.model_dump())


class FleetFile(Strict):
    """One fleet: what it is measured by, what it may do, and how far it is trusted."""

    name: Name = Field(description="lower-case letters, digits and dashes")
    group: Text = Field(description="name of the Auto Scaling group")
    metric: AnyMetric
    target_per_instance: float = Field(gt=0, allow_inf_nan=False, description="load one instance serves well")
    min: int = Field(ge=0, description="the floor is never planned lower")
    max: int = Field(ge=1, description="the floor is never planned higher")
    mode: Literal["observe", "approve", "auto"] = Field(
        "observe",
        description="observe writes nothing; auto writes once the gate is passed, approve once a person agrees",
    )
    timezone: str = Field("UTC", description="IANA name; the days and weeks of the load follow it")
    lead_time: Duration = Field(timedelta(minutes=5), description="from asking for an instance to its first request")
    quantile: float = Field(0.9, ge=0.5, le=0.99, description="share of the time the plan should be enough")
    near_quantile: float | None = Field(
        None, ge=0.5, le=0.99, description="the same of what the next minutes may ask for, with reaction; else quantile"
    )
    engine: str = Field("auto", description="the model that forecasts")
    history: Duration = Field(timedelta(days=28), description="how far back to learn from")
    events: tuple[EventFields, ...] = ()
    country: Text | None = Field(None, description="its public holidays are days of their own: DE, or US-CA")
    price_per_hour: float = Field(0.0, ge=0, allow_inf_nan=False, description="what one instance costs an hour")
    shortage_cost: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="what an hour with one instance too few costs; sets the quantile"
    )
    max_step_up: int | None = Field(None, ge=1, description="the fleet rises by at most so many within cooldown_up")
    max_step_down: int | None = Field(None, ge=1, description="the fleet falls by at most so many within cooldown_down")
    cooldown_up: Duration = Field(timedelta(0), description="planned raises closer together become one, the earlier")
    cooldown_down: Duration = Field(timedelta(0), description="lowerings are at least so far apart")
    no_reversal: Duration = Field(timedelta(0), description="the floor does not change its direction within this time")
    freezes: tuple[FreezeFields, ...] = ()
    breach_max: int | None = Field(None, ge=2, description="how far above max a forecast may go for as long as it must")
    units: int = Field(1, ge=1, description="capacity units of one instance, where the group counts in weights")
    idle_below: float = Field(0.0, ge=0, allow_inf_nan=False, description="a load up to this needs no instance")
    max_extra_cost: float = Field(
        0.25, ge=0, le=10, description="the gate lets a forecast cost this share more than reacting alone"
    )
    reaction: ReactionFields | None = Field(None, description="that we react to the load, and how; else others do")
    also: tuple[AlsoFields, ...] = Field((), description="more loads; at every moment the greatest need counts")
    approval: ApprovalFields | None = Field(None, description="what a plan may do unasked; the rest waits for a person")
    burst: BurstFields | None = Field(
        None, description="what takes the traffic that the fleet cannot, and from when on"
    )
    on_failure: tuple[Literal["elsewhere", "on_demand", "keep", "rollback"], ...] = Field(
        ("elsewhere", "keep"),
        min_length=1,
        description="what to do, in order, when instances added by hand do not come",
    )
    ownership: Literal["refuse", "yield", "take_over"] = Field("refuse", description="when another holds the group")
    connection: Text = Field("aws_default", description="Airflow connection to the AWS account")
    region: Text | None = Field(None, description="AWS region, when the connection's own is not meant")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> FleetFile:
        for wrong, message in (
            (self.min > self.max, f"min {self.min} is above max {self.max}: lower min or raise max"),
            (
                self.timezone not in _zones(),
                f"timezone {self.timezone!r} is no IANA name: write for example Europe/Berlin",
            ),
            (
                self.engine not in ENGINES and not self.engine.startswith(PREFIX),
                f"engine {self.engine!r} is none of {', '.join(sorted(ENGINES))}, nor {PREFIX} with a model's name",
            ),
            (self.lead_time > timedelta(hours=6), f"lead_time {self.lead_time} is over 6 h: write for example 10m"),
            (
                self.near_quantile is not None and self.reaction is None,
                "near_quantile is of what reaction foresees, and there is none: add `reaction: {}`, or leave it out",
            ),
            (
                self.reaction is None and any(isinstance(each, QueueFields) and each.drain for each in self._metrics),
                "metric.drain is how soon reaction works off what waits, and there is none: add `reaction: {}`",
            ),
            (
                self.approval is not None and self.approval.dollars_a_day is not None and not self.price_per_hour,
                "approval.dollars_a_day needs a price: give price_per_hour, what one instance costs an hour",
            ),
            (
                not timedelta(days=1) <= self.history <= LONGEST_HISTORY,
                f"history {self.history} is not between a day and {LONGEST_HISTORY.days} days: write for example 28d",
            ),
        ):
            if wrong:
                raise ValueError(message)
        if self.engine.startswith(PREFIX):
            check_engine(self.engine)
        if self.country:
            holidays_of(self.country, 2026, 2026, self.timezone)
        return self

    @model_validator(mode="after")
    def _can_see_what_it_reacts_to(self) -> FleetFile:
        self._rules()
        return self

    def _rules(self) -> Rules | None:
        return self.reaction.rules([metric.measure() for metric in self._metrics]) if self.reaction else None

    @property
    def _metrics(self) -> tuple[AnyMetric, ...]:
        return (self.metric, *(each.metric for each in self.also))

    def _policy(self) -> Policy:
        """Give the bounds; a quantile that was written is kept, else the costs choose it, if they are known."""
        zone = ZoneInfo(self.timezone)
        policy = Policy(
            min_size=self.min,
            max_size=self.max,
            target_per_instance=self.target_per_instance,
            lead_time=self.lead_time,
            quantile=self.quantile,
            near_quantile=self.near_quantile,
            price_per_hour=self.price_per_hour,
            shortage_cost=self.shortage_cost,
            max_step_up=self.max_step_up,
            max_step_down=self.max_step_down,
            cooldown_up=self.cooldown_up,
            cooldown_down=self.cooldown_down,
            no_reversal=self.no_reversal,
            breach_max=self.breach_max,
            units=self.units,
            idle_below=self.idle_below,
            freezes=tuple(Freeze(_local(freeze.start, zone), _local(freeze.end, zone)) for freeze in self.freezes),
        )
        return policy if "quantile" in self.model_fields_set else policy.at_cost()

    def spec(self) -> FleetSpec:
        """Give the fleet as the rest of the product knows it."""
        return FleetSpec(
            name=self.name,
            group=self.group,
            metric=self.metric.measure(),
            policy=self._policy(),
            mode=Mode(self.mode),
            timezone=self.timezone,
            engine=self.engine,
            history=self.history,
            country=self.country,
            events=tuple(_event(event, ZoneInfo(self.timezone)) for event in self.events),
            connection=self.connection,
            region=self.region,
            max_extra_cost=self.max_extra_cost,
            also=tuple(
                Load(metric=each.metric.measure(), target_per_instance=each.target_per_instance) for each in self.also
            ),
            on_failure=self.on_failure,
            ownership=Ownership(self.ownership),
            reaction=self._rules(),
            approval=self.approval.envelope() if self.approval else None,
            burst=self.burst.burst() if self.burst else None,
        )


def read_fleet(path: Path) -> FleetSpec:
    """Read one fleet file; InvalidFleet names the file, the key, the value and the mend."""
    try:
        fields = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path.name}: cannot be read ({error}): make it a text file in UTF-8 that Airflow may read"
        raise InvalidFleet(msg) from error
    except yaml.YAMLError as error:
        msg = f"{path.name}: not YAML: {' '.join(str(error).split())}"
        raise InvalidFleet(msg) from error
    if not isinstance(fields, dict):
        msg = f"{path.name}: holds {type(fields).__name__}, not keys and values: start with `name: my-fleet`"
        raise InvalidFleet(msg)
    try:
        return FleetFile.model_validate(fields).spec()
    except ValidationError as error:
        raise InvalidFleet("; ".join(_explain(path.name, detail) for detail in error.errors())) from error
    except ForecastingError as error:
        msg = f"{path.name}: {error}"
        raise InvalidFleet(msg) from error


def fleet_schema() -> dict[str, Any]:
    """Give the JSON schema by which editors complete and check a fleet file."""
    schema = FleetFile.model_json_schema()
    schema["properties"]["engine"]["anyOf"] = [{"enum": sorted(ENGINES)}, {"pattern": f"^{PREFIX}"}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Fleet"}


def _event(fields: EventFields, zone: ZoneInfo) -> Event:
    start, end = _local(fields.start, zone), _local(fields.end, zone)
    return Event(name=fields.name, start=start, end=end, factor=fields.factor)


@cache
def _zones() -> frozenset[str]:
    """The names of all time zones; asking the system for them takes longer than reading a file."""
    return frozenset(available_timezones())


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    """Take a time that was written without an offset as the fleet's own."""
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def _key(loc: tuple[int | str, ...]) -> tuple[type[Strict] | None, str]:
    """Give the key as a person wrote it, and the kind of metric it is in, which pydantic names in its place."""
    kind = KINDS.get(str(loc[1])) if loc[:1] == ("metric",) and len(loc) > 1 else None
    parts = (*loc[:1], *loc[2:]) if kind else loc
    return kind, ".".join(str(part) for part in parts)


def _explain(file: str, detail: ErrorDetails) -> str:
    """Say one validation error as file, key, value and mend."""
    of_metric, key = _key(detail["loc"])
    where = f"{file}: {key}" if key else file
    match detail["type"]:
        case "missing":
            return f"{where}: is missing: add it"
        case "string_pattern_mismatch" if key == "name":
            return f"{where}: {detail['input']!r}: write lower-case letters, digits and dashes, a letter first"
        case "extra_forbidden":
            known = ", ".join((of_metric or FleetFile).model_fields)
            return f"{where}: is no key of a fleet file: remove it or use one of {known}"
        case "union_tag_invalid":
            return f"{where}: source {detail['ctx']['tag']!r} is none of {', '.join(sorted(set(KINDS) - {MATH}))}"
        case "value_error":
            whole = not key or isinstance(detail["input"], dict)
            return f"{where}: {'' if whole else repr(detail['input']) + ': '}{detail['ctx']['error']}"
    return f"{where}: {detail['input']!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
