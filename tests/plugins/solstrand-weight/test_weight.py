"""A vendor's panel in Node.js, without our SDK: raw lines in and out. That it conforms is `test_conformance.py`'s."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from home import ME, flag, observation

from workspace.broker import facts

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "solstrand-weight"
WEIGHTS, FLAGS = "Observation?code=29463-7,27113001&_sort=-date&_count=60", "Flag?status=active"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not installed: python3 dev.py test installs it")


class Talk:
    """The panel as a process of its own, opened for one resident."""

    def __init__(self) -> None:
        self._child = subprocess.Popen([NODE, "panel.js"], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._number = 0
        self.nodes: dict[str, dict] = {}
        self.request("initialize", protocol=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.request("shutdown")
        assert self._child.wait(10) == 0
        self._child.stdin.close()
        self._child.stdout.close()

    def say(self, **message):
        self._child.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._child.stdin.flush()

    def request(self, method, **params):
        self._number += 1
        self.say(id=self._number, method=method, params=params)
        while True:
            message = json.loads(self._child.stdout.readline())
            if message.get("id") == self._number:
                return message.get("result", message.get("error"))
            self._drawn(message)

    def settled(self):
        self.request("ping")
        self.request("ping")  # the first may be answered in the batch that is drawn after it
        return self

    def _drawn(self, message):
        params = message["params"]
        if params.get("tree"):
            self.nodes = {}
            self._keep(params["tree"])
        for operation in params.get("patch", []):
            self.nodes[operation["id"]]["props"].update(operation.get("props", {}))
            for name in operation.get("unset", []):
                self.nodes[operation["id"]]["props"].pop(name)

    def _keep(self, node):
        self.nodes[node["id"]] = node
        for child in node["children"]:
            self._keep(child)

    def open(self, weights=(), flags=()):
        context = {
            "token": "t1", "kind": "patient", "patient": ME, "now": "2026-01-14T15:04:00+01:00",
            "user": {"reference": "Practitioner/tone", "display": "Tone Nilsen"},
        }  # fmt: skip
        results = [
            {"query": WEIGHTS, "watch": 1, "resources": list(weights)},
            {"query": FLAGS, "watch": 2, "resources": list(flags)},
        ]
        self.request("open", instance="p1", view="weight", context=context, results=results)
        return self.settled()

    def act(self, name, **values):
        state = {"values": values, "revision": 1}
        return self.request("event", instance="p1", context="t1", action={"name": name}, state=state)


def weight(day, kg, unit="kg"):
    return observation(f"v-{day}", "29463-7", kg, f"{day}T08:00:00+01:00", unit)


@pytest.fixture
def panel():
    with Talk() as talk:
        yield talk


def test_weights_in_other_units_are_turned_into_kilos_and_what_is_no_weight_is_left_out(panel):
    panel.open(
        [weight("2026-01-13", 9, "gutefot"), weight("2026-01-12", 57500, "g"), weight("2025-07-20", 136.687, "[lb_av]")]
    )
    assert panel.nodes["latest.value"]["props"]["text"] == "57,5 kg"
    assert panel.nodes["latest.change"]["props"]["text"] == "−4,5 kg (7,3 %) på 176 dager"


def test_a_weight_that_cannot_be_shown_is_told_of_until_there_is_a_newer_one(panel):
    odd = {"url": "http://ukjent.example/ikke", "valueBoolean": True}
    hidden = facts.shown({**weight("2026-01-13", 40), "modifierExtension": [odd]})
    panel.open([hidden, weight("2026-01-12", 57.5)])
    assert panel.nodes["latest.value"]["props"]["text"] == "57,5 kg"
    told = panel.nodes["hidden"]["props"]
    assert (told["title"], told["about"]) == ("Siste vekt kan ikke vises", "Observation/v-2026-01-13")
    with Talk() as other:
        other.open([weight("2026-01-14", 57), hidden])
        assert "hidden" not in other.nodes


def test_no_change_is_reckoned_from_a_limit_and_it_is_told_of_until_there_is_a_newer_one(panel):
    over = weight("2026-01-13", 150)
    over["valueQuantity"]["comparator"] = ">"
    panel.open([over, weight("2026-01-12", 57.5), weight("2025-12-20", 57.5)])
    assert panel.nodes["latest.value"]["props"]["text"] == "57,5 kg"
    assert panel.nodes["latest.change"]["props"]["text"] == "Uendret på 23 dager"
    told = panel.nodes["hidden"]["props"]
    assert (told["title"], told["about"]) == ("Siste vekt er > 150 kg", "Observation/v-2026-01-13")
    with Talk() as other:
        other.open([weight("2026-01-14", 57), over])
        assert "hidden" not in other.nodes


def test_a_flag_that_cannot_be_shown_may_be_the_mst_and_is_told_of(panel):
    odd = {"url": "http://ukjent.example/ikke", "valueBoolean": True}
    flag = {
        "resourceType": "Flag", "id": "f9", "status": "active", "subject": {"reference": ME}, "code": {"text": "MST 3"},
        "modifierExtension": [odd],
    }  # fmt: skip
    panel.open(flags=[facts.shown(flag)])
    told = panel.nodes["mst.hidden"]["props"]
    assert told["about"] == "Flag/f9"
    assert "kan ikke vises" in told["text"]
    assert "mst.standing" not in panel.nodes
    with Talk() as other:
        other.open(flags=[{**flag, "modifierExtension": []}])
        assert "mst.hidden" not in other.nodes
        assert "mst.standing" in other.nodes


def test_a_great_loss_is_told_with_numbers(panel):
    panel.open([weight("2026-01-12", 57.5), weight("2025-07-20", 62.0)])
    assert panel.nodes["latest.change"]["props"]["text"] == "−4,5 kg (7,3 %) på 176 dager"
    assert "alarm" not in panel.nodes
    with Talk() as other:
        other.open([weight("2026-01-12", 57.5), weight("2025-12-20", 62.0)])
        alarm = other.nodes["alarm"]["props"]
        assert alarm["text"].startswith("Vekten har falt 7,3 % på 23 dager.")
        both = {"57,5 kg 12.01.2026": "Observation/v-2026-01-12", "62 kg 20.12.2025": "Observation/v-2025-12-20"}
        assert alarm["abouts"] == other.nodes["latest.change"]["props"]["abouts"] == both
        assert other.nodes["latest.value"]["props"]["about"] == "Observation/v-2026-01-12"


def test_a_weight_is_written_in_the_users_name_for_the_patient_on_screen(panel):
    effects = panel.open().act("saveWeight", weight=74.2, comment="stolvekt")
    resource = effects["writes"][0]["resource"]
    assert resource["subject"] == {"reference": ME}
    assert resource["performer"][0]["reference"] == "Practitioner/tone"
    assert resource["effectiveDateTime"].startswith("2026-01-14T15:04:0")
    assert resource["effectiveDateTime"].endswith("+01:00")
    assert (resource["valueQuantity"]["value"], resource["note"]) == (74.2, [{"text": "stolvekt"}])
    assert effects["clear"] == ["weight", "comment"]


def test_a_weight_that_cannot_be_is_told_in_words_and_not_written(panel):
    panel.open()
    assert "kan ikke stemme" in panel.act("saveWeight", weight=740)["message"]
    assert "Skriv inn vekten" in panel.act("saveWeight", weight="mye")["message"]


@pytest.mark.parametrize(
    ("loss", "eating", "score"),
    [("none", "no", 0), ("unsure", "no", 2), ("1", "yes", 2), ("6", "no", 2), ("15", "yes", 5)],
)
def test_mst_gives_the_points_of_the_national_form(panel, loss, eating, score):
    panel.open()
    panel.say(
        method="state/changed",
        params={"instance": "p1", "context": "t1", "values": {"mst_loss": loss, "mst_eating": eating}, "revision": 1},
    )
    assert f"MST {score} av 5" in panel.settled().nodes["mst.score"]["props"]["text"]


def test_risk_raises_the_flag_changes_the_one_that_stands_and_takes_it_down(panel):
    created = panel.open().act("saveScreen", mst_loss="6", mst_eating="yes")["writes"][0]
    assert (created["action"], created["resource"]["code"]["text"]) == ("create", "MST 3")
    standing = {**flag("m1", "MST 3"), "meta": {"versionId": "4"}}
    with Talk() as other:
        other.open(flags=[standing])
        changed = other.act("saveScreen", mst_loss="1", mst_eating="yes")["writes"][0]
        assert (changed["action"], changed["if_match"], changed["resource"]["status"]) == ("update", "4", "active")
        over = other.act("saveScreen", mst_loss="none", mst_eating="no")["writes"][0]
        assert (over["resource"]["id"], over["resource"]["status"]) == ("m1", "inactive")


def test_a_change_of_one_weight_is_sent_as_a_patch(panel):
    panel.open([weight("2026-01-12", 57.5)])
    row = weight("2026-01-14", 58)
    panel.say(method="data", params={"instance": "p1", "context": "t1", "watch": 1, "put": [[0, row]]})
    panel.settled()
    assert panel.nodes["latest.value"]["props"]["text"] == "58 kg"
