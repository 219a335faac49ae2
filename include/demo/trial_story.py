"""The life of an autoscaler from outside: made, followed by its capacity, rolled back, paused, told of, deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from demo.check import Finding
from demo.scaling_api import ScalingApi
from demo.traffic import FULL
from demo.trial_fleet import LEAST, Counts, TrialFleet, minutes_ago

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo.airflow_api import AirflowApi
    from demo.running_demo import Demo

NAME: Final = "trial-check"
IDLE: Final = 20.0
GROWN: Final = 3
"""Two instances that are full ask for so many at 70 %."""
VISIBLE: Final = 3
"""Minutes: a minute that began so long ago has closed, and CloudWatch shows it."""
LOOK: Final = 240.0
"""Seconds a look, its run and the change may take."""
WHY: Final = "make end-to-end"


def story(demo: Demo) -> Iterator[Finding]:
    """Tell it; TimeoutError or RuntimeError says where it broke off."""
    api = ScalingApi(demo.airflow)
    before = max((event["id"] for event in api.events(NAME)), default=0)
    tale = _Tale(demo.airflow, api, TrialFleet(NAME, demo.cloud), before)
    boot = float(demo.cloud.control("config", {})["boot_seconds"])
    demo.airflow.wait_for_dags("react_to_load", "roll_back", "pause_fleet", "resume_fleet")
    yield from tale.made()
    yield from tale.grown(patience=2 * boot + 60)
    yield from tale.rolled_back()
    yield from tale.paused()
    yield from tale.told()
    yield from tale.deleted()


@dataclass(frozen=True, slots=True)
class _Tale:
    airflow: AirflowApi
    api: ScalingApi
    fleet: TrialFleet
    before: int  # the last event of an earlier run

    def made(self) -> Iterator[Finding]:
        yield Finding(f"signed in as {self.api.get('me')['name']}", good=True)
        self.fleet.build()
        answer = self.api.make_autoscaler(self.fleet.body())
        yield Finding(f"POST /autoscalers: {answer.status_code}", answer.is_success)
        again = self.api.make_autoscaler(self.fleet.body())
        same = again.is_success and again.json()["created_at"] == answer.json()["created_at"]
        yield Finding("asked again with its key, no second one is made", same)
        found = self.api.get(f"fleets/{NAME}")
        yield Finding(f"GET /fleets/{NAME}: a fleet of group {found['group']}", found["group"] == NAME)

    def grown(self, *, patience: float) -> Iterator[Finding]:
        def has_a_past() -> bool:
            serving = min(self.fleet.counted(minutes_ago(VISIBLE)), self._counts().in_service)
            return serving >= LEAST

        def is_answered() -> bool:
            self.fleet.report(FULL, minutes_ago(VISIBLE))
            return self._counts().desired > LEAST

        _wait(has_a_past, f"{LEAST} instances in service for {VISIBLE} minutes", seconds=patience + 240)
        _wait(is_answered, "more instances asked for under load", seconds=LOOK)
        wanted = self._counts().desired
        yield Finding(f"under load: desired {LEAST} -> {wanted}, {GROWN} expected", wanted == GROWN)
        _wait(lambda: self._counts().in_service >= wanted, f"{wanted} instances in service", seconds=patience)
        yield Finding(f"{wanted} instances are in service", good=True)

    def rolled_back(self) -> Iterator[Finding]:
        self.fleet.report(IDLE, minutes_ago(VISIBLE - 1))
        change = self._applied()
        self._run("roll_back", event_id=change["id"])
        now = self._counts()
        yield Finding(f"event {change['id']} rolled back: desired is {now.desired} again", now.desired == LEAST)

    def paused(self) -> Iterator[Finding]:
        self._run("pause_fleet", fleet=NAME, kind="freeze", hours=1)
        kinds = ", ".join(f"{each['kind']} by {each['actor']}" for each in self.api.overrides(NAME) if each["holds"])
        yield Finding(f"paused: {kinds or 'no override holds'}", bool(kinds))
        actions = self.fleet.scheduled()
        yield Finding(f"paused: {len(actions)} scheduled actions, to hold it and to let it go", len(actions) > 1)
        self._run("resume_fleet", fleet=NAME)
        held = [each for each in self.api.overrides(NAME) if each["holds"]]
        yield Finding("resumed: no override holds", not held)

    def told(self) -> Iterator[Finding]:
        events = self._events()
        kinds = {event["kind"] for event in events}
        yield Finding(f"the ledger tells: {', '.join(sorted(kinds))}", {"created", "intent", "applied"} <= kinds)
        intents = _calls(events, "intent")
        yield Finding(f"{len(intents)} intents, each with its outcome", intents == _calls(events, "applied"))
        who = {event["actor"] for event in events if event["kind"] == "applied" and event["dag_id"] == "roll_back"}
        yield Finding(f"rolled back by {', '.join(who) or 'nobody'}", who == {"admin"})

    def deleted(self) -> Iterator[Finding]:
        seen = self.api.ask("GET", f"autoscalers/{NAME}")
        gone = self.api.ask("DELETE", f"autoscalers/{NAME}", If_Match=seen.headers["ETag"])
        yield Finding(f"DELETE /autoscalers/{NAME}: {gone.status_code}", gone.is_success)
        yield Finding("it is no longer listed", NAME not in self.api.autoscalers())

    def _counts(self) -> Counts:
        counts = self.fleet.counts()
        if counts is None:
            msg = f"group {NAME} is gone"
            raise RuntimeError(msg)
        return counts

    def _events(self) -> list[dict[str, Any]]:
        """Give the events of this run, newest first."""
        return [event for event in self.api.events(NAME) if event["id"] > self.before]

    def _applied(self) -> dict[str, Any]:
        """Give the newest change; the ledger tells of it when the group has been looked at again."""
        found: list[dict[str, Any]] = []

        def is_told() -> bool:
            found[:] = [event for event in self._events() if event["kind"] == "applied" and event["call"]]
            return bool(found)

        _wait(is_told, "an applied event in the ledger", seconds=LOOK)
        return found[0]

    def _run(self, dag_id: str, **form: Any) -> None:
        run = self.airflow.wait_for_run(dag_id, self.airflow.trigger(dag_id, {**form, "reason": WHY}))
        if run["state"] != "success":
            msg = f"{dag_id}: run {run['dag_run_id']} {run['state']}: read its task log at {self.airflow.url}"
            raise RuntimeError(msg)


def _calls(events: list[dict[str, Any]], kind: str) -> list[tuple[str, str]]:
    return sorted((event["operation_id"], event["call"]) for event in events if event["kind"] == kind and event["call"])


def _wait(holds: Callable[[], bool], what: str, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            msg = f"{what}: not within {seconds:.0f} s"
            raise TimeoutError(msg)
        time.sleep(1)
