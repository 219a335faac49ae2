"""The operators of a question: one waits for a person inside Airflow, one records the answer and acts on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from predictive_scaling.operators.permanent import mended_by_a_person
from predictive_scaling.operators.steering import SteeringOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseOperator, Context

    from forecasting.approval import Answer, Question
    from forecasting.envelope import Envelope
    from predictive_scaling.fleet_spec import FleetSpec
    from predictive_scaling.ledger.approvals import Approvals

APPROVE: Final = "Approve"
REJECT: Final = "Reject"


class ApprovePlanOperator(HITLOperator):
    """Wait for one of the people who may answer, until the question is due; then its safe answer holds.

    Airflow's own ApprovalOperator skips what follows a no; here a no is recorded like a yes.
    """

    template_fields: Sequence[str] = ("question",)

    def __init__(self, *, question: str = "{{ params.question }}", **kwargs: Any) -> None:
        super().__init__(subject="A plan waits", options=[APPROVE, REJECT], **kwargs)
        self.question = question

    @mended_by_a_person()
    def execute(self, context: Context) -> Any:
        """Put the question, and tell the notifiers; one that has its answer is not put again."""
        from predictive_scaling.ledger.approvals import SqlApprovals

        question = _known(self.question, SqlApprovals.from_connection())
        if not question.is_open:
            msg = f"{question.subject} has its answer: {question.answer} by {question.answered_by}"
            raise AirflowSkipException(msg)
        self._fill_in(question)
        self._tell(question, context)
        return super().execute(context)

    def _fill_in(self, question: Question) -> None:
        from airflow.sdk.configuration import conf

        from forecasting.approval import Answer
        from predictive_scaling.question_text import body_of

        base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
        page = f"{base}/plugin/scaling#fleet/{question.fleet}"
        self.subject = question.subject
        self.body = body_of(question, page, _agreed(question.fleet, _fleets())[1].lasts)
        self.defaults = [APPROVE if question.safe is Answer.APPROVED else REJECT]
        self.assigned_users = [{"id": name, "name": name} for name in question.by]
        self.response_timeout = max(question.due_at - datetime.now(UTC), timedelta(seconds=1))

    def _tell(self, question: Question, context: Context) -> None:
        try:
            way = f"; answer at {self.generate_link_to_ui(task_instance=context['ti'])}"
        except ValueError:  # no base_url: the page and Required Actions show it all the same
            way = ""
        _told(f"{question}{way}", self, context)


class RecordAnswerOperator(SteeringOperator):
    """Write down the answer with who gave it, tell it, and steer the fleet at once."""

    template_fields: Sequence[str] = ("question",)

    def __init__(self, *, asked_by: str, question: str = "{{ params.question }}", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question = question
        self.asked_by = asked_by

    @mended_by_a_person()
    def execute(self, context: Context) -> dict[str, Any]:
        """Record, before anything else that may be out of order; the first answer counts, so a retry finds its own."""
        from predictive_scaling.approving import Hearing, settled, verdict
        from predictive_scaling.ledger.approvals import SqlApprovals
        from predictive_scaling.settings import Settings
        from predictive_scaling.task_run import task_run

        hearing, every = Hearing(approvals=SqlApprovals.from_connection(), by=task_run(context)), _fleets()
        question = _known(self.question, hearing.approvals)
        spec, envelope = _agreed(question.fleet, every)
        said = _answer(context["ti"].xcom_pull(task_ids=self.asked_by))
        done = settled(question, said, hearing, envelope, now=datetime.now(UTC))
        _told(verdict(done), self, context)
        if spec:
            self._steer_all([spec], self._around(context, Settings.from_airflow(), every), context)
        return {"fleet": done.fleet, "answer": str(done.answer), "by": done.answered_by}


def _told(message: str, operator: BaseOperator, context: Context) -> None:
    from predictive_scaling.notify import notify
    from predictive_scaling.settings import Settings

    operator.log.info("%s", message)
    for trouble in notify(message, Settings.from_airflow().notifiers, context):
        operator.log.warning("%s", trouble)


def _known(question_id: str, approvals: Approvals) -> Question:
    found = approvals.of(question_id)
    if found is None:
        msg = (
            f"there is no question {question_id!r}: a run of apply_plans starts this DAG with the id of one that waits"
        )
        raise AirflowFailException(msg)
    return found


def _fleets() -> Sequence[FleetSpec]:
    from predictive_scaling.fleet_folder import read_fleets
    from predictive_scaling.settings import Settings

    return read_fleets(Settings.from_airflow().fleets_folder).fleets


def _agreed(fleet: str, fleets: Sequence[FleetSpec]) -> tuple[FleetSpec | None, Envelope]:
    """Give the fleet, unless its file has gone meanwhile, and what was agreed about it."""
    from forecasting.envelope import Envelope
    from predictive_scaling.approving import agreement

    spec = next((spec for spec in fleets if spec.name == fleet), None)
    return spec, agreement(spec) if spec else Envelope()


def _answer(response: Any) -> tuple[Answer, str] | None:
    """Give what a person chose, and who; None when the deadline chose."""
    from forecasting.approval import Answer

    person = response and response.get("responded_by_user")
    if not person:
        return None
    name = person["name"] if isinstance(person, dict) else person.name
    return (Answer.APPROVED if response["chosen_options"] == [APPROVE] else Answer.REJECTED), str(name)
