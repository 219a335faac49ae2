"""Remember when the next call to an account may go, for the budget of calls that all tasks share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of paces, a row an account and region."""
    op.create_table(
        "scaling_pace",
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_scaling_pace"),
    )


def downgrade() -> None:
    """Drop the table; it is made again with the first call."""
    op.drop_table("scaling_pace")
