"""Carries signals from the process that wrote to the processes whose clients watch.

There is one broker for one process, in memory, and one for many, over Redis; both pass the same tests.
Signals may come twice, merged, or not at all if a connection broke: a listener reads the value anew.
"""

import logging
from collections.abc import Callable, Iterable
from typing import ParamSpec

from community.database.journal import Heads, Written
from community.signals import Signal

log = logging.getLogger(__name__)

Listener = Callable[[Signal], None]
Stop = Callable[[], None]

P = ParamSpec("P")


def call_each(listeners: Iterable[Callable[P, None]], *given: P.args, **named: P.kwargs) -> None:
    """Calls all; one that fails is logged, and keeps nothing from the others."""
    for listener in tuple(listeners):
        try:
            listener(*given, **named)
        except Exception:
            log.exception("a listener failed")


class Broker:
    """`saw` is called with the numbers of the journals that come with signals of other processes, before they
    are dispatched: whoever reads what has changed is not answered from before it.
    """

    def __init__(self) -> None:
        self.saw: Callable[[Heads], None] = lambda heads: None
        self._listeners: list[Listener] = []
        self._resyncs: list[Callable[[], None]] = []

    def publish(self, signals: Iterable[Signal], /) -> None:
        """Sends to every process, to this one at once. Never waits, never raises: the commit is done."""
        raise NotImplementedError

    def dispatch(self, signals: Iterable[Signal], /) -> None:
        """Passes signals to the listeners of this process only."""
        for signal in signals:
            call_each(self._listeners, signal)

    def listen(self, listener: Listener) -> Stop:
        """Passes every later signal to `listener`, which must not wait; call the result to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def wrote(self, written: Written, /) -> None:
        """Called after `publish` with the rows of the journal in which that stands, to be sent with it."""

    def register_interest(self, signal: Signal, /) -> Stop:
        """Asks the other processes to send `signal` here, until the result is called."""
        raise NotImplementedError

    def on_resync(self, resync: Callable[[], None]) -> Stop:
        """Calls `resync` whenever signals may have been lost; call the result to stop."""
        self._resyncs.append(resync)
        return lambda: self._resyncs.remove(resync)

    def resync(self) -> None:
        call_each(self._resyncs)


class MemoryBroker(Broker):
    """For one process; there is no connection that could break."""

    def publish(self, signals: Iterable[Signal], /) -> None:
        self.dispatch(signals)

    def register_interest(self, signal: Signal, /) -> Stop:
        return lambda: None
