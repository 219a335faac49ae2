"""Sending a message to an SNS topic or an SQS queue by its ARN, as services of AWS do."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.events.models import events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger("sandbox")


def send(arn: str, message: Mapping[str, Any], subject: str | None = None) -> bool:
    """Send JSON to a topic or a queue; tell whether it went out."""
    _, _, service, region, account, name = arn.split(":", 5)
    try:
        match service:
            case "sns":
                sns_backends[account][region].publish(json.dumps(message), arn=arn, subject=subject)
            case "sqs":
                sqs_backends[account][region].send_message(name, json.dumps(message))
            case _:
                return False
    except (ServiceException, KeyError) as error:
        log.warning("a message to %s was lost: %s", arn, error)
        return False
    return True


def announce(  # noqa: PLR0913, PLR0917 - an event has a place, a source, a type, a detail and resources
    account: str, region: str, source: str, kind: str, detail: Mapping[str, Any], resources: Sequence[str]
) -> None:
    """Put an event of AWS on the default bus of EventBridge, or lose it, as AWS may."""
    lost = WORLD.settings.lost_events
    if lost and WORLD.random.random() < lost:
        log.warning("an event was lost: %s", kind)
        return
    event = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail), "Resources": list(resources)}
    events_backends[account][region].put_events([event])
