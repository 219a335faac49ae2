"""Reading what people write in YAML, strictly: of two equal keys YAML keeps the last in silence, we refuse both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from forecasting.errors import ForecastingError

_DEEPEST = 100
_MERGE = "tag:yaml.org,2002:merge"


class _Strict(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C one where it was built
    """A safe loader that refuses a mapping with a key twice."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    written = [key for key, _ in node.value if key.tag != _MERGE]
    keys = [loader.construct_object(key, deep=True) for key in written]
    for at, key in enumerate(keys):
        if key in keys[:at]:
            msg = f"line {written[at].start_mark.line + 1}: key {key!r} stands twice: keep one"
            raise yaml.YAMLError(msg)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse_yaml(text: str) -> Any:
    """Give what a YAML text holds; whatever is wrong with it is a YAMLError."""
    try:
        _refuse_deep(text)
        return yaml.load(text, Loader=_Strict)  # noqa: S506  (a SafeLoader)
    except (
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:  # a 13th month, a number without end, brackets likewise
        raise yaml.YAMLError(str(error)) from error


def _refuse_deep(text: str) -> None:
    """Look at the nesting first: what is built from it goes down as deep, and the C loader would take Python along."""
    depth = 0
    for event in yaml.parse(text, Loader=_Strict):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            msg = f"nested more than {_DEEPEST} deep"
            raise yaml.YAMLError(msg)


def read_mapping(path: str | Path, refused: type[ForecastingError], example: str) -> dict[Any, Any]:
    """Read a file whose top level is a mapping; each refusal names the file and the mend."""
    try:
        data = parse_yaml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read ({_why(error)}): give the path of a YAML file in UTF-8"
        raise refused(msg) from error
    except yaml.YAMLError as error:
        msg = f"{path}: cannot be read as YAML ({' '.join(str(error).split())}): mend that line"
        raise refused(msg) from error
    if not isinstance(data, dict):
        held = "nothing" if data is None else f"{type(data).__name__}, not keys"
        msg = f"{path}: holds {held}: write for example {example}"
        raise refused(msg)
    return data


def _why(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
