"""The visitor never leaves this machine, and says who exists. (Whole sign-ons are in tests/signon.)"""

from __future__ import annotations

import asyncio
import socket

import pytest

from workspace.problem import Problem
from workspace.sandbox.visitor import choose


@pytest.mark.parametrize(
    "address",
    [
        "https://login.example/authorize",
        "http://127.0.0.1.example/authorize",
        "http://127.0.0.1@evil.example/",
        "https://127.0.0.1/authorize",
        "file:///etc/hosts",
    ],
)
def test_an_address_elsewhere_is_refused(address):
    with pytest.raises(Problem) as caught:
        asyncio.run(choose(address, "tone"))
    assert caught.value.code == "sandbox-only"


def test_a_redirect_to_elsewhere_is_refused():
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async def scene():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            with pytest.raises(Problem) as caught:
                await choose(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/authorize", "tone")
        return caught.value.code

    assert asyncio.run(scene()) == "sandbox-only"


def test_a_sandbox_that_is_not_there_is_said_so():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Problem) as caught:
        asyncio.run(choose(f"http://127.0.0.1:{port}/authorize", "tone"))
    assert caught.value.code == "identity-unreachable"
