"""Mark-up, links, pictures and invisible signs wherever words are shown."""

from bare import Panel, node, send

BAD = '<a href="file:///etc/passwd"><b>FET</b></a><img src="file:///etc/passwd"><table><tr><td>x</td></tr></table>'


class Dresser(Panel):
    def attack(self):
        do = {"name": "attack"}
        number = {"bind": "s", "label": BAD, "unit": BAD, "hint": BAD}
        cell = {"text": BAD, "secondary": BAD, "source": BAD, "pills": [{"text": BAD}]}
        self.render(
            node(
                "column", "rot",
                node("text", "tekst", text=BAD, source=BAD, label=BAD), node("heading", "hode", text=BAD),
                node("notice", "varsel", text=BAD, title=BAD), node("empty", "tomt", title=BAD, text=BAD),
                node("pending", "venter", waits_for=BAD), node("failed", "feil", text=BAD, retry=do),
                node("pill", "pille", text=BAD), node("section", "del", title=BAD),
                node("button", "knapp", text=BAD, action=do, disabled=BAD, label=BAD),
                node("text-field", "#a", bind="a", label=BAD, hint=BAD, error=BAD, placeholder=BAD, source=BAD),
                node("number-field", "#b", bind="b", label=BAD, unit=BAD, hint=BAD, source=BAD),
                node("pair-field", "par", first=number, second={**number, "bind": "t"}, unit=BAD, hint=BAD, label=BAD),
                node("text-area", "#c", bind="c", label=BAD, placeholder=BAD, hint=BAD),
                node("choice-field", "#d", bind="d", label=BAD, options=[{"value": "1", "label": BAD, "hint": BAD}],
                     style="chips"),
                node("choice-field", "#e", bind="e", label=BAD, options=[{"value": "1", "label": BAD}], style="segments"),
                node("choice-field", "#f", bind="f", label=BAD, options=[{"value": "1", "label": BAD, "hint": BAD}],
                     initial="1"),
                node("table", "tabell", columns=[{"key": "a", "title": BAD}, {"key": "p", "title": BAD, "kind": "pills"}],
                     rows=[{"key": "1", "cells": {"a": cell, "p": cell}, "label": BAD}], label=BAD),
                node("table", "tom", columns=[{"key": "a", "title": BAD}], empty=BAD, empty_hint=BAD),
                node("trend", "trend", label=BAD, empty=BAD, series=[
                    {"key": "a", "title": BAD, "unit": BAD, "points": [["2026-01-14T10:00:00+01:00", 7]]}]),
                node("<b>ond</b>" + BAD, "ukjent"),
            ), 2,
        )  # fmt: skip
        send(method="notify", params={**self.at, "text": BAD, "tone": "warn"})
        return {}


Dresser().run()
