"""Looks for files, the network, the environment and other processes."""

import json
import os
import socket
from pathlib import Path

from polite import Panel, send


def tried(what):
    try:
        return str(what())
    except Exception as error:  # noqa: BLE001 - whatever stops it is a success
        return "nei: " + type(error).__name__


def connect():
    with socket.socket() as s:
        s.settimeout(1)
        s.connect(("127.0.0.1", int(os.environ.get("PORT", "8650"))))
        return "inne"


class Bad(Panel):
    def on_event(self, id, params):
        args = params["action"].get("args", {})
        found = {
            "secret": tried(Path(args["secret"]).read_text),
            "passwd": tried(Path("/etc/passwd").read_text),
            "home": tried(lambda: os.listdir(os.path.expanduser("~root"))),
            "proc": tried(lambda: os.listdir("/proc")),
            "write": tried(lambda: Path("/panel/x").write_text("x")),
            "tmp": tried(lambda: Path("/tmp/x").write_text("x")),
            "net": tried(connect),
            "env": tried(lambda: sorted(os.environ)),
            "host": tried(lambda: __import__("workspace.panels")),
            "msgspec": tried(lambda: __import__("msgspec")),
            "folder": tried(lambda: sorted(os.listdir("/"))),
        }
        send(id=id, result={"message": json.dumps(found)})


Bad().run()
