"""Every task of every DAG refuses a key of the run's conf that its DAG does not ask for, before it does anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowFailException

from demo.local_airflow import ROOT

if TYPE_CHECKING:
    from airflow.sdk import DAG

NAMES = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(dag_folder=str(ROOT / "dags"))
    assert bag.import_errors == {}
    return bag.dags


def before_it_executes(dag: DAG, task: Any, conf: dict[str, Any] | None) -> None:
    """What Airflow calls before a task of a run with this conf."""
    hook = task.partial_kwargs["pre_execute"] if hasattr(task, "partial_kwargs") else task._pre_execute_hook  # noqa: SLF001 - Airflow's own
    hook({"dag": dag, "dag_run": SimpleNamespace(conf=conf)})


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_no_form_has_is_refused_by_every_task(dags: dict[str, DAG], name: str) -> None:
    dag = dags[name]
    known = dag.params.dump()
    assert dag.tasks
    for task in dag.tasks:
        for conf in (None, {}, known):
            before_it_executes(dag, task, conf)
        with pytest.raises(AirflowFailException, match=f"nothing was done: .* {name} asks for: key 'zzz' is unknown"):
            before_it_executes(dag, task, {**known, "zzz": 1})


def test_the_key_that_was_meant_is_named(dags: dict[str, DAG]) -> None:
    dag = dags["scale_manually"]
    with pytest.raises(AirflowFailException, match=r"key 'dryrun' is unknown: did you mean dry_run\?$"):
        before_it_executes(dag, dag.tasks[0], {"fleet": "web", "dryrun": True})
