"""A bucket: an S3 of its own process, over HTTP, which lets us do what the shipped policy says and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3
import numpy as np

from demo.process import Process, free_port
from forecasting import Forecast, Policy
from forecasting.synthetic import synthetic_demand
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import FileMetric, Metric
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY: Final = Path(__file__).parents[2] / "include" / "iam" / "storage.json"
CONNECTION, BUCKET = "bucket_keeper", "kept"
ADDRESS = f"s3://{CONNECTION}@{BUCKET}/predictive_scaling"
BEGIN, FIVE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=5)
REQUESTS = Metric(namespace="Shop", name="Requests", period=FIVE)
WEB = FleetSpec(name="web", group="web", metric=REQUESTS, policy=Policy(1, 9, 100.0))


@contextmanager
def a_bucket(folder: Path) -> Iterator[dict[str, str]]:
    """Run the server with one bucket; give the environment that knows the connection to it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with Process(command, log=folder / "bucket.log") as server:
        server.wait_until(lambda: _answers(url), what="the server of the bucket", seconds=60)
        connection = {"conn_type": "aws", "extra": {"endpoint_url": url, **_allowed(url)}}
        _let_rights_count(url)
        yield {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection)}


def a_load(file: Path, *, days: int) -> datetime:
    """Write what was measured since the beginning into a file, and give its end."""
    values = synthetic_demand(days=days, seed=1).values.tolist()
    rows = (f"{(BEGIN + slot * FIVE).isoformat()},{value}" for slot, value in enumerate(values))
    file.write_text("\n".join(("timestamp,value", *rows)))
    return BEGIN + len(values) * FIVE


def asked(folder: Path) -> list[str]:
    """Tell what the bucket was asked so far, a line a request."""
    return [line for line in (folder / "bucket.log").read_text().splitlines() if f"/{BUCKET}" in line]


def a_fleet(name: str, file: Path = Path("/nowhere.csv")) -> FleetSpec:
    """Give a fleet whose files are its own, and whose load is in a file."""
    return replace(WEB, name=name, metric=FileMetric(name="Load", path=f"file://{file}", period=FIVE))


def _allowed(url: str) -> dict[str, str]:
    """Make the bucket, and a user who has the shipped policy; give the user's keys."""
    reach: dict[str, Any] = {"endpoint_url": url, "region_name": "us-east-1"}
    root = {**reach, "aws_access_key_id": "root", "aws_secret_access_key": "anything"}
    boto3.client("s3", **root).create_bucket(Bucket=BUCKET)
    iam = boto3.client("iam", **root)
    iam.create_user(UserName="scaling")
    policy = POLICY.read_text().replace("my-bucket", BUCKET)
    iam.put_user_policy(UserName="scaling", PolicyName="storage", PolicyDocument=policy)
    key = iam.create_access_key(UserName="scaling")["AccessKey"]
    given = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return {"region_name": "us-east-1", **given}


def elsewhere(deed: str) -> None:
    """Do something in another process, as a task does while an API server lives on."""
    begin = "from bucket import *; from predictive_scaling.storage import Storage; storage = Storage.at(ADDRESS)"
    path = os.pathsep.join(each for each in sys.path if each)
    subprocess.run([sys.executable, "-c", f"{begin}; {deed}"], check=True, env={**os.environ, "PYTHONPATH": path})


def points(first: int, last: int) -> Points:
    """Give a value for each of some slots, which is the number of the slot."""
    return Points.of((BEGIN + slot * FIVE, float(slot)) for slot in range(first, last))


def a_forecast(start: datetime) -> Forecast:
    """Give a small forecast."""
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    return Forecast(start=start, step=FIVE, quantiles=(0.5, 0.9), values=values, engine="x", reason="y")


def _let_rights_count(url: str) -> None:
    """Check every request from now on, as AWS does: a server that has just begun lets all pass."""
    headers = {"Content-Type": "text/plain"}
    with urlopen(Request(f"{url}/moto-api/reset-auth", data=b"0", headers=headers)):  # noqa: S310 - our own server
        pass


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/moto-api/", timeout=1):  # noqa: S310 - our own server
            return True
    except (URLError, OSError):
        return False
