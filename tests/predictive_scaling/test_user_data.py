"""The script that starts a worker on a new instance, run for real among stubs of the programs it calls."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from services import without

from demo.local_airflow import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = ROOT / "include" / "user_data" / "worker.sh"
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/worker:7"
STUB = """#!/bin/bash
echo "$(basename "$0") $*" >> "$WORLD/calls"
fails() {  # the first so many calls fail, as told by a file
  local left; left="$(cat "$WORLD/fail-$1" 2>/dev/null || echo 0)"
  ((left > 0)) && echo $((left - 1)) > "$WORLD/fail-$1"
}
case "$(basename "$0") $*" in
  curl*api/token*) echo token ;;
  curl*placement/region*) echo eu-central-1 ;;
  curl*instance-id*) echo i-0abc ;;
  curl*target-lifecycle-state*) cat "$WORLD/state" ;;
  curl*spot/instance-action*) [[ -e "$WORLD/spot" ]] || exit 22 ;;
  aws*get-parameters-by-path*) fails ssm && exit 1; cat "$WORLD/parameters" ;;
  aws*get-login-password*) echo secret ;;
  aws*describe-auto-scaling-instances*) echo video-workers ;;
  docker*login*) fails login && exit 1; cat > /dev/null ;;
  docker*run*) fails run && { echo "no route to the registry" >&2; exit 125; }; echo started ;;
  docker*inspect*) cat "$WORLD/running" ;;
  docker*start*) echo true > "$WORLD/running" ;;
  sleep*) [[ -e "$WORLD/next" ]] && mv "$WORLD/next" "$WORLD/state" ;;
esac
exit 0
"""


class Instance:
    """A new instance, as far as the script can tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("bin", "etc", "units"):
            (folder / name).mkdir()
        for name in ("aws", "docker", "curl", "systemctl", "sleep"):
            stub = folder / "bin" / name
            stub.write_text(STUB)
            stub.chmod(0o755)
        self.says("state", "InService")
        self.says("running", "false")
        self.says(
            "parameters", f"/p/video/IMAGE\t{IMAGE}\n/p/video/LOG_GROUP\tworkers\n/p/video/QUEUE_URL\thttp://q/1 2"
        )
        self.script = folder / "part-001"
        self.script.write_text(SCRIPT.read_text().replace("@fleet@", "video"))

    @property
    def log(self) -> str:
        """What the start said."""
        return (self.folder / "etc" / "start.log").read_text()

    def says(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"{text}\n")

    def boots(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script as cloud-init does."""
        env = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "WORLD": str(self.folder),
            "FOLDER": str(self.folder / "etc"),
            "UNITS": str(self.folder / "units"),
        }
        return subprocess.run(
            ["bash", str(self.script), *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def calls(self, *words: str) -> list[str]:
        """Give the calls that begin with the first of these words and hold them all."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line.startswith(words[:1] or "") and all(word in line for word in words)]


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance(tmp_path)


def test_it_is_a_script_that_bash_and_shellcheck_accept() -> None:
    assert subprocess.run(["bash", "-n", SCRIPT], check=False).returncode == 0
    shellcheck = shutil.which("shellcheck", path=f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}")
    if shellcheck is None:
        without("shellcheck", "run `make install`")
    done = subprocess.run([shellcheck, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_worker_runs_with_its_settings_and_its_log_is_shipped(instance: Instance) -> None:
    done = instance.boots()
    assert done.returncode == 0, done.stderr
    assert len(instance.calls("docker run --detach --name worker", "--restart unless-stopped", IMAGE)) == 1
    assert instance.calls("docker login --username AWS --password-stdin 123456789012.dkr.ecr")
    environment = (instance.folder / "etc" / "worker.env").read_text().splitlines()
    assert {"INSTANCE_ID=i-0abc", "AUTO_SCALING_GROUP=video-workers"} <= set(environment)
    assert "QUEUE_URL=http://q/1 2" in environment
    assert "AWS_DEFAULT_REGION=eu-central-1" in environment
    assert (instance.folder / "etc" / "worker.env").stat().st_mode & 0o077 == 0, "only root may read the settings"
    assert instance.calls("docker ps")
    assert instance.calls("aws logs put-log-events", "i-0abc/start")
    assert instance.calls("systemctl enable --now worker-watch.service")
    assert "secret" not in "".join(instance.calls())


def test_what_fails_twice_is_tried_again_with_longer_waits(instance: Instance) -> None:
    instance.says("fail-run", "2")
    assert instance.boots().returncode == 0
    assert len(instance.calls("docker run")) == 3
    assert instance.calls("sleep")[:2] == ["sleep 5", "sleep 10"]
    assert len(instance.calls("docker rm --force worker")) == 3, "a half-made container is removed before each attempt"


@pytest.mark.parametrize(
    ("step", "says"),
    [("run", "docker run"), ("login", "registry login"), ("ssm", "reading /predictive-scaling/video")],
)
def test_it_gives_up_with_a_clear_log_and_frees_the_instance(instance: Instance, step: str, says: str) -> None:
    instance.says(f"fail-{step}", "99")
    assert instance.boots().returncode == 1
    log = instance.log
    assert f"video: {says} failed, attempt 1 of 4; again in 5 s" in log
    assert f"video: gave up: {says} failed 4 times" in log
    assert instance.calls("systemctl poweroff")
    if step != "ssm":  # without settings nobody knows where logs go
        (shipped,) = instance.calls("aws logs put-log-events", "i-0abc/start")
        assert f"gave up: {says} failed 4 times" in shipped


def test_a_missing_setting_is_named(instance: Instance) -> None:
    instance.says("parameters", "/p/video/LOG_GROUP\tworkers")
    assert instance.boots().returncode == 1
    assert "/predictive-scaling/video/IMAGE" in instance.log
    assert not instance.calls("docker run")


def test_an_instance_on_its_way_into_a_warm_pool_takes_no_work(instance: Instance) -> None:
    instance.says("state", "Warmed:Stopped")
    assert instance.boots().returncode == 0
    assert instance.calls("docker create --name worker")
    assert not instance.calls("docker run")


def test_the_watch_starts_the_worker_in_service_and_stops_it_when_the_instance_must_go(instance: Instance) -> None:
    instance.boots()
    instance.says("next", "Terminated")
    done = instance.boots("watch")
    assert done.returncode == 0, done.stderr
    started, stopped = instance.calls("docker start worker"), instance.calls("docker stop --time 55 worker")
    assert (len(started), len(stopped)) == (1, 1)
    (told,) = instance.calls("aws", "complete-lifecycle-action")
    assert "--auto-scaling-group-name video-workers" in told
    assert "--lifecycle-hook-name predictive-scaling-farewell" in told
    everything = instance.calls()
    assert everything.index(stopped[0]) < everything.index(told), "the group is told when the worker has finished"


def test_a_spot_notice_stops_the_worker_too(instance: Instance) -> None:
    instance.boots()
    instance.says("spot", "")
    assert instance.boots("watch").returncode == 0
    assert instance.calls("docker stop --time 55 worker")


def test_a_log_with_quotes_and_tabs_is_still_json(instance: Instance) -> None:
    instance.says("fail-run", "99")
    text = (instance.folder / "bin" / "docker").read_text()
    (instance.folder / "bin" / "docker").write_text(text.replace('"no route', '\'no "route"\\\\ \t\'"'))
    instance.boots()
    (shipped,) = instance.calls("aws logs put-log-events")
    (event,) = json.loads(shipped.partition("--log-events ")[2])
    assert 'no "route"' in event["message"]


def test_a_long_log_of_quotes_is_shipped_too(instance: Instance) -> None:
    instance.boots()
    instance.says("spot", "")
    text = (instance.folder / "bin" / "docker").read_text()
    loud = "  docker*logs*) printf '%0.s\"' {1..200000} ;;\n  docker*inspect*)"
    (instance.folder / "bin" / "docker").write_text(text.replace("  docker*inspect*)", loud))

    done = instance.boots("watch")

    assert "could not be shipped" not in done.stderr
    assert instance.calls("aws logs put-log-events", "i-0abc/end")


def test_a_watch_that_has_said_goodbye_is_not_started_again_to_say_it_once_more(instance: Instance) -> None:
    instance.boots()
    unit = (instance.folder / "units" / "worker-watch.service").read_text()
    assert "Restart=on-failure" in unit, "it ends with 0 after its goodbye, and with an error otherwise"


def test_the_workers_policy_has_what_its_script_and_its_program_call_and_no_more() -> None:
    pulling = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}  # what `docker run` asks the registry
    awslogs = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}
    typed = re.findall(r"aws (\w+) ((?:[a-z]+-)+[a-z]+)", SCRIPT.read_text())
    called = re.findall(r"_(sqs|autoscaling)\.(\w+)\(", (ROOT / "include" / "worker" / "worker.py").read_text())
    made = {f"{service}:{''.join(word.title() for word in re.split('[-_]', name))}" for service, name in typed + called}
    made = {name.replace("ecr:GetLoginPassword", "ecr:GetAuthorizationToken") for name in made}
    statements = json.loads((ROOT / "include" / "iam" / "worker.json").read_text())["Statement"]
    assert made | pulling | awslogs == {action for statement in statements for action in statement["Action"]}
