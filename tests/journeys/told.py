"""What the panels were told and what they said: every message between the host and its panels, for the driver."""

from __future__ import annotations

import re

import msgspec

from workspace.panels.host import PanelHost

PATIENT = re.compile(rb"Patient/([A-Za-z0-9.-]{1,64})")


class Wire:
    """Every message between the host and its panels, from the first one on."""

    def __init__(self):
        self.messages = []
        self.deaf = False

    def listen(self):
        """The first messages leave while the shift is still being opened: listen from the host's birth."""
        born, wire = PanelHost.__init__, self

        def birth(host, *given, **named):
            born(host, *given, **named)
            host.on_message(wire.heard)

        PanelHost.__init__ = birth

    def heard(self, direction, package, pid, instance, context, raw):
        if not self.deaf:
            self.messages.append((direction, package, pid, instance, context, bytes(raw)))

    def summary(self, since=0):
        """By process: the package, contexts it was given, patients that were named to or by it."""
        found = {}
        for direction, package, pid, instance, context, raw in self.messages[since:]:
            one = found.setdefault(pid, {"package": package, "contexts": set(), "patients": set(), "kinds": set()})
            one.setdefault("messages", {"in": 0, "out": 0})[direction] += 1
            one.setdefault("instances", set()).add(instance)
            one["contexts"] |= {context} - {""}
            one["patients"] |= {each.decode() for each in PATIENT.findall(raw)}
            message = msgspec.json.decode(raw)
            params = message.get("params") if isinstance(message, dict) else None
            if isinstance(params, dict) and message.get("method") == "open":
                one["kinds"].add(params["context"]["kind"])
                one.setdefault("opened", []).append([params["context"]["token"], params["context"].get("patient", "")])
            # The answer to a panel's own search or read names no context, but it has one.
            one["patients"] |= {each["id"] for each in resources(message) if each["resourceType"] == "Patient"}
        return found

    def resources(self, since=0):
        """``Type/id`` of every resource that was sent to a panel."""
        found = set()
        for direction, *_, raw in self.messages[since:]:
            if direction == "out":
                found |= {f"{one['resourceType']}/{one['id']}" for one in resources(msgspec.json.decode(raw))}
        return sorted(found)


def resources(message):
    """Every resource in what is addressed to a panel; not those that a panel wants to create."""
    stack = [message]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            if isinstance(one.get("resourceType"), str) and isinstance(one.get("id"), str):
                yield one
                continue
            stack += one.values()


def strings(value):
    """Every text in a component."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from strings(each)
