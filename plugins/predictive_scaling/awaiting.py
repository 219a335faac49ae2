"""Starting the run of Airflow in which a question waits for its person.

A run a question, under the question's own id: whoever finds the question open may start its run, there is only ever
one, and its address is known to everybody without being kept anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from forecasting.approval import Question

DAG_ID: Final = "approve_plans"
TASK_ID: Final = "approve"


def await_answer(question: Question) -> str:
    """Start the run, unless it is there already; say what stands against it, and that the deadline holds anyway."""
    from airflow.sdk.exceptions import AirflowRuntimeError

    # What TriggerDagRunOperator's task ends with; Airflow has no function for a task that goes on.
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.execution_time.comms import TriggerDagRun

    message = TriggerDagRun(dag_id=DAG_ID, run_id=question.id, conf={"question": question.id})
    try:
        task_runner.SUPERVISOR_COMMS.send(message)
    except AirflowRuntimeError as error:
        return f"{question.fleet}: nobody can be asked ({error}): see to the DAG {DAG_ID}. {question}"
    return ""
