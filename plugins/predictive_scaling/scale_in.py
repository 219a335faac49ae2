"""Let instances go, one call each, and see them gone.

The group itself takes an instance out of its target groups, waits until it has drained and its hooks are done, and ends
it: one call begins all of it, and no death of ours can leave an instance half way, out of traffic and still paid for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.candidates import Choice, Limits, candidates
from predictive_scaling.change import change, told_by, would
from predictive_scaling.errors import NotAllowed
from predictive_scaling.findings import verb_of
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.raised import restore_unfollowed
from predictive_scaling.settle import settle
from predictive_scaling.sizing import refuse_if_overridden, refuse_if_suspended, retire_move
from predictive_scaling.waits import GoneWait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from predictive_scaling.fleets import Observed
    from predictive_scaling.workplace import Move, Workplace

KIND: Final = "scale_in"
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo:
    """Instances that are on their way out, by this task."""

    instances: tuple[str, ...]
    asked_at: datetime
    operation_id: str | None = None
    story: tuple[str, ...] = ()

    @property
    def wait(self) -> GoneWait:
        """What is waited for."""
        return GoneWait(instances=self.instances)

    @property
    def asked(self) -> dict[str, Any]:
        """What the event of its end keeps."""
        return {"retired": list(self.instances)}

    def as_json(self) -> dict[str, Any]:
        """What a deferred task is given back."""
        fields = {**asdict(self), "asked_at": self.asked_at.isoformat()}
        return {**fields, "instances": list(self.instances), "story": list(self.story)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> LetGo:
        """Read what `as_json` wrote."""
        asked_at = datetime.fromisoformat(fields["asked_at"])
        instances, story = tuple(fields["instances"]), tuple(fields["story"])
        return cls(**{**fields, "asked_at": asked_at, "instances": instances, "story": story})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How many are to go, why, and within which limits."""

    amount: int
    reason: str
    at_once: int = 5
    per_hour: int = 20
    why_not: str = ""


def let_go(request: Request, at: Workplace) -> LetGo:
    """Let so many instances go, those included that this task let go before."""
    observed = settle(at.name, at.fleet, at.ledger, at.turn)
    if not request.why_not:
        restore_unfollowed(at, observed)
    observed = at.fleet.examine().observed
    refuse_if_suspended(at.name, "Terminate", observed)
    gone = _gone_already(at)
    choice = candidates(observed, request.amount - len(gone.instances), _limits(request, at))
    story = (*gone.story, *choice.story())
    moves = _moves(choice, request, observed)
    if moves:
        refuse_if_overridden(at.name, at.rules(observed, at.turn.now), moves[-1].after["desired"])
    if request.why_not:
        would(moves, request.why_not, at)
    elif moves:
        done = change(KIND, moves, at)
        instances = (*gone.instances, *(instance.id for instance, _ in choice.chosen))
        return replace(gone, instances=instances, operation_id=done.operation_id, story=story)
    elif not gone.instances:
        msg = f"fleet {at.name}: none of {request.amount} can be let go: {'; '.join(story) or 'there is no instance'}"
        raise NotAllowed(msg)
    return replace(gone, story=story)


def _moves(choice: Choice, request: Request, observed: Observed) -> list[Move]:
    moves, desired = [], observed.desired
    for instance, why in choice.chosen:
        desired -= instance.weight
        moves.append(retire_move(instance, f"{why}: {request.reason}", observed, desired))
    return moves


def _gone_already(at: Workplace) -> LetGo:
    """What earlier tries of this task let go, by what the ledger knows to be true."""
    applied = [each.intent for each in told_by(at.turn.by, at.ledger, at.name) if each.applied]
    retired = [intent for intent in applied if verb_of(intent.call) == "retire"]
    ids = tuple(dict.fromkeys(str(each) for intent in retired for each in (intent.after or {})["retired"]))
    since = min((intent.at for intent in retired if intent.at), default=at.turn.now)
    story = (f"an earlier try let go {', '.join(ids)}",) if ids else ()
    operation = retired[-1].operation_id if retired else None
    return LetGo(instances=ids, asked_at=since, operation_id=operation, story=story)


def _limits(request: Request, at: Workplace) -> Limits:
    events = at.ledger.events(fleet=at.name, limit=1000)
    recent = [event for event in events if event.at and event.at > at.turn.now - HOUR]
    retired = sum(event.kind is EventKind.APPLIED and verb_of(event.call) == "retire" for event in recent)
    return Limits(at_once=request.at_once, per_hour=request.per_hour, last_hour=retired)
