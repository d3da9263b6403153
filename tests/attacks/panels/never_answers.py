"""Reads and writes no more once the user has pressed something."""

import time

from bare import Panel


class Deaf(Panel):
    def attack(self):
        time.sleep(3600)


Deaf().run()
