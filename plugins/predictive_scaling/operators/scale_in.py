"""The operator that lets instances go and sees them gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from predictive_scaling.operators.one_fleet import OneFleetOperator, positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.scale_in import LetGo
    from predictive_scaling.waits import Verdict
    from predictive_scaling.workplace import Workplace


class ScaleInOperator(OneFleetOperator):
    """Let an amount of instances go, chosen with reasons, and wait, deferred, until they have drained and are gone."""

    template_fields: Sequence[str] = (*OneFleetOperator.template_fields, "amount")

    def __init__(
        self,
        *,
        amount: int | str,
        at_once: int = 5,
        per_hour: int = 20,
        timeout: timedelta = timedelta(hours=2),
        every: timedelta = timedelta(seconds=15),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.amount = amount
        self.at_once = at_once
        self.per_hour = per_hour
        self.timeout = timeout
        self.every = every

    def execute(self, context: Context) -> dict[str, Any]:
        """Choose, let go, and wait if any is still there."""
        from predictive_scaling.scale_in import Request, let_go
        from predictive_scaling.sizing import worth

        with self._at(context) as (spec, at):
            request = Request(
                amount=positive("amount", self.amount),
                reason=f"{self.reason}{worth(spec, -spec.policy.units)}",
                at_once=self.at_once,
                per_hour=self.per_hour,
                why_not=self._why_not(spec),
            )
            let = let_go(request, at)
            self._tell(*let.story)
            if request.why_not:
                self._tell(f"wrote nothing; {request.why_not}")
                return {"fleet": self.fleet, "retired": [], "written": False}
            verdict = let.wait.judge(at.fleet.examine())
            if verdict:
                return self._end(let, verdict, at)
            self._tell("let go, read back and verified; now waiting until they have drained and are gone")
            return self._defer(spec, let)

    def resume(self, context: Context, event: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
        """Take up the task where the trigger ended."""
        from predictive_scaling.scale_in import LetGo
        from predictive_scaling.waits import Verdict

        with self._at(context) as (_, at):
            return self._end(LetGo.from_json(state), Verdict.from_json(event), at)

    def _defer(self, spec: FleetSpec, let: LetGo) -> dict[str, Any]:
        from predictive_scaling.triggers.fleet import FleetTrigger

        until = datetime.now(UTC) + self.timeout
        trigger = FleetTrigger.of(spec, let.wait, every=self.every.total_seconds(), until=until)
        self.defer(trigger=trigger, method_name="resume", kwargs={"state": let.as_json()})

    def _end(self, let: LetGo, verdict: Verdict, at: Workplace) -> dict[str, Any]:
        from predictive_scaling.errors import NotFollowed
        from predictive_scaling.follow import conclude
        from predictive_scaling.waits import Ended

        if verdict.ended is not Ended.DONE:
            still = "; they are on their way out, and the group goes on by itself"
            msg = f"fleet {self.fleet}: {verdict.reason}{still if verdict.ended is Ended.TIMED_OUT else ''}"
            conclude(let, verdict, at, error=msg)
            raise NotFollowed(msg)
        seconds = conclude(let, verdict, at)
        self._tell(f"{verdict.reason}; {seconds:.0f} s from the decision to gone")
        return {"fleet": self.fleet, "retired": list(let.instances), "seconds": seconds}
