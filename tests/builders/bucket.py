"""A bucket: an S3 of its own process, over HTTP, and what is kept in it by this process or another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import numpy as np

from demo.process import Process, free_port
from forecasting import Forecast, Policy
from predictive_scaling.fleet_spec import FleetSpec
from predictive_scaling.metric import Metric
from predictive_scaling.storage import Points

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    keys: dict[str, Any] = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
    keys["region_name"] = "us-east-1"
    with Process(command, log=folder / "bucket.log") as server:
        server.wait_until(lambda: _answers(url), what="the server of the bucket", seconds=60)
        boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket=BUCKET)
        connection = {"conn_type": "aws", "extra": {"endpoint_url": url, **keys}}
        yield {f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection)}


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


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/moto-api/", timeout=1):  # noqa: S310 - our own server
            return True
    except (URLError, OSError):
        return False
