"""The `[predictive_scaling]` section of airflow.cfg, read when a task or command starts and never at import."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from predictive_scaling.errors import InvalidSetting

SECTION: Final = "predictive_scaling"

OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "fleets_folder": {
        "description": "Folder of the fleet files, one YAML file a fleet.",
        "type": "string",
        "default": "{AIRFLOW_HOME}/fleets",
    },
    "storage": {
        "description": "Where metric history and forecasts are kept, an address Airflow's ObjectStoragePath takes.",
        "type": "string",
        "default": "file://{AIRFLOW_HOME}/predictive_scaling",
        "example": "s3://aws_default@my-bucket/predictive_scaling",
    },
    "fleets_per_shard": {
        "description": "Fleets one task works on. Tasks a cycle grow with the number of shards, not of fleets.",
        "type": "integer",
        "default": "200",
    },
    "dry_run": {
        "description": "Plan and record for every fleet, whatever its mode, and write nothing to AWS.",
        "type": "boolean",
        "default": "False",
    },
    "action_prefix": {
        "description": "First part of the names of our scheduled actions; two deployments need two.",
        "type": "string",
        "default": "ps",
    },
    "operation_patience": {
        "description": "Seconds after which an open operation counts as abandoned and the next run settles it.",
        "type": "integer",
        "default": "900",
    },
    "deployment": {
        "description": "What groups are told holds them. One deployment is refused what another holds.",
        "type": "string",
        "default": "{LEDGER}",
    },
    "notifiers": {
        "description": "Whom to tell of moves at the gate, questions and concerns: a JSON list of Airflow notifiers.",
        "type": "string",
        "default": "[]",
        "example": '[{"notifier": "some.provider.SomeNotifier", "text": "{{ scaling }}"}]',
    },
    "calls_per_second": {
        "description": "Auto Scaling calls a second, of all tasks together, for each AWS connection; 0: as AWS allows.",
        "type": "float",
        "default": "0",
        "example": "8",
    },
    "alarm_connection": {
        "description": "The Airflow connection that `alarm_queues` are read with.",
        "type": "string",
        "default": "aws_default",
    },
    "check_interval": {
        "description": "Seconds between two looks at the loads of the fleets that we react for.",
        "type": "integer",
        "default": "30",
    },
    "watch_shards": {
        "description": "Triggers that share these fleets among them.",
        "type": "integer",
        "default": "1",
    },
    "alarm_queues": {
        "description": "URLs of the SQS queues whose messages mean: look now. One for each watch shard, with spaces.",
        "type": "string",
        "default": "",
        "example": "https://sqs.eu-central-1.amazonaws.com/123456789012/ps-load-alarms",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How the loads of the fleets that we react for are watched."""

    every: int
    shards: int
    queues: tuple[str, ...] = ()
    connection: str = "aws_default"

    @property
    def queue_each(self) -> tuple[str, ...]:
        """Give each shard the queue that wakes it, or none."""
        return self.queues or ("",) * self.shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The section's values, checked."""

    fleets_folder: Path
    storage: str
    fleets_per_shard: int
    dry_run: bool
    action_prefix: str
    operation_patience: timedelta
    notifiers: tuple[dict[str, Any], ...] = ()
    deployment: str = "{LEDGER}"

    @classmethod
    def from_airflow(cls) -> Settings:
        """Read the section as Airflow sees it: environment first, then airflow.cfg, then our defaults."""
        return cls(
            fleets_folder=fleets_folder(),
            storage=_text("storage"),
            fleets_per_shard=_whole_number("fleets_per_shard", least=1),
            dry_run=_flag("dry_run"),
            action_prefix=_prefix(),
            operation_patience=timedelta(seconds=_whole_number("operation_patience", least=60)),
            notifiers=_notifiers(),
            deployment=_text("deployment"),
        )


def watch() -> Watch:
    """Read how to watch: by themselves, for a DAG file reads these when it is parsed."""
    shards, queues = _whole_number("watch_shards", least=1), tuple(_text("alarm_queues").split())
    if queues and len(queues) != shards:
        each = f"list {shards}, one for each of watch_shards: a message is seen by one of them only"
        _refuse("alarm_queues", " ".join(queues), each)
    every, connection = _whole_number("check_interval", least=5), _text("alarm_connection")
    return Watch(every=every, shards=shards, queues=queues, connection=connection)


def calls_per_second() -> float:
    """Read the budget of calls, 0 for none: by itself, for every client is made within it."""
    value = _text("calls_per_second")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        _refuse("calls_per_second", value, "write a number above 0, or 0 for no budget of ours")
    return number


def fleets_folder() -> Path:
    """Give the folder of the fleet files, whatever the rest of the section says."""
    return Path(_text("fleets_folder"))


def _text(key: str) -> str:
    from airflow.configuration import AIRFLOW_HOME, conf

    value = conf.get(SECTION, key, fallback=None) or OPTIONS[key]["default"]
    return str(value).replace("{AIRFLOW_HOME}", AIRFLOW_HOME)


def _whole_number(key: str, *, least: int) -> int:
    value = _text(key)
    if not value.isascii() or not value.isdigit() or int(value) < least:
        _refuse(key, value, f"write a whole number of at least {least}")
    return int(value)


def _flag(key: str) -> bool:
    value = _text(key).lower()
    if value not in {"true", "false"}:
        _refuse(key, value, "write True or False")
    return value == "true"


def _prefix() -> str:
    value = _text("action_prefix")
    if not value.replace("-", "").isalnum() or not value.isascii() or len(value) > 20:  # noqa: PLR2004 - leaves room
        _refuse("action_prefix", value, "write up to 20 letters, digits and dashes")
    return value


def _notifiers() -> tuple[dict[str, Any], ...]:
    text = _text("notifiers")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, dict) and "notifier" in each for each in found):
        _refuse("notifiers", text, 'write a JSON list such as [{"notifier": "import.path.OfANotifier", "text": "…"}]')
    return tuple(found or ())


def _refuse(key: str, value: str, mend: str) -> None:
    msg = f"[{SECTION}] {key} = {value!r} cannot be used: {mend}"
    raise InvalidSetting(msg)
