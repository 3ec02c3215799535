"""The one order in which a unit of work takes its locks, so that no two ever wait for each other."""

from contextvars import ContextVar
from enum import IntEnum


class Lock(IntEnum):
    """What is locked, in this order: the subject, or several of them, then the idempotency key, then the
    journal's numbers.
    """

    SUBJECT = 1
    KEY = 2
    JOURNAL = 3


class OutOfOrder(RuntimeError):
    """A unit of work wanted a lock that comes before one that it has. It is a fault of ours, on each run."""


_newest: ContextVar[Lock | None] = ContextVar("newest", default=None)
"""Within a unit of work, the latest in the order that it has; None outside."""


def begin() -> None:
    """Starts the order anew, in the task of a unit of work."""
    _newest.set(Lock.SUBJECT)


def taking(lock: Lock) -> None:
    """Called before a lock is taken, on both engines. Raises OutOfOrder."""
    newest = _newest.get()
    if newest is None:
        return
    if lock < newest:
        raise OutOfOrder(f"{lock.name} is locked before {newest.name}")
    _newest.set(lock)
