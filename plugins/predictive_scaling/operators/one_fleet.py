"""What the operators that act on one fleet by hand share: they find it, may be told not to write, and fail well."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from predictive_scaling.links import AutoScalingGroupLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow.sdk import Context

    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.workplace import Workplace


LONGEST_HOURS: Final = 720
MOST_DIGITS: Final = 18
"""No database, and no reader, takes a longer number."""


class OneFleetOperator(BaseOperator):
    """Acts on one fleet, named by its file, for a reason that is kept."""

    template_fields: Sequence[str] = ("fleet", "reason", "only_plan")
    operator_extra_links = (AutoScalingGroupLink(),)

    def __init__(self, *, fleet: str, reason: str = "", only_plan: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fleet = fleet
        self.reason = reason
        self.only_plan = only_plan
        self.console = ""

    @contextmanager
    def _at(self, context: Context) -> Iterator[tuple[FleetSpec, Workplace]]:
        """Reach the fleet and the ledger; what a person must mend fails without a retry."""
        from predictive_scaling.errors import PredictiveScalingError
        from predictive_scaling.steer import may_pass

        try:
            spec, at = self._reach(context)
            try:
                yield spec, at
            finally:
                self._remember(spec, at)
        except PredictiveScalingError as error:
            self.log.error("%s: %s", self.fleet, error)  # noqa: TRY400 - the message is the whole story
            if may_pass(error):
                raise
            raise AirflowFailException(str(error)) from error

    def _reach(self, context: Context) -> tuple[FleetSpec, Workplace]:
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.fleets.auto_scaling import AutoScalingFleet
        from predictive_scaling.ledger.overrides import SqlOverrides
        from predictive_scaling.ledger.store import SqlLedger
        from predictive_scaling.links import console_address
        from predictive_scaling.ownership import Claim, deployment_name
        from predictive_scaling.schedule import Naming
        from predictive_scaling.settings import Settings
        from predictive_scaling.task_run import task_run
        from predictive_scaling.workplace import Turn, Workplace

        settings = Settings.from_airflow()
        spec = self._find(read_fleets(settings.fleets_folder).fleets)
        self.console = console_address(spec)
        ledger = SqlLedger.from_connection()
        ledger.check()
        turn = Turn(by=task_run(context), now=datetime.now(UTC), patience=settings.operation_patience)
        claim = Claim(
            deployment=deployment_name(settings.deployment, ledger.place),
            naming=Naming(settings.action_prefix, spec.name),
            how=spec.ownership,
        )
        laid = [each.held_to(spec.policy.ceiling) for each in SqlOverrides.from_connection().open(spec.name)]
        fleet = AutoScalingFleet.of(spec)
        return spec, Workplace(name=spec.name, fleet=fleet, ledger=ledger, turn=turn, claim=claim, overrides=laid)

    def _find(self, fleets: Sequence[FleetSpec]) -> FleetSpec:
        from predictive_scaling.fleet_folder import named

        return named(self.fleet, fleets)

    def _why_not(self, spec: FleetSpec) -> str:
        """Why nothing may be written: a dry run asked for, or everywhere; a fleet on trial is refused outright."""
        from predictive_scaling.permission import refuse_on_trial
        from predictive_scaling.settings import Settings

        if str(self.only_plan).lower() == "true" or Settings.from_airflow().dry_run:
            return "this is a dry run"
        refuse_on_trial(spec)
        return ""

    def _remember(self, spec: FleetSpec, at: Workplace) -> None:
        """Let the page know the sizes as they are now, if there is a group; that it cannot be told fails nothing."""
        from predictive_scaling.errors import GroupNotFound, PredictiveScalingError
        from predictive_scaling.ledger.statuses import SqlStatuses
        from predictive_scaling.summary import keep_resized

        try:
            keep_resized(spec.name, at.fleet.observe(), SqlStatuses.from_connection(), now=datetime.now(UTC))
        except GroupNotFound:
            return
        except PredictiveScalingError as error:
            self.log.warning("%s: the page shows the sizes of before: %s", spec.name, error)

    def _tell(self, *lines: str) -> None:
        for line in lines:
            self.log.info("%s: %s", self.fleet, line)


def whole_number(name: str, value: object) -> int | None:
    """Read a number that came through a template; empty means not given."""
    from predictive_scaling.errors import OutOfBounds

    text = _text(value)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        msg = f"{name} {text[: 2 * MOST_DIGITS]!r} is not a whole number: write one of 0 to {'9' * MOST_DIGITS}"
        raise OutOfBounds(msg)
    return int(text)


def number_of_hours(value: object) -> float | None:
    """Read hours that came through a template; empty means for as long as nobody ends it."""
    from predictive_scaling.errors import OutOfBounds

    text = _text(value)
    try:
        hours = float(text or 1)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= LONGEST_HOURS:
        msg = f"hours {value!r} is no length of time: write a number above 0, up to {LONGEST_HOURS}"
        raise OutOfBounds(msg)
    return hours if text else None


def _text(value: object) -> str:
    """Give what came through a template: None comes as a word."""
    text = str(value).strip()
    return "" if text == "None" else text


def positive(name: str, value: object) -> int:
    """Read a number of at least 1."""
    from predictive_scaling.errors import OutOfBounds

    number = whole_number(name, value)
    if not number:
        msg = f"{name} {value!r} changes nothing: write a whole number of at least 1"
        raise OutOfBounds(msg)
    return number
