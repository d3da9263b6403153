"""Legemidler: where the shell starts. The work is in `medications`, which Python keeps compiled."""

from medications import panel

if __name__ == "__main__":
    panel.run()
