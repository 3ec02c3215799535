"""Every key that can change, named once, and the signal that it did.

A signal says only *that* something changed; whoever needs the value reads it anew.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Protocol


class Topic(StrEnum):
    ATTENDANCE = "attendance"  # key: event
    BULLETIN = "bulletin"  # key: community
    LEDGER = "ledger"  # key: community
    READING = "reading"  # key: community; who may read it changed
    RIGHTS = "rights"  # key: account
    TALLY = "tally"  # key: vote


class Signal(NamedTuple):
    topic: Topic
    key: int


class Publish(Protocol):
    """Passes signals to those who watch; called after the commit, never raises, never waits."""

    def __call__(self, signals: Iterable[Signal], /) -> None: ...
