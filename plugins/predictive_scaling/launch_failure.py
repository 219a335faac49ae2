"""Why an instance did not come: AWS says it in an activity alone, in prose. Pure.

The call that raised the desired capacity succeeded; what EC2 then refused is worded by EC2, with a code in it or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from predictive_scaling.fleets import Activity


class FailureKind(StrEnum):
    """What has to change before an instance can come."""

    CAPACITY = "capacity"
    QUOTA = "quota"
    TEMPLATE = "template"
    PERMISSION = "permission"
    OTHER = "other"


MENDS: Final[Mapping[FailureKind, str]] = {
    FailureKind.CAPACITY: "EC2 has none left there: allow other zones or instance types, or wait",
    FailureKind.QUOTA: "a quota of the account or a subnet is full: raise it in Service Quotas, or free some",
    FailureKind.TEMPLATE: "the launch template cannot be used: correct its image, key, groups or type",
    FailureKind.PERMISSION: "a right is missing: the service-linked role's, the instance profile's, or to a disk's key",
    FailureKind.OTHER: "read the group's activities in the AWS console",
}
_SIGNS: Final = (
    (FailureKind.PERMISSION, r"UnauthorizedOperation|AccessDenied|not authorized|AuthFailure|OptInRequired|KMS"),
    (FailureKind.PERMISSION, r"Client\.InternalError|Client error on launch|not subscribed"),
    (FailureKind.QUOTA, r"LimitExceeded|MaxSpotInstanceCountExceeded|more vCPU capacity|InsufficientFreeAddresses"),
    (FailureKind.QUOTA, r"not enough free addresses|quota|already running"),
    (FailureKind.CAPACITY, r"Insufficient\w*Capacity|UnfulfillableCapacity|do not have sufficient|no Spot capacity"),
    (FailureKind.CAPACITY, r"SpotMaxPriceTooLow|not supported in your requested Availability Zone|Zone is no longer"),
    (FailureKind.TEMPLATE, r"launch (template|configuration)|InvalidAMI|Invalid\w*\.|InvalidParameter|does not exist"),
    (FailureKind.TEMPLATE, r"InvalidKeyPair|security group|Invalid IAM|not supported|Invalid device name"),
    (FailureKind.TEMPLATE, r"for parameter \w+ is invalid|Placement groups may not be used"),
)
"""In this order: a missing right to a launch template is first of all a missing right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFailure:
    """A launch that failed: of what kind, and in AWS's words."""

    kind: FailureKind
    reason: str

    @property
    def of_spot(self) -> bool:
        """Whether the Spot market refused, where buying on demand may help."""
        return bool(re.search(r"\bspot\b|MaxSpotInstanceCount|SpotMaxPrice", self.reason, re.IGNORECASE))

    def __str__(self) -> str:
        return f"launch failed ({self.kind}): {self.reason}; {MENDS[self.kind]}"

    def as_json(self) -> dict[str, Any]:
        """What a trigger's event carries of it."""
        return {"kind": self.kind.value, "reason": self.reason}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> LaunchFailure:
        """Read what `as_json` wrote."""
        return cls(kind=FailureKind(fields["kind"]), reason=fields["reason"])


def classify(activity: Activity) -> LaunchFailure:
    """Say of which kind a failed launch is; OTHER when AWS's words are none we know."""
    reason = (activity.message or activity.description).strip().rstrip(".")
    kinds = (kind for kind, sign in _SIGNS if re.search(sign, reason, re.IGNORECASE))
    return LaunchFailure(kind=next(kinds, FailureKind.OTHER), reason=reason)
