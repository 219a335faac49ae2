"""The operator that keeps the CloudWatch dashboards as the fleet files say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from predictive_scaling.operators.permanent import mended_by_a_person

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from predictive_scaling.dashboard import Shown
    from predictive_scaling.fleet_spec import FleetSpec


class EnsureDashboardOperator(BaseOperator):
    """Draw the fleets of each account on dashboards of one name; write only what differs.

    CloudWatch has one dashboard of a name in an account, whatever the region; each graph names its own.
    """

    template_fields: Sequence[str] = ("dashboard", "only_plan")

    def __init__(self, *, dashboard: str = "predictive-scaling", only_plan: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dashboard = dashboard
        self.only_plan = only_plan

    @mended_by_a_person()
    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002 - Airflow's signature
        """Plan account after account, tell it, and apply it unless this is a dry run."""
        from predictive_scaling.account import by_account
        from predictive_scaling.fleet_folder import read_fleets
        from predictive_scaling.settings import Settings

        settings = Settings.from_airflow()
        dry = settings.dry_run or str(self.only_plan).lower() == "true"
        fleets = read_fleets(settings.fleets_folder).fleets
        return [row for part in by_account(fleets, _account) for row in self._ensure(part, dry=dry)]

    def _ensure(self, specs: list[FleetSpec], *, dry: bool) -> list[dict[str, str]]:
        from predictive_scaling.dashboard import apply_changes, bodies, changes

        now = datetime.now(UTC)
        cloudwatches = {place: _cloudwatch(*place) for place in sorted({_place(spec) for spec in specs})}
        regions = {place: each.meta.region_name for place, each in cloudwatches.items()}
        cloudwatch = next(iter(cloudwatches.values()))
        wanted = bodies(self.dashboard, _shown(specs, regions, now), now=now)
        planned = changes(cloudwatch, self.dashboard, wanted)
        for change in planned:
            self.log.info("%s%s", "would " if dry and change.verb != "keep" else "", change)
        if not dry:
            apply_changes(cloudwatch, planned)
        return [{"dashboard": each.name, "change": each.verb, "written": str(not dry).lower()} for each in planned]


def _account(spec: FleetSpec) -> str:
    from predictive_scaling.account import account_at
    from predictive_scaling.aws_client import client

    return account_at(client("sts", connection=spec.connection, region=spec.region), spec.connection)


def _place(spec: FleetSpec) -> tuple[str, str]:
    """Tell where a fleet is; without a region of its own it is in that of its connection."""
    return spec.connection, spec.region or ""


def _cloudwatch(connection: str, region: str) -> Any:
    from predictive_scaling.aws_client import client

    return client("cloudwatch", connection=connection, region=region or None)


def _shown(specs: list[FleetSpec], regions: dict[tuple[str, str], str], now: datetime) -> list[Shown]:
    from forecasting import Plan
    from predictive_scaling.dashboard import Shown
    from predictive_scaling.ledger.statuses import SqlStatuses
    from predictive_scaling.ledger.store import SqlLedger
    from predictive_scaling.spend import Spending

    statuses, spending = SqlStatuses.from_connection(), Spending(ledger=SqlLedger.from_connection())
    found = []
    for spec in sorted(specs, key=lambda spec: spec.name):
        plan, meter = statuses.plans(spec.name)[0], spending.meter(spec.name, now=now)
        own = spec.policy.price_per_hour / spec.policy.units or None
        found.append(
            Shown(
                spec=spec,
                region=regions[_place(spec)],
                status=statuses.of(spec.name),
                plan=Plan.from_json(json.dumps(plan)) if plan else None,
                price=own or (meter.price if meter else None),
            )
        )
    return found
