"""What a person should hear of, though the fleet goes on: told once, when it begins, and again when it came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from forecasting.cost_verdict import Outcome
from forecasting.override import foremost

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from forecasting.accuracy import Accuracy
    from forecasting.cost_verdict import Verdict
    from forecasting.override import Override
    from predictive_scaling.fleets import Observed
    from predictive_scaling.ownership import Held, Rival

SOON: Final = timedelta(minutes=75)
"""Before an override ends; fleets have a turn an hour, so one falls within."""
WORSE: Final = 2.0
"""So many times its usual error is drift, not chance."""
NOTICEABLE: Final = 0.15
"""An error below this share of the load is nobody's concern, however much better it was before."""
LATELY: Final = 6
LEAST: Final = 24
"""Forecasts scored: the newest of them are now, and without so many before nothing is usual."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to hear of; the key tells it from others of the fleet, whatever its figures."""

    key: str
    text: str


def concerns(
    held: Held,
    overrides: Sequence[Override],
    verdicts: Sequence[Verdict],
    scored: Mapping[str, Accuracy],
    *,
    now: datetime,
) -> tuple[Concern, ...]:
    """Name everything about one fleet's turn that a person should hear of."""
    return (
        *of_overrides(overrides, now),
        *of_launches(held.observed),
        *of_budgets(verdicts),
        *of_rivals(held.rivals),
        *of_accuracy(scored),
    )


def of_overrides(overrides: Sequence[Override], now: datetime) -> Iterator[Concern]:
    """Name what a person decided and what ends soon."""
    for each in overrides:
        ends = each.ended_at or each.ends_at
        if ends is not None and now < ends <= now + SOON:
            minutes = (ends - now) // timedelta(minutes=1)
            text = f"ends in {minutes} min, and {_holding_after(overrides, ends)}: {each}"
            yield Concern(f"override {each.id}", text)


def _holding_after(overrides: Sequence[Override], when: datetime) -> str:
    """Say what holds from an instant on."""
    rules = foremost(overrides, when)
    return f"then {rules.kind} by {rules.actor} holds" if rules else "the plan holds again"


def of_launches(observed: Observed) -> Iterator[Concern]:
    """Name a group that wants more than is there or coming: AWS tries, and its launches fail."""
    missing = observed.desired - observed.staying_units
    if missing > 0:
        yield Concern(
            "launches",
            f"desired {observed.desired}, and only {observed.staying_units} are there or coming: launches fail, "
            "the group's activities say why",
        )


def of_budgets(verdicts: Iterable[Verdict]) -> Iterator[Concern]:
    """Name the budgets that hold the fleet back, or that it passes."""
    for each in verdicts:
        if each.outcome is not Outcome.WITHIN:
            yield Concern(f"budget {each.budget}", each.reason)


def of_rivals(rivals: Iterable[Rival]) -> Iterator[Concern]:
    """Name who else moves the group; those who stop us are told as trouble."""
    for each in rivals:
        if not each.stops:
            yield Concern(f"rival {each.mend}", str(each))


def of_accuracy(scored: Mapping[str, Accuracy]) -> Iterator[Concern]:
    """Name a forecast that is off by twice as much as usual, over the newest hours that could be scored."""
    errors = [scored[name].wape for name in sorted(scored)]
    known = [error for error in errors if error == error]  # noqa: PLR0124 - not NaN
    if len(known) < LEAST:
        return
    now, usual = median(known[-LATELY:]), median(known[:-LATELY])
    if now > max(WORSE * usual, NOTICEABLE):
        yield Concern(
            "drift", f"forecasts are off by {now:.0%} of the load, and were by {usual:.0%}: it has new habits"
        )


def news(concerns: Iterable[Concern], known: Sequence[str]) -> tuple[Concern, ...]:
    """Leave out what was told at the turn before."""
    return tuple(each for each in concerns if each.key not in known)
