"""One panel asks, another does it, and the result comes back: in the same context only, and never about somebody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.panels.conftest import MemoryDoor, Puppeteer, until
from workspace.broker.context import Context, for_patient, for_unit
from workspace.broker.door import Receipt, Write
from workspace.panels import components as ui
from workspace.panels.components import Action
from workspace.panels.intents import strangers
from workspace.panels.protocol import MAX_RAISED

pytestmark = pytest.mark.anyio

MEASURE = "measure pulse"


async def pair(b: Any, *helpers: str, context: Context | None = None) -> tuple[Puppeteer, Any, list[Any], list[Any]]:
    """A raiser, its shell, and open helpers with theirs."""
    context = context or for_patient("Patient/BEB-18")
    panel, shell = await b.shown("puppet", context=context)
    opened = [await b.shown(name, context=context, instance=f"h{at}") for at, name in enumerate(helpers)]
    return Puppeteer(panel), shell, [one for one, _ in opened], [heard for _, heard in opened]


async def test_a_panel_open_in_the_same_context_does_it_and_the_result_comes_back(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, [helper], [heard] = await pair(b, "helper")
        await helper.act(Action("reply", {"handled": True, "result": {"puls": 72}}))
        answer = await strings.ask("raise", name=MEASURE, args={"reason": "kontroll"})
        assert answer["result"] == {"handled": True, "result": {"puls": 72}}
        [intent] = await Puppeteer(helper).heard("intent")
        params = intent["params"]
        assert (params["name"], params["args"], params["source"]) == (
            MEASURE,
            {"reason": "kontroll"},
            "Prøve puppet (Prøveverk)",
        )
        assert (params["instance"], params["context"]) == ("h0", helper.context.token)
        assert heard.heard("wanted") == ["Prøve puppet (Prøveverk)"]


async def test_a_panel_of_another_context_is_never_asked(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, _, _ = await pair(b)
        other, _ = await b.shown("helper", context=for_patient("Patient/ANNEN", group="2"), instance="h9")
        answer = (await strings.ask("raise", name=MEASURE))["result"]
        assert answer == {"handled": False, "reason": "Ingen andre paneler her tar imot «measure pulse»."}
        assert await Puppeteer(other).heard("intent") == []


async def test_the_user_chooses_between_several(bench: Any) -> None:
    async with bench("puppet", "helper", "other_helper") as b:
        strings, shell, helpers, _ = await pair(b, "helper", "other_helper")
        shell.choice = 1
        assert (await strings.ask("raise", name=MEASURE))["result"]["handled"]
        assert shell.heard("choose") == [["Prøve helper (Prøveverk)", "Prøve other_helper (Prøveverk)"]]
        assert [len(await Puppeteer(one).heard("intent")) for one in helpers] == [0, 1]
        shell.choice = None
        refused = (await strings.ask("raise", name=MEASURE))["result"]
        assert refused == {"handled": False, "reason": "Du valgte ikke noe panel."}


async def test_a_package_that_handles_it_is_opened_by_the_shell(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        context = for_patient("Patient/BEB-18")
        strings, _, _, _ = await pair(b, context=context)
        asked = []

        async def opener(package: str, view: str, where: Context) -> str | None:
            asked.append((package, view, where))
            b.open("helper", where, "ny")
            return "ny"

        b.host.opens_intents(opener)
        assert (await strings.ask("raise", name=MEASURE))["result"] == {"handled": True, "result": "gjort"}
        assert asked == [("prove.helper", "main", context)]

        async def cannot(package: str, view: str, where: Context) -> str | None:
            return None

        b.host.opens_intents(cannot)
        for one in b.host.instances(context):
            if one.id == "ny":
                await one.close()
        answer = (await strings.ask("raise", name=MEASURE))["result"]
        assert answer == {"handled": False, "reason": "«Prøve helper (Prøveverk)» kunne ikke åpnes."}


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("steal Patient", {}, "invalid-params"),
        (MEASURE, {"patient": "Patient/ANNEN"}, "wrong-patient"),
        (MEASURE, {"deep": [{"subject": {"reference": "Patient/ANNEN/_history/2"}}]}, "wrong-patient"),
    ],
)
async def test_what_is_not_declared_or_about_somebody_else_is_refused(
    bench: Any, name: str, args: dict[str, Any], code: str
) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, [helper], _ = await pair(b, "helper")
        assert (await strings.ask("raise", name=name, args=args))["error"]["data"]["name"] == code
        assert await Puppeteer(helper).heard("intent") == []


async def test_a_result_about_somebody_else_does_not_reach_the_asker(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, [helper], _ = await pair(b, "helper")
        stolen = {"resourceType": "Patient", "id": "ANNEN", "name": "Hemmelig"}
        await helper.act(Action("reply", {"handled": True, "result": [stolen]}))
        answer = await strings.ask("raise", name=MEASURE)
        assert answer["error"]["data"]["name"] == "wrong-patient"
        assert "Hemmelig" not in str(answer)
        assert "names another patient" in helper.log_tail


async def test_a_refusal_comes_back_in_words(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, [helper], _ = await pair(b, "helper")
        await helper.act(Action("reply", {"error": {"code": -32000, "message": "Apparatet er i bruk."}}))
        answer = (await strings.ask("raise", name=MEASURE))["result"]
        assert answer == {"handled": False, "reason": "Apparatet er i bruk."}


async def taken(b: Any) -> tuple[Puppeteer, Any, int, str]:
    """An intent that the helper has taken and not finished: its number at the raiser's, and its id."""
    strings, _, [helper], _ = await pair(b, "helper")
    await helper.act(Action("reply", {"handled": True, "later": True}))
    number = await strings.start("raise", name=MEASURE)
    pull = Puppeteer(helper)
    for _ in range(200):
        if found := await pull.heard("intent"):
            return strings, helper, number, found[0]["params"]["id"]
        await asyncio.sleep(0.01)
    raise AssertionError("the helper was not asked")


def saving(number: str) -> Action:
    """An action that saves a pulse and finishes the intent with it."""
    resource = {"resourceType": "Observation", "subject": {"reference": "Patient/BEB-18"}, "status": "final"}
    write = {"action": "create", "resource": resource, "full_url": "urn:uuid:1"}
    answer = {"id": number, "result": {"saved": ["urn:uuid:1"]}}
    return Action("answer", {"result": {"writes": [write], "answers": [answer]}})


async def test_what_is_finished_later_gives_the_saved_references(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, helper, number, intent = await taken(b)
        assert await strings.heard(id=number) == []
        assert (await helper.act(saving(intent))).ok
        assert (await strings.answer(number))["result"] == {
            "handled": True,
            "result": {"saved": ["Observation/ny-0"]},
        }
        [cancel] = await Puppeteer(helper).heard("cancel")
        assert cancel["params"]["id"] == intent


async def test_a_save_that_waits_for_the_platform_answers_when_it_is_there(bench: Any) -> None:
    class Offline(MemoryDoor):
        async def commit(self, grant: Any, writes: Any, form: Any = None) -> Receipt:
            self.commits.append(list[Write](writes))
            return Receipt("k1", "venter")

        def arrived(self) -> None:
            for listener in list(self._receipts):
                listener(Receipt("k1", "lagret", ("Observation/44",)))

    door = Offline()
    async with bench("puppet", "helper", door=door) as b:
        strings, helper, number, intent = await taken(b)
        assert (await helper.act(saving(intent))).ok
        await asyncio.sleep(0.05)
        assert await strings.heard(id=number) == []
        door.arrived()
        assert (await strings.answer(number))["result"]["result"] == {"saved": ["Observation/44"]}


async def test_a_helper_that_dies_or_is_closed_is_an_answer(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, helper, number, _ = await taken(b)
        helper.keeper.process.end_for("det ble stanset av en prøve")
        answer = (await strings.answer(number))["result"]
        assert not answer["handled"]
        assert "stanset" in answer["reason"]
        await until(lambda: helper.state == "running", helper)
        await helper.act(Action("reply", {"handled": True, "later": True}))
        number = await strings.start("raise", name=MEASURE)
        await until(lambda: len(b.sent("intent")) == 2)
        await helper.close()
        assert "lukket" in (await strings.answer(number))["result"]["reason"]


async def test_the_end_of_the_context_ends_all_errands(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _helper, number, _ = await taken(b)
        await b.host.end_context(strings.panel.context)
        out = [m for d, *_, m in b.passed if d == "out" and m.get("id") == number]
        await until(lambda: out or any(m.get("id") == number for d, *_, m in b.passed if d == "out"))


async def test_a_raise_in_effects_is_answered_under_its_own_id(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, _, _ = await pair(b, "helper")
        raises = [{"name": MEASURE, "id": "min"}, {"name": "not declared", "id": "feil"}]
        assert (await strings.panel.act(Action("answer", {"result": {"raise": raises}}))).ok
        for _ in range(200):
            if len(found := await strings.heard("answer")) == 2:
                break
            await asyncio.sleep(0.01)
        results = {one["params"]["id"]: one["params"]["result"] for one in found}
        assert results["min"] == {"handled": True, "result": "gjort"}
        assert results["feil"]["handled"] is False


def test_every_patient_in_a_value_is_found() -> None:
    context = for_patient("Patient/A")
    fine = {"a": ["Patient/A", {"b": "http://x/fhir/Patient/A"}], "text": "Pasienten"}
    assert strangers(fine, context) == []
    assert strangers({"Patient/B": 1}, context) == ["Patient/B"]
    assert strangers([[[{"x": "Patient/B"}]]], context) == ["Patient/B"]
    assert strangers("Patient/B", for_unit("Organization/x", ("Patient/B",))) == []


async def test_the_note_asks_the_vitals_panel_of_another_vendor_and_offers_what_was_saved(bench: Any) -> None:
    async with bench(plugins=True, warm=True) as b:
        context = for_patient("Patient/BEB-18")
        note, _ = await b.shown("polarvakt.note", context=context, view="note", instance="notat")
        vitals, heard = await b.shown("nordlys.vitals", context=context, view="vitals", instance="maal")
        assert (await note.act(Action("measure"))).ok
        await until(lambda: "venter på nye målinger" in texts(vitals), vitals)
        assert heard.heard("wanted") == ["Journalnotat (Polarvakt)"]
        assert "Journalnotat (Polarvakt) venter på nye målinger." in texts(vitals)
        for bind, value in (("respiration", 18), ("pulse", 82)):
            vitals.typed(bind, value)
        save = next(n.component for n in vitals.nodes.values() if getattr(n.component, "style", "") == "primary")
        assert isinstance(save, ui.Button)
        outcome = await vitals.act(save.action)
        assert outcome.ok, outcome.problem
        await until(lambda: "Pust 18 · Puls 82" in texts(note), note)
        await until(lambda: "venter på nye målinger" not in texts(vitals), vitals)
        offer = next(
            n.component
            for n in note.nodes.values()
            if isinstance(n.component, ui.Button) and n.component.text == "Pust 18 · Puls 82"
        )
        assert (await note.act(offer.action)).ok
        assert "Pust 18 · Puls 82 (fra Vitale målinger, Tone" in note.values["text"]


def texts(panel: Any) -> str:
    return "\n".join(str(getattr(node.component, "text", "")) for node in panel.nodes.values())


async def test_more_intents_than_may_wait_are_refused(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, _, number, _ = await taken(b)
        for _ in range(MAX_RAISED - 1):
            await strings.start("raise", name=MEASURE)
        answer = await strings.ask("raise", name=MEASURE)
        assert answer["error"]["data"]["name"] == "too-many"
        assert await strings.heard(id=number) == []


async def test_an_asker_that_no_longer_waits_lets_the_other_know(bench: Any) -> None:
    async with bench("puppet", "helper") as b:
        strings, helper, number, intent = await taken(b)
        await strings.say({"method": "cancel", "params": {"id": number}})
        assert (await strings.answer(number))["error"]["data"]["name"] == "cancelled"
        for _ in range(200):
            if found := await Puppeteer(helper).heard("cancel"):
                break
            await asyncio.sleep(0.01)
        assert found[0]["params"]["id"] == intent
        assert (await helper.act(saving(intent))).ok, "what it saves for nobody is saved all the same"


async def test_no_panel_takes_the_focus_or_asks_out_of_nowhere(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench("puppet", "helper", "other_helper") as b:
        strings, shell, _, [heard] = await pair(b, "helper")
        monkeypatch.setattr("workspace.panels.acts.WISH", -1.0)  # the user did something long ago
        later = {"method": "raise", "params": {"name": MEASURE}, "seconds": 0.2}
        await strings.panel.act(Action("delayed", later))
        await until(lambda: b.sent("intent"), strings.panel)
        assert heard.heard("wanted") == []
        await b.shown("other_helper", context=strings.panel.context, instance="h9")
        await strings.panel.act(Action("delayed", later))
        number = 7001
        await until(lambda: any(m.get("id") == number for d, *_, m in b.passed if d == "out"), strings.panel)
        assert shell.heard("choose") == []
        await strings.panel.act(Action("delayed", {**later, "params": {"name": "open Patient"}}))
        await until(lambda: any(m.get("id") == 7002 for d, *_, m in b.passed if d == "out"), strings.panel)
        assert shell.heard("raised") == []
        document = {"document": {"title": "x", "text": "y"}}
        await strings.panel.act(Action("delayed", {**later, "method": "print", "params": document}))
        await until(lambda: any(m.get("id") == 7003 for d, *_, m in b.passed if d == "out"), strings.panel)
        assert shell.heard("printing") == []
