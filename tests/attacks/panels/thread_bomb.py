"""Makes threads without end."""

import threading

from bare import Panel


class Bomb(Panel):
    def attack(self):
        threading.stack_size(32768)
        made, stay = 0, threading.Event()
        for _ in range(20000):
            try:
                threading.Thread(target=stay.wait, daemon=True).start()
            except RuntimeError:
                break
            made += 1
        return {"made": made}


Bomb().run()
