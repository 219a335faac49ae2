"""Everything this package refuses, as one tree.

PredictiveScalingError
├── InvalidFleet          a fleet file, or two of them together, cannot be used
├── InvalidSetting        a value in [predictive_scaling] of airflow.cfg cannot be used
├── NoHistory             a fleet has no stored history or forecast to work from
├── UnusableFile          a stored file holds something else than it should
├── LedgerUnavailable     the ledger's connection, tables or rights are missing
├── LedgerUnreachable     the ledger's database gives no answer now, and may later
├── CloudUnavailable      AWS cannot be reached, or the connection to it is missing
├── GroupNotFound         the Auto Scaling group named by a fleet does not exist
├── OutcomeUnknown        a call was sent and never answered: it may have taken effect
├── WriteRefused          AWS answered a write with an error, wholly or for some actions
├── OutOfBounds           a size was asked for that the fleet file or the group does not allow
├── NotAllowed            the fleet's mode or state forbids what was asked for
├── NothingToRestore      an event or operation changed nothing that could be put back
├── ChangedSince          somebody else changed the group after the operation that is to be rolled back
├── LaunchFailed          instances that were asked for did not come
├── NotFollowed           a change was made, and its end was not seen
├── SourceUnavailable     a source cannot be reached, or its answer cannot be used (sources/__init__.py)
│   └── Unreachable       what a connection leads to does not answer at all
├── FleetBusy             another operation on the fleet is open
└── Unforeseen            one fleet met what nobody foresaw, and the others go on

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


class UnusableFile(PredictiveScalingError):
    """A stored file is torn, or was written by somebody else."""


class LedgerUnavailable(PredictiveScalingError):
    """The ledger cannot be used, so nothing may be changed."""


class LedgerUnreachable(PredictiveScalingError):
    """The ledger gives no answer, and may a moment later."""


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


class Unforeseen(PredictiveScalingError):
    """One fleet met what nobody foresaw."""


class OutOfBounds(PredictiveScalingError):
    """A size was asked for that the fleet file or the group does not allow."""


class NotAllowed(PredictiveScalingError):
    """The fleet's mode or state forbids what was asked for."""


class NothingToRestore(PredictiveScalingError):
    """There is nothing to put back."""


class ChangedSince(PredictiveScalingError):
    """Somebody else changed the group since."""


class LaunchFailed(PredictiveScalingError):
    """Instances that were asked for did not come."""


class NotFollowed(PredictiveScalingError):
    """A change was made, and its end was not seen."""


def unforeseen(error: Exception) -> str:
    """Say in one line what nobody foresaw; whoever says it has logged the traceback."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}; the traceback is above in this log"
