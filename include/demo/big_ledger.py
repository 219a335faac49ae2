"""A ledger as a large deployment has it after months, written by the database itself: by hand it would take hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy import Engine

FLEETS: Final = 1000
NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPAN: Final = timedelta(days=100)
"""The events lie over so long a time, in the order of their ids but for clocks a minute wrong."""
_OPERATIONS: Final = """
insert into scaling_operation
  (id, idempotency_key, fleet, kind, state, outcome, plan_id, opened_at, closed_at, actor, dag_id, run_id, task_id)
select 'operation-' || n, 'key-' || n, 'fleet-' || lpad((n % :fleets)::text, 4, '0'), 'apply_plan', 'closed',
  'applied', 'plan-' || n, :now - :span * (1 - n / (:rows / 2.0)), :now, 'airflow (asset run)', 'apply_plans',
  'asset__' || (n / :fleets), 'apply'
from generate_series(1, :rows / 2) n
"""
_EVENTS: Final = """
insert into scaling_event (at, fleet, kind, operation_id, call, plan_id, actor, dag_id, run_id, task_id,
  aws_request_id, before, after, reason, error)
select :now - :span * (1 - n / (:rows * 1.0)) + make_interval(secs => hashtext(n::text) % 60),
  'fleet-' || lpad((n / 2 % :fleets)::text, 4, '0'),
  case when n % 200 = 0 then 'failed' when n % 2 = 0 then 'applied' else 'intent' end,
  'operation-' || greatest(n / 2, 1), 'put 1 of 1', 'plan-' || n / 2,
  case when n % 1000 < 2 then 'ada' else 'airflow (asset run)' end, 'apply_plans', 'asset__' || n / 2 / :fleets,
  'apply', md5(n::text), jsonb_build_object('ps-' || n, jsonb_build_object('min', n % 20)), null,
  'schedule 3 actions: p90 of RequestCount at 09:10 / 600 per instance = ' || n % 20, null
from generate_series(1, :rows) n
"""


def fill(engine: Engine, *, rows: int, now: datetime = NOW) -> None:
    """Write so many events and half as many operations into PostgreSQL, and let the planner know of them."""
    given = {"rows": rows, "fleets": FLEETS, "now": now, "span": SPAN}
    with engine.begin() as connection:
        connection.execute(sa.text(_OPERATIONS), given)
        connection.execute(sa.text(_EVENTS), given)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("vacuum analyze"))
