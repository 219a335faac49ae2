"""A policy given on the command line, with what a fleet file says of forecasting: what is typed goes before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from forecasting.cli import options
from forecasting.foresight import KEYS, Foresight
from forecasting.policy import Policy
from forecasting.policy_file import read_policy

if TYPE_CHECKING:
    import argparse

HELP = "a policy file, or a fleet file, whose timezone, engine, country and events count too"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """A policy and what its forecasts are told; `taken` is what of that stands in the file."""

    policy: Policy
    foresight: Foresight
    taken: dict[str, Any]

    @classmethod
    def read(cls, path: str, given: argparse.Namespace) -> Self:
        """Read a file; what is refused names it."""
        mapping = read_policy(path)
        with options.naming(path):
            policy, written = Policy.from_mapping(mapping), Foresight.from_mapping(mapping)
        typed = {key: said for key in KEYS if (said := getattr(given, key, None)) is not None}
        foresight = replace(written, **typed)
        taken = {key: _plain(getattr(foresight, key)) for key in KEYS if key in mapping and key not in typed}
        return cls(policy=policy, foresight=foresight, taken=taken)

    def told(self, path: str) -> str:
        """Say what was taken from the file, for the end of a line; nothing where nothing was."""
        parts = [f"{key} {', '.join(said) if isinstance(said, list) else said}" for key, said in self.taken.items()]
        return f"; from {path}: {', '.join(parts)}" if parts else ""


def _plain(said: Any) -> Any:
    return [event.name for event in said] if isinstance(said, tuple) else said
