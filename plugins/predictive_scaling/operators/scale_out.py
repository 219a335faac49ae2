"""The operator that adds instances and sees them serve."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from predictive_scaling.operators.one_fleet import OneFleetOperator, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.raised import Fallback, Raised
    from predictive_scaling.waits import Verdict
    from predictive_scaling.workplace import Workplace


WAYS_ON = frozenset({"elsewhere", "on_demand"})
"""What may bring the missing after all; the others say what becomes of the raise without them."""


class ScaleOutOperator(OneFleetOperator):
    """Raise desired by an amount, and wait, deferred, until it serves; when it cannot, fall back in the given order.

    `on_failure` is an order of `elsewhere`, `on_demand`, `keep` and `rollback`. `elsewhere` leaves a lack of capacity
    to AWS's next attempt in the group's other zones and types, `on_demand` buys what the Spot market refused; each is
    passed over where it cannot help. Without it the fleet's own order holds.
    """

    template_fields: Sequence[str] = (*OneFleetOperator.template_fields, "amount", "on_failure")

    def __init__(
        self,
        *,
        amount: int | str,
        on_failure: Sequence[str] | str = (),
        timeout: timedelta = timedelta(minutes=30),
        every: timedelta = timedelta(seconds=15),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.amount = amount
        self.on_failure = on_failure
        self.timeout = timeout
        self.every = every

    def execute(self, context: Context) -> dict[str, Any]:
        """Raise, and wait if there is anything to wait for."""
        from predictive_scaling.raised import Fallback
        from predictive_scaling.scale_out import Terms, raise_desired

        with self._at(context) as (spec, at):
            amount, order, why_not = positive("amount", self.amount), self._order(spec), self._why_not(spec)
            followed = self.timeout * (1 + sum(each in WAYS_ON for each in order))
            terms = Terms(why_not=why_not, followed=followed, fallback=last_of(order))
            raised = raise_desired(spec, at, amount, self.reason, terms)
            self._tell(*filter(None, [raised.note]))
            if why_not:
                self._tell(f"wrote nothing of desired {raised.base} -> {raised.goal}; {why_not}")
                return {"fleet": self.fleet, "from": raised.base, "to": raised.goal, "written": False}
            if raised.ending:
                return self._give_up(raised, [Fallback(raised.ending)], "an earlier try was giving up", at)
            self._tell(f"desired {raised.base} -> {raised.goal}, read back and verified; now waiting for it to serve")
            verdict = raised.wait.judge(at.fleet.examine())
            return self._go_on(spec, at, raised, verdict, order)

    def resume(self, context: Context, event: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Take up the task where the trigger ended."""
        from predictive_scaling.raised import Fallback, Raised
        from predictive_scaling.waits import Verdict

        with self._at(context) as (spec, at):
            raised, order = Raised.from_json(state["raised"]), [Fallback(each) for each in state["order"]]
            return self._go_on(spec, at, raised, Verdict.from_json(event), order)

    def _go_on(
        self, spec: FleetSpec, at: Workplace, raised: Raised, verdict: Verdict | None, order: list[Fallback]
    ) -> dict[str, Any]:
        from predictive_scaling.errors import NotFollowed
        from predictive_scaling.follow import conclude, promised
        from predictive_scaling.waits import Ended

        if verdict is None:
            return self._defer(spec, raised, order)
        if verdict.ended is Ended.DONE:
            seconds = conclude(raised, verdict, at, lead_time=spec.policy.lead_time)
            kept = promised(spec.policy.lead_time, seconds)
            self._tell(f"{verdict.reason}; {seconds:.0f} s from the decision to in service, {kept}")
            took = {"seconds": seconds, "promised": spec.policy.lead_time.total_seconds()}
            return {"fleet": self.fleet, "from": raised.base, "to": raised.goal, **took}
        self.log.warning("%s: %s", self.fleet, verdict.reason)
        if verdict.ended is Ended.OVERTAKEN:
            conclude(raised, verdict, at, error=verdict.reason)
            raise NotFollowed(verdict.reason)
        while order and order[0] in WAYS_ON:
            way, *order = order
            if why := way_on(way, raised, verdict, at):
                self._tell(why)
                return self._defer(spec, replace(raised, mark=verdict.mark), order)
        return self._give_up(raised, order, verdict.reason, at, verdict)

    def _give_up(
        self, raised: Raised, order: list[Fallback], why: str, at: Workplace, verdict: Verdict | None = None
    ) -> dict[str, Any]:
        from predictive_scaling.errors import LaunchFailed
        from predictive_scaling.follow import conclude
        from predictive_scaling.scale_out import give_up
        from predictive_scaling.waits import Ended, Verdict

        done = give_up(raised, last_of(order), why, at)
        self._tell(done)
        end = verdict or Verdict(ended=Ended.LAUNCH_FAILED, reason=why)
        conclude(raised, end, at, error=f"{why}; {done}")
        msg = f"fleet {self.fleet}: {raised.goal} were asked for: {why}; {done}"
        raise LaunchFailed(msg)

    def _defer(self, spec: FleetSpec, raised: Raised, order: list[Fallback]) -> dict[str, Any]:
        from predictive_scaling.triggers.fleet import FleetTrigger

        until = datetime.now(UTC) + self.timeout
        trigger = FleetTrigger.of(spec, raised.wait, every=self.every.total_seconds(), until=until)
        state = {"raised": raised.as_json(), "order": [each.value for each in order]}
        self.defer(trigger=trigger, method_name="resume", kwargs={"state": state})

    def _order(self, spec: FleetSpec) -> list[Fallback]:
        from predictive_scaling.errors import OutOfBounds
        from predictive_scaling.raised import Fallback

        words = self.on_failure.replace(",", " ").split() if isinstance(self.on_failure, str) else self.on_failure
        try:
            return [Fallback(word) for word in words or spec.on_failure]
        except ValueError as error:
            msg = f"on_failure {self.on_failure!r}: {error}: use an order of elsewhere, on_demand, keep, rollback"
            raise OutOfBounds(msg) from error


def last_of(order: Sequence[Fallback]) -> Fallback:
    """What becomes of the raise when nothing more is waited for."""
    from predictive_scaling.raised import Fallback

    return next((each for each in order if each not in WAYS_ON), Fallback.KEEP)


def way_on(way: str, raised: Raised, verdict: Verdict, at: Workplace) -> str:
    """Try one way in which the missing may still come, and say what is awaited of it; one that cannot help is empty."""
    from predictive_scaling.raised import Fallback
    from predictive_scaling.scale_out import buy_on_demand

    return buy_on_demand(raised, verdict.failure, at) if way == Fallback.ON_DEMAND else elsewhere(verdict, at)


def elsewhere(verdict: Verdict, at: Workplace) -> str:
    """Say where else AWS may find capacity; nowhere is the empty string."""
    from predictive_scaling.launch_failure import FailureKind

    if not verdict.failure or verdict.failure.kind is not FailureKind.CAPACITY:
        return ""
    observed = at.fleet.observe()
    zones, types = len(observed.zones), max(len(observed.types), 1)
    if zones * types == 1:
        return ""
    return f"leaving it to AWS's next attempt, among {zones} zones and {types} instance types of the group"
