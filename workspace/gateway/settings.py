"""What a gateway is told when it starts. Plain values; never reads the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """`name` and `organization_number` of the data controller; `issuer` and `client_id` for sign-on; `origin` the one
    address of the platform without a trailing slash; `store_path` the gateway's own SQLite file; `security_level` the
    least a person must have signed on with (4: what health care asks for; 0: not looked at); `draft_key` the 32 bytes that
    seal drafts, when they are not in the file `key_path`."""

    name: str
    organization_number: str
    sandbox: bool
    issuer: str
    client_id: str
    origin: str
    store_path: Path
    security_level: int = 4
    draft_key: bytes = field(default=b"", repr=False)

    @property
    def base(self) -> str:
        """The FHIR base, ``http://…/fhir``."""
        return self.origin.rstrip("/") + "/fhir"

    @property
    def key_path(self) -> Path:
        """``gateway.key``, beside the gateway's own file."""
        return self.store_path.with_name("gateway.key")
