"""Create the ledger: scaling_operation and scaling_event.

A migration states the tables as they were at its own time, so it repeats columns and never imports `tables`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)


def _task_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("actor", sa.String(250), nullable=False),
        sa.Column("dag_id", sa.String(250)),
        sa.Column("run_id", sa.String(250)),
        sa.Column("task_id", sa.String(250)),
        sa.Column("map_index", sa.Integer),
        sa.Column("try_number", sa.Integer),
    ]


def upgrade() -> None:
    """Create both tables with their indexes."""
    op.create_table(
        "scaling_operation",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("idempotency_key", sa.String(500), nullable=False),
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("outcome", sa.String(20)),
        sa.Column("plan_id", sa.String(250)),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("closed_at", _INSTANT),
        *_task_columns(),
        sa.PrimaryKeyConstraint("id", name="pk_scaling_operation"),
        sa.UniqueConstraint("idempotency_key", name="uq_scaling_operation_idempotency_key"),
        sa.CheckConstraint("state in ('open', 'closed')", name=op.f("ck_scaling_operation_state")),
        sa.CheckConstraint("(state = 'open') = (closed_at is null)", name=op.f("ck_scaling_operation_closed_at")),
    )
    op.create_index(
        "uq_scaling_operation_open_fleet",
        "scaling_operation",
        ["fleet"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "scaling_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), sa.Identity(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("operation_id", sa.String(36)),
        sa.Column("call", sa.String(80)),
        sa.Column("forecast_id", sa.String(250)),
        sa.Column("plan_id", sa.String(250)),
        *_task_columns(),
        sa.Column("aws_request_id", sa.String(100)),
        sa.Column("before", _JSON),
        sa.Column("after", _JSON),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_scaling_event"),
        sa.ForeignKeyConstraint(["operation_id"], ["scaling_operation.id"], name="fk_scaling_event_operation_id"),
        sa.CheckConstraint(
            "kind in ('intent', 'applied', 'failed', 'unknown', 'observed', 'held', 'refused')",
            name=op.f("ck_scaling_event_kind"),
        ),
    )
    op.create_index("ix_scaling_event_fleet_id", "scaling_event", ["fleet", "id"])
    op.create_index("ix_scaling_event_operation_id", "scaling_event", ["operation_id"])
    op.create_index("ix_scaling_event_at", "scaling_event", ["at"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("scaling_event")
    op.drop_table("scaling_operation")
