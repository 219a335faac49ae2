"""Let the database see to it that a key makes one autoscaler, and that a group is moved by one."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = ("idempotency_key", "moves")
_TABLE = sa.table(
    "scaling_autoscaler", sa.column("name"), sa.column("body", sa.JSON), *(sa.column(each) for each in _COLUMNS)
)


def upgrade() -> None:
    """Take both out of the bodies; of autoscalers that share one already the first by name keeps it."""
    op.add_column("scaling_autoscaler", sa.Column("idempotency_key", sa.String(500)))
    op.add_column("scaling_autoscaler", sa.Column("moves", sa.String(1000)))
    if not op.get_context().as_sql:
        _fill()
    for column in _COLUMNS:
        op.create_index(f"uq_scaling_autoscaler_{column}", "scaling_autoscaler", [column], unique=True)


def downgrade() -> None:
    """Drop what guards them; the bodies have both all along."""
    for column in _COLUMNS:
        op.drop_index(f"uq_scaling_autoscaler_{column}", "scaling_autoscaler")
    with op.batch_alter_table("scaling_autoscaler") as autoscalers:
        for column in _COLUMNS:
            autoscalers.drop_column(column)


def _fill() -> None:
    known: set[tuple[str, str]] = set()
    bind = op.get_bind()
    for name, body in bind.execute(sa.select(_TABLE.c.name, _TABLE.c.body).order_by(_TABLE.c.name)).all():
        found = {column: value for column, value in _of(body).items() if value and (column, value) not in known}
        known |= set(found.items())
        if found:
            bind.execute(sa.update(_TABLE).where(_TABLE.c.name == name).values(found))


def _of(body: dict[str, Any]) -> dict[str, str | None]:
    asked = body["asked"]
    moves = [asked.get("connection", "aws_default"), asked.get("region"), asked["group"]]
    return {"idempotency_key": body["key"], "moves": json.dumps(moves)}
