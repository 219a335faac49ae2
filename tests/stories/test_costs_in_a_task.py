"""The promise: money is judged and compared by tasks, with exactly the permissions that are asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException
from by_hand import Desk, a_desk
from rights import client_of, keys_of

from demo.local_airflow import ROOT
from forecasting.price_book import Purchase
from predictive_scaling.cost_store import CostStore
from predictive_scaling.ledger.records import EventKind
from predictive_scaling.operators import CompareCostsOperator, CostGateOperator
from predictive_scaling.prices import AwsPrices, Bought

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import sandbox

PRICE = 0.0104


def at_the_desk(cloud: sandbox.Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch, *budgets: dict[str, Any]) -> Desk:
    """Set up a deployment whose fleets' folder has budgets beside it."""
    desk = a_desk(cloud, folder, monkeypatch, rights=("costs",))
    cloud.clock(now=datetime.now(UTC).isoformat(), speed=0)
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__STORAGE", f"file://{folder}/storage")
    (folder / "budgets.yaml").write_text(yaml.safe_dump({"budgets": list(budgets)}))
    return desk


def test_of_what_a_person_would_add_the_gate_grants_what_the_budget_allows(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "web", "fleets": ["web"], "hourly": 5 * PRICE})

    (row,) = desk.carry_out(CostGateOperator(task_id="gate", fleets="web", amount="6", hours="2"))

    assert (row["outcome"], row["granted"]) == ("clamped", 3)
    (event,) = [each for each in desk.ledger.events(fleet="web") if each.kind is EventKind.BUDGETED]
    assert (event.by.actor, event.reason) == ("ada", row["verdicts"][0]["reason"])


def test_a_gate_with_nothing_left_fails_and_lets_instances_go(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "web", "fleets": ["web"], "hourly": 2 * PRICE})
    with pytest.raises(AirflowFailException, match="none of the 1 instances is within the budget: budget web: clamped"):
        desk.carry_out(CostGateOperator(task_id="gate", fleets="web", amount=1))
    (row,) = desk.carry_out(CostGateOperator(task_id="gate", fleets="web", amount=-1))
    assert (row["outcome"], row["granted"]) == ("within", -1)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"amount": "many"}, "amount 'many' is not a whole number: write for example 3, or -2"),
        ({"amount": 3, "hours": "nan"}, "hours 'nan' is no length of time: write a number above 0, up to 720"),
        ({"amount": 3, "hours": 0}, "hours 0 is no length of time"),
    ],
)
def test_a_gate_that_is_asked_wrongly_fails_at_once_and_judges_nothing(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], told: str
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "web", "fleets": ["web"], "hourly": 5 * PRICE})
    with pytest.raises(AirflowFailException, match=told):
        desk.carry_out(CostGateOperator(task_id="gate", fleets="web", **asked))
    assert desk.ledger.events(fleet="web") == ()


def test_a_gate_that_asks_leaves_the_rest_to_a_person(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = {"name": "all", "fleets": "all", "hourly": 0, "at_cap": "ask"}
    desk = at_the_desk(cloud, tmp_path, monkeypatch, budget)
    (row,) = desk.carry_out(CostGateOperator(task_id="gate", amount=3))
    assert (row["outcome"], row["granted"]) == ("ask", 0)


def test_wrong_budgets_fail_the_task_at_once_with_their_file(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "web", "fleets": ["web"]})
    with pytest.raises(AirflowFailException, match=r"budgets\.yaml: budget 'web' caps nothing"):
        desk.carry_out(CostGateOperator(task_id="gate"))


def test_a_budget_of_a_fleet_that_is_not_there_is_told(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "shop", "fleets": ["wbe"], "hourly": 1})
    desk.carry_out(CostGateOperator(task_id="gate"))
    assert "budget shop: there is no fleet wbe: correct `fleets`" in capsys.readouterr().out


def test_the_permissions_are_exactly_the_calls_made(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch, {"name": "all", "fleets": "all", "daily": 9})
    cloud.faults.forget_calls()

    desk.carry_out(CostGateOperator(task_id="gate"))
    spot = Bought(instance_type="t3.micro", region="us-east-1", purchase=Purchase.SPOT)
    store = CostStore.at(f"file://{tmp_path}/storage")
    keys = keys_of(cloud, "costs")
    AwsPrices(lambda service, _region: client_of(cloud, service, keys), store).rate(spot, now=datetime.now(UTC))

    statements = json.loads((ROOT / "include" / "iam" / "costs.json").read_text())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert {name.replace(".", ":") for name in cloud.calls()} == allowed


def test_a_comparison_is_told_as_a_table_and_kept_with_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cloud: sandbox.Cloud
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch)
    monkeypatch.setenv("AIRFLOW__PREDICTIVE_SCALING__FLEETS_FOLDER", str(ROOT / "include" / "fleets"))

    found = desk.carry_out(CompareCostsOperator(task_id="compare", profile="samples/daily-profile.yaml"))

    assert [round(way["cost"]) for way in found["ways"]] == [500, 395, 327]
    kept = json.loads((tmp_path / found["kept"].split(f"{tmp_path}/")[-1]).read_text())
    assert kept["ways"] == found["ways"]
    assert (tmp_path / found["picture"].split(f"{tmp_path}/")[-1]).read_bytes().startswith(b"\x89PNG")
    firm = desk.carry_out(
        CompareCostsOperator(task_id="compare", profile="samples/daily-profile.yaml", risk_limit="0.0")
    )
    assert round(firm["ways"][1]["cost"]) == 500


def test_a_profile_that_is_not_there_fails_with_its_name(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = at_the_desk(cloud, tmp_path, monkeypatch)
    with pytest.raises(AirflowFailException, match=r"nowhere\.yaml: cannot be read"):
        desk.carry_out(CompareCostsOperator(task_id="compare", profile="nowhere.yaml"))


@pytest.mark.parametrize("profile", ["../secret.yaml", "samples/../../secret.yaml", "{outside}", "samples/link.yaml"])
def test_a_profile_outside_of_the_folder_is_not_read(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    (tmp_path / "secret.yaml").write_text("password: hunter2")
    (tmp_path / "home" / "samples").mkdir(parents=True)
    (tmp_path / "home" / "samples" / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    desk = at_the_desk(cloud, tmp_path / "home", monkeypatch)
    named = profile.format(outside=tmp_path / "secret.yaml")
    with pytest.raises(AirflowFailException, match="leads out of the folder") as refused:
        desk.carry_out(CompareCostsOperator(task_id="compare", profile=named))
    assert "hunter2" not in str(refused.value)
    assert "password" not in str(refused.value)


def test_a_folder_that_is_a_link_itself_is_read(
    cloud: sandbox.Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "there")
    desk = at_the_desk(cloud, tmp_path / "home", monkeypatch)
    with pytest.raises(AirflowFailException, match=r"nowhere\.yaml: cannot be read"):
        desk.carry_out(CompareCostsOperator(task_id="compare", profile="nowhere.yaml"))
