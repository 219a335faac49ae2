"""What the forms of several DAGs ask for, in the same words everywhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import Param

from predictive_scaling.settings import fleets_folder

if TYPE_CHECKING:
    from airflow.sdk import Context

MOST_INSTANCES: Final = 10_000
MOST_HOURS: Final = 720


def refuse_unknown(context: Context) -> None:
    """Before a task does anything: refuse a key of the run's conf that its DAG does not ask for. Airflow ignores it."""
    from airflow.sdk.exceptions import AirflowFailException

    from forecasting.errors import unknown_key

    dag, conf = context["dag"], context["dag_run"].conf or {}
    otherwise = f"{dag.dag_id} takes {', '.join(dag.params) or 'none'}"
    if unknown := [unknown_key(key, dag.params, otherwise) for key in conf if key not in dag.params]:
        msg = f"nothing was done: the run's conf is not what {dag.dag_id} asks for: {'; '.join(unknown)}"
        raise AirflowFailException(msg)


def fleet() -> Param:
    """Ask for a fleet; those that have a file are proposed, and the name of an autoscaler may be typed."""
    return Param(
        type="string",
        minLength=1,
        title="Fleet",
        description="The name in its fleet file, or of an autoscaler.",
        examples=fleet_names(),
    )


def reason() -> Param:
    """Ask why."""
    return Param(type="string", minLength=5, title="Reason", description="Kept in the ledger, with your name.")


def dry_run(description: str = "Say what would be done only.", *, given: bool = False) -> Param:
    """Ask whether to write at all."""
    return Param(default=given, type="boolean", title="Dry run", description=description)


def choice(given: str, options: dict[str, str], title: str, description: str = "") -> Param:
    """Ask for one of some words, each shown with what it means."""
    words = list(options)
    return Param(given, description, type="string", enum=words, values_display=options, title=title)


def instances(title: str, description: str) -> Param:
    """Ask for a number of instances, or none."""
    return Param(
        None, type=["null", "integer"], minimum=0, maximum=MOST_INSTANCES, title=title, description=description
    )


def hours(given: float | None, title: str, description: str) -> Param:
    """Ask for a length of time, or none."""
    bounds: dict[str, Any] = {"exclusiveMinimum": 0, "maximum": MOST_HOURS}
    return Param(given, type=["null", "number"], title=title, description=description, **bounds)


def variations(title: str, description: str, *, example: dict[str, Any]) -> Param:
    """Ask for a few objects by name, or none."""
    return Param(None, f"{description} For example {json.dumps(example)}", type=["null", "object"], title=title)


def fleet_names() -> list[str]:
    """Give the names in the fleet files, good or bad; a folder that is not there has none."""
    folder = fleets_folder()
    files = sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"}) if folder.is_dir() else []
    found = (re.search(r"^name:\s*['\"]?([\w.-]+)", path.read_text(errors="replace"), re.MULTILINE) for path in files)
    return [match[1] for match in found if match]
