"""Telling people: every notifier in the settings is given the message as `{{ scaling }}`.

Any notifier of Airflow will do, for Slack, e-mail, SNS or what a provider brings. One that fails is told in the task
log and stops nothing: a fleet must not stand still because a chat does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from predictive_scaling.errors import InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import BaseNotifier, Context


def notify(message: str, notifiers: Sequence[Mapping[str, Any]], context: Context) -> list[str]:
    """Send one message to every notifier; give a line for each that could not be told."""
    return [trouble for fields in notifiers if (trouble := _told(message, fields, context))]


def _told(message: str, fields: Mapping[str, Any], context: Context) -> str:
    try:
        notifier_of(fields)({**context, "scaling": message})
    except Exception as error:  # noqa: BLE001 - whatever a notifier raises is its own trouble
        return f"{fields['notifier']} could not be told ({error}): {message}"
    return ""


def notifier_of(fields: Mapping[str, Any]) -> BaseNotifier:
    """Make a notifier from its import path, under `notifier`, and its arguments."""
    given = dict(fields)
    path = str(given.pop("notifier", ""))
    module, _, name = path.rpartition(".")
    try:
        made: BaseNotifier = getattr(import_module(module), name)(**given)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        msg = (
            f"[predictive_scaling] notifiers: {path!r} cannot be used ({error}): write the import path of an Airflow "
            'notifier under "notifier", and its arguments beside it'
        )
        raise InvalidSetting(msg) from error
    return made
