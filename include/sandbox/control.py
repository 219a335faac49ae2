"""The sandbox's own endpoints under /_sandbox: the clock, the settings, the faults and the calls counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import interruptions
from sandbox.account_limit import ACCOUNT_LIMIT
from sandbox.faults import FAULTS, Fault
from sandbox.market import SHORTAGES
from sandbox.settings import InvalidSetting
from sandbox.world import WORLD

PREFIX = "/_sandbox/"
MAX_SPEED = 1_000_000.0
MAX_ADVANCE_SECONDS = 366 * 86_400.0
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""The clock is set within these, with room after it for what is due later: Python's time ends with the year 9999."""

Request = Mapping[str, Any]
Reply = dict[str, Any]


def _only(request: Request, *known: str) -> None:
    for key in request:
        if key not in known:
            message = f"{key}: unknown key; use {', '.join(known) or 'no key at all'}"
            raise InvalidSetting(message)


def _number(request: Request, key: str, high: float) -> float:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
        message = f"{key}: {value!r} cannot be used; give a number from 0 to {high:g}"
        raise InvalidSetting(message)
    return float(value)


def _instant(value: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        message = f"now: {value!r} is not an instant; give ISO 8601, for example 2026-01-05T08:00:00Z"
        raise InvalidSetting(message) from None
    instant = instant.replace(tzinfo=instant.tzinfo or UTC)
    if not FIRST <= instant <= LAST:
        message = f"now: {value!r} is out of reach; give an instant from {FIRST:%Y} to the end of {LAST.year - 1}"
        raise InvalidSetting(message)
    return instant.astimezone(UTC)


def read_clock(_request: Request) -> Reply:
    """Tell the virtual time."""
    with WORLD.lock:
        return {"now": WORLD.now().isoformat(), "speed": WORLD.clock.speed}


def set_clock(request: Request) -> Reply:
    """Set the virtual time, its speed, or both."""
    _only(request, "now", "speed")
    speed = None if request.get("speed") is None else _number(request, "speed", MAX_SPEED)
    now = None if request.get("now") is None else _instant(request["now"])
    WORLD.set_clock(now=now, speed=speed)
    return read_clock({})


def advance(request: Request) -> Reply:
    """Move on; everything due on the way happens at its own time."""
    _only(request, "seconds")
    seconds = _number(request, "seconds", MAX_ADVANCE_SECONDS)
    if WORLD.now() > LAST - timedelta(seconds=seconds):
        message = (
            f"seconds: {seconds:g} lead beyond the year {LAST.year - 1}; set the clock to an earlier instant first"
        )
        raise InvalidSetting(message)
    WORLD.advance(seconds)
    return read_clock({})


def read_settings(_request: Request) -> Reply:
    """Tell every setting."""
    return asdict(WORLD.settings)


def change_settings(request: Request) -> Reply:
    """Change some settings."""
    return asdict(WORLD.configure(request))


def _shown(fault: Fault) -> Reply:
    return {each.name: getattr(fault, each.name) for each in fields(Fault) if each.init}


def list_faults(_request: Request) -> Reply:
    """Tell the rules in force."""
    return {"faults": [_shown(fault) for fault in FAULTS.rules]}


def add_fault(request: Request) -> Reply:
    """Add a rule."""
    FAULTS.add_mapping(request)
    return list_faults({})


def clear_faults(_request: Request) -> Reply:
    """Drop every rule."""
    FAULTS.clear()
    return list_faults({})


def list_shortages(_request: Request) -> Reply:
    """Tell where capacity is short."""
    return {"shortages": SHORTAGES.shown()}


def add_shortage(request: Request) -> Reply:
    """Let capacity be short somewhere."""
    with WORLD.lock:
        SHORTAGES.add(**request)
    return list_shortages({})


def clear_shortages(_request: Request) -> Reply:
    """End every shortage; groups notice at their next attempt."""
    with WORLD.lock:
        SHORTAGES.clear()
    return list_shortages({})


def kill_instance(request: Request) -> Reply:
    """Lose an instance at once."""
    _only(request, "instance_id")
    with WORLD.lock:
        interruptions.kill(request.get("instance_id"))
    return {}


def interrupt_instance(request: Request) -> Reply:
    """Take a Spot instance back two minutes from now."""
    _only(request, "instance_id")
    with WORLD.lock:
        interruptions.interrupt(request.get("instance_id"))
    return {"gone_at": WORLD.after(interruptions.NOTICE_SECONDS).isoformat()}


def count_calls(_request: Request) -> Reply:
    """Tell how often each operation was called."""
    return dict(sorted(FAULTS.calls.items()))


def forget_calls(_request: Request) -> Reply:
    """Start counting from nothing."""
    FAULTS.forget_calls()
    return {}


def reset(request: Request) -> Reply:
    """Empty the cloud, the rules, the counts and the settings, and go back to real time."""
    _only(request)
    WORLD.reset()
    FAULTS.clear()
    SHORTAGES.clear()
    ACCOUNT_LIMIT.forget()
    FAULTS.forget_calls()
    return read_clock({})


def health(_request: Request) -> Reply:
    """Tell that the sandbox serves."""
    return {"status": "ready", **read_clock({})}


ROUTES: dict[tuple[str, str], Callable[[Request], Reply]] = {
    ("GET", "health"): health,
    ("GET", "clock"): read_clock,
    ("POST", "clock"): set_clock,
    ("POST", "advance"): advance,
    ("GET", "config"): read_settings,
    ("POST", "config"): change_settings,
    ("GET", "faults"): list_faults,
    ("POST", "faults"): add_fault,
    ("DELETE", "faults"): clear_faults,
    ("GET", "shortages"): list_shortages,
    ("POST", "shortages"): add_shortage,
    ("DELETE", "shortages"): clear_shortages,
    ("POST", "kill"): kill_instance,
    ("POST", "interrupt"): interrupt_instance,
    ("GET", "calls"): count_calls,
    ("DELETE", "calls"): forget_calls,
    ("POST", "reset"): reset,
}


def answer(method: str, name: str, request: object) -> tuple[int, Reply]:
    """Answer one control request with a status and JSON."""
    route = ROUTES.get((method, name))
    if route is None:
        known = ", ".join(f"{each_method} {PREFIX}{each}" for each_method, each in ROUTES)
        return 404, {"error": f"{method} {PREFIX}{name}: no such endpoint; use one of {known}"}
    if not isinstance(request, dict):
        return 400, {"error": f"body: {request!r} is not a JSON object; give for example {{}}"}
    try:
        return 200, route(request)
    except InvalidSetting as refusal:
        return 400, {"error": str(refusal)}
