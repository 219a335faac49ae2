"""A budget of calls a second for one account, kept by everybody who shares a ledger: tasks, shards and machines.

AWS counts the Auto Scaling calls of an account and region together, whoever makes them, and refuses them all once they
are too many. Within a budget every attempt, a retry too, takes the next slot of a row that all share, and is sent when
its time has come. Only these calls are paced: the other services count theirs apart, and are asked little (metrics come
hundreds a call), so to hold them back would keep a rescue waiting and spare nobody anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import sync_to_async
from sqlalchemy.exc import SQLAlchemyError

from predictive_scaling.errors import LedgerUnavailable, LedgerUnreachable
from predictive_scaling.ledger.records import utc_now
from predictive_scaling.ledger.slots import Pace, SqlSlots

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from predictive_scaling.ledger.slots import Slots

PACED: Final = "autoscaling"
UNPACED: Final = timedelta(minutes=1)
"""For so long calls go on unpaced before a ledger that did not answer is asked again."""

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Says how long to wait before an attempt is sent; without the ledger, not at all: no budget stops a rescue."""

    key: str
    pace: Pace
    reach: Callable[[], Slots] = SqlSlots.from_connection
    clock: Callable[[], datetime] = utc_now
    _slots: Slots | None = None
    _again_at: datetime | None = None

    def wait(self) -> float:
        """Take the next slot; give the seconds until it comes."""
        now = self.clock()
        if self._again_at and now < self._again_at:
            return 0.0
        try:
            self._slots = self._slots or self.reach()
            return self._slots.take(self.key, self.pace, now=now).total_seconds()
        except (LedgerUnavailable, LedgerUnreachable, SQLAlchemyError) as error:
            self._again_at = now + UNPACED
            told = "calls to %s go on unpaced, for the ledger that all share gives no slot; it is asked again in %s: %s"
            log.warning(told, self.key, UNPACED, error)
            return 0.0


def pacer_of(client: Any, connection: str, calls_per_second: float) -> Pacer | None:
    """Give what paces a client of this connection, which with its region stands for an account and region."""
    if not calls_per_second or client.meta.service_model.service_name != PACED:
        return None
    return Pacer(key=f"{connection} {client.meta.region_name}", pace=Pace(calls_per_second=calls_per_second))


def hold(client: Any, pacer: Pacer | None, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Let each attempt of a boto3 client wait for its slot; botocore's own pauses come before."""
    if pacer:
        client.meta.events.register("before-send", lambda **_: sleep(pacer.wait()))


def hold_async(client: Any, pacer: Pacer | None) -> None:
    """Do the same to an aiobotocore client, and leave its loop to others meanwhile."""
    if pacer is None:
        return

    async def wait(**_event: Any) -> None:
        await asyncio.sleep(await sync_to_async(pacer.wait, thread_sensitive=False)())

    client.meta.events.register("before-send", wait)
