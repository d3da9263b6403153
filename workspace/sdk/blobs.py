"""Pictures and documents on their way to the shell: named by their content, sent once, in parts. Never reads files."""

from __future__ import annotations

from workspace.sdk.errors import SdkError, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]

TYPES = ("image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "application/pdf")
MAX_BLOBS = 8 << 20  # bytes, all of one view's
PART = 384 << 10  # bytes, well within a line as base64


class Blob:
    """One on its way, or there. `data` is let go when all has been sent."""

    def __init__(self, handle: str, mime: str, data: bytes) -> None:
        self.handle, self.mime, self.total = handle, mime, len(data)
        self.data: bytes | None = data
        self.sent = 0
        self.touched = True
        self.waiting = False  # for the host's word on a part

    def part(self) -> Message | None:
        """What must be sent now; None when nothing is."""
        if self.data is None or self.waiting:
            return None
        from binascii import b2a_base64

        self.waiting = True
        chunk = self.data[self.sent : self.sent + PART]
        about = {"handle": self.handle, "mime": self.mime, "total": self.total, "offset": self.sent}
        return {**about, "data": b2a_base64(chunk, newline=False).decode()}

    def came(self, received: int) -> None:
        self.waiting, self.sent = False, received
        if self.sent >= self.total:
            self.data = None

    def failed(self) -> None:
        """The host did not take it: it is not sent again."""
        self.waiting, self.data = False, None


def handle(mime: str, data: bytes) -> str:
    """The name of a blob: the same bytes have the same name. Raises SdkError for what the shell does not take."""
    if mime not in TYPES:
        raise SdkError(at(f"ctx.blob: a blob is one of {', '.join(TYPES)}; not {mime!r}"))
    if not isinstance(data, bytes) or not data:
        raise SdkError(at("ctx.blob takes the content as bytes, and some of it"))
    if len(data) > MAX_BLOBS:
        raise SdkError(at(f"ctx.blob: {len(data)} bytes; a panel's blobs are at most {MAX_BLOBS >> 20} MiB in all"))
    from hashlib import blake2b

    return blake2b(data, digest_size=12, person=mime.encode()[:16]).hexdigest()
