"""How the units of work of this process ended, for metrics and health checks."""

import logging
import time
from collections import Counter
from typing import Literal

from community.database.trouble import in_short, meaning
from community.errors import Late, OutcomeUnknown, Unwritable

Word = Literal["ok", "late", "failing", "refused"]
"""`late`: the last write waited too long and was undone; `failing`: the disk did not take it; `refused`: the
database's file is another one by now, and nothing is written until a restart.
"""

ONE_LINE_IN = 60.0
"""Seconds between two equal lines of the log; every failed write would give one."""

_COUNTED: dict[type[BaseException], str] = {Late: "late", Unwritable: "unwritable", OutcomeUnknown: "unknown"}

ENDED: Counter[str] = Counter(dict.fromkeys(("committed", "undone", *_COUNTED.values()), 0))

log = logging.getLogger(__name__)


class Writes:
    """The outcome of the newest write that says anything about the database; a refusal by rules does not."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Starts anew, for a database that has just been opened."""
        self._word: Word = "ok"
        self._at = 0.0
        self._said: dict[str, float] = {}
        self._unsaid = 0

    @property
    def word(self) -> Word:
        return self._word

    @property
    def quiet(self) -> float:
        """Seconds since the newest outcome."""
        return time.monotonic() - self._at

    def refuse(self) -> None:
        """Marks the database as refusing writes, for good."""
        self._word = "refused"

    def ended(self, error: BaseException | None, *, wrote: bool = False) -> str:
        """Records the end of a unit of work, and returns the word under which it is counted. Success is an
        outcome only if it `wrote`: a retry that finds its first answer does not.
        """
        if error is None:
            if wrote:
                self._became("ok")
            return "committed"
        kind: type[BaseException] | None = type(error)
        if isinstance(error, OutcomeUnknown):  # a broken connection: the probe says how the database is
            kind = Late if error.__cause__ is None else meaning(error.__cause__)
        if kind is not None and issubclass(kind, Late | Unwritable):
            self._became("late" if issubclass(kind, Late) else "failing", error)
        return _COUNTED.get(type(error), "undone")

    def _became(self, word: Word, error: BaseException | None = None) -> None:
        self._at = time.monotonic()
        if self._word != "refused":
            self._word = word
            if error is not None:
                self._say(word, error)

    def _say(self, word: Word, error: BaseException) -> None:
        if self._at - self._said.get(word, -ONE_LINE_IN) < ONE_LINE_IN:
            self._unsaid += 1
            return
        log.error("writes are %s: %s (%s more since the last line)", word, in_short(error), self._unsaid)
        self._said[word], self._unsaid = self._at, 0


WRITES = Writes()
