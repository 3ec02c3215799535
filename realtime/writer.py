"""What is written to: the sending half of one client's connection, whatever server holds it."""

from collections.abc import Callable
from typing import Protocol


class Writer(Protocol):
    """`busy`: the client has not read what was written. Whoever writes then waits for `drained`, which is
    called each time the client has caught up.
    """

    drained: Callable[[], None] | None

    @property
    def busy(self) -> bool: ...

    def write(self, text: bytes) -> None:
        """One text message, in UTF-8. Never waits, never raises; on a closed connection it does nothing."""

    async def drain(self) -> None:
        """Until the client has caught up, or is gone."""

    def close(self, code: int, reason: str) -> None:
        """Says why and ends the connection; the client has a while to say the same. Never waits, never
        raises.
        """
