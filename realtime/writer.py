"""The writing half of a connection to one client, whatever server holds it."""

from collections.abc import Callable
from typing import Protocol

STALLED = 30.0
"""Seconds after which a client that reads nothing is cut off."""

ONE_TEXT = 0x81
"""FIN and the opcode of text, not masked as from server to client (RFC 6455 §5.2)."""


class Writer(Protocol):
    """`busy`: the client has not read what was written. A group then writes no more to it until
    `drained`, which is called each time the writer becomes free.
    """

    drained: Callable[[], None] | None

    @property
    def busy(self) -> bool: ...

    def write(self, text: bytes) -> None:
        """Writes one text message, in UTF-8. Never waits, never raises; does nothing once closed."""

    async def drain(self) -> None:
        """Returns when the writer is free, or closed."""

    def close(self, code: int, reason: str) -> None:
        """Sends a close frame, and gives the client time to answer it. Never waits, never raises."""


def text_frame(text: bytes) -> bytes:
    """`text` as one frame of RFC 6455, its length written in the shortest way (§5.2)."""
    length = len(text)
    if 125 < length < 65536:  # as nearly all are
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), text)
    if length < 126:
        return bytes((ONE_TEXT, length)) + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text
