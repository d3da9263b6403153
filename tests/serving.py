"""A server for tests that ends when it is told to: uvicorn looks for that every 100 ms, and waits 100 ms more at its end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

LOOK = 0.002
"""Seconds between two looks at whether the last connection has ended."""


class PromptServer(uvicorn.Server):
    """`should_exit` may be set by any thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told, self._exits = asyncio.Event(), False
        super().__init__(config)

    @property
    def should_exit(self) -> bool:  # type: ignore[override]
        return self._exits

    @should_exit.setter
    def should_exit(self, exits: bool) -> None:
        self._exits = exits
        if exits and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._told.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            try:
                async with asyncio.timeout(1):  # then the date in the headers is another
                    await self._told.wait()
            except TimeoutError:
                pass

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, in its order."""
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        state: Any = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in state.tasks:
                task.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()
