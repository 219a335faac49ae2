"""One write to AWS, told before it is made and once more when it is: the promise that nothing is lost.

Whatever moment a process dies at, the ledger holds an intent without an outcome or the whole story, and `settle` ends
it at the next look at the group.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from predictive_scaling.errors import CloudUnavailable, OutcomeUnknown, WriteRefused
from predictive_scaling.ledger.records import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from predictive_scaling.fleets import Receipt
    from predictive_scaling.ledger import Ledger
    from predictive_scaling.ledger.records import Event, Operation


def write(send: Callable[[], Receipt], intent: Event, operation: Operation, ledger: Ledger) -> Event:
    """Make the call that the ledger's last intent tells of; give its outcome, to be told with what is done next.

    A refused one ends the operation, in part or whole; an unanswered one leaves it open, for a look to end.
    """
    try:
        receipt = send()
    except (WriteRefused, CloudUnavailable) as error:
        ledger.close(operation, _outcome(intent, EventKind.FAILED, "was refused").failed(str(error)))
        raise
    except BaseException as error:
        unknown = _outcome(intent, EventKind.UNKNOWN, "was sent and not answered")
        ledger.record(replace(unknown, operation_id=operation.id, error=str(error) or repr(error)))
        if isinstance(error, OutcomeUnknown) or not isinstance(error, Exception):
            raise
        msg = f"fleet {intent.fleet}: `{intent.call}` broke off: {error!r}; the retry looks at the group"
        raise OutcomeUnknown(msg) from error
    answered = _outcome(intent, EventKind.APPLIED, "was accepted")
    outcome = replace(answered, operation_id=operation.id, aws_request_id=receipt.request_id)
    if not receipt.refused:
        return outcome
    failed = outcome.refused_in_part(receipt.refused)
    ledger.close(operation, failed)
    raise WriteRefused(failed.error)


def _outcome(intent: Event, kind: EventKind, what: str) -> Event:
    return replace(intent, kind=kind, reason=f"`{intent.call}` {what}")
