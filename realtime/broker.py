"""How a signal gets from the process that wrote to the processes that show.

The contract is two calls. In memory it is one process; over Redis it will be many, and the tests of the
contract are the same.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from community.signals import Signal

Listener = Callable[[Signal], None]

log = logging.getLogger(__name__)


class Broker(Protocol):
    """Signals may come twice or merged, and be lost with the line; listeners read the truth anew."""

    def publish(self, signals: Iterable[Signal], /) -> None:
        """Never waits, never raises: the commit is already done."""

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Hands every later signal to `listener`, which must not wait; call the result to stop."""


class MemoryBroker:
    """Within one process."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def publish(self, signals: Iterable[Signal], /) -> None:
        for signal in signals:
            for listener in tuple(self._listeners):
                try:
                    listener(signal)
                except Exception:
                    log.exception("a listener failed at %s", signal)

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
