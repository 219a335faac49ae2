"""Who may call what: the policies of IAM users and roles, in force while the setting `iam` is 1.

Moto keeps users, roles and policies, but judges every call by the resource `*` and without conditions, and by names
that policies do not use. Here a statement counts by its actions, its resources and its conditions. The resource is
known for calls that concern one Auto Scaling group; of other calls it is not, and every resource matches. Conditions
are judged by the tags of that group, and by the tags that the call itself brings. Who gives a group a launch template
whose image is a parameter of Systems Manager must be allowed to read parameters.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.autoscaling.models import FakeAutoScalingGroup, autoscaling_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

from sandbox.errors import Answer, error_answer
from sandbox.group_instances import instance_of
from sandbox.launch_templates import PARAMETER
from sandbox.world import WORLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sandbox.wire import Call

ROOT = "sandbox"
"""The access key of the account's owner, which the handle `Cloud` uses: nothing is denied to it."""
PREFIXES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing", "stepfunctions": "states"}
"""Names in policies that differ from those of boto3's clients."""
ALWAYS = ("sts:GetCallerIdentity",)
_DENIALS = {"ec2": "UnauthorizedOperation", "json": "AccessDeniedException", "rest-json": "AccessDeniedException"}
_TAG = re.compile(r"(?:aws|autoscaling):(Resource|Request)Tag/(.+)")
_TEMPLATE = re.compile(r"(?:.+\.)?LaunchTemplate(?:Id|Name)")
_KEY = re.compile(r"(Tags\.member\.\d+\.)Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call asks for: an action, on which group if it is known, and the tags of the group and of the call."""

    action: str
    group: FakeAutoScalingGroup | None
    tags: Mapping[str, Mapping[str, str]]


def refusal(call: Call) -> Answer | None:
    """Refuse a call that no policy of its caller allows, or that one denies."""
    if not WORLD.settings.iam or call.key_id == ROOT:
        return None
    headers = {"X-Amz-Security-Token": call.token} if call.token else {}
    try:
        caller = create_access_key(DEFAULT_ACCOUNT_ID, "aws", call.key_id, headers)
    except CreateAccessKeyFailure:
        message = "The security token included in the request is invalid."
        return error_answer(call.protocol, "InvalidClientTokenId", message, 403)
    policies = list(caller.collect_policies())
    denied = next((each for each in _all_asked(call) if not _allowed(policies, each)), None)
    if denied is None:
        return None
    on = f" on resource: {denied.group.arn}" if denied.group else ""
    message = (
        f"User: {caller.arn} is not authorized to perform: {denied.action}{on} "
        f"because no identity-based policy allows the {denied.action} action"
    )
    return error_answer(call.protocol, _DENIALS.get(call.protocol, "AccessDenied"), message, 403)


def _action(call: Call) -> str:
    """Name what policies allow: to SQS, many messages at once are the same action as one."""
    return call.operation.removesuffix("Batch") if call.service == "sqs" else call.operation


def _all_asked(call: Call) -> Iterator[Asked]:
    """Give what a call asks for, and what AWS asks of its caller besides."""
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"))) if call.service == "autoscaling" else {}
    yield _asked(call, form)
    if any(_image(name, call.region).startswith(PARAMETER) for key, name in form.items() if _TEMPLATE.fullmatch(key)):
        yield Asked(action="ssm:GetParameters", group=None, tags={"Resource": {}, "Request": {}})


def _image(template: str, region: str) -> str:
    """Look up the image of a launch template, by its name or id."""
    known = ec2_backends[DEFAULT_ACCOUNT_ID][region].launch_templates.values()
    found = next((each for each in known if template in {each.name, each.id}), None)
    return str(found.latest_version().data.get("ImageId", "")) if found else ""


def _asked(call: Call, form: Mapping[str, str]) -> Asked:
    group = _group(call, form)
    return Asked(
        action=f"{PREFIXES.get(call.service, call.service)}:{_action(call)}",
        group=group,
        tags={
            "Resource": {str(tag["Key"]): str(tag["Value"]) for tag in group.tags} if group else {},
            "Request": {form[key]: form.get(f"{part[1]}Value", "") for key in form if (part := _KEY.fullmatch(key))},
        },
    )


def _allowed(policies: Iterable[Any], asked: Asked) -> bool:
    effects = {statement["Effect"] for statement in _statements(policies) if _applies(statement, asked)}
    return asked.action in ALWAYS or effects == {"Allow"}


def _statements(policies: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for policy in policies:
        text = policy if isinstance(policy, str) else _document(policy)
        found = (json.loads(text) if isinstance(text, str) else text)["Statement"]
        yield from [found] if isinstance(found, dict) else found


def _document(policy: Any) -> Any:
    """Find the text in what moto keeps: a managed policy, or one written into a user or group."""
    if isinstance(policy, dict):
        return policy["policy_document"]
    return next(version.document for version in policy.versions if version.is_default)


def _applies(statement: dict[str, Any], asked: Asked) -> bool:
    return (
        _named(statement.get("Action", ()), asked.action.lower(), fold=True)
        and (asked.group is None or _named(statement.get("Resource", ()), asked.group.arn))
        and all(_holds(test, wanted, asked) for test, wanted in statement.get("Condition", {}).items())
    )


def _named(patterns: str | list[str], name: str, *, fold: bool = False) -> bool:
    every = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, each.lower() if fold else each) for each in every)


def _holds(test: str, wanted: dict[str, Any], asked: Asked) -> bool:
    """Compare tags; a condition that cannot be judged here does not hold."""
    for key, values in wanted.items():
        tag = _TAG.fullmatch(key)
        found = asked.tags[tag[1]].get(tag[2]) if tag else None
        if found is None or test not in {"StringEquals", "StringLike"}:
            return False
        every = [values] if isinstance(values, str) else values
        if not any(fnmatchcase(found, each) if test == "StringLike" else found == each for each in every):
            return False
    return True


def _group(call: Call, form: Mapping[str, str]) -> FakeAutoScalingGroup | None:
    """Find the one group that a call of Auto Scaling changes; descriptions concern all of them."""
    if call.service != "autoscaling" or call.operation.startswith("Describe"):
        return None
    backend = autoscaling_backends[DEFAULT_ACCOUNT_ID][call.region]
    if "InstanceId" in form:
        found = instance_of(backend, form["InstanceId"])
        return found[0] if found else None
    return backend.autoscaling_groups.get(form.get("AutoScalingGroupName") or form.get("Tags.member.1.ResourceId", ""))
