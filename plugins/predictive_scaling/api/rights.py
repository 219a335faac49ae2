"""Who may see and who may act: Airflow's own rights on DAGs, whichever auth manager grants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser

Reading: Final = Depends(requires_access_dag("GET"))
# To change DAGs, not to create them: under FAB nobody has the right to create one.
Acting: Final = Depends(requires_access_dag("PUT"))


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
