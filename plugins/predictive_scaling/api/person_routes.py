"""The route about the person who asks: the page shows what they may do, and nothing else."""
# ruff: noqa: TC002 - FastAPI reads the annotations

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.dag import DagModel
from fastapi import APIRouter
from pydantic import BaseModel, Field

from predictive_scaling.api.problem import PROBLEMS
from predictive_scaling.api.rights import may_answer, may_trigger
from predictive_scaling.awaiting import DAG_ID

router = APIRouter(tags=["person"], responses=PROBLEMS)

MANUAL: Final = (
    "scale_manually",
    "roll_back",
    "pause_fleet",
    "resume_fleet",
    "promote_fleet",
    "kill_switch",
    "replay_policy",
)
"""The DAGs that people trigger from the page, through Airflow's own API and with their own rights."""


class Person(BaseModel):
    """Who asks, and which DAGs they may trigger from the page."""

    name: str
    id: str = Field(description="by which Airflow knows who may answer a question")
    may_trigger: list[str] = Field(description="those of the manual DAGs that exist and that they may run")
    may_answer: bool = Field(description="whether they may answer questions that name nobody")


@router.get("/me")
def get_person(user: GetUserDep, session: SessionDep) -> Person:
    """Tell who asks and what they may do."""
    there = session.scalars(sa.select(DagModel.dag_id).where(DagModel.dag_id.in_(MANUAL), ~DagModel.is_stale))
    allowed = sorted(dag_id for dag_id in there if may_trigger(user, dag_id))
    return Person(name=user.get_name(), id=str(user.get_id()), may_trigger=allowed, may_answer=may_answer(user, DAG_ID))
