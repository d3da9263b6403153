"""Sammendrag: where the shell starts. The work is in `summary` and `latest`, which Python keeps compiled."""

from summary import panel

if __name__ == "__main__":
    panel.run()
