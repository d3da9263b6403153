"""What the ill-behaved panels do properly: answering. Each overrides what it does wrong."""

import json
import sys


def send(**message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def raw(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def say(text, id="rot"):
    return {"id": id, "type": "text", "props": {"text": text}}


def field(id, bind):
    return {"id": id, "type": "text-field", "props": {"bind": bind}}


def column(*children):
    return {"id": "rot", "type": "column", "children": list(children)}


class Panel:
    """`at` is the address that every message must carry."""

    at = None

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            method, id, params = message.get("method"), message.get("id"), message.get("params", {})
            if method is None:
                continue
            if method == "open":
                self.at = {"instance": params["instance"], "context": params["context"]["token"]}
            handler = getattr(self, "on_" + method.replace("/", "_"), None)
            if handler is not None:
                handler(id, params)
            elif id is not None:
                send(id=id, result=None)
            if method == "shutdown":
                return

    def on_initialize(self, id, params):
        send(id=id, result={"name": "x", "version": "1.0.0", "views": ["main"]})

    def on_open(self, id, params):
        send(id=id, result=None)
        self.render(column(say("Hei", "t"), field("#a", "a")))

    def on_event(self, id, params):
        send(id=id, result={})

    def render(self, tree, revision=1, **more):
        send(method="render", params={**self.at, "revision": revision, "tree": tree, **more})

    def patch(self, operations, base, revision):
        send(method="render", params={**self.at, "revision": revision, "base": base, "patch": operations})
