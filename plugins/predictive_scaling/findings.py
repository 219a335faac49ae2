"""What a look at a fleet says about an intent: which of its changes are in place. Pure, and the only judge of it.

The read-back after a write and the settling of what a dead task left behind ask the same question, so they ask it here.
The first word of an intent's call tells what was to be changed: actions (`put`, `delete`), sizes (`resize`), or an
instance (`retire`). A `split` of traffic is seen in a listener rule, and not in the group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from predictive_scaling.fleets import Observed, ScheduledAction
    from predictive_scaling.ledger.records import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The changes an intent asked for, what is not as asked with what is there, and what was found."""

    asked: frozenset[str]
    lacking: Mapping[str, str]
    found: Mapping[str, Any]
    where: str = "group"

    @property
    def made(self) -> frozenset[str]:
        """The changes that can be seen."""
        return self.asked.difference(self.lacking)

    @property
    def error(self) -> str | None:
        """What is not in place, in words."""
        return (
            f"not in place: {', '.join(self.lacking[name] for name in sorted(self.lacking))}" if self.lacking else None
        )


def findings_of(intent: Event, observed: Observed, now: datetime) -> Findings:
    """Compare what an intent asked for with what is there."""
    match verb_of(intent.call):
        case "resize":
            return _of_sizes(intent, observed)
        case "retire":
            return _of_instances(intent, observed)
    return _of_actions(intent, observed, now)


def findings_of_split(intent: Event, burst: int) -> Findings:
    """Compare the split that an intent asked for with the percent that go to the burst."""
    wanted = dict(intent.after or {})
    lacking = {
        name: f"{burst}% go to the burst, not {percent}%" for name, percent in wanted.items() if percent != burst
    }
    return Findings(asked=frozenset(wanted), lacking=lacking, found=dict.fromkeys(wanted, burst), where="rule")


def verb_of(call: str | None) -> str:
    """The first word of a call: put, delete, resize, retire or split."""
    found = re.match(r"\w+", call or "")
    return found[0] if found else ""


def _of_actions(intent: Event, observed: Observed, now: datetime) -> Findings:
    present = {action.name: action for action in observed.actions}
    names = frozenset({*(intent.before or {}), *(intent.after or {})})
    lacking = {name: name for name in names if not _took_effect(name, intent, present.get(name), now)}
    found = {name: wanted for name, wanted in sorted((intent.after or {}).items()) if name not in lacking}
    return Findings(asked=names, lacking=lacking, found=found)


def _took_effect(name: str, intent: Event, present: ScheduledAction | None, now: datetime) -> bool:
    wanted: dict[str, Any] | None = (intent.after or {}).get(name)
    if wanted is None:
        return present is None
    if present is not None:
        return present.as_json() == wanted
    return bool(wanted["start"] <= now.isoformat())


def _of_sizes(intent: Event, observed: Observed) -> Findings:
    wanted, found = intent.after or {}, observed.sizes.as_json()
    lacking = {name: f"{name} is {found[name]}, not {size}" for name, size in wanted.items() if found[name] != size}
    return Findings(asked=frozenset(wanted), lacking=lacking, found=found)


def _of_instances(intent: Event, observed: Observed) -> Findings:
    present = {instance.id: instance for instance in observed.instances}
    asked = frozenset((intent.after or {}).get("retired", ()))
    states = {each: present[each].lifecycle if each in present else "gone" for each in sorted(asked)}
    stayed = {each for each in asked if each in present and not present[each].leaving}
    lacking = {each: f"{each} is still {states[each]}" for each in stayed}
    return Findings(asked=asked, lacking=lacking, found={**observed.sizes.as_json(), "retired": states})
