"""How the sandbox changes moto: replacements are declared beside their code and put in place only while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_replacements: list[tuple[Any, str, Any]] = []
_originals: list[tuple[Any, str, Any]] = []
_ABSENT = object()


def replaces(owner: object, name: str = "") -> Callable[[Function], Function]:
    """Declare a function as the sandbox's version of a method of a moto class (or of a name in a moto module)."""

    def declare(function: Function) -> Function:
        _replacements.append((owner, name or function.__name__, function))
        return function

    return declare


def install() -> None:
    """Put every declared replacement in place."""
    if _originals:
        return
    for owner, name, function in _replacements:
        _originals.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, function)


def uninstall() -> None:
    """Give moto back as it was."""
    while _originals:
        owner, name, original = _originals.pop()
        if original is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
