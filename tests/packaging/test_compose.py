"""The promise: `docker-compose.yaml` is valid, closed to the network, and agrees with the code it runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from demo.compose_file import ComposeFile
from demo.local_airflow import ROOT
from predictive_scaling.ledger.connection import CONNECTION
from predictive_scaling.ledger.database import LedgerDatabase
from predictive_scaling.settings import OPTIONS, SECTION
from sandbox import __main__ as sandbox_command

FILE = ROOT / "docker-compose.yaml"
SECRETS = dict.fromkeys(
    ("POSTGRES_PASSWORD", "LEDGER_PASSWORD", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD", "FERNET_KEY"), "secret"
)
AIRFLOW = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")


def the_file() -> ComposeFile:
    return ComposeFile.read(FILE, SECRETS)


def test_the_file_keeps_to_the_compose_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    command: list[str | Path] = [checker, "--builtin-schema", "vendor.compose-spec", FILE]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_of_a_deployment_is_there() -> None:
    assert set(the_file().services) == {"postgres", "redis", "sandbox", "airflow-init", *AIRFLOW}


def test_every_service_that_stays_up_says_whether_it_is_healthy_and_comes_back() -> None:
    for name, service in the_file().services.items():
        if name != "airflow-init":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_what_a_service_waits_for_is_healthy_or_done() -> None:
    services = the_file().services
    for name, service in services.items():
        for other, wanted in service.get("depends_on", {}).items():
            ends = services[other]["restart"] == "no"
            assert wanted["condition"] == ("service_completed_successfully" if ends else "service_healthy"), name
    assert all("airflow-init" in services[name]["depends_on"] for name in AIRFLOW)


def test_every_published_port_is_on_loopback() -> None:
    published = [port for service in the_file().services.values() for port in service.get("ports", ())]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published), published


def test_everything_that_is_mounted_exists() -> None:
    compose = the_file()
    sources = {source for name in compose.services for source in compose.mounts(name).values()}

    for source in sources:
        assert (ROOT / source).exists() if source.startswith(".") else source in compose.volumes, source


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_is_not_set_stops_everything(secret: str) -> None:
    with pytest.raises(KeyError, match=secret):
        ComposeFile.read(FILE, {**SECRETS, secret: ""})


@pytest.mark.parametrize("service", [*AIRFLOW, "airflow-init"])
def test_the_environment_sets_options_and_names_classes_that_exist(service: str) -> None:
    environment = the_file().environment(service)
    prefix = f"AIRFLOW__{SECTION.upper()}__"
    ours = {key.removeprefix(prefix).lower() for key in environment if key.startswith(prefix)}

    assert ours
    assert ours <= set(OPTIONS)
    manager = f"{LedgerDatabase.__module__}.{LedgerDatabase.__name__}"
    assert environment["AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS"] == manager
    assert f"AIRFLOW_CONN_{CONNECTION.upper()}" in environment


def test_tasks_reach_the_ledger_as_the_restricted_role() -> None:
    role = re.search(r"create role (\w+)", (ROOT / "include/sql/ledger_role.sql").read_text())

    assert role
    address = the_file().environment("worker")[f"AIRFLOW_CONN_{CONNECTION.upper()}"]
    assert address.startswith(f"postgresql://{role[1]}:secret@postgres:5432/")


def test_the_sandbox_takes_the_options_it_is_started_with() -> None:
    python, _, module, *options = the_file().services["sandbox"]["command"]

    assert (python, module) == ("python", "sandbox")
    assert sandbox_command._parser().parse_args(options).port == 5555  # noqa: SLF001 - parsing alone starts nothing


def test_the_image_is_the_locked_airflow_and_is_built_with_the_pinned_uv() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    locked = re.search(r"^apache-airflow==([\d.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    pinned = re.search(r"^UV_VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert locked
    assert f"FROM apache/airflow:{locked[1]}-python3.11" in dockerfile
    assert pinned
    assert f"uv=={pinned[1]}" in dockerfile


def test_the_image_installs_extras_that_exist_and_no_developers_tools() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    extras = re.findall(r"--extra (\w+)", (ROOT / "Dockerfile").read_text())

    assert {"postgres", "celery", "sandbox"} <= set(extras)
    assert all(re.search(rf"^{extra} = \[", project, re.MULTILINE) for extra in extras)
    assert "--group" not in (ROOT / "Dockerfile").read_text()
