"""The operators of a person's word: one fleet paused or resumed, all of them stopped; obeyed before the task ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.operators.one_fleet import number_of_hours, whole_number
from predictive_scaling.operators.permanent import mended_by_a_person
from predictive_scaling.operators.steering import SteeringOperator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from forecasting.override import Override
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.overriding import Wish


SIZES: Final = {"hold": ("size",), "bounds": ("least", "most")}
"""The numbers that a kind takes; every other kind takes none."""


class PauseFleetOperator(SteeringOperator):
    """Lay a person's bounds over one fleet's plan, from now on, for so many hours or until it is resumed.

    `sizes` has the `size` of a hold, or the `least` and `most` of bounds.
    """

    template_fields: Sequence[str] = ("fleet", "kind", "reason", "hours", "sizes")

    def __init__(
        self,
        *,
        fleet: str,
        kind: str,
        reason: str,
        hours: str = "",
        sizes: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fleet = fleet
        self.kind = kind
        self.reason = reason
        self.hours = hours
        self.sizes = dict(sizes or {})

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Take the override down, and bring the group to it."""
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.overriding import impose, imposed_before
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        every = read_fleets(settings.fleets_folder).fleets
        spec, around = _fleet(self.fleet, every), self._around(context, settings, every)
        now = datetime.now(UTC)
        made = imposed_before(spec.name, around.desk)
        if made is None:
            wish = self._wish(spec, now)
            made = impose(wish, spec.name, around.reach(spec).observe(), around.desk, now=now)
        ended = "" if made.over_at is None or now < made.over_at else "; it has ended since, and is not laid down again"
        self.log.info("%s: %s%s", spec.name, made, ended)
        self._steer_all([spec], around, context)
        return _row(made)

    def _wish(self, spec: FleetSpec, now: datetime) -> Wish:
        from forecasting.override import OverrideKind
        from predictive_scaling.overriding import Wish

        kinds = [kind.value for kind in OverrideKind if kind is not OverrideKind.STOP]
        if self.kind not in kinds:
            msg = f"kind {self.kind!r} is none of {', '.join(kinds)}: write one of them"
            raise AirflowFailException(msg)
        kind, hours = OverrideKind(self.kind), number_of_hours(self.hours)
        self._refuse_sizes_not_taken()
        size, least, most = (self._size(name, spec) for name in ("size", "least", "most"))
        if kind is OverrideKind.HOLD and size is None:
            msg = "hold asks for a number of instances: fill in Size"
            raise AirflowFailException(msg)
        if kind is OverrideKind.BOUNDS and least is None and most is None:
            msg = "bounds ask for a number of instances: fill in Least, Most or both"
            raise AirflowFailException(msg)
        low, high = (size, size) if kind is OverrideKind.HOLD else (least, most)
        ends = now + timedelta(hours=hours) if hours else None
        return Wish(kind=kind, reason=self.reason, starts_at=now, ends_at=ends, min_size=low, max_size=high)

    def _refuse_sizes_not_taken(self) -> None:
        """A number that would be passed over is not what was meant: a freeze, for one, keeps the size there is."""
        taken = SIZES.get(self.kind, ())
        given = {name: whole_number(name, size) for name, size in self.sizes.items() if name not in taken}
        for name, size in given.items():
            if size is not None:
                takes = " and ".join(taken) or "no number: it keeps what is there"
                msg = f"{self.kind} takes {takes}; {name} {size} was given: leave it empty, or choose {_taking(name)}"
                raise AirflowFailException(msg)

    def _size(self, name: str, spec: FleetSpec) -> int | None:
        size, policy = whole_number(name, self.sizes.get(name)), spec.policy
        if size is not None and policy.bounded(size) != size:
            bounds = f"{policy.min_size}..{policy.max_size} of the fleet file"
            msg = f"fleet {spec.name}: {name} {size} is outside {bounds}: ask for one within, or edit it"
            raise AirflowFailException(msg)
        return size


class ResumeFleetOperator(SteeringOperator):
    """End what was laid over one fleet's plan."""

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """End the overrides, and bring the group back to its plan."""
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.overriding import resume
        from predictive_scaling.settings import Settings

        form, settings = context["params"], Settings.from_airflow()
        every = read_fleets(settings.fleets_folder).fleets
        around = self._around(context, settings, every)
        spec = _held_fleet(form["fleet"], every, around)
        desk = replace(around.desk, asked_at=context["dag_run"].run_after)
        ended = resume(spec.name, form["reason"], desk, now=datetime.now(UTC))
        for each in ended:
            self.log.info("%s: ended: %s", spec.name, each)
        self._steer_all([spec], around, context)
        return [_row(each) for each in ended]


class KillSwitchOperator(SteeringOperator):
    """Stop all writing and take back what was scheduled, for every fleet; or lift the stop."""

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Set or lift the stop first, then go from fleet to fleet."""
        from forecasting.override import OverrideKind
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.ledger.overrides import EVERY_FLEET
        from predictive_scaling.overriding import Wish, impose, imposed_before, resume
        from predictive_scaling.settings import Settings

        form, settings, now = context["params"], Settings.from_airflow(), datetime.now(UTC)
        every = read_fleets(settings.fleets_folder).fleets
        around = self._around(context, settings, every)
        told = f"{form['action']} for every fleet: {form['reason']}"
        changed = [each for each in around.overrides.open(EVERY_FLEET) if each.holds_at(now)]
        if form["action"] == "lift":
            desk = replace(around.desk, asked_at=context["dag_run"].run_after)
            resume(EVERY_FLEET, form["reason"], desk, now=now)
        elif not changed and (before := imposed_before(EVERY_FLEET, around.desk)):
            changed, told = [before], f"{told}; it has been lifted since, and is not laid down again"
        elif changed:
            told = f"every fleet is stopped already, and what was said first stays: {changed[0]}"
        else:
            wish = Wish(kind=OverrideKind.STOP, reason=form["reason"], starts_at=now)
            changed = [impose(wish, EVERY_FLEET, None, around.desk, now=now)]
        self.log.warning("%s", told)
        self._steer_all(every, around, context)
        return [_row(each) for each in changed]


def _fleet(name: str, fleets: Sequence[FleetSpec]) -> FleetSpec:
    """Find the fleet, which must be one that may be written to."""
    from predictive_scaling.errors import PredictiveScalingError
    from predictive_scaling.fleet_folder import named
    from predictive_scaling.permission import refuse_on_trial

    try:
        spec = named(name, fleets)
        refuse_on_trial(spec)
    except PredictiveScalingError as error:
        raise AirflowFailException(str(error)) from error
    return spec


def _held_fleet(name: str, fleets: Sequence[FleetSpec], around: Circumstances) -> FleetSpec:
    """Find the fleet that is to be resumed; one without a file may be held too, from the time it had one."""
    from predictive_scaling.errors import InvalidFleet
    from predictive_scaling.fleet_folder import once_named

    held = [each for each in around.overrides.open(name) if each.fleet == name]
    try:
        return _fleet(once_named(name, fleets).name if held else name, fleets)
    except InvalidFleet as error:
        msg = f"{error}; still open: {'; '.join(map(str, held))}"
        raise AirflowFailException(msg) from error


def _taking(name: str) -> str:
    """Give the kind that takes a number of this name."""
    return next(kind for kind, names in SIZES.items() if name in names)


def _row(override: Override) -> dict[str, Any]:
    until = override.ends_at.isoformat() if override.ends_at else None
    return {"id": override.id, "fleet": override.fleet, "kind": override.kind.value, "until": until}
