"""Everything this package refuses, as one tree.

PredictiveScalingError
├── InvalidFleet          a fleet file, or two of them together, cannot be used
├── InvalidSetting        a value in [predictive_scaling] of airflow.cfg cannot be used
├── NoHistory             a fleet has no stored history or forecast to work from
├── LedgerUnavailable     the ledger's connection, tables or rights are missing
├── CloudUnavailable      AWS cannot be reached, or the connection to it is missing
├── GroupNotFound         the Auto Scaling group named by a fleet does not exist
├── OutcomeUnknown        a call was sent and never answered: it may have taken effect
├── WriteRefused          AWS answered a write with an error, wholly or for some actions
└── FleetBusy             another operation on the fleet is open

Each message says what happened, with which value, and what to do about it.
"""

from __future__ import annotations


class PredictiveScalingError(Exception):
    """Anything this package refuses to do."""


class InvalidFleet(PredictiveScalingError):
    """A fleet file cannot be used."""


class InvalidSetting(PredictiveScalingError):
    """A configured value cannot be used."""


class NoHistory(PredictiveScalingError):
    """A fleet has nothing stored to work from."""


class LedgerUnavailable(PredictiveScalingError):
    """The ledger cannot be used, so nothing may be changed."""


class CloudUnavailable(PredictiveScalingError):
    """AWS cannot be reached with the fleet's connection."""


class GroupNotFound(PredictiveScalingError):
    """The fleet's Auto Scaling group does not exist."""


class OutcomeUnknown(PredictiveScalingError):
    """A write was sent and no answer came."""


class WriteRefused(PredictiveScalingError):
    """AWS refused a write."""


class FleetBusy(PredictiveScalingError):
    """Another operation holds the fleet."""
