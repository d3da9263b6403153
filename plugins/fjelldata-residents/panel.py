"""Beboerliste: where the shell starts. The work is in `residents` and `rounds`, which Python keeps compiled."""

from residents import panel

if __name__ == "__main__":
    panel.run()
