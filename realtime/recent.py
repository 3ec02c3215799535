"""Keeps what was made of the documents used last, within a number of bytes, as estimated."""

from collections import OrderedDict
from collections.abc import Hashable
from sys import maxsize
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

BYTES_A_TOKEN = 700
"""Its node with the location, and its part of the costs."""

BYTES_A_DOCUMENT = 4_000
"""Whatever is in it."""


def weight(text: str, tokens: int) -> int:
    """Bytes that a document takes up at most, parsed, with its text."""
    return 4 * len(text) + BYTES_A_TOKEN * tokens + BYTES_A_DOCUMENT


class Recent(Generic[K, V]):
    """`size`: the bytes of all that is kept."""

    def __init__(self, most_bytes: int, most: int = maxsize) -> None:
        self._most_bytes, self._most = most_bytes, most
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def get(self, key: K) -> V | None:
        if found := self._kept.get(key):
            self._kept.move_to_end(key)
        return found[0] if found else None

    def put(self, key: K, value: V, takes: int) -> None:
        """Forgets those that were used longest ago if it is too much."""
        if before := self._kept.pop(key, None):
            self.size -= before[1]
        self._kept[key] = value, takes
        self.size += takes
        while self.size > self._most_bytes or len(self._kept) > self._most:
            _, (_, takes) = self._kept.popitem(last=False)
            self.size -= takes
