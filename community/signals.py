"""The signal that something changed.

It says only *that* it did; whoever needs the value reads it anew.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Signal(NamedTuple):
    """`topic` is the word of a `Topic` in the catalogue, `key` the id of one of its subjects."""

    topic: str
    key: int


class Publish(Protocol):
    """Passes signals to those who watch; called after the commit, never raises, never waits."""

    def __call__(self, signals: Iterable[Signal], /) -> None: ...
