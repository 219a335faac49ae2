"""Variation: a policy with a few keys otherwise, so that a what-if need not write the whole policy again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from forecasting.errors import InvalidPolicy, shown
from forecasting.policy_file import FLEET_KEYS, some_fields

if TYPE_CHECKING:
    from forecasting.policy import Policy

MOST = 5  # Each is replayed in every mode.
_LONGEST = 40
_EXAMPLE = '{"surer": {"quantile": 0.97}}'


def variations(policy: Policy, asked: object, *, timezone: str = "UTC") -> dict[str, Policy]:
    """Read variations of a policy by name; InvalidPolicy names the one at fault, its key, the value and the mend."""
    if not isinstance(asked, Mapping):
        msg = f"policies is {shown(asked)}: give names, each with what differs, e.g. {_EXAMPLE}"
        raise InvalidPolicy(msg)
    if len(asked) > MOST:
        msg = f"{len(asked)} policies to compare with: give at most {MOST}"
        raise InvalidPolicy(msg)
    found = {}
    for name, changes in asked.items():
        _check_name(name)
        try:
            found[name] = varied(policy, changes, timezone=timezone)
        except InvalidPolicy as error:
            named = f"policy {name}"
            raise error.about(named) from error
    return found


def varied(policy: Policy, changes: object, *, timezone: str = "UTC") -> Policy:
    """Give the policy with some keys otherwise; unless the quantile is given, the costs go on choosing it."""
    if not isinstance(changes, Mapping) or not changes:
        msg = f"{shown(changes)} changes nothing: give the keys that differ, e.g. {_EXAMPLE}"
        raise InvalidPolicy(msg)
    for key in changes:
        if key in FLEET_KEYS:
            msg = (
                f"{key} is {shown(changes[key])}: it is the fleet's, not the policy's, and stays as it is: leave it out"
            )
            raise InvalidPolicy(msg)
    known = [field.name for field in fields(policy) if field.init]
    found: dict[str, Any] = some_fields({**changes, "timezone": timezone}, known)
    changed = replace(policy, **found)
    chosen = "quantile" not in found and (policy.costed or "shortage_cost" in found)
    return changed.at_cost() if chosen else changed


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST or not name.isprintable():
        msg = f"{shown(name)} is no name of a policy: give 1 to {_LONGEST} characters on one line, e.g. surer"
        raise InvalidPolicy(msg)
