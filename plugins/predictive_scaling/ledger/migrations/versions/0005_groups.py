"""Remember which group an event is about, and which one an override was laid on: a fleet may be given another."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = ("scaling_event", "scaling_override")


def upgrade() -> None:
    """Add the column, empty where rows are older."""
    for table in _TABLES:
        op.add_column(table, sa.Column("group_id", sa.String(300)))


def downgrade() -> None:
    """Drop the column; a fleet whose group is changed must then be looked after by hand."""
    for table in _TABLES:
        op.drop_column(table, "group_id")
