"""docker-compose.yaml as Compose reads it, so that its services can be looked at, and run, where there is no Docker."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VARIABLE: Final = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<rule>[?-])(?P<text>[^}]*))?\})")


@dataclass(frozen=True, slots=True)
class ComposeFile:
    """The services of a file, with the variables of a `.env` put in."""

    services: Mapping[str, Mapping[str, Any]]
    volumes: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, variables: Mapping[str, str]) -> Self:
        """Read a file; KeyError names a variable that must be set and is not."""
        content = _filled(yaml.safe_load(path.read_text()), variables)
        return cls(content["services"], content["volumes"])

    def environment(self, service: str) -> dict[str, str]:
        """Give a service's environment."""
        return dict(self.services[service].get("environment", {}))

    def mounts(self, service: str) -> dict[str, str]:
        """Give what is mounted, a path beside the file or a volume's name, by its place in the container."""
        pairs = (mount.split(":")[:2] for mount in self.services[service].get("volumes", ()))
        return {place: source for source, place in pairs}


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    match node:
        case dict():
            return {key: _filled(value, variables) for key, value in node.items()}
        case list():
            return [_filled(value, variables) for value in node]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), node)
    return node


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    value = variables.get(found["name"], "")
    if value or found["rule"] is None:
        return value
    if found["rule"] == "?":
        raise KeyError(found["name"])
    return str(found["text"])
