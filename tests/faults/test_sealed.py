"""A nurse writes without the platform and goes home; the workstation delivers for her. Real processes, which are killed."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.faults.platform_process import ISSUER, clock
from tests.faults.shift import Process, free_port
from tests.gateway.conftest import bundle, home, pulse
from workspace.fhir.service import FhirRequest
from workspace.sandbox.fhir import Store

ROLES = {"tone": "sykepleier", "lege": "sykehjemslege"}


class Workstation(Process):
    """The process at the desk; `said` is its next line."""

    module = "workstation_process"

    def __init__(self, folder, *arguments):
        super().__init__("writer", folder, *arguments)

    async def said(self):
        async with asyncio.timeout(60):
            return json.loads(await self.process.stdout.readline())

    async def asked(self, **order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()
        return await self.said()

    async def leave(self):
        self.process.stdin.close()
        async with asyncio.timeout(60):
            assert await self.process.wait() == 0


def token(key, who, sid):
    now = int(time.time())
    held = {
        "iss": ISSUER, "aud": "http://gateway.test", "sub": f"sub-{who}", "name": who, "fhirUser": f"Practitioner/{who}",
        "role": ROLES[who], "sid": sid, "iat": now, "exp": now + 3600, "auth_time": now,
        "helseid://claims/identity/security_level": "4",
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, held, key)


async def seed(folder):
    store = Store(folder / "fhir.sqlite", clock())
    await store.start()
    put = [{"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in home()]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": put}
    assert (await store.handle(FhirRequest("POST", "", body=body))).status == 200
    await store.close()


async def seen_by_the_doctor(url, key):
    """The values that another one sees, with how often; None while the platform is away."""
    found = Counter()
    headers = {"Authorization": f"Bearer {token(key, 'lege', 'sid-lege')}"}
    async with httpx.AsyncClient(trust_env=False, timeout=20, headers=headers) as http:
        for patient in ("BEB-18", "BEB-19"):
            try:
                answer = await http.get(f"{url}/fhir/Observation?patient={patient}&_count=500")
            except httpx.HTTPError:
                return None
            rows = [one["resource"] for one in answer.json()["entry"]]
            found.update(int(r["valueQuantity"]["value"]) for r in rows if not r["id"].startswith("puls-"))
    return found


async def until_seen(url, key, count):
    async with asyncio.timeout(90):
        while True:
            found = await seen_by_the_doctor(url, key)
            if found is not None and len(found) >= count:
                return found
            await asyncio.sleep(0.05)


def test_what_she_wrote_offline_is_delivered_after_she_left_by_processes_that_die(tmp_path, capsys):
    async def run():
        key, port = RSAKey.generate_key(2048, auto_kid=True), free_port()
        (tmp_path / "keys.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        url = f"http://127.0.0.1:{port}"
        await seed(tmp_path)
        platform = Process("whole", tmp_path, str(port))
        tone = Workstation(tmp_path, url, "tone", token(key, "tone", "sid-1"))
        courier = Workstation(tmp_path, url)
        back = Workstation(tmp_path, url, "tone", token(key, "tone", "sid-2"))
        try:
            await platform.start()
            await tone.start()
            assert await tone.said() == {"ready": True}
            await platform.kill()
            written = [
                {"bundle": bundle(pulse(who, value=100 + number)), "about": f"Patient/{who}"}
                for number in range(40)
                for who in [("BEB-18", "BEB-19")[number % 2]]
            ]
            states = (await tone.asked(write=written))["states"]
            assert states == ["venter"] * 40
            assert await tone.asked(ask=True) == {"waiting": 40, "goes": 40, "refused": 0}
            await tone.leave()
            await courier.start()
            assert await courier.said() == {"ready": True}
            await platform.start()
            await until_seen(url, key, 5)
            await courier.kill()
            await courier.start()
            await until_seen(url, key, 15)
            await platform.kill()
            await platform.start()
            found = await until_seen(url, key, 40)
            lost = [value for value in range(100, 140) if not found[value]]
            doubled = [value for value, times in found.items() if times > 1]
            await asyncio.sleep(1.0)  # the courier's own books
            await courier.kill()
            await back.start()
            assert await back.said() == {"ready": True}
            assert await back.asked(ask=True) == {"waiting": 0, "goes": 0, "refused": 0}
            await back.leave()
            return lost, doubled, await seen_by_the_doctor(url, key) == found
        finally:
            for each in (tone, courier, back, platform):
                await each.kill()
                if each.process and each.process.stdin:
                    each.process.stdin.close()

    lost, doubled, same = asyncio.run(run())
    with capsys.disabled():
        print(f"\n40 writes delivered after sign-out, 2 kills: {len(lost)} lost, {len(doubled)} doubled")
    assert (lost, doubled, same) == ([], [], True)
