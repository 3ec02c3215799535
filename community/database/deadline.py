"""How long anything that asks the database may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

DEADLINE = 10.0
"""Seconds from the start of a unit of work to its COMMIT: turn, connection, locks and statements together."""

GRACE = 1.0
"""Seconds after that for undoing it, or for the answer to the COMMIT; nobody is kept waiting any longer."""

_deadline: ContextVar[float | None] = ContextVar("deadline", default=DEADLINE)


def deadline() -> float | None:
    """Of what begins now; None within `unhurried`."""
    return _deadline.get()


@contextmanager
def unhurried() -> Iterator[None]:
    """Within, everything takes as long as it takes: a person waits for a whole estate, not for one ballot."""
    before = _deadline.set(None)
    try:
        yield
    finally:
        _deadline.reset(before)
