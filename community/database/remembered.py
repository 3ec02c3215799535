"""Values that were read before, each with the state of which it was made: it says whether they still hold."""

from collections import OrderedDict
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from tortoise import connections

K = TypeVar("K")
S = TypeVar("S")
V = TypeVar("V")


class Remembered(Generic[K, S, V]):
    """Of each open database, with which they go, the `most` that were asked for last."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._of: WeakKeyDictionary[object, OrderedDict[K, tuple[S, V]]] = WeakKeyDictionary()

    @property
    def _here(self) -> OrderedDict[K, tuple[S, V]]:
        return self._of.setdefault(connections.get("default"), OrderedDict())

    def get(self, key: K, state: S) -> V | None:
        """None unless it was made of this very state."""
        here = self._here
        if (found := here.get(key)) is None or found[0] != state:
            return None
        here.move_to_end(key)
        return found[1]

    def put(self, key: K, state: S, value: V) -> None:
        here = self._here
        here[key] = state, value
        here.move_to_end(key)
        if len(here) > self.most:
            here.popitem(last=False)
