"""The product's rights in the stories: a user with policies of `include/iam` and nothing besides, and IAM enforced.

Whoever arranges a story is the account's owner (`cloud.client`); what the product does in it, it does with these keys.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import boto3
from botocore.config import Config

from demo.local_airflow import ROOT
from predictive_scaling.checks import MARK

if TYPE_CHECKING:
    import pytest

    import sandbox

REGION = "us-east-1"
ONCE = Config(retries={"total_max_attempts": 1})
_KEYS: WeakKeyDictionary[sandbox.Cloud, dict[tuple[str, ...], dict[str, str]]] = WeakKeyDictionary()


def keys_of(cloud: sandbox.Cloud, *policies: str) -> dict[str, str]:
    """Give the keys of a user who has these policies; from now on everybody needs one."""
    made = _KEYS.setdefault(cloud, {})
    if policies not in made:
        texts = [(ROOT / "include" / "iam" / f"{name}.json").read_text() for name in policies]
        made[policies] = a_user(cloud, "-".join(policies), texts)
    return made[policies]


def a_user(cloud: sandbox.Cloud, name: str, policies: list[str]) -> dict[str, str]:
    """Make a user with policies given as text, enforce IAM, and give the user's keys; none of it counts as a call."""
    counted = dict(cloud.faults.calls)
    iam = cloud.client("iam")
    iam.create_user(UserName=name)
    for number, policy in enumerate(policies):
        iam.put_user_policy(UserName=name, PolicyName=f"asked-for-{number}", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    cloud.configure(iam=1)
    cloud.faults.calls.clear()
    cloud.faults.calls.update(counted)
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def client_of(cloud: sandbox.Cloud, service: str, keys: dict[str, str], config: Config = ONCE) -> Any:
    """Give a client with these keys, which answers for itself: no retries unless the story asks for them."""
    options: dict[str, Any] = {"endpoint_url": cloud.url, "region_name": REGION, "config": config, **keys}
    return boto3.client(service, **options)


def connect(cloud: sandbox.Cloud, monkeypatch: pytest.MonkeyPatch, *policies: str) -> None:
    """Define the connection `aws_default` with the rights of these policies."""
    connect_with(keys_of(cloud, *policies), cloud, monkeypatch)


def connect_with(
    keys: dict[str, str],
    cloud: sandbox.Cloud,
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: str = "aws_default",
    **more: str,
) -> None:
    """Define a connection with given keys, and more of its extra."""
    extra = {"endpoint_url": cloud.url, "region_name": REGION, **keys, **more}
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "aws", "extra": extra}))


def marked(cloud: sandbox.Cloud, group: str = "web") -> None:
    """Give a group the tag without which the policies allow no write."""
    key, value = MARK
    place = {"ResourceId": group, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": False}
    cloud.client("autoscaling").create_or_update_tags(Tags=[{**place, "Key": key, "Value": value}])
