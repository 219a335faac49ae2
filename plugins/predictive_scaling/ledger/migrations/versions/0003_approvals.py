"""Remember what people are asked about plans, and what they answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table of questions; of each matter a fleet has one that waits."""
    op.create_table(
        "scaling_approval",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("matter", sa.String(20), nullable=False),
        sa.Column("reasons", _JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("dollars_a_day", sa.Float),
        sa.Column("dollars_held", sa.Float),
        sa.Column("hours", _JSON, nullable=False),
        sa.Column("answerers", _JSON, nullable=False),
        sa.Column("asked_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("answer", sa.String(20)),
        sa.Column("answered_by", sa.String(250)),
        sa.Column("answered_at", _INSTANT),
        sa.Column("holds_until", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_scaling_approval"),
        sa.CheckConstraint("due_at > asked_at", name=op.f("ck_scaling_approval_due_at")),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_scaling_approval_answered_at")),
    )
    op.create_index("ix_scaling_approval_asked_at", "scaling_approval", ["asked_at"])
    op.create_index("ix_scaling_approval_fleet_asked_at", "scaling_approval", ["fleet", "asked_at"])
    op.create_index(
        "uq_scaling_approval_open_matter",
        "scaling_approval",
        ["fleet", "matter"],
        unique=True,
        postgresql_where=sa.text("answer is null"),
        sqlite_where=sa.text("answer is null"),
    )


def downgrade() -> None:
    """Drop the table; the events that tell of it stay."""
    op.drop_table("scaling_approval")
