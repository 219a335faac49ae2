"""What the load asks for now, fleet by fleet: pure, but for a memory of what it asked for a little while ago.

The plan is heeded through the group itself: its MinSize is the planned floor, and the decision never goes below it.
What the minutes ahead ask for, by the forecast and by how loads like these went on, is a floor in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from forecasting import Plan
from forecasting.decision import Action, Decision, Observed, Rules, decide, lately_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forecasting import Step
    from predictive_scaling import fleets
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.sources import Seen

AGAIN: Final = timedelta(seconds=60)
"""How long what was asked for is given to happen before it is asked for again."""
PAID_FOR: Final = timedelta(hours=1)
"""How long a budget is asked to pay for what a fleet has above its floor; what it still has then is judged anew."""
QUIET: Final = timedelta(minutes=10)
"""How long what somebody's word is against is not asked for again, and what fails again and again asks for no run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One load of a fleet as it was last seen, or why it was not."""

    load: FleetSpec
    seen: Seen | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One fleet as a look found it: its group, and its loads."""

    spec: FleetSpec
    group: fleets.Observed
    sights: tuple[Sight, ...] = ()
    ahead: Step | None = None  # what the minutes ask for before new instances are ready

    def decided(
        self, wanted: Iterable[tuple[datetime, int]], now: datetime, changed: Iterable[tuple[datetime, int]] = ()
    ) -> Decision:
        """Decide by the load that needs most; where one is not seen, nothing is taken away.

        What is foreseen counts as wanted: it wavers with each load seen, and a fleet must not waver with it.
        """
        seen = Observed(capacity=self.group.desired, wanted=tuple(wanted), changed=tuple(changed))
        each = [self._by(sight, seen, now) for sight in self.sights or (Sight(load=self.spec),)]
        sizes = [max(made.wanted, self.ahead.capacity if self.ahead else 0) for made in each if made.wanted is not None]
        most = max(each, key=lambda made: made.capacity)
        reason = "; ".join([most.reason, *(sight.problem for sight in self.sights if sight.problem)])
        return replace(most, reason=reason, wanted=max(sizes) if len(sizes) == len(each) else None)

    def _by(self, sight: Sight, seen: Observed, now: datetime) -> Decision:
        """Decide by one load, within the group's own bounds; without it, hold or fall back, and never in."""
        low, high, policy = self.group.min_size, self.group.max_size, sight.load.policy
        bounds = replace(
            policy,
            min_size=min(max(policy.min_size, low), high),
            max_size=max(min(policy.max_size, high), low),
            breach_max=None,
        )
        observed = replace(
            seen,
            demand=sight.seen.whole if sight.seen else None,
            measured=sight.seen.at if sight.seen else None,
        )
        plan = Plan((self.ahead,)) if self.ahead else None
        made = decide(plan, observed, bounds, now, self.spec.reaction or Rules())
        whose = f"{sight.load.metric.unit}: " if self.spec.also else ""
        return replace(made, reason=f"{whose}{made.reason}{_piled_up(sight.seen)}")


def _piled_up(seen: Seen | None) -> str:
    return f", {seen.backlog:,.0f} of {seen.whole:,.0f} for what waits" if seen and seen.backlog else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A size that the load asks for: another one, or, of a fleet that stays above its floor, the same again."""

    fleet: str
    before: int  # what the group had; a group that has another number by now was decided about anew
    capacity: int
    out: bool
    reason: str
    decided_at: datetime

    @property
    def kept(self) -> bool:
        """Whether no other size is asked for: all that can come of it is that a budget pays for less by now."""
        return self.capacity == self.before

    def as_json(self) -> dict[str, Any]:
        """What an event carries."""
        return {
            "fleet": self.fleet,
            "before": self.before,
            "capacity": self.capacity,
            "out": self.out,
            "reason": self.reason,
            "decided_at": self.decided_at.isoformat(),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """Read what `as_json` wrote."""
        return cls(**{**row, "decided_at": datetime.fromisoformat(row["decided_at"])})


@dataclass(slots=True)
class Memory:
    """What each fleet wanted, how it changed, what was asked for lately, and from when until when that is no news.

    Losing it costs one window without scaling in, the pace that was kept, and a question to the ledger for each fleet.
    """

    wanted: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    changed: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    asked: dict[str, tuple[datetime, datetime, int]] = field(default_factory=dict)
    judged: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    failed: dict[str, tuple[datetime, tuple[int, int]]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)  # those of which nothing can have been left open

    def remember(self, watched: Watched, decision: Decision, now: datetime) -> None:
        """Keep the size that was wanted, for as long as a lowering has to wait for it."""
        if decision.wanted is None:
            return
        known = lately_wanted(self.wanted.get(watched.spec.name, ()), watched.spec.policy.stabilisation, now)
        self.wanted[watched.spec.name] = [*known, (now, decision.wanted)]

    def changes(self, watched: Watched, now: datetime) -> list[tuple[datetime, int]]:
        """Note by how many a fleet has changed since it was looked at before; give what is new enough to matter."""
        name, size, policy = watched.spec.name, watched.group.desired, watched.spec.policy
        by = size - self.sizes.get(name, size)
        self.sizes[name] = size
        lasting = max(policy.cooldown_up, policy.cooldown_down, policy.no_reversal)
        known = [*self.changed.get(name, ()), *([(now, by)] if by else ())]
        self.changed[name] = [each for each in known if now - lasting < each[0] <= now]
        return self.changed[name]

    def is_news(self, fleet: str, capacity: int, now: datetime) -> bool:
        """Whether this was not asked for a moment ago."""
        since, until, before = self.asked.get(fleet, (now, now, None))
        if before == capacity and since <= now < until:
            return False
        self.asked[fleet] = now, now + AGAIN, capacity
        return True

    def is_due(self, fleet: str, now: datetime) -> bool:
        """Whether it is a while since anybody asked a budget to pay for what a fleet has above its floor."""
        since = self.judged.get(fleet)
        if since is not None and since <= now < since + PAID_FOR:
            return False
        self.judged[fleet] = now
        return True

    def quieten(self, reaction: Reaction) -> None:
        """Ask for the same not so soon again: somebody's word is against it."""
        self.asked[reaction.fleet] = reaction.decided_at, reaction.decided_at + QUIET, reaction.capacity

    def is_worth_a_run(self, reaction: Reaction, *, failed: bool, now: datetime) -> bool:
        """Whether a run was not asked for a while ago as the very same failed; the watch itself tries on meanwhile."""
        change = reaction.before, reaction.capacity
        since, known = self.failed.pop(reaction.fleet, (now, None))
        again = failed and known == change and since <= now < since + QUIET
        if failed:
            self.failed[reaction.fleet] = (since if again else now), change
        return not again

    def forget_all_but(self, fleets: Iterable[str]) -> None:
        """Forget the fleets that are not watched any more."""
        there = set(fleets)
        for known in (self.wanted, self.sizes, self.changed, self.asked, self.judged, self.told, self.failed):
            for name in known.keys() - there:
                del known[name]
        self.ended &= there


def reactions(every: Iterable[Watched], memory: Memory, now: datetime) -> Iterator[Reaction]:
    """Yield the changes that are asked for, each once in a while."""
    for watched in every:
        name = watched.spec.name
        decision = watched.decided(memory.wanted.get(name, ()), now, memory.changes(watched, now))
        memory.remember(watched, decision, now)
        memory.told[name] = f"{decision.action.value} at {decision.capacity}: {decision.reason}"
        if decision.action is not Action.HOLD and memory.is_news(name, decision.capacity, now):
            memory.judged[name] = now
            yield Reaction(
                fleet=name,
                before=watched.group.desired,
                capacity=decision.capacity,
                out=decision.action is Action.OUT,
                reason=decision.reason,
                decided_at=now,
            )


def kept(every: Iterable[Watched], memory: Memory, now: datetime) -> Iterator[Reaction]:
    """Yield the fleets that stay above their floors, each once in a while: a budget that paid for it may be spent."""
    for watched in every:
        name, group = watched.spec.name, watched.group
        if group.desired > group.min_size and memory.is_due(name, now):
            yield Reaction(
                fleet=name,
                before=group.desired,
                capacity=group.desired,
                out=True,
                reason=memory.told.get(name, "seen for the first time"),
                decided_at=now,
            )
