"""The Pricing API for EC2: what the instance types of the sandbox's price list cost on demand, under Linux."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from sandbox.errors import InvalidParameterException
from sandbox.own_services import serves
from sandbox.prices import AS_OF, HOURLY
from sandbox.usage import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_RESULTS = 100
ON_DEMAND_TERM, HOURLY_RATE = "JRTCKXETXF", "6YS6EN2CT7"
FIXED = {
    "servicecode": "AmazonEC2",
    "servicename": "Amazon Elastic Compute Cloud",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "licenseModel": "No License required",
    "operation": "RunInstances",
    "marketoption": "OnDemand",
    "locationType": "AWS Region",
}


@serves("pricing.GetProducts")
def get_products(request: Mapping[str, Any]) -> dict[str, Any]:
    """List products that match every filter, a hundred a page."""
    if request.get("ServiceCode") != "AmazonEC2":
        message = f"Service code {request.get('ServiceCode')} is not valid here: the sandbox has prices of AmazonEC2"
        raise InvalidParameterException(message)
    filters = {each["Field"]: each["Value"] for each in request.get("Filters", ())}
    region = filters.get("regionCode", "us-east-1")
    products = [_product(instance_type, region) for instance_type in HOURLY]
    found = [each for each in products if _matches(each["product"]["attributes"], filters)]
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or MAX_RESULTS)
    shown = [json.dumps(each) for each in found[start : start + size]]
    reply: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": shown}
    if start + size < len(found):
        reply["NextToken"] = str(start + size)
    return reply


def _matches(attributes: Mapping[str, str], filters: Mapping[str, str]) -> bool:
    return all(attributes.get(name) == value for name, value in filters.items())


def _product(instance_type: str, region: str) -> dict[str, Any]:
    sku = hashlib.sha256(f"{region}/{instance_type}".encode()).hexdigest()[:16].upper()
    term, rate = f"{sku}.{ON_DEMAND_TERM}", f"{sku}.{ON_DEMAND_TERM}.{HOURLY_RATE}"
    cost = HOURLY[instance_type]
    dimension = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "rateCode": rate,
        "appliesTo": [],
        "description": f"${cost} per On Demand Linux {instance_type} Instance Hour",
        "pricePerUnit": {"USD": f"{cost:.10f}"},
    }
    offer = {
        "sku": sku,
        "offerTermCode": ON_DEMAND_TERM,
        "effectiveDate": AS_OF,
        "priceDimensions": {rate: dimension},
        "termAttributes": {},
    }
    return {
        "serviceCode": "AmazonEC2",
        "product": {"productFamily": "Compute Instance", "sku": sku, "attributes": _attributes(instance_type, region)},
        "terms": {"OnDemand": {term: offer}},
        "version": AS_OF.replace("-", "").replace(":", "").replace("T", "").replace("Z", ""),
        "publicationDate": AS_OF,
    }


def _attributes(instance_type: str, region: str) -> dict[str, str]:
    memory = INSTANCE_TYPES.get(instance_type, {}).get("MemoryInfo", {}).get("SizeInMiB", 0) / 1024
    place = {"location": "US East (N. Virginia)"} if region == "us-east-1" else {}
    return {
        **FIXED,
        **place,
        "instanceType": instance_type,
        "regionCode": region,
        "vcpu": str(Pool(instance_type=instance_type, zone="").vcpus),
        "memory": f"{memory:g} GiB",
        "usagetype": f"BoxUsage:{instance_type}",
    }
