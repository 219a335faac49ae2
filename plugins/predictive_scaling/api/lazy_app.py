"""An app that is imported with its first request.

Every Airflow process loads the plugins, each task's among them, and FastAPI with Airflow's own API costs a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]


class LazyApp:
    """Stands for the ASGI app that an address such as `package.module:name` names."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._app: App | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Import the app if this is the first call, and call it."""
        if self._app is None:
            module, _, name = self._address.partition(":")
            self._app = getattr(import_module(module), name)
        await self._app(scope, receive, send)
