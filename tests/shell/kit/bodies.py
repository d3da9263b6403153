"""Trees like those of the real panels, for tests of bodies."""

from __future__ import annotations

from tests.shell.kit.fakes import node
from workspace.panels.protocol import Node

BREATH = [16, 16, 17, 16, 18, 18, 18, 19, 20, 20, 21, 22, 24, 25]
PULSE = [78, 80, 76, 82, 84, 79, 88, 90, 86, 92, 96, 101, 108, 112]


def vitals() -> Node:
    def points(values):
        return [[f"2026-01-{9 + i // 3:02d}T{8 * (i % 3):02d}:00:00+01:00", v] for i, v in enumerate(values)]

    series = [
        {"key": "p", "title": "Puls", "points": points(PULSE)},
        {"key": "r", "title": "Pust", "tone": "bad", "points": points(BREATH)},
    ]  # fmt: skip
    levels = [{"value": "A", "label": "A våken"}, {"value": "C", "label": "C forvirret"}]
    return node(
        "column", "c",
        node("trend", "t", series=series, bands=[{"low": 12, "high": 20}]),
        node(
            "form", "f",
            node(
                "grid", "g",
                node("number-field", "#pust", bind="pust", label="Pust", unit="/min", minimum=4, maximum=60),
                node("number-field", "#spo2", bind="spo2", label="SpO₂ (skala 1)", unit="%", error="Skriv et tall"),
                node("choice-field", "#o2", bind="o2", label="Oksygen", options=[{"value": "0", "label": "Luft"}]),
                node("pair-field", "#bt", first={"bind": "sys", "label": "Systolisk"}, unit="mmHg", label="Blodtrykk",
                     second={"bind": "dia", "label": "Diastolisk"}),
                node("number-field", "#puls", bind="puls", label="Puls", unit="/min"),
                node("number-field", "#temp", bind="temp", label="Temperatur", unit="°C", decimals=1),
                node("choice-field", "#bev", bind="bev", label="Bevissthet", unit="ACVPU", options=levels),
                node("button", "save", text="Lagre", style="primary", shortcut="Ctrl+S", action={"name": "save"}),
                columns=4,
            ),
        ),
        node("row", "r", node("pill", "p", text="NEWS2 blir 10", tone="bad", shape="up"),
             node("text", "x", text="Pust 3 · SpO₂ 3 · BT 1 · Puls 2 · Temp 1 — kladd lagret 15:03", style="caption")),
    )  # fmt: skip


def note() -> Node:
    chips = [
        node("button", f"k{i}", text=t, style="chip", action={"name": t})
        for i, t in enumerate(("Forverring", "ISBAR", "Pårørende"))
    ]
    return node(
        "column", "c",
        node("row", "r", *chips, wrap=True),
        node("notice", "n", text="Sist skrevet av Mia for 2 t siden.", tone="accent"),
        node("text-area", "#t", bind="t", label="Notat", rows=9),
        node("row", "b", node("button", "s", text="Signer", style="primary", action={"name": "s"}),
             node("button", "d", text="Behold kladd", action={"name": "d"}),
             node("text", "w", text="4 verdier gjenbrukt, 0 skrevet på nytt", style="caption")),
    )  # fmt: skip


def ward() -> Node:
    columns = [
        {"key": "rom", "title": "Rom"}, {"key": "navn", "title": "Beboer", "kind": "strong", "width": "grow"},
        {"key": "news", "title": "NEWS2", "kind": "pill"},
        {"key": "spark", "title": "Siste 5 målinger", "kind": "spark", "priority": 4},
        {"key": "merk", "title": "Merk", "kind": "pills", "priority": 2},
        {"key": "oppg", "title": "Oppgaver", "align": "end", "priority": 3},
        {"key": "sett", "title": "Sist sett", "kind": "age"},
    ]  # fmt: skip
    rows = []
    people = [("210", "Arne Storspove", 7, "bad", "up"), ("202", "Kåre Svaberg", 5, "warn", "diamond"),
              ("206", "Signe Blåbærlyng", 3, "neutral", "dot"), ("205", "Harald Steinkobbe", 0, "ok", "dot")]  # fmt: skip
    for number, (room, name, score, tone, shape) in enumerate(people):
        rows.append({"key": room, "cells": {
            "rom": room, "navn": {"text": name, "secondary": f"{80 + number} år"},
            "news": {"text": str(score), "tone": tone, "shape": shape, "sort": score},
            "spark": {"values": [1, 2, 2, 3, score], "high": 12, "tone": tone},
            "merk": {"pills": [{"text": "HLR−", "tone": "bad"}, {"text": "Fall"}][: number + 1]},
            "oppg": "—" if number == 3 else str(number),
            "sett": {"at": "2026-01-14T14:52:00+01:00" if number < 3 else "2026-01-13T21:10:00+01:00"},
        }, "action": {"name": "open"}})  # fmt: skip
    return node("column", "c", node("table", "t", columns=columns, rows=rows, selected="210", label="Beboere"),
                node("failed", "x", text="Prøvesvarene kom ikke.", retry={"name": "again"}))  # fmt: skip
