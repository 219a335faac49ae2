"""The state of an alarm as a pure function of what it sees: M of N datapoints, and what missing ones mean."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

COMPARISONS = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an alarm goes off: `needed` of the last `periods` values break the threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str = "missing"
    """missing, ignore, breaching or notBreaching."""

    def breaks(self, value: float) -> bool:
        """Tell whether a value breaks the threshold."""
        compare, _ = COMPARISONS[self.comparison]
        return bool(compare(value, self.threshold))


def next_state(rule: Rule, window: Sequence[float | None], current: str) -> str:
    """Return the state of an alarm that sees these periods, the newest last and None where there are no data.

    As the tables of "Configuring how CloudWatch alarms treat missing data" have it: with enough values only they
    count; else the missing ones are filled in as breaching or not, or are left out ("missing"), or leave the state
    alone as far as it is not certain ("ignore").
    """
    seen = [value for value in window if value is not None][-rule.periods :]
    broken = sum(rule.breaks(value) for value in seen)
    lacking = rule.periods - len(seen)
    if rule.missing == "breaching":
        broken += lacking
    if lacking == 0 or rule.missing in ("breaching", "notBreaching"):
        return ALARM if broken >= rule.needed else OK
    if not seen:
        return current if rule.missing == "ignore" else INSUFFICIENT
    if broken >= rule.needed:
        return ALARM
    if broken < min(rule.needed, len(seen)):
        return OK
    return current if rule.missing == "ignore" or _is_premature(rule, window) else ALARM


def _is_premature(rule: Rule, window: Sequence[float | None]) -> bool:
    """Tell whether the first break is younger than the datapoints that an alarm needs: more may be on the way."""
    age = next(len(window) - place for place, value in enumerate(window) if value is not None and rule.breaks(value))
    return age < rule.needed
