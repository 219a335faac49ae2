"""What is kept of prices, bills and cost reports, as JSON files under the product's storage.

costs/prices/<region>.json             what AWS last said a type costs, with when it was asked
costs/accounts/<connection>.json       whose account it leads to, with when STS was asked
costs/bills/<connection>/<name>.json   what Cost Explorer last said, with when and how often it was paid for
costs/reports/<name>/<UTC time>.json   what a cost comparison found, and its picture beside it
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from predictive_scaling.errors import CloudUnavailable
from predictive_scaling.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE: Final = timedelta(minutes=15)
"""So long nobody asks again who did not answer: to find that out takes half a minute, and a load does not wait."""


def failed(error: CloudUnavailable, now: datetime) -> dict[str, str]:
    """Give what is kept of a question that was not answered."""
    return {"failed_at": now.isoformat(), "why": str(error)}


def is_failed(known: Mapping[str, Any], now: datetime) -> bool:
    """Whether the question was not answered a moment ago."""
    return "failed_at" in known and now - datetime.fromisoformat(known["failed_at"]) < PATIENCE


def refuse_if_failed(known: Mapping[str, Any], now: datetime) -> None:
    """Raise what the question of a moment ago raised."""
    if is_failed(known, now):
        raise CloudUnavailable(known["why"])


class CostStore:
    """JSON documents by name; a reader sees a whole one or none."""

    def __init__(self, files: ObjectStore) -> None:
        self._files = files

    @classmethod
    def at(cls, address: str) -> CostStore:
        """Open the root an address names."""
        return cls(ObjectStore.at(address))

    def read(self, name: str) -> dict[str, Any]:
        """Give a document; empty when there is none."""
        content = self._files.read(f"costs/{name}.json")
        found: dict[str, Any] = {} if content is None else json.loads(content)
        return found

    def write(self, name: str, document: Mapping[str, Any]) -> str:
        """Keep a document and give its address."""
        return self.write_bytes(f"{name}.json", json.dumps(document, indent=1).encode())

    def write_bytes(self, name: str, content: bytes) -> str:
        """Keep a file and give its address."""
        self._files.put(f"costs/{name}", content)
        return self._files.address(f"costs/{name}")
