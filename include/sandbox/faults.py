"""Faults on demand: throttling, errors and slowness for the calls that a rule names."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sandbox.account_limit import ACCOUNT_LIMIT, Bucket
from sandbox.settings import InvalidSetting
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sandbox.wire import Call

MESSAGES = {"Throttling": "Rate exceeded", "ThrottlingException": "Rate exceeded"}


@dataclass(slots=True, kw_only=True)
class Fault:
    """A rule: what it matches, when it strikes, and what the client gets instead of an answer."""

    service: str = ".*"
    """Regular expression over boto3's client names: autoscaling, cloudwatch, ec2, elbv2, sqs, …"""
    operation: str = ".*"
    """Regular expression over operation names, for example Put.*"""
    error: str | None = None
    """The AWS error code to answer with; none for a rule that only slows calls down."""
    status: int = 400
    message: str | None = None
    probability: float = 1.0
    count: int | None = None
    """Strike so many times, then never again."""
    skip: int = 0
    """Let so many of the calls that it matches pass before the first strike."""
    seconds: float | None = None
    """Virtual seconds after which the rule is over by itself."""
    latency: float = 0.0
    """Real seconds before the call takes effect, or with `after` between its effect and the answer."""
    rate: float | None = None
    """Calls per real second that pass; only those beyond it are struck."""
    burst: float | None = None
    """Calls that pass at once before the rate is felt (default: the rate, at least 1)."""
    after: bool = False
    """Let the call take effect first, and answer with the error all the same, or late."""
    drop: bool = False
    """Close the connection instead of an answer."""
    bucket: Bucket | None = field(init=False)
    since: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a rule that could never work."""
        _check(self)
        self.burst = max(self.rate or 0.0, 1.0) if self.burst is None else self.burst
        self.bucket = None if self.rate is None else Bucket(self.rate, self.burst)
        self.since = WORLD.now()

    @property
    def ends(self) -> bool:
        """Tell whether it decides what the client gets; a rule that does not is only slow."""
        return self.error is not None or self.drop or self.after

    def matches(self, call: Call) -> bool:
        """Tell whether the rule speaks of this call."""
        return bool(re.fullmatch(self.service, call.service) and re.fullmatch(self.operation, call.operation))

    def strikes(self) -> bool:
        """Tell whether the rule strikes a call that it matches, and count the strike."""
        if self.count == 0 or self._is_over() or self._passes():
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.probability < 1 and WORLD.random.random() >= self.probability:
            return False
        self.count = None if self.count is None else self.count - 1
        return True

    def _is_over(self) -> bool:
        return self.seconds is not None and WORLD.now() - self.since >= timedelta(seconds=self.seconds)

    def _passes(self) -> bool:
        """Take a token from the bucket if the rule has one; a call that gets a token passes."""
        return self.bucket is not None and self.bucket.take()


_NUMBERS = (
    ("probability", 0, 1),
    ("latency", 0, 3600),
    ("rate", 0, 1e9),
    ("burst", 1, 1e9),
    ("count", 0, 1e12),
    ("skip", 0, 1e12),
    ("seconds", 0, 1e9),
    ("status", 400, 599),
)
_WHOLE = ("count", "skip", "status")
_MAY_BE_NONE = ("rate", "burst", "count", "seconds")


def _check(fault: Fault) -> None:
    for name in ("service", "operation"):
        try:
            re.compile(getattr(fault, name))
        except (re.error, TypeError):
            _refuse(name, getattr(fault, name), "a regular expression")
    for name, low, high in _NUMBERS:
        _check_number(fault, name, low, high)
    for name in ("after", "drop"):
        if not isinstance(getattr(fault, name), bool):
            _refuse(name, getattr(fault, name), "true or false")
    for name in ("error", "message"):
        if not isinstance(getattr(fault, name), str | None):
            _refuse(name, getattr(fault, name), "a text")
    if fault.error is None and not fault.latency and not fault.drop:
        _refuse("error", None, "an AWS error code such as Throttling, a latency above 0, or drop")


def _check_number(fault: Fault, name: str, low: float, high: float) -> None:
    value = getattr(fault, name)
    if value is None and name in _MAY_BE_NONE:
        return
    if name in _WHOLE and isinstance(value, float) and not value.is_integer():
        _refuse(name, value, "a whole number")
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        _refuse(name, value, f"a number from {low:g} to {high:g}")


def _refuse(name: str, value: object, wanted: str) -> None:
    message = f"{name}: {value!r} cannot be used; give {wanted}"
    raise InvalidSetting(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What the rules do to one call."""

    latency: float
    fault: Fault | None

    @property
    def message(self) -> str:
        """Return the text of the error."""
        error = (self.fault and self.fault.error) or ""
        return (self.fault and self.fault.message) or MESSAGES.get(error, f"{error} (a fault injected by the sandbox)")


class Faults:
    """The rules in force and the count of every call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rules: list[Fault] = []
        self.calls: Counter[str] = Counter()

    def add(self, **rule: Any) -> Fault:
        """Add a rule; the keys are the fields of `Fault`."""
        return self.add_mapping(rule)

    def add_mapping(self, rule: Mapping[str, Any]) -> Fault:
        """Add a rule that came as JSON."""
        known = {each.name for each in fields(Fault) if each.init}
        for key in rule:
            if key not in known:
                message = f"{key}: unknown key of a fault; use {', '.join(sorted(known))}"
                raise InvalidSetting(message)
        fault = Fault(**rule)
        with self._lock:
            self.rules.append(fault)
        return fault

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self.rules.clear()

    def forget_calls(self) -> None:
        """Start counting from nothing."""
        with self._lock:
            self.calls.clear()

    def meet(self, call: Call) -> Strike:
        """Count a call and tell what happens to it; the first rule with an error wins."""
        with self._lock:
            self.calls[call.key] += 1
            if ACCOUNT_LIMIT.refuses(call):
                return Strike(latency=0.0, fault=Fault(error="Throttling"))
            latency = 0.0
            for rule in self.rules:
                if rule.matches(call) and rule.strikes():
                    latency += rule.latency
                    if rule.ends:
                        return Strike(latency=latency, fault=rule)
            return Strike(latency=latency, fault=None)


FAULTS = Faults()
