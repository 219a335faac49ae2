"""The one bucket of tokens that all Auto Scaling calls of an account share; off until its rate is set."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.world import WORLD

if TYPE_CHECKING:
    from sandbox.wire import Call


@dataclass(slots=True)
class Bucket:
    """Tokens that come back at a rate, in real seconds because clients back off in real seconds."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    refilled: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin full."""
        self.tokens, self.refilled = self.burst, time.monotonic()

    def take(self) -> bool:
        """Take a token if there is one."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.refilled) * self.rate)
        self.refilled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class AccountLimit:
    """The shared bucket, made anew when its settings change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bucket = Bucket(0.0, 1.0)
        self.refused = 0

    def refuses(self, call: Call) -> bool:
        """Tell whether a call comes too soon after the others."""
        rate, burst = WORLD.settings.account_rate, WORLD.settings.account_burst
        if call.service != "autoscaling" or not rate:
            return False
        size = max(burst or rate, 1.0)
        with self._lock:
            if (self._bucket.rate, self._bucket.burst) != (rate, size):
                self._bucket = Bucket(rate, size)
            if self._bucket.take():
                return False
            self.refused += 1
            return True

    def forget(self) -> None:
        """Begin with a full bucket."""
        with self._lock:
            self._bucket = Bucket(0.0, 1.0)
            self.refused = 0


ACCOUNT_LIMIT = AccountLimit()
