"""Does on the wire what a test tells it to, and remembers what it heard. No SDK: the rules hold for any program."""

import json
import sys
import time

from polite import Panel, raw, send


def brief(value):
    """Long lists as their length: what is remembered must fit a message."""
    if isinstance(value, dict):
        return {name: brief(one) for name, one in value.items()}
    if isinstance(value, list):
        return len(value) if len(value) > 50 else [brief(one) for one in value]
    return f"{len(value)} characters" if isinstance(value, str) and len(value) > 1000 else value


class Puppet(Panel):
    def __init__(self):
        self.heard, self.reply = [], {"handled": True, "result": "gjort"}

    def run(self):
        for line in sys.stdin:
            message = json.loads(line)
            self.heard.append(brief(message))
            method, id, params = message.get("method"), message.get("id"), message.get("params", {})
            if method == "open":
                self.at = {"instance": params["instance"], "context": params["context"]["token"]}
            handler = getattr(self, "on_" + method.replace("/", "_"), None) if method else None
            if handler is not None:
                handler(id, params)
            elif id is not None and method is not None:
                send(id=id, result=None)
            if method == "shutdown":
                return

    def on_event(self, id, params):
        args = params["action"].get("args", {})
        getattr(self, "do_" + params["action"]["name"])(id, args)

    def on_intent(self, id, params):
        if "error" in self.reply:
            send(id=id, error=self.reply["error"])
        elif self.reply:
            send(id=id, result=self.reply)

    def do_say(self, id, args):
        for message in args.get("messages", []):
            send(**{**message, "params": {**self.at, **message.get("params", {})}})
        for text in args.get("raw", []):
            raw(text)
        send(id=id, result={})

    def do_spill(self, id, args):
        sys.stdout.buffer.write(bytes.fromhex(args["hex"]))
        send(id=id, result={})

    def do_pour(self, id, args):
        for _ in range(args["lines"]):
            send(method="log", params={"text": "x" * args["bytes"]})
        send(id=id, result={})

    def do_heard(self, id, args):
        found = [m for m in self.heard if m.get("method") == args["method"]] if "method" in args else self.heard
        if "id" in args:
            found = [m for m in found if m.get("id") == args["id"] and "method" not in m]
        send(id=id, result={"state": {"heard": found[-60:]}})

    def do_answer(self, id, args):
        send(id=id, **args)

    def do_keep(self, id, args):
        if args.get("ack"):
            send(method="ack", params={"id": id})

    def do_delayed(self, id, args):
        send(id=id, result={})
        time.sleep(args["seconds"])
        self.number = getattr(self, "number", 6999) + 1
        send(id=self.number, method=args["method"], params={**self.at, **args["params"]})

    def do_hang(self, id, args):
        time.sleep(args["seconds"])
        send(id=id, result={})

    def do_reply(self, id, args):
        self.reply = args
        send(id=id, result={})


if __name__ == "__main__":
    Puppet().run()
