"""Answers at once, and then computes for ever."""

import threading

from bare import Panel


def burn():
    while True:
        pass


class Burner(Panel):
    def attack(self):
        threading.Thread(target=burn, daemon=True).start()
        return {}


Burner().run()
