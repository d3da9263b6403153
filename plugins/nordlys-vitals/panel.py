"""Vitale målinger: where the shell starts. The work is in `vitals` and `news2`, which Python keeps compiled."""

from vitals import panel

if __name__ == "__main__":
    panel.run()
