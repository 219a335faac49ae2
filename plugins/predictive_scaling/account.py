"""Which account a connection leads to: several, each with a role of its own, may lead to the same."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from predictive_scaling.aws_client import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from predictive_scaling.fleet_spec import FleetSpec


def by_account(fleets: Sequence[FleetSpec], account_of: Callable[[FleetSpec], str]) -> list[list[FleetSpec]]:
    """Put the fleets of each account together; of those that share one connection nobody is asked."""
    ways = {fleet.connection: fleet for fleet in fleets}
    accounts = {name: account_of(fleet) for name, fleet in ways.items()} if len(ways) > 1 else dict.fromkeys(ways, "")
    ordered = sorted(fleets, key=lambda fleet: accounts[fleet.connection])
    return [list(part) for _, part in groupby(ordered, lambda fleet: accounts[fleet.connection])]


def account_at(sts: Any, connection: str) -> str:
    """Ask STS for the account's number; it tells everybody, whatever their rights."""
    with reading(f"asking whose account connection {connection!r} leads to"):
        return str(sts.get_caller_identity()["Account"])
