"""Everything the SDK sends, held against the shell's own description of the wire."""

from __future__ import annotations

import msgspec
import pytest

from workspace.panels import components, protocol, wire
from workspace.sdk import Panel, PanelProblem, blobs, errors, fakes, session, tree, ui
from workspace.sdk.testing import Bench, Refused

VITALS = "Observation?category=vital-signs"
TO_HOST = {struct.method: struct for struct in protocol.PANEL_TO_HOST}


def check(message, asked):
    assert message["jsonrpc"] == "2.0"
    if "method" in message:
        params = msgspec.convert(message["params"], TO_HOST[message["method"]])
        if isinstance(params, protocol.Render):
            check_nodes([params.tree] if params.tree else [])
            check_nodes([one.node for one in params.patch if isinstance(one, protocol.AddNode)])
    elif "error" in message:
        error = message["error"]
        assert protocol.ERRORS[error["code"]].name == error["data"]["name"]
    else:
        answer = protocol.ANSWERS[asked[message["id"]]]
        if answer is None:
            assert message["result"] is None
        else:
            msgspec.convert(message["result"], answer)


def check_nodes(nodes):
    for node in nodes:
        struct = components.COMPONENTS[node.type]
        msgspec.convert(node.props, struct)
        assert set(node.props) <= {field.name for field in msgspec.structs.fields(struct)}
        assert not node.children or node.type in components.CONTAINERS
        check_nodes(node.children)


def everything():
    panel = Panel("test.all", "1.0.0")

    @panel.view("main")
    def main(ctx):
        more = ctx.state.more
        readings = ctx.search(VITALS)
        return ui.column(
            ui.row(ui.pill("Alle", tone="accent", shape="dot"), ui.spacer(), slot="toolbar", align="between"),
            ui.section("Titel", ui.heading("H", level=4), ui.text("T", at="2026-01-14T15:00:00+01:00", source="Mia")),
            ui.notice("N") if more else ui.empty("Tomt", "Gjør noe"),
            ui.divider(),
            ui.part(lambda: ui.text(str(len(readings))), key="n"),
            ui.part(lambda: ui.text(str(len(ctx.search("Flag")))), key="f"),
            ui.table(readings, [ui.col("Verdi", "valueQuantity.value", kind="number", decimals=1, unit="kg")]),
            ui.table(
                [
                    ui.line(
                        "a",
                        {
                            "x": ui.cell("1", values=[1.0, None], high=7.0, pills=[ui.pill("p")], sort=1),
                            "y": 5 if more else None,
                        },
                        ui.action("Åpne", do, patient="Patient/a"),
                    )
                ],
                [ui.col("X", key="x", kind="spark"), ui.col("Y", key="y")],
            ),
            ui.trend(readings, [ui.series("Puls", "8867-4")], bands=[ui.band(1, 2)], hours=24, codes=["9279-1"]),
            ui.trend(series=[ui.series("Vekt", points=[("2026-01-14T15:00:00+01:00", 74.2)])]),
            ui.form(
                ui.grid(
                    ui.number("Puls", "pulse", minimum=20, maximum=220, hint="h", required=True),
                    ui.pair("BT", ui.number("S", "s"), ui.number("D", "d", decimals=1), unit="mmHg"),
                    ui.text_field("Navn", "name", error="feil"),
                    ui.text_area("Notat", "note", rows=2),
                    ui.choice("Valg", "choice", [ui.option("a", "A", key="a"), "b"], initial="a"),
                    ui.chips("Flere", "many", ["a", "b"], multiple=True),
                    columns=3,
                ),
                submit=ui.action("Lagre", do),
            ),
            ui.button(ui.action("Lagre", do), style="primary", shortcut="Ctrl+S", disabled="" if more else "Vent"),
            ui.failed("F", retry=ui.action("Igjen", do)),
            ui.pending("målinger"),
        )

    @panel.action
    def do(ctx, patient=""):
        ctx.create("Observation", code="8867-4", value=72, unit="/min")
        ctx.update(
            {"resourceType": "Flag", "id": "f", "subject": {"reference": ctx.patient}, "meta": {"versionId": "2"}}
        )
        ctx.clear("pulse")
        ctx.set(more=True)
        ctx.say("Ferdig.", "warn")
        ctx.raise_intent("open Patient", patient=patient)

    @panel.action
    def problem(ctx):
        raise PanelProblem("Nei.")

    return panel


def test_all_that_is_sent_fits_the_protocol():
    bench = Bench(everything())
    asked = {}
    handle = bench._session.handle

    def listen(line):
        message = msgspec.json.decode(line)
        if isinstance(message, dict) and "method" in message and message.get("id") is not None:
            asked[message["id"]] = message["method"]
        handle(line)

    bench._session.handle = listen
    bench.sent.clear()
    bench.request("initialize", protocol=1)
    bench.open("main", values={"pulse": 3})
    bench.answer({VITALS: [], "Flag": []})
    bench.act("do", patient="Patient/a")
    for call in (lambda: bench.act("problem"), lambda: bench.act("unknown"), lambda: bench.request("what")):
        with pytest.raises(Refused):
            call()
    bench.request("ask", instance="i1", context="t1")
    bench.request("ping")
    bench.request("close", instance="i1", context="t1")
    bench.request("shutdown")
    asked[101] = "initialize"
    for message in bench.sent:
        check(message, asked)
    assert {one["method"] for one in bench.sent if "method" in one} >= {"render", "watch"}


@pytest.mark.parametrize("code", protocol.ERRORS)
def test_every_error_is_the_same_class_on_both_sides(code):
    theirs = protocol.ERRORS[code]
    line = wire.failure(7, theirs("Nei.", {"field": "x"}))
    ours = errors.received(msgspec.json.decode(line)["error"])
    assert type(ours) is errors.ERRORS[theirs.name]
    assert (ours.code, ours.name, ours.message, ours.data) == (code, theirs.name, "Nei.", {"field": "x"})
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text("x")

    @panel.action
    def fail(ctx):
        raise ours

    bench = Bench(panel)
    bench.open("main")
    with pytest.raises(Refused) as caught:
        bench.act("fail")
    back = wire.raised(msgspec.json.encode(caught.value.error))
    assert (type(back), back.message, back.data) == (theirs, "Nei.", {"field": "x"})


@pytest.mark.parametrize(
    "name", ["scope-denied", "wrong-patient", "unavailable", "bad-query", "access-denied", "too-many"]
)
def test_using_a_refused_result_raises_the_refusals_own_class(name):
    panel, caught = Panel(), []

    @panel.view("main")
    def main(ctx):
        try:
            len(ctx.search(VITALS))
        except errors.WireError as error:
            caught.append(type(error))
        return ui.text("x")

    bench = Bench(panel)
    bench.open("main", {VITALS: {"error": "Nei.", "code": name}})
    assert caught == [errors.ERRORS[name]]


def test_the_errors_are_the_protocols_own():
    assert {name: kind.code for name, kind in errors.ERRORS.items()} == {
        kind.name: code for code, kind in protocol.ERRORS.items()
    }
    assert {kind.__name__ for kind in errors.ERRORS.values()} - {"WireError"} == {
        kind.__name__ for kind in protocol.ERRORS.values()
    } - {"PanelError"}


def test_the_limits_are_the_protocols_own():
    assert tree.MAX_NODES == protocol.MAX_NODES
    assert tree.MAX_RENDER == protocol.MAX_RENDER
    assert (session.OLDEST, session.PROTOCOL) == (protocol.OLDEST_PROTOCOL, protocol.PROTOCOL_VERSION)
    assert (blobs.TYPES, blobs.MAX_BLOBS) == (protocol.BLOB_TYPES, protocol.MAX_BLOBS)
    assert blobs.PART <= protocol.MAX_CHUNK
    for name in (
        "MAX_NODES", "MAX_DEPTH", "MAX_STRING", "MAX_RENDER", "MAX_LINE", "MAX_WRITES", "MAX_STATE", "MAX_WATCHES",
    ):  # fmt: skip
        assert getattr(fakes, name) == getattr(protocol, name), name
