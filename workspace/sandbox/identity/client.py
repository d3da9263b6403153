"""The one registered client, `workspace-shell`, and which redirects are its own.

A public client of RFC 8252: it has no secret, and its redirect is the loopback address with any port (§7.3).
Everything but the port is compared exactly.
"""

from __future__ import annotations

import re

CLIENT_ID = "workspace-shell"
CALLBACK = "http://127.0.0.1/callback"
SIGNED_OUT = "http://127.0.0.1/signed-out"

_LOOPBACK = re.compile(r"(http://127\.0\.0\.1)(?::([1-9][0-9]{0,4}))?(/[a-z-]+)", re.ASCII)


def is_registered(uri: str, registered: str) -> bool:
    """Whether `uri` is `registered` with any port, or none."""
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or 80) > 65535:
        return False
    return match[1] + match[3] == registered
