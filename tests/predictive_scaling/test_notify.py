"""Whoever is in the settings is told; one that cannot be told stops nothing."""

from __future__ import annotations

import json

import pytest

import sandbox
from predictive_scaling.errors import InvalidSetting
from predictive_scaling.notify import notifier_of, notify

SNS = "airflow.providers.amazon.aws.notifications.sns.SnsNotifier"


def a_connection(url: str) -> str:
    extra = {"endpoint_url": url, "region_name": "us-east-1"}
    return json.dumps({"conn_type": "aws", "login": "a-key", "password": "a-secret", "extra": extra})


def test_a_message_goes_to_a_topic_and_on_to_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox.running() as cloud:
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", a_connection(cloud.url))
        sns, sqs = cloud.client("sns"), cloud.client("sqs")
        topic = sns.create_topic(Name="scaling")["TopicArn"]
        queue = sqs.create_queue(QueueName="pager")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:pager")

        notify(
            "web: auto -> suspended: two bad weeks",
            [{"notifier": SNS, "target_arn": topic, "message": "{{ scaling }}", "region_name": "us-east-1"}],
            {},
        )

        (letter,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(letter["Body"])["Message"] == "web: auto -> suspended: two bad weeks"


def test_a_notifier_that_fails_is_named_with_its_reason_and_stops_nothing() -> None:
    broken = {"notifier": "airflow.providers.smtp.notifications.smtp.SmtpNotifier", "to": "a@example.com"}
    (trouble,) = notify("web: suspended", [{**broken, "from_email": "b@example.com", "smtp_conn_id": "nowhere"}], {})
    assert trouble.endswith("SmtpNotifier could not be told (SMTP connection is not found.): web: suspended")


@pytest.mark.parametrize("path", ["", "nowhere.Notifier", "json.Nothing", SNS + "s"])
def test_a_path_that_leads_to_no_notifier_is_refused(path: str) -> None:
    with pytest.raises(InvalidSetting, match=r"notifiers: .* cannot be used"):
        notifier_of({"notifier": path})


def test_a_notifier_that_is_not_there_stops_nothing_either() -> None:
    (trouble,) = notify("web: suspended", [{"notifier": "nowhere.Notifier"}], {})
    assert trouble.startswith("nowhere.Notifier could not be told ([predictive_scaling] notifiers: 'nowhere.Notifier'")
