"""Occasions: days unlike the others that a calendar or a person knows of, and what such days did to demand before.

An event with a stated factor is believed. One without is compared with the same hours of the weeks around it each time
it came; what it did then is expected again: as a factor, or, where hardly anything is usual, as what came then. A
country's holidays are such events, and may learn from each other: there is but one Christmas a year.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from forecasting.errors import InvalidRequest, shown
from forecasting.event import Event
from forecasting.instant import FIRST_YEAR, LAST_YEAR, zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holidays import HolidayBase

    from forecasting.demand import Demand
    from forecasting.values import Values

WEEK: Final = timedelta(weeks=1)
DAY: Final = timedelta(days=1)
SUNDAY: Final = 6
AROUND: Final = (-2, -1, 1, 2)
LEAST_SEEN: Final = timedelta(hours=1)
# What was seen once is believed by two thirds, and nothing beyond a tenth or ten times the usual.
DOUBT: Final = 0.5
LARGEST: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occasion:
    """An event and the factor to expect of it; `learnt` tells that nobody stated it.

    `came` is what is expected again of an event whose past no factor tells: it did many times the usual.
    """

    event: Event
    factor: float | None
    learnt: bool = False
    came: Values = field(default_factory=lambda: np.zeros(0))

    def slots(self, start: datetime, step: timedelta, length: int) -> slice:
        """Give the slots that the event touches."""
        return _slots(self.event, start, step, length)

    def at_least(self, quantiles: Sequence[float]) -> Values:
        """Give for each quantile what came at such events; nothing where a factor tells."""
        return np.asarray(np.quantile(self.came, quantiles) if self.came.size else np.zeros(len(quantiles)))


@lru_cache(maxsize=256)
def holidays_of(country: str, first: int, last: int, timezone: str) -> tuple[Event, ...]:
    """Give a country's holidays of some years, from midnight to midnight; "DE", or with a part of it "US-CA"."""
    found = _calendar(country, range(max(first, FIRST_YEAR), min(last, LAST_YEAR - 1) + 1))
    local = zone(timezone)
    midnight = [(datetime.combine(day, time(), local), label) for day, label in sorted(found.items())]
    return tuple(Event(name=label, start=when, end=when + DAY) for when, label in midnight)


@lru_cache(maxsize=256)
def days_of_rest(country: str | None) -> int:
    """Tell how many days after Saturday and Sunday a country rests: where it is Friday and Saturday, -1."""
    return max(_calendar(country, range(0)).weekend) - SUNDAY if country else 0


def _calendar(country: str, years: range) -> HolidayBase:
    import holidays

    name, _, part = country.partition("-")
    try:
        if not name.isupper():  # The library looks for a class of that name, and has others than countries.
            raise NotImplementedError  # noqa: TRY301  (as it says itself of what is no country)
        return holidays.country_holidays(name, subdiv=part or None, years=years)
    except NotImplementedError as error:
        msg = f'country {shown(country)} is unknown: write an ISO code such as "DE", or with its part as in "US-CA"'
        raise InvalidRequest(msg) from error


def check_country(country: str) -> None:
    """Refuse a country whose holidays nobody listed; any year tells."""
    holidays_of(country, 2026, 2026, "UTC")


def known_occasions(
    demand: Demand, horizon: timedelta, events: Sequence[Event], country: str | None, timezone: str
) -> tuple[Occasion, ...]:
    """Give what touches the demand or its horizon, with the factor learnt of those that state none and lie ahead."""
    span = demand.start, demand.end + horizon
    listed = holidays_of(country, span[0].year - 1, span[1].year + 1, timezone) if country else ()
    own, public = _within(events, *span), _within(listed, *span)
    found, left = _learnt(own, (), demand, demand.values)
    return (*found, *_learnt(public, public, demand, left)[0])


def taken_out(demand: Demand, events: Sequence[Event]) -> Values:
    """Take the effect of events out of a history, so that no model learns an exception as the rule."""
    values = demand.values.copy()
    for event in events:
        window = _slots(event, demand.start, demand.step, len(values))
        values[window] = np.nan if event.factor is None else values[window] / event.factor
    return values


def _slots(event: Event, start: datetime, step: timedelta, length: int) -> slice:
    first, last = (event.start - start) // step, -((start - event.end) // step)
    return slice(min(max(first, 0), length), min(max(last, 0), length))


def _within(events: Sequence[Event], since: datetime, until: datetime) -> tuple[Event, ...]:
    return tuple(event for event in events if event.start < until and event.end > since)


def _learnt(
    events: Sequence[Event], kin: Sequence[Event], demand: Demand, happened: Values
) -> tuple[list[Occasion], Values]:
    """Find the factors of events that reach into the future: from their own past, else from that of their kin.

    Also give what happened without them: where two met, one did not do what the other is known to have done.
    """
    usual, left = taken_out(demand, events), happened
    factors: dict[str, float | None] = {}
    came: dict[str, Values] = {}
    for event in events:
        if event.factor is not None:
            left = _divided(left, [event], event.factor, demand)
    often = Counter(each.name for each in events)
    for event in sorted(events, key=lambda each: -often[each.name]):
        if event.name not in factors and event.factor is None and event.end > demand.end:
            own = [each for each in events if each.name == event.name and each.factor is None]
            seen = _seen(own, demand, left, usual)
            factor = _factor(_ratios(seen) or _ratios(_seen(kin, demand, happened, usual)))
            factors[event.name], came[event.name] = factor, _beyond(seen)
            left = _divided(left, own, factor or 1.0, demand)
    return [_occasion(each, factors, came, demand.end) for each in events], left


def _occasion(event: Event, factors: Mapping[str, float | None], came: Mapping[str, Values], now: datetime) -> Occasion:
    if event.factor is not None or event.end <= now:
        return Occasion(event=event, factor=event.factor)
    factor = factors[event.name]
    return Occasion(event=event, factor=factor, learnt=factor is not None, came=came[event.name])


def _divided(happened: Values, events: Sequence[Event], factor: float, demand: Demand) -> Values:
    values = happened.copy()
    for event in events:
        values[_slots(event, demand.start, demand.step, len(values))] /= factor
    return values


def _factor(seen: list[float]) -> float | None:
    """Believe what was seen, the more the more often."""
    if not seen:
        return None
    return min(max(float(np.exp(np.sum(seen) / (len(seen) + DOUBT))), 1 / LARGEST), LARGEST)


def _seen(events: Sequence[Event], demand: Demand, happened: Values, usual: Values) -> list[tuple[Values, Values]]:
    """Give what came at each event, and what came at that time of the weeks around it."""
    found = []
    for event in events:
        window = _slots(event, demand.start, demand.step, len(demand))
        came, expected = happened[window], _weeks_around(usual, window, round(WEEK / demand.step))
        both = ~np.isnan(came) & ~np.isnan(expected)
        if both.sum() * demand.step >= LEAST_SEEN:
            found.append((came[both], expected[both]))
    return found


def _ratios(seen: Sequence[tuple[Values, Values]]) -> list[float]:
    """Give the logarithm of what each event made of the demand of the weeks around it."""
    ratios = [came.sum() / expected.sum() for came, expected in seen if expected.sum() > 0]
    return [float(np.log(min(max(ratio, 1 / LARGEST), LARGEST))) for ratio in ratios]


def _beyond(seen: Sequence[tuple[Values, Values]]) -> Values:
    """Give what came at events that did more than a factor may tell, believed the more the more often it was seen."""
    beyond = [came for came, expected in seen if came.sum() > LARGEST * expected.sum()]
    believed = len(beyond) / (len(seen) + DOUBT)
    return believed * np.concatenate([np.zeros(0), *beyond])


def _weeks_around(usual: Values, window: slice, week: int) -> Values:
    """Average the same slots of the weeks before and after, NaN where none is known."""
    at = np.arange(window.start, window.stop) + week * np.array(AROUND)[:, None]
    beside = np.where((at >= 0) & (at < len(usual)), usual[at.clip(0, len(usual) - 1)], np.nan)
    known = ~np.isnan(beside)
    count, total = known.sum(axis=0), np.where(known, beside, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(at.shape[1], np.nan), where=count > 0))
