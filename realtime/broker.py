"""How a signal gets from the process that wrote to the processes that show.

The contract is five calls. In memory it is one process, over Redis it is many; the tests of the contract
are the same. Signals may come twice, merged, or not at all with a line that broke: whoever listens reads
the truth anew.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from community.signals import Signal

log = logging.getLogger(__name__)

Listener = Callable[[Signal], None]
Stop = Callable[[], None]
Want = Callable[[Signal], Stop]


class Broker(Protocol):
    def publish(self, signals: Iterable[Signal], /) -> None:
        """To every process, this one at once. Never waits, never raises: the commit is already done."""

    def hear(self, signals: Iterable[Signal], /) -> None:
        """To this process only, which learned of them by itself."""

    def listen(self, listener: Listener) -> Stop:
        """Hands every later signal to `listener`, which must not wait; call the result to stop."""

    def want(self, signal: Signal, /) -> Stop:
        """Others need to send `signal` here from now on, until the result is called."""

    def after_gap(self, mend: Callable[[], None]) -> Stop:
        """Calls `mend` whenever signals may have been lost; call the result to stop."""


class Listeners:
    """The listeners of one process, whatever the broker."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._menders: list[Callable[[], None]] = []

    def hear(self, signals: Iterable[Signal], /) -> None:
        for signal in signals:
            for listener in tuple(self._listeners):
                try:
                    listener(signal)
                except Exception:  # one that fails must not keep the news from the others
                    log.exception("a listener failed at %s", signal.topic)

    def listen(self, listener: Listener) -> Stop:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def after_gap(self, mend: Callable[[], None]) -> Stop:
        self._menders.append(mend)
        return lambda: self._menders.remove(mend)

    def _mend(self) -> None:
        for mend in tuple(self._menders):
            mend()


class MemoryBroker(Listeners):
    """Within one process; there is no line that could break."""

    def publish(self, signals: Iterable[Signal], /) -> None:
        self.hear(signals)

    def want(self, signal: Signal, /) -> Stop:
        return lambda: None
