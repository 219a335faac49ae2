"""The product's tables, in a MetaData of our own beside Airflow's.

`scaling_operation` is the lock and the idempotency key: at most one open operation a fleet.
`scaling_event` is the story: rows are inserted and never changed.

The others hold the present, a row a fleet or a row a thing, and every change of theirs is an event too:
`scaling_gate` how far a fleet's forecast is trusted, `scaling_status` what was last seen and planned,
`scaling_override` what a person decided for a while, `scaling_approval` what people are asked and what they answered,
`scaling_autoscaler` a fleet made through the API. Two have no story: `scaling_look` is what the watch of the load saw
last, and `scaling_pace` when the next call may go.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

NAME_LENGTH: Final = 250
KEY_LENGTH: Final = 500
GROUP_LENGTH: Final = 300
"""A group's name may have 255 characters; its account and region go before it."""
Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Instant = sa.DateTime(timezone=True)
RowNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _task_columns() -> list[sa.Column[object]]:
    """The Airflow task, and the person, behind a row."""
    return [
        sa.Column("actor", sa.String(NAME_LENGTH), nullable=False),
        sa.Column("dag_id", sa.String(NAME_LENGTH)),
        sa.Column("run_id", sa.String(NAME_LENGTH)),
        sa.Column("task_id", sa.String(NAME_LENGTH)),
        sa.Column("map_index", sa.Integer),
        sa.Column("try_number", sa.Integer),
    ]


scaling_operation = sa.Table(
    "scaling_operation",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("idempotency_key", sa.String(KEY_LENGTH), nullable=False, unique=True),
    sa.Column("fleet", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("outcome", sa.String(20)),
    sa.Column("plan_id", sa.String(NAME_LENGTH)),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("closed_at", Instant),
    *_task_columns(),
    sa.CheckConstraint("state in ('open', 'closed')", name="state"),
    sa.CheckConstraint("(state = 'open') = (closed_at is null)", name="closed_at"),
)
sa.Index(
    "uq_scaling_operation_open_fleet",
    scaling_operation.c.fleet,
    unique=True,
    postgresql_where=sa.text("state = 'open'"),
    sqlite_where=sa.text("state = 'open'"),
)

scaling_event = sa.Table(
    "scaling_event",
    metadata,
    sa.Column("id", RowNumber, sa.Identity(), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("fleet", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("operation_id", sa.String(36), sa.ForeignKey("scaling_operation.id")),
    sa.Column("call", sa.String(80)),
    sa.Column("forecast_id", sa.String(NAME_LENGTH)),
    sa.Column("plan_id", sa.String(NAME_LENGTH)),
    sa.Column("group_id", sa.String(GROUP_LENGTH)),
    *_task_columns(),
    sa.Column("aws_request_id", sa.String(100)),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("error", sa.Text),
    sa.Index("ix_scaling_event_fleet_id", "fleet", "id"),
    sa.Index("ix_scaling_event_kind_id", "kind", "id"),
    sa.Index("ix_scaling_event_actor_id", "actor", "id"),
    sa.Index("ix_scaling_event_operation_id", "operation_id"),
    sa.Index("ix_scaling_event_at", "at"),
)

scaling_gate = sa.Table(
    "scaling_gate",
    metadata,
    sa.Column("fleet", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("stage", sa.String(20), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("evidence", Json),
    sa.Column("reviewed_at", Instant),
    sa.Column("boot_seconds", sa.Float),
    sa.Column("launches", sa.Integer, nullable=False),
    sa.Column("actor", sa.String(NAME_LENGTH), nullable=False),
    sa.CheckConstraint("stage in ('observe', 'approve', 'auto', 'suspended')", name="stage"),
)

scaling_status = sa.Table(
    "scaling_status",
    metadata,
    sa.Column("fleet", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("summary", Json, nullable=False),
    sa.Column("plan", Json),
    sa.Column("previous_plan", Json),
)

scaling_look = sa.Table(
    "scaling_look",
    metadata,
    sa.Column("fleet", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("seen", Json, nullable=False),
)

scaling_override = sa.Table(
    "scaling_override",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("fleet", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("min_size", sa.Integer),
    sa.Column("max_size", sa.Integer),
    sa.Column("max_before", sa.Integer),
    sa.Column("group_id", sa.String(GROUP_LENGTH)),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("starts_at", Instant, nullable=False),
    sa.Column("ends_at", Instant),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("ended_by", sa.String(NAME_LENGTH)),
    sa.Column("returned_at", Instant),
    sa.CheckConstraint("ends_at is null or ends_at > starts_at", name="ends_at"),
    sa.Index("ix_scaling_override_fleet_returned_at", "fleet", "returned_at"),
)

scaling_approval = sa.Table(
    "scaling_approval",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("fleet", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("matter", sa.String(20), nullable=False),
    sa.Column("reasons", Json, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("dollars_a_day", sa.Float),
    sa.Column("dollars_held", sa.Float),
    sa.Column("hours", Json, nullable=False),
    sa.Column("answerers", Json, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("answer", sa.String(20)),
    sa.Column("answered_by", sa.String(NAME_LENGTH)),
    sa.Column("answered_at", Instant),
    sa.Column("holds_until", Instant),
    sa.CheckConstraint("due_at > asked_at", name="due_at"),
    sa.CheckConstraint("(answer is null) = (answered_at is null)", name="answered_at"),
    sa.Index("ix_scaling_approval_asked_at", "asked_at"),
    sa.Index("ix_scaling_approval_fleet_asked_at", "fleet", "asked_at"),
)
sa.Index(
    "uq_scaling_approval_open_matter",
    scaling_approval.c.fleet,
    scaling_approval.c.matter,
    unique=True,
    postgresql_where=sa.text("answer is null"),
    sqlite_where=sa.text("answer is null"),
)

scaling_autoscaler = sa.Table(
    "scaling_autoscaler",
    metadata,
    sa.Column("name", sa.String(NAME_LENGTH), primary_key=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("idempotency_key", sa.String(KEY_LENGTH)),
    sa.Column("moves", sa.String(1000)),  # a connection, a region and a group: one autoscaler a group
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("actor", sa.String(NAME_LENGTH), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Index("uq_scaling_autoscaler_idempotency_key", "idempotency_key", unique=True),
    sa.Index("uq_scaling_autoscaler_moves", "moves", unique=True),
)

scaling_pace = sa.Table(
    "scaling_pace",
    metadata,
    sa.Column("key", sa.String(300), primary_key=True),  # a connection and a region
    sa.Column("next_at", sa.Float, nullable=False),  # seconds since 1970
)
