"""Rapport: where the shell starts. The work is in `report`, which Python keeps compiled."""

from report import panel

if __name__ == "__main__":
    panel.run()
