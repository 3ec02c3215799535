"""How many connections a process has, in all and of each network, and which of them goes when there are too
many: whoever has let us wait for longest.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Protocol

from api.limits import network_of

EVERY = 1.0
"""Seconds between two checks for connections that have waited too long."""

SELDOM = 60.0
"""Seconds between two lines of the log."""

log = logging.getLogger(__name__)


class Connection(Protocol):
    def overdue(self) -> None:
        """Called when its client took longer than allowed."""

    def shed(self) -> None:
        """Called when its slot is given to another connection."""


@dataclass(slots=True)
class _Network:
    open: int = 0
    waiting: dict[Connection, None] = field(default_factory=dict)


class Connections:
    """Each is counted from `enter` to `leave`, or `become_socket`. In between it works, or it waits for its
    client, as in the beginning: for a head, the rest of a body, or that an answer is taken.
    """

    def __init__(self, most: int, most_of_network: int) -> None:
        self._most, self._most_of_network = most, most_of_network
        self._of: dict[Connection, str] = {}
        self._networks: dict[str, _Network] = {}
        self._waiting: dict[Connection, float] = {}  # until when; who has waited for longest comes first
        self._sockets = 0
        self._shed = self._turned_away = 0
        self._reported = float("-inf")
        self._next_look: asyncio.TimerHandle | None = None
        self._look_at = 0.0

    def __len__(self) -> int:
        return len(self._of) + self._sockets

    def enter(self, connection: Connection, address: str, seconds: float) -> bool:
        """Returns whether it gets a slot, which may be that of another connection, then shed."""
        name = network_of(address)
        network = self._networks.get(name)
        if network and network.open >= self._most_of_network:
            free = self._shed_first_of(network.waiting)
        else:
            free = len(self) < self._most or self._shed_first_of(self._waiting)
        if not free:
            self._turned_away += 1
            self._look_soon()
            return False
        network = self._networks.setdefault(name, network or _Network())
        network.open += 1
        self._of[connection] = name
        self.wait(connection, seconds)
        return True

    def wait(self, connection: Connection, seconds: float) -> None:
        """Waits for its client from now on, for `seconds` at most."""
        if (name := self._of.get(connection)) is not None:
            self.work(connection)
            self._waiting[connection] = asyncio.get_running_loop().time() + seconds
            self._networks[name].waiting[connection] = None
            self._look_soon()

    def work(self, connection: Connection) -> None:
        """No longer waits for its client."""
        if self._waiting.pop(connection, None) is not None:
            del self._networks[self._of[connection]].waiting[connection]

    def leave(self, connection: Connection) -> None:
        self.work(connection)
        if (name := self._of.pop(connection, None)) is not None:
            network = self._networks[name]
            network.open -= 1
            if not network.open:
                del self._networks[name]

    def become_socket(self, connection: Connection) -> None:
        """Counts it as a socket, which is bounded by address where the address before a proxy is known."""
        if connection in self._of:
            self.leave(connection)
            self._sockets += 1

    def lose_socket(self) -> None:
        self._sockets -= 1

    def _shed_first_of(self, waiting: dict[Connection, None] | dict[Connection, float]) -> bool:
        if (connection := next(iter(waiting), None)) is None:
            return False
        self.leave(connection)
        connection.shed()
        self._shed += 1
        self._look_soon()
        return True

    def _look_soon(self) -> None:
        if self._next_look is None:
            loop = asyncio.get_running_loop()
            self._look_at = loop.time() + EVERY
            self._next_look = loop.call_at(self._look_at, self._look)

    def _look(self) -> None:
        self._next_look = None
        now = asyncio.get_running_loop().time()
        if (late := now - self._look_at) > EVERY:
            # We were frozen, not they silent: what they sent meanwhile is still to be read.
            self._waiting = {connection: until + late for connection, until in self._waiting.items()}
        for connection in [connection for connection, until in self._waiting.items() if until <= now]:
            connection.overdue()
        self._report(now)
        if self._waiting or self._shed or self._turned_away:
            self._look_soon()

    def _report(self, now: float) -> None:
        if (self._shed or self._turned_away) and now - self._reported >= SELDOM:
            log.warning(
                "too many connections: %d that let us wait were shed, %d were turned away, %d are open",
                self._shed, self._turned_away, len(self),
            )  # fmt: skip
            self._reported, self._shed, self._turned_away = now, 0, 0
