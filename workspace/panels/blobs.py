"""Pictures and documents that a panel hands over in parts, for components to show by handle (`protocol.Blob`).

Takes only what its type says it is: the first bytes must be those of an allowed type. Never decodes or draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from workspace.panels.protocol import BLOB_TYPES, MAX_BLOBS, MAX_CHUNK, Blob, InvalidParams, TooLarge, TooMany

MAX_HANDLES = 200

_SIGNS: dict[str, Callable[[bytes], bool]] = {
    "image/png": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda data: data.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda data: data.startswith((b"GIF87a", b"GIF89a")),
    "image/bmp": lambda data: data.startswith(b"BM"),
    "image/webp": lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP",
    "application/pdf": lambda data: data.startswith(b"%PDF-"),
}
"""The first bytes of each type, as the formats' specifications have them."""


@dataclass(slots=True)
class _Coming:
    mime: str
    total: int
    data: bytearray = field(default_factory=bytearray)


class Blobs:
    """All of one instance's. `changed(handle)`: it is there now, is another, or is gone."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._whole: dict[str, tuple[str, bytes]] = {}
        self._coming: dict[str, _Coming] = {}

    def get(self, handle: str) -> tuple[str, bytes] | None:
        """Type and bytes, once all of it has come."""
        return self._whole.get(handle)

    def take(self, part: Blob) -> int:
        """How many bytes of it have come. Raises InvalidParams, TooLarge or TooMany; what stood before then stands."""
        if part.total == 0:
            self._forget(part.handle)
            return 0
        if part.mime not in BLOB_TYPES:
            raise InvalidParams(f"a blob is one of {', '.join(BLOB_TYPES)}; not {part.mime[:60]!r}")
        if len(part.data) > MAX_CHUNK:
            raise TooLarge(f"a part is at most {MAX_CHUNK >> 10} KiB")
        coming = self._begin(part) if part.offset == 0 else self._coming.get(part.handle)
        if coming is None or (coming.mime, coming.total, len(coming.data)) != (part.mime, part.total, part.offset):
            have = len(coming.data) if coming is not None else 0
            raise InvalidParams(f"{have} bytes of {part.handle!r} have come; offset {part.offset} does not follow")
        if not part.data or len(coming.data) + len(part.data) > coming.total:
            raise InvalidParams(f"a part of {len(part.data)} bytes at {part.offset} of {coming.total}")
        coming.data += part.data
        if len(coming.data) == coming.total:
            del self._coming[part.handle]
            self._whole[part.handle] = (coming.mime, bytes(coming.data))
            self._changed(part.handle)
        return part.offset + len(part.data)

    def _begin(self, part: Blob) -> _Coming:
        if not _SIGNS[part.mime](part.data):
            raise InvalidParams(f"the first bytes are not those of {part.mime}")
        others = {name: len(data) for name, (_, data) in self._whole.items()}
        others |= {name: coming.total for name, coming in self._coming.items()}
        others.pop(part.handle, None)
        if len(others) >= MAX_HANDLES:
            raise TooMany(f"more than {MAX_HANDLES} blobs; forget one with total 0")
        if sum(others.values()) + part.total > MAX_BLOBS:
            raise TooLarge(f"the blobs of a panel are at most {MAX_BLOBS >> 20} MiB in all; forget one with total 0")
        coming = self._coming[part.handle] = _Coming(part.mime, part.total)
        return coming

    def _forget(self, handle: str) -> None:
        self._coming.pop(handle, None)
        if self._whole.pop(handle, None) is not None:
            self._changed(handle)

    def clear(self) -> None:
        """The process is gone: what had not come will not come. What is whole stays on screen with the tree."""
        self._coming.clear()
