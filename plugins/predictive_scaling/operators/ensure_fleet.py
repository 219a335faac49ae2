"""The operator that builds a fleet's group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from predictive_scaling.operators.one_fleet import OneFleetOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.ensure import Ensured
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.workplace import Workplace


class EnsureFleetOperator(OneFleetOperator):
    """Create or update a group, its launch template, hook, warm pool and tags from its blueprint; destroy nothing.

    What a blueprint asks for is a person's word, and not the planner's: the fleet's mode does not matter here.
    """

    template_fields: Sequence[str] = (*OneFleetOperator.template_fields, "deployment")

    def __init__(self, *, only_plan: bool | str = True, deployment: str | None = None, **kwargs: Any) -> None:
        super().__init__(only_plan=only_plan, **kwargs)
        self.deployment = deployment

    def execute(self, context: Context) -> dict[str, Any]:
        """Show the difference, and unless only that was asked for, make it."""
        with self._at(context) as (spec, at):
            ensured = self._ensure(spec, at)
        self._tell(*ensured.lines())
        steps = [step.what for step in ensured.plan.steps]
        return {"fleet": self.fleet, "steps": steps, "written": ensured.written, "left": list(ensured.plan.left)}

    def _ensure(self, spec: FleetSpec, at: Workplace) -> Ensured:
        from predictive_scaling.blueprint_file import blueprint_path, read_blueprint
        from predictive_scaling.ensure import Builder, ensure
        from predictive_scaling.fleet_check import reach_of
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        dry = str(self.only_plan).lower() == "true" or settings.dry_run
        blueprint = read_blueprint(blueprint_path(settings.fleets_folder, spec.name))
        deployment = self.deployment or (at.claim.deployment if at.claim else None)
        builder = Builder(reach=reach_of(spec), ledger=at.ledger, by=at.turn.by, deployment=deployment)
        return ensure(spec, blueprint, builder, why_not="this is a dry run" if dry else "")
