"""A blueprint as a person writes it: `blueprints/<fleet>.yaml` beside the fleet files, checked to the last key."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from predictive_scaling.blueprint import Blueprint, Spot, WarmPool
from predictive_scaling.errors import InvalidFleet
from predictive_scaling.metric_file import Duration, Name, Strict, Text

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FOLDER: Final = "blueprints"
FLEET_MARK: Final = "@fleet@"
"""Stands in user data where the fleet's name is to be."""
_USER_DATA_BYTES: Final = 16 * 1024


class WarmPoolFields(Strict):
    """Instances booted ahead and put aside, so that the next launch is quick."""

    min: int = Field(0, ge=0, description="the pool is never smaller")
    max_prepared: int | None = Field(None, ge=0, description="instances in service and in the pool; max if not given")
    state: Literal["Stopped", "Running", "Hibernated"] = "Stopped"
    reuse: bool = Field(default=False, description="instances go back to the pool on scale-in")


class SpotFields(Strict):
    """How much is bought on the spot market, which can take it back after two minutes."""

    on_demand_base: int = Field(0, ge=0, description="the first so many are bought on demand")
    share: int = Field(0, ge=0, le=100, description="percent of those above the base that are Spot")


class BlueprintFile(Strict):
    """What the group of one fleet is made of."""

    fleet: Name = Field(description="the fleet's name; its file gives group, min and max")
    image: str = Field(pattern=r"^(ami-[0-9a-f]+|resolve:ssm:.+)$", description="an AMI, or resolve:ssm:/a/parameter")
    instance_types: tuple[Text, ...] = Field(min_length=1, max_length=40, description="the first is preferred")
    subnets: tuple[Text, ...] = ()
    zones: tuple[Text, ...] = Field((), description="instead of subnets, where the account has default ones")
    security_groups: tuple[Text, ...] = ()
    instance_profile: Text | None = Field(None, description="the name of the profile whose role the workers have")
    user_data: Text | None = Field(None, description="a script, relative to this file; @fleet@ becomes the name")
    spot: SpotFields = Field(default_factory=lambda: SpotFields.model_validate({}))
    target_groups: tuple[Text, ...] = Field((), description="ARNs")
    health_check: Literal["EC2", "ELB"] = "EC2"
    grace: Duration = Field(timedelta(minutes=5), description="no health check counts before it; 5m to 10m")
    cooldown: Duration = Field(timedelta(minutes=3), description="2m to 5m")
    warmup: Duration = Field(timedelta(minutes=2), description="until an instance's metrics count")
    capacity_rebalance: bool = Field(default=False, description="replace Spot at the first warning")
    farewell: Duration = Field(timedelta(minutes=1), description="to finish the message in hand; 0 for no hook")
    warm_pool: WarmPoolFields | None = None
    processing: Duration | None = Field(None, description="what one message takes, on average")
    tags: dict[Text, Text] = Field(default_factory=dict, max_length=40)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> BlueprintFile:
        longest = timedelta(hours=2)
        for wrong, message in (
            (bool(self.subnets) == bool(self.zones), "write either `subnets:` or `zones:`"),
            (
                self.warm_pool is not None and (self.spot.share > 0 or len(self.instance_types) > 1),
                "a warm pool needs one on-demand type: leave out `spot:`, and all but one of `instance_types:`",
            ),
            (
                self.health_check == "ELB" and not self.target_groups,
                "health_check ELB asks target groups, and none is given: add `target_groups:` or write EC2",
            ),
            (self.capacity_rebalance and not self.spot.share, "capacity_rebalance is for Spot: add `spot:`"),
            (
                timedelta(0) < self.farewell < timedelta(seconds=30) or self.farewell > longest,
                f"farewell {self.farewell} is none that AWS takes: write 30s to 2h, or 0",
            ),
        ):
            if wrong:
                raise ValueError(message)
        return self

    def blueprint(self, folder: Path) -> Blueprint:
        """Give the blueprint as the rest of the product knows it."""
        pool = self.warm_pool
        fields = self.model_dump(exclude={"spot", "warm_pool", "user_data"})
        return Blueprint(
            **fields,
            user_data=_user_data(folder, self.user_data, self.fleet) if self.user_data else "",
            spot=Spot(on_demand_base=self.spot.on_demand_base, share=self.spot.share),
            warm_pool=WarmPool(min_size=pool.min, max_prepared=pool.max_prepared, state=pool.state, reuse=pool.reuse)
            if pool
            else None,
        )


def blueprint_path(fleets_folder: str | Path, fleet: str) -> Path:
    """Where the blueprint of a fleet is."""
    return Path(fleets_folder) / FOLDER / f"{fleet}.yaml"


def read_blueprint(path: Path) -> Blueprint:
    """Read one blueprint; InvalidFleet names the file, the key, the value and the mend."""
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        msg = f"{path}: there is no blueprint: write what the group is made of, `fleet: {path.stem}` first"
        raise InvalidFleet(msg) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        msg = f"{path.name}: cannot be read: {' '.join(str(error).split())}"
        raise InvalidFleet(msg) from error
    try:
        wanted = BlueprintFile.model_validate(fields)
    except ValidationError as error:
        raise InvalidFleet("; ".join(_explain(path.name, detail) for detail in error.errors())) from error
    if wanted.fleet != path.stem:
        msg = f"{path.name}: fleet: {wanted.fleet!r} must be the file's own name, {path.stem!r}"
        raise InvalidFleet(msg)
    return wanted.blueprint(path.parent)


def blueprint_schema() -> dict[str, Any]:
    """Give the JSON schema by which editors complete and check a blueprint."""
    schema = BlueprintFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Blueprint"}


def _user_data(folder: Path, name: str, fleet: str) -> str:
    try:
        text = (folder / name).read_text(encoding="utf-8").replace(FLEET_MARK, fleet)
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{fleet}.yaml: user_data: {name!r} cannot be read ({error}): name a script, relative to the blueprint"
        raise InvalidFleet(msg) from error
    if len(text.encode()) > _USER_DATA_BYTES:
        msg = (
            f"{fleet}.yaml: user_data: {name!r} is {len(text.encode())} bytes, AWS takes {_USER_DATA_BYTES}: shorten it"
        )
        raise InvalidFleet(msg)
    return text


def _explain(file: str, detail: ErrorDetails) -> str:
    """Say one validation error as file, key, value and mend."""
    key = ".".join(str(part) for part in detail["loc"])
    where = f"{file}: {key}" if key else file
    match detail["type"]:
        case "missing":
            return f"{where}: is missing: add it"
        case "extra_forbidden":
            known = ", ".join(BlueprintFile.model_fields)
            return f"{where}: is no key of a blueprint: remove it or use one of {known}"
        case "value_error" if not key:
            return f"{where}: {detail['ctx']['error']}"
    return f"{where}: {detail['input']!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
