"""Operators the DAGs are wired from. Importing them imports nothing heavy: a DAG file is parsed again and again."""

from __future__ import annotations

from predictive_scaling.operators.alarms import EnsureAlarmsOperator
from predictive_scaling.operators.apply import ApplyPlansOperator
from predictive_scaling.operators.approve import ApprovePlanOperator, RecordAnswerOperator
from predictive_scaling.operators.check_fleets import CheckFleetsOperator
from predictive_scaling.operators.cost_gate import CostGateOperator
from predictive_scaling.operators.cost_report import CompareCostsOperator
from predictive_scaling.operators.dashboard import EnsureDashboardOperator
from predictive_scaling.operators.ensure_fleet import EnsureFleetOperator
from predictive_scaling.operators.forecast import ForecastDemandOperator
from predictive_scaling.operators.inventory import InventoryOperator
from predictive_scaling.operators.overriding import KillSwitchOperator, PauseFleetOperator, ResumeFleetOperator
from predictive_scaling.operators.pull import CheckPullOperator, ListShardsOperator, PullMetricsOperator
from predictive_scaling.operators.react import ReactToLoadOperator
from predictive_scaling.operators.replay import ReplayPolicyOperator
from predictive_scaling.operators.review import PromoteFleetOperator, ReviewFleetsOperator
from predictive_scaling.operators.rollback import RollbackOperator
from predictive_scaling.operators.scale_in import ScaleInOperator
from predictive_scaling.operators.scale_out import ScaleOutOperator
from predictive_scaling.operators.set_capacity import SetCapacityOperator
from predictive_scaling.operators.split_traffic import SplitTrafficOperator

__all__ = [
    "ApplyPlansOperator",
    "ApprovePlanOperator",
    "CheckFleetsOperator",
    "CheckPullOperator",
    "CompareCostsOperator",
    "CostGateOperator",
    "EnsureAlarmsOperator",
    "EnsureDashboardOperator",
    "EnsureFleetOperator",
    "ForecastDemandOperator",
    "InventoryOperator",
    "KillSwitchOperator",
    "ListShardsOperator",
    "PauseFleetOperator",
    "PromoteFleetOperator",
    "PullMetricsOperator",
    "ReactToLoadOperator",
    "RecordAnswerOperator",
    "ReplayPolicyOperator",
    "ResumeFleetOperator",
    "ReviewFleetsOperator",
    "RollbackOperator",
    "ScaleInOperator",
    "ScaleOutOperator",
    "SetCapacityOperator",
    "SplitTrafficOperator",
]
