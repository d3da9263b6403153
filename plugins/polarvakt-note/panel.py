"""Journalnotat: where the shell starts. The work is in `note` and `reuse`, which Python keeps compiled."""

from note import panel

if __name__ == "__main__":
    panel.run()
