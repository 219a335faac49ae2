"""Watches the load of a shard's fleets, answers it at once, and fires for those that were changed or could not be.

A look every so often; with a queue, a look as soon as an alarm's message comes. A message says no more than "look now",
so one that comes twice, late or out of order does no harm. What is asked for is written from here, for a run takes
longer to start than a queue takes to fill; the run tells of it, and tries again what went wrong.
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from predictive_scaling.region import REGION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from typing import TypeAlias

    from predictive_scaling.answering import Answer
    from predictive_scaling.circumstances import Circumstances
    from predictive_scaling.lookout import Lookout
    from predictive_scaling.outlook import Shelf
    from predictive_scaling.reaction import Reaction
    from predictive_scaling.rise import Rise
    from predictive_scaling.waits import Verdict

    Means: TypeAlias = Callable[[], Circumstances]

LONGEST_POLL: Final = 10
"""Seconds; SQS would hold a long poll for 20, and after as many the client takes a silent server for dead."""
MOST_MESSAGES: Final = 10

log = logging.getLogger(__name__)


class LoadTrigger(BaseEventTrigger):
    """Looks at the fleets of one shard that have `reaction:` in their files."""

    def __init__(
        self, *, shard: str = "1-of-1", every: float = 30.0, queue: str = "", connection: str = "aws_default"
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shard = shard
        self.every = every
        self.queue = queue
        self.connection = connection
        self.trouble = ""

    @property
    def name(self) -> str:
        """What the ledger calls the watch of this shard: there is one at a time."""
        return f"watch {self.shard}"

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what the trigger is made again from; what it remembered is learned anew."""
        fields = {"shard": self.shard, "every": self.every, "queue": self.queue, "connection": self.connection}
        return f"{type(self).__module__}.{type(self).__qualname__}", fields

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look for ever; a look that fails is told, and the next one may not."""
        lookout = await sync_to_async(self._lookout, thread_sensitive=False)()
        async with AsyncExitStack() as stack:
            bell = Bell(self.queue, self.connection, stack)
            while True:
                if answers := await sync_to_async(self._turn, thread_sensitive=False)(lookout):
                    yield TriggerEvent({"reactions": [answer.as_json() for answer in answers]})
                await bell.wait(self.every)

    def _turn(self, lookout: Lookout) -> list[Answer]:
        """Look, and answer what the load asks for; give the answers that want a run."""
        now = datetime.now(UTC)
        means = cache(lambda: self._means(lookout, now))
        try:
            asked, news = lookout.look(now)
            for line in news:
                self.log.info("%s", line)
            served = lookout.rises.served(lookout.watched, now)  # before those of this look are followed
            answers = self._answers(asked, lookout, means, now) if asked else []
        except Exception:
            self.log.exception("shard %s: could not look, trying again in %s s", self.shard, self.every)
            return []
        if served:
            self._conclude(served, lookout, means, now)
        self._end_left(lookout, means, now)
        self._show(lookout, now)
        return answers

    def _end_left(self, lookout: Lookout, means: Means, now: datetime) -> None:
        """See to the end of what was written and not seen to be there; what cannot be seen is left to the next look."""
        from predictive_scaling.answering import end_left

        left = sorted(lookout.watched.keys() - lookout.memory.ended)
        if not left:
            return
        with self._or_later(f"shard {self.shard}"):
            around = means()
            for name in left:
                with self._or_later(name):
                    if told := end_left(lookout.watched[name].spec, around, now):
                        self.log.info("%s: %s", name, told)
                    lookout.memory.ended.add(name)

    @contextmanager
    def _or_later(self, whose: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the looks go on
            self.log.warning("%s: the next look sees to what may be left open: %s", whose, error)

    def _show(self, lookout: Lookout, now: datetime) -> None:
        """Let the page, the API and the budgets know what was seen; the looks go on where they cannot be told."""
        from predictive_scaling.ledger.statuses import SqlStatuses

        looks = lookout.book.news(lookout.watched.values(), now)
        try:
            if looks:
                SqlStatuses.from_connection().keep_looks(looks)
            self.trouble = ""
        except Exception as error:  # noqa: BLE001 - told once
            if str(error) != self.trouble:
                self.log.warning("shard %s: the page shows older looks: %s", self.shard, error)
            self.trouble = str(error)
            return
        lookout.book.keep(looks)

    def _conclude(self, served: Sequence[tuple[Rise, Verdict]], lookout: Lookout, means: Means, now: datetime) -> None:
        """Tell of each raise that serves by now how long it took; the looks go on where that cannot be told."""
        from predictive_scaling.rise import tell

        try:
            for rise, verdict in served:
                self.log.info("%s", tell(rise, verdict, lookout.watched[rise.fleet].spec, means(), now=now))
        except Exception:
            self.log.exception("shard %s: how long its raises took cannot be told", self.shard)

    def _answers(self, asked: list[Reaction], lookout: Lookout, means: Means, now: datetime) -> list[Answer]:
        """Write what is asked for; where that cannot be tried, as when the ledger is away, a run may fare better."""
        from predictive_scaling.answering import answer_all, failed

        try:
            answers = answer_all(asked, lookout.watched, means(), now=now)
        except Exception as error:  # noqa: BLE001 - told in the answers
            answers = [failed(each, error) for each in asked]
        for answer in answers:
            self.log.info("%s: %s", answer.reaction.fleet, answer.told)
            if answer.rise:
                lookout.rises.follow(answer.rise)
            if not answer.wants_a_run:
                lookout.memory.quieten(answer.reaction)
            if answer.failed:
                lookout.memory.ended.discard(answer.reaction.fleet)
        worth = lookout.memory.is_worth_a_run
        return [each for each in answers if each.wants_a_run and worth(each.reaction, failed=each.failed, now=now)]

    def _means(self, lookout: Lookout, now: datetime) -> Circumstances:
        """Reach what fleets are changed with, on behalf of this look: once, for all tables of the ledger are tried."""
        from predictive_scaling.around import around
        from predictive_scaling.ledger.records import TaskRun
        from predictive_scaling.settings import Settings

        watch = TaskRun(
            actor="the load watch", dag_id="react_to_load", run_id=f"look {now:%Y%m%dT%H%M%S.%fZ}", task_id=self.name
        )
        return around(watch, Settings.from_airflow(), lookout.fleets)

    def _lookout(self) -> Lookout:
        from predictive_scaling.fleet_spec import Shard
        from predictive_scaling.lookout import Lookout
        from predictive_scaling.outlook import Outlooks
        from predictive_scaling.settings import Settings

        folder = Settings.from_airflow().fleets_folder
        return Lookout(folder=folder, shard=Shard.parse(self.shard), outlooks=Outlooks(_shelf))


def _shelf() -> Shelf:
    from predictive_scaling.ledger.gates import SqlGates
    from predictive_scaling.ledger.statuses import SqlStatuses
    from predictive_scaling.outlook import Shelf
    from predictive_scaling.settings import Settings
    from predictive_scaling.storage import Storage

    storage = Storage.at(Settings.from_airflow().storage)
    return Shelf(storage=storage, gates=SqlGates.from_connection(), statuses=SqlStatuses.from_connection())


class Bell:
    """Waits for a time, or until a queue has a message."""

    def __init__(self, queue: str, connection: str, stack: AsyncExitStack) -> None:
        self._queue = queue
        self._connection = connection
        self._stack = stack
        self._sqs: Any = None
        self._trouble = ""

    async def wait(self, seconds: float) -> None:
        """Wait; a queue out of reach, for whatever reason, is a bell that does not ring."""
        if self._queue:
            try:
                await asyncio.wait_for(self._rung(), timeout=seconds)
            except TimeoutError:
                return
            except Exception as error:  # noqa: BLE001 - the looks go on
                self._tell(str(error) or repr(error))
                await asyncio.sleep(seconds)
        else:
            await asyncio.sleep(seconds)

    def _tell(self, trouble: str) -> None:
        """Tell a trouble once, not at every look."""
        if trouble != self._trouble:
            told = "no alarm wakes the watch: queue %s cannot be read with connection %r: %s"
            log.warning(told, self._queue, self._connection, trouble)
        self._trouble = trouble

    async def _rung(self) -> None:
        from predictive_scaling.triggers.fleet import opened

        if self._sqs is None:
            region = region_of(self._queue)
            self._sqs = await opened("sqs", self._stack, connection=self._connection, region=region)
        while not await self._heard(LONGEST_POLL):
            pass
        # One look answers all that wait: of a thousand alarms a hundred looks in a row would tell nothing more.
        while await self._heard(0):
            pass

    async def _heard(self, seconds: int) -> bool:
        """Take a handful of messages off the queue, if any come in time."""
        answer = await self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=MOST_MESSAGES, WaitTimeSeconds=seconds
        )
        self._trouble = ""
        messages = answer.get("Messages", [])
        if messages:
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            await self._sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
        return bool(messages)


def region_of(queue: str) -> str | None:
    """Read the region out of a queue's URL, for SQS asks nobody in another one; None where it names none."""
    found = re.search(rf"\bsqs(?:-fips)?\.({REGION})\.|//({REGION})\.queue\.", queue)
    return (found[1] or found[2]) if found else None
