"""Pages as the AWS query services cut them: MaxRecords, and a NextToken that says where the next page begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandbox.errors import InvalidNextToken, ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = TypeVar("Item")

MAX_RECORDS = 100


def page(items: Sequence[Item], *, token: str | None, size: int | None, default: int) -> tuple[list[Item], str | None]:
    """Return one page and the token of the next one, or None after the last."""
    size = default if size is None else size
    if not 1 <= size <= MAX_RECORDS:
        side = f"less than or equal to {MAX_RECORDS}" if size > MAX_RECORDS else "greater than or equal to 1"
        message = f"1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy constraint: "
        raise ValidationError(message + f"Member must have value {side}")
    start = _start(token)
    following = start + size
    return list(items[start:following]), (f"page-{following}" if following < len(items) else None)


def _start(token: str | None) -> int:
    if not token:
        return 0
    if not (token.startswith("page-") and token[5:].isdigit()):
        message = f"The token '{token}' is invalid."
        raise InvalidNextToken(message)
    return int(token[5:])
