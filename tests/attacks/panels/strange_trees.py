"""Trees that no shell can draw, or that would make it draw something else than it should."""

import json

from bare import Panel, node, raw

MANY = [{"value": str(n), "label": f"valg {n}"} for n in range(20_000)]
HUGE = 10**300


def trees():
    save = {"name": "attack"}
    points = [["2026-01-14T10:00:00+01:00", HUGE], ["2026-01-14T11:00:00+01:00", -HUGE], ["i går", 1]]
    return {
        "unknown": node("column", "rot", node("iframe", "a", src="http://ond.example"), node("script", "b", text="x"),
                        node("Text", "c", text="x"), node("", "d"), node("text-field\0", "e", bind="e")),
        "100,000 nodes": node("column", "rot", *(node("divider", str(n)) for n in range(100_000))),
        "same id": node("column", "rot", *(node("text", "t", text=str(n)) for n in range(50))),
        "same bind": node("column", "rot", *(node("text-field", f"f{n}", bind="felt") for n in range(50))),
        "huge values": node("trend", "r", series=[{"key": "a", "title": "a", "points": points}]),
        "huge grid": node("grid", "r", node("text", "x", text="x", span=10**12), columns=10**12),
        "huge span": node("grid", "r", node("text", "x", text="x", span=-(10**12))),
        "huge field": node("number-field", "#n", bind="n", minimum=HUGE, maximum=-HUGE),
        "huge decimals": node("number-field", "#n", bind="n", decimals=10**9),
        "huge area": node("text-area", "#o", bind="o", rows=10**9),
        "huge skeleton": node("pending", "r", lines=10**9),
        "huge level": node("section", "r", title="s", level=10**9),
        "huge cells": node("table", "r", columns=[{"key": "s", "title": "s", "kind": "spark"},
                                                  {"key": "n", "title": "n", "kind": "number"}],
                           rows=[{"key": "1", "cells": {"s": {"values": [HUGE, -HUGE, 1], "high": HUGE}, "n": HUGE}}]),
        "a long word": node("column", "rot", node("text", "t", text="W" * 200_000)),
        "many lines": node("column", "rot", node("text", "t", text="linje\n" * 30_000)),
        "a wide table": node("table", "rot", columns=[{"key": str(n), "title": str(n)} for n in range(2000)],
                             rows=[{"key": "r", "cells": {str(n): n for n in range(2000)}}]),
        "a long list": node("column", "rot", node("choice-field", "#v", bind="v", options=MANY[:4000])),
        "many chips": node("column", "rot", node("choice-field", "#v", bind="v", style="chips", options=MANY[:4000])),
        "many fields": node("column", "rot", *(node("text-field", f"#f{n}", bind=f"f{n}") for n in range(1500))),
        "many buttons": node("column", "rot", *(node("button", f"k{n}", text=f"K {n}", action=save) for n in range(2400))),
        "many tables": node("column", "rot", *(node("table", f"t{n}", columns=[]) for n in range(900))),
        "many texts": node("column", "rot", *(node("text", f"x{n}", text=f"Linje {n}") for n in range(4000))),
        "many levels": deep(39),
        "shortcuts": node("column", "rot", *(node("button", k, text="x", action=save, shortcut=k) for k in (
            "Ctrl+K", "F12", "Alt+1", "Ctrl+S", "Return", "Space", "A", "5", "Esc", "Tab", "Ctrl+Alt+Del", "ond"))),
    }  # fmt: skip


def deep(levels):
    inner = node("text", "inni", text="bunn")
    for level in range(levels - 1):
        inner = node("row" if level % 2 else "section", f"n{level}", inner, **({} if level % 2 else {"title": "s"}))
    return inner


class Painter(Panel):
    def attack(self, how):
        tree = trees()[how]
        message = {"jsonrpc": "2.0", "method": "render", "params": {**self.at, "revision": 2, "tree": tree}}
        raw(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        return {}


Painter().run()
