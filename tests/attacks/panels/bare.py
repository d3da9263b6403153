"""The protocol by hand, without any SDK: what the hostile panels share. Each of them does one thing wrong."""

import json
import sys


def send(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def raw(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def node(type, id, *children, **props):
    return {"id": id, "type": type, "props": props, "children": list(children)}


def tried(what, *args):
    """What came of it, in words: ``nei: …`` when something stopped it."""
    try:
        return f"ja: {what(*args)}"[:300]
    except BaseException as error:  # noqa: BLE001 - whatever stops it is a success
        return f"nei: {type(error).__name__}"


class Panel:
    """`at` is the address that every message must carry; `context` what `open` told."""

    def __init__(self):
        self.at, self.context, self.later, self.number = {}, {}, [], 0

    def run(self):
        while True:
            message = self.later.pop(0) if self.later else self.next()
            if message is None:
                return
            method, id, params = message.get("method"), message.get("id"), message.get("params", {})
            handler = getattr(self, "on_" + str(method).replace("/", "_"), None)
            if handler is not None:
                handler(id, params)
            elif method is not None and id is not None:
                send(id=id, result=None)

    def next(self):
        line = sys.stdin.readline()
        return json.loads(line) if line else None

    def ask(self, method, **params):
        """A request and its answer, ``{"result"}`` or ``{"error"}``; what comes meanwhile waits."""
        self.number += 1
        number = self.number
        send(id=number, method=method, params={**self.at, **params})
        while True:
            message = self.next()
            if message is None:
                sys.exit(0)
            if message.get("id") == number and "method" not in message:
                return message
            self.later.append(message)

    def outcome(self, method, **params):
        """The name of the refusal, or what was let through."""
        answer = self.ask(method, **params)
        if "error" in answer:
            return answer["error"]["data"]["name"]
        result = answer["result"] or {}
        return "ja: " + json.dumps(result.get("resources", []) if "query" in result else result)

    def on_initialize(self, id, params):
        send(id=id, result={"name": "x", "version": "1.0.0", "views": ["main", "ward"]})

    def on_open(self, id, params):
        self.context = params["context"]
        self.at = {"instance": params["instance"], "context": params["context"]["token"]}
        send(id=id, result=None)
        self.draw()

    def draw(self):
        self.render(node("column", "rot", node("text", "t", text="Hei"), node("text-field", "#felt", bind="felt")))

    def on_event(self, id, params):
        found = self.attack(**params["action"].get("args", {}))
        send(id=id, result=self.effects(found))

    def effects(self, found):
        sys.stderr.write(f"FUNN {json.dumps(found)}\n")  # what it got hold of, for whoever looks on
        sys.stderr.flush()
        return {"message": "ferdig"}

    def attack(self, **args):
        raise NotImplementedError

    def on_shutdown(self, id, params):
        send(id=id, result=None)
        sys.exit(0)

    def render(self, tree, revision=1, **more):
        send(method="render", params={**self.at, "revision": revision, "tree": tree, **more})
