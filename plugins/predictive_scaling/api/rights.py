"""Who may see and who may act: Airflow's own rights on DAGs, whichever auth manager grants them."""
# ruff: noqa: TC002 - FastAPI reads the annotations

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, HTTPException

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.base_auth_manager import ResourceMethod
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser


def _needs(method: ResourceMethod, right: str) -> Any:
    """Ask for a right on DAGs in general: Airflow's own check would do with the one DAG that `?dag_id=` names."""

    def check(user: GetUserDep) -> None:
        if not get_auth_manager().is_authorized_dag(method=method, details=DagDetails(), user=user):
            raise HTTPException(403, f"{user.get_name()!r} may not {right}: ask who grants rights here for that one")

    return Depends(check)


Reading: Final = _needs("GET", "read DAGs")
# To change DAGs, not to create them: under FAB nobody has the right to create one.
Acting: Final = _needs("PUT", "change DAGs")


def may_trigger(user: BaseUser, dag_id: str) -> bool:
    """Whether the person may start a run of the DAG."""
    return get_auth_manager().is_authorized_dag(
        method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag_id), user=user
    )


def may_answer(user: BaseUser, dag_id: str) -> bool:
    """Whether the person may answer what a task of the DAG asks; a task that names people is for them alone."""
    return get_auth_manager().is_authorized_dag(
        method="PUT", access_entity=DagAccessEntity.HITL_DETAIL, details=DagDetails(id=dag_id), user=user
    )
