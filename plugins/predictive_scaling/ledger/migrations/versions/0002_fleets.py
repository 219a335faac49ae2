"""Remember fleets too: the gate, what was last seen, overrides, autoscalers; and events of every kind.

The kinds of events are `EventKind`'s to know: a check that repeats them here would need a migration for every word.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)
_KINDS = "kind in ('intent', 'applied', 'failed', 'unknown', 'observed', 'held', 'refused')"


def upgrade() -> None:
    """Create the tables of fleets; let events be of any kind, and be found by kind and by actor."""
    _create_gate()
    _create_status()
    _create_override()
    _create_autoscaler()
    with op.batch_alter_table("scaling_event") as events:
        events.drop_constraint(op.f("ck_scaling_event_kind"), type_="check")
    op.create_index("ix_scaling_event_kind_id", "scaling_event", ["kind", "id"])
    op.create_index("ix_scaling_event_actor_id", "scaling_event", ["actor", "id"])


def downgrade() -> None:
    """Drop the tables of fleets; events of the kinds of before stay as they are, the others go."""
    op.drop_index("ix_scaling_event_actor_id", "scaling_event")
    op.drop_index("ix_scaling_event_kind_id", "scaling_event")
    op.execute(f"delete from scaling_event where not ({_KINDS})")  # noqa: S608 - our own constant
    with op.batch_alter_table("scaling_event") as events:
        events.create_check_constraint(op.f("ck_scaling_event_kind"), _KINDS)
    for table in ("scaling_autoscaler", "scaling_override", "scaling_status", "scaling_gate"):
        op.drop_table(table)


def _create_gate() -> None:
    op.create_table(
        "scaling_gate",
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("evidence", _JSON),
        sa.Column("reviewed_at", _INSTANT),
        sa.Column("boot_seconds", sa.Float),
        sa.Column("launches", sa.Integer, nullable=False),
        sa.Column("actor", sa.String(250), nullable=False),
        sa.PrimaryKeyConstraint("fleet", name="pk_scaling_gate"),
        sa.CheckConstraint("stage in ('observe', 'approve', 'auto', 'suspended')", name=op.f("ck_scaling_gate_stage")),
    )


def _create_status() -> None:
    op.create_table(
        "scaling_status",
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("summary", _JSON, nullable=False),
        sa.Column("plan", _JSON),
        sa.Column("previous_plan", _JSON),
        sa.PrimaryKeyConstraint("fleet", name="pk_scaling_status"),
    )


def _create_override() -> None:
    op.create_table(
        "scaling_override",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("min_size", sa.Integer),
        sa.Column("max_size", sa.Integer),
        sa.Column("max_before", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.String(250), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.String(250)),
        sa.Column("returned_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_scaling_override"),
        sa.CheckConstraint("ends_at is null or ends_at > starts_at", name=op.f("ck_scaling_override_ends_at")),
    )
    op.create_index("ix_scaling_override_fleet_returned_at", "scaling_override", ["fleet", "returned_at"])


def _create_autoscaler() -> None:
    op.create_table(
        "scaling_autoscaler",
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("body", _JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("actor", sa.String(250), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_scaling_autoscaler"),
    )
