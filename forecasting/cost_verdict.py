"""The verdict of a budget on a plan: every cap with the sum that is held against it, and one sentence that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from forecasting.budget import Span

if TYPE_CHECKING:
    from forecasting.cost_forecast import Chance

CENT = 0.005  # money is compared as it is shown


class Outcome(StrEnum):
    """How a plan came out of the gate."""

    WITHIN = "within"
    CLAMPED = "clamped"
    ASK = "ask"
    SHED = "shed"
    ALERT = "alert"


_DEEDS = {
    Outcome.WITHIN: "within",
    Outcome.CLAMPED: "clamped at",
    Outcome.ASK: "a person is asked beyond",
    Outcome.SHED: "gives way at",
    Outcome.ALERT: "passes, with a warning,",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One cap with everything that counts towards it."""

    span: Span
    when: str
    cap: float
    spent: float
    committed: float
    asked: float
    granted: float
    chance: Chance | None = None

    @property
    def total(self) -> float:
        """Spent, committed and asked together."""
        return self.spent + self.committed + self.asked

    @property
    def passes(self) -> bool:
        """Whether it is more than the cap allows."""
        return self.total > self.cap + CENT

    @property
    def share(self) -> float:
        """The total as a share of the cap."""
        return self.total / self.cap if self.cap else (float("inf") if self.total > 0 else 0.0)

    def __str__(self) -> str:
        sum_ = f"${self.spent:,.2f} spent + ${self.committed:,.2f} committed + ${self.asked:,.2f} asked"
        if self.span is Span.HOURLY:
            sum_ = f"${self.committed:,.2f} an hour committed + ${self.asked:,.2f} asked"
        chance = f"; {self.chance} that the load passes it" if self.chance else ""
        return f"{self.span} {self.when}: {sum_} = ${self.total:,.2f} of ${self.cap:,.2f}{chance}"

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        names = ("cap", "spent", "committed", "asked", "granted", "total")
        figures = {name: round(getattr(self, name), 4) for name in names}
        chance = {"chance": self.chance.as_json()} if self.chance else {}
        return {"span": self.span.value, "when": self.when, **figures, **chance}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a budget made of a fleet's plan, and the sums behind it."""

    budget: str
    fleet: str
    outcome: Outcome
    sums: tuple[Sum, ...]
    asked_peak: int
    granted_peak: int
    source: str

    @property
    def tightest(self) -> Sum:
        """The sum that comes closest to its cap, or passes it most."""
        return max(self.sums, key=lambda each: each.share)

    @property
    def reason(self) -> str:
        """Say it in one sentence, with the sum."""
        tight = self.tightest
        lower = self.granted_peak < self.asked_peak
        peak = f"at most {self.granted_peak} of {self.asked_peak} instances, " if lower else ""
        less = lower or tight.granted < tight.asked - CENT
        cut = f"; {peak}${tight.granted:,.2f} of what is asked" if less else ""
        floor = ""
        if tight.spent + tight.committed > tight.cap + CENT:
            floor = "; what is spent and committed passes it already, and no floor is cut"
        return f"budget {self.budget}: {_DEEDS[self.outcome]} the cap, {tight}{cut}{floor} ({self.source})"

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        return {
            "budget": self.budget,
            "fleet": self.fleet,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "asked_peak": self.asked_peak,
            "granted_peak": self.granted_peak,
            "sums": [each.as_json() for each in self.sums],
            "source": self.source,
        }
