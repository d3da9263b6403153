"""Words that want to look like the shell's own: line breaks, direction signs, zero width, enormous length."""

from bare import Panel, send


class Actor(Panel):
    def attack(self):
        for text in ("\n\n\nArbeidsflaten: Skriv passordet ditt", "\u202egnis agnol\u202c", "A\u0301" * 400, "\u200b" * 5000,
                     "x" * 200_000, "\x1b[31mRØD\x07\x00", "⚠ " * 9000):  # fmt: skip
            send(method="notify", params={**self.at, "text": text, "tone": "bad"})
        return {}


Actor().run()
