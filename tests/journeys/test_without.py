"""The platform is away when she comes to work: she opens hers by PIN, reads what was copied, writes, and signs on when it is
there again."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.journeys.test_typed_once import ARNE, SET, type_one_set
from tests.vaulted import asked_of

PIN, WRONG = "730214", "730215"
TITLE = "Velg PIN for å arbeide uten nett"
PULSES = ["Observation?patient=Patient/BEB-18&code=8867-4&_sort=-date&_count=200"]


def chooses_a_pin(nurse):
    nurse.did("act", title=TITLE)
    nurse.until(lambda: "Lagre PIN" in nurse.did("sheet")["buttons"], 5, "the sheet")
    for pin in ("123456", PIN):  # the first is refused, in words
        nurse.did("keys", text=pin)
        nurse.did("key", key="Return")
        nurse.did("keys", text=pin)
        nurse.did("key", key="Return")
        if pin != PIN:
            nurse.until(lambda: "blant de første" in " ".join(nurse.did("sheet")["words"]), 5, "that it is refused")
    nurse.until(lambda: "PIN-en er lagret" in nurse.did("status")["words"], 5, "that it is chosen")


def pulses(sandbox):
    """How many measurements of the pulse that she types the platform has."""
    [found] = sandbox.read("tone", PULSES)
    return sum(one["valueQuantity"]["value"] == int(SET["pulse"]) for one in found)


def has_been_here(sandbox, sign_on):
    """She has signed on, chosen a PIN, and the unit was copied; then the platform goes away. The port it had."""
    nurse = sign_on("tone", sandbox, more=["--copies-soon"])
    chooses_a_pin(nurse)
    nurse.until(lambda: nurse.did("copied")["at"], 60, "the unit is copied")
    assert nurse.quit() == 0
    assert sandbox.stop() == 0
    return sandbox.url.rpartition(":")[2]


@pytest.fixture
def front():
    """``front(body)``: an address that describes a platform, and has nothing else."""
    made = []

    def describe(body):
        class Page(BaseHTTPRequestHandler):
            def do_GET(self):
                there = self.path == "/.well-known/clinician-workspace"
                self.send_response(200 if there else 503)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body if there else b"{}")

            def log_message(self, *said):
                pass

        made.append(ThreadingHTTPServer(("127.0.0.1", 0), Page))
        threading.Thread(target=made[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{made[-1].server_port}"

    yield describe
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.mark.long
def test_she_is_let_in_too_when_it_is_the_sign_on_that_is_away_and_the_courier_steps_aside(own_sandbox, sign_on, front):
    described = own_sandbox.get("/.well-known/clinician-workspace")[1]
    has_been_here(own_sandbox, sign_on)
    nurse = sign_on("tone", own_sandbox, ready=False, more=["--platform", front(described)])
    nurse.until(lambda: nurse.did("page")["people"], 30, "she is offered to work without it")
    assert "Innloggingstjenesten" in nurse.did("page")["words"]
    nurse.did("keys", text=WRONG)
    nurse.did("key", key="Return")
    nurse.until(lambda: "4 forsøk" in nurse.did("page")["words"], 10, "that it is wrong")
    nurse.until(lambda: nurse.did("courier")["works"], 15, "the courier works, and has the vaults open")
    nurse.did("keys", text=PIN)
    nurse.did("key", key="Return")
    nurse.did("wait_ready")
    assert not nurse.did("courier")["works"]
    assert nurse.quit() == 0
    assert "vault-locked" not in nurse.errors.read_text()


@pytest.mark.long
def test_she_works_without_the_platform_from_the_first_minute_and_all_of_it_is_saved_once(
    own_sandbox, sign_on, tmp_path
):
    before = pulses(own_sandbox)
    port = has_been_here(own_sandbox, sign_on)
    nurse = sign_on("tone", own_sandbox, ready=False, more=["--platform", own_sandbox.url])
    nurse.until(lambda: nurse.did("page")["people"], 30, "she is offered to work without it")
    page = nurse.did("page")
    assert "Ingen svarer på" in page["words"]
    assert "Arbeid uten nett" in page["words"]
    assert page["people"] == ["Tone Nilsen, sykepleier"]
    assert page["focus"] == "PIN"
    nurse.did("keys", text=WRONG)
    nurse.did("key", key="Return")
    nurse.until(lambda: "Du har 4 forsøk igjen" in nurse.did("page")["words"], 10, "that it is wrong")
    nurse.did("keys", text=PIN)
    nurse.did("key", key="Return")
    told = nurse.did("wait_ready")
    assert told["subject"]["username"] == "tone"
    assert "uten nett" in nurse.did("top")["user"]
    nurse.until(lambda: "Det du leser, ble hentet 14.01. kl. 14:" in nurse.did("status")["words"], 10, "how old it is")
    nurse.did("open_patient", name=ARNE)
    type_one_set(nurse)
    nurse.did("key", key="S", ctrl=True)
    nurse.until(lambda: "1 venter" in nurse.did("status")["words"], 20, "that it waits")
    nurse.did("sign_out")  # she goes, and comes back: still without it
    nurse.did("press_sheet", text="Logg ut")
    nurse.until(lambda: nurse.did("page")["people"], 30, "she is offered it again")
    nurse.did("keys", text=PIN)
    nurse.did("key", key="Return")
    nurse.did("wait_ready")
    nurse.until(lambda: "1 venter" in nurse.did("status")["words"], 20, "that it waits still")
    own_sandbox.start(port)
    nurse.until(
        lambda: "Plattformen svarer igjen. Logg inn" in nurse.did("status")["words"], 30, "that she may sign on"
    )
    nurse.did("press_status", text="Logg inn")
    nurse.until(lambda: "Alt er lagret" in nurse.did("status")["words"], 30, "that it is saved")
    nurse.until(lambda: "uten nett" not in nurse.did("top")["user"], 10, "that she is signed on")
    assert pulses(own_sandbox) == before + 1
    assert nurse.quit() == 0
    assert "Traceback" not in nurse.errors.read_text()
    assert pulses(own_sandbox) == before + 1
    key = bytes.fromhex((tmp_path / "tone" / "vault.key").read_text())
    assert asked_of(tmp_path / "tone", key, "SELECT id FROM outbox") == []
