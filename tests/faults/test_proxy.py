"""The fault proxy does what it says, to the byte: otherwise the other tests here would prove nothing."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import httpx
import pytest

from tests.faults.proxy import AFTER, BEFORE, FAULTS, FaultProxy

ANSWER = json.dumps({"resourceType": "Bundle", "entry": [{"a": 1}, {"b": 2}]}).encode()


class Upstream:
    """Answers every request with `ANSWER`, and remembers it; a request of /stream gets a word every 5 ms."""

    def __init__(self):
        self.got, self.tasks = [], set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.met, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.server.wait_closed()

    async def met(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        with suppress(OSError, asyncio.CancelledError):
            await self.answer(reader, writer)
        writer.close()

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(next((line.split(":")[1] for line in head.lower().split("\r\n") if "content-length" in line), 0))
        self.got.append((head.split()[0], (await reader.readexactly(length)).decode()))
        if "/stream" not in head:
            size = f"Content-Length: {len(ANSWER)}\r\n\r\n"
            writer.write(f"HTTP/1.1 200 OK\r\nConnection: close\r\n{size}".encode() + ANSWER)
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
        for number in range(400):
            writer.write(f"word {number:03}\n".encode())
            await writer.drain()
            await asyncio.sleep(0.005)


async def through(fault, path="/fhir", timeout=2.0, **more):
    """(answer or the client's error, what reached the upstream, seconds)."""
    async with Upstream() as upstream, FaultProxy("127.0.0.1", upstream.port, lambda request: fault, **more) as proxy:
        began = time.monotonic()
        async with httpx.AsyncClient(trust_env=False, timeout=timeout) as client:
            try:
                answer = await client.post(proxy.url + path, content=b"body", headers={"Idempotency-Key": "k1"})
            except httpx.HTTPError as error:
                answer = error
        assert [(request.key, request.body, found) for request, found in proxy.seen] == [("k1", b"body", fault)]
        return answer, upstream.got, time.monotonic() - began


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("late", "silent")])
def test_each_fault_reaches_the_platform_or_not_and_the_client_as_promised(fault):
    answer, got, seconds = asyncio.run(through(fault))
    assert got == ([] if fault in BEFORE else [("POST", "body")])
    if fault in ("409", "412", "429", "500", "503", "500-after", "412-after"):
        assert answer.status_code == int(fault[:3])
        assert answer.headers.get("retry-after") == ("1" if fault in ("429", "503") else None)
    elif fault == "wrong-json":
        with pytest.raises(ValueError, match="Expecting"):
            answer.json()
    elif fault == "truncated":
        assert answer.json()["entry"] == [{"a": 1}]
    elif fault == "delay":
        assert answer.content == ANSWER
        assert seconds >= 0.2
    else:
        assert isinstance(answer, httpx.HTTPError)
        kinds = {"reset": "ReadError", "lost-reset": "ReadError"}
        assert type(answer).__name__ == kinds.get(fault, "RemoteProtocolError")


def test_what_comes_late_comes_after_its_sender_has_given_up():
    async def run():
        async with Upstream() as upstream, FaultProxy("127.0.0.1", upstream.port, lambda request: "late") as proxy:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.post(proxy.url, content=b"body")
            assert (upstream.got, proxy.passed_late) == ([], 0)
            async with asyncio.timeout(5):
                while not proxy.passed_late:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert upstream.got == [("POST", "body")]

    asyncio.run(run())


def test_without_a_fault_it_is_not_there():
    answer, got, _ = asyncio.run(through(""))
    assert (answer.content, got) == (ANSWER, [("POST", "body")])


def test_a_stream_comes_through_as_it_is_spoken_and_may_fall_silent_with_the_line_open():
    async def run():
        async with Upstream() as upstream:
            for fault, all_of_it in (("", True), ("silent", False)):
                async with FaultProxy("127.0.0.1", upstream.port, lambda request, one=fault: one) as proxy:
                    proxy.heard = 300
                    async with httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(5, read=0.6)) as client:
                        words = []
                        try:
                            async with client.stream("GET", proxy.url + "/stream") as answer:
                                async for line in answer.aiter_lines():
                                    words.append(line)
                        except httpx.ReadTimeout:
                            assert not all_of_it  # the line stood, and nobody spoke
                    assert (len(words) == 400) is all_of_it
                    assert words

    asyncio.run(run())


def test_the_platform_can_be_taken_away_whole_and_lines_that_stand_be_cut():
    async def run():
        async with (
            Upstream() as upstream,
            FaultProxy("127.0.0.1", upstream.port) as proxy,
            httpx.AsyncClient(trust_env=False, timeout=5) as client,
        ):
            async with client.stream("GET", proxy.url + "/stream") as answer:
                lines = answer.aiter_lines()
                await anext(lines)
                await proxy.hang_up()
                with pytest.raises(httpx.HTTPError):
                    async for _ in lines:
                        pass
            proxy.down = True
            with pytest.raises(httpx.HTTPError):
                await client.get(proxy.url)
            proxy.down = False
            assert (await client.get(proxy.url)).content == ANSWER

    asyncio.run(run())


def test_every_fault_is_told_as_one_of_two_kinds():
    assert set(BEFORE) | set(AFTER) | {"delay", "late", "silent"} == set(FAULTS)
    assert not set(BEFORE) & set(AFTER)
