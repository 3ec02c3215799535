"""Ids made by us: known before a bulk insert, ordered by time, 63 bits, never shown bare outside."""

import secrets
import threading
import time

_EPOCH_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
_LOW_BITS = 22
_lock = threading.Lock()
_last = 0


def new_id() -> int:
    """41 bits of milliseconds since 2024, then 22 bits that start at random and count up.

    Unique in a process; two processes meet only when their random starts do within the same
    millisecond, and then the primary key refuses the second row.
    """
    global _last
    fresh = (int(time.time() * 1000) - _EPOCH_MS) << _LOW_BITS | secrets.randbits(_LOW_BITS - 1)
    with _lock:
        # Within one millisecond (or when the clock steps back) go on counting from the last one.
        _last = fresh if fresh >> _LOW_BITS > _last >> _LOW_BITS else _last + 1
        return _last
