"""Remember what the watch of the load saw last of each fleet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of looks, a row a fleet."""
    op.create_table(
        "scaling_look",
        sa.Column("fleet", sa.String(250), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("fleet", name="pk_scaling_look"),
    )


def downgrade() -> None:
    """Drop the table; the next look fills it anew."""
    op.drop_table("scaling_look")
