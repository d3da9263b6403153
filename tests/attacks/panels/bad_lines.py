"""Lines that are no messages: too long, not UTF-8, too deep, not finite, too big, of the wrong kind."""

import json
import sys

from bare import Panel, raw

NUMBER = b'{"jsonrpc":"2.0","id":%s,"method":"search"}\n'
HEAD = b'{"jsonrpc":"2.0","method":"render","params":'


class Garbler(Panel):
    def attack(self, how):
        at = json.dumps(self.at)[1:-1].encode()
        text = b'{"id":"t","type":"text","props":{"text":%s}}'
        render = HEAD + b"{" + at + b',"revision":%s,"tree":%s}}\n'
        lines = {
            "long": [b"x" * 4_000_000],
            "long message": [render % (b"2", text % (b'"' + b"x" * 2_000_000 + b'"'))],
            "not utf-8": [b"\xff\xfe\x00\n", b'{"jsonrpc":"2.0","method":"log","params":{"text":"\xc3\x28"}}\n'] * 2,
            "surrogates": [render % (b"2", text % rb'"\ud800 FALSK"')],
            "nul": [b"\0" * 1000 + b"\n"] * 3,
            "deep arrays": [b"[" * 300_000 + b"\n"] * 3,
            "deep params": [HEAD + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}\n"] * 3,
            "deep tree": [render % (b"2", b'{"id":"a","type":"column","children":[' * 5000 + b"]}" * 5000)],
            "nan": [render % (b"2", text % b"NaN"), render % (b"NaN", text % b'"FALSK"')],
            "infinity": [render % (b"Infinity", text % b'"FALSK"'), render % (b"1e400", text % b'"FALSK"')],
            "huge integers": [render % (b"9" * 5000, text % b'"FALSK"'), NUMBER % (b"9" * 400_000)],
            "wrong kinds": [HEAD + b"[]}\n", HEAD + b"7}\n", b"[]\n", b"7\n", b'"hei"\n', b"null\n", b'{"jsonrpc":7}\n'],
            "two in one": [b"{}{}\n", b'{"method":"log"}{"method":"log"}\n', b"}{\n"],
            "id of another kind": [NUMBER % b'"a"', NUMBER % b"{}", NUMBER % b"[1]"],
        }[how]  # fmt: skip
        for line in lines:
            raw(line)
        sys.stdout.flush()
        return {}


Garbler().run()
