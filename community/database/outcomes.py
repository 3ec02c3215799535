"""How the deeds of this process ended, for whoever looks after it."""

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
"""Seconds; one who cannot write says so for every write, and nobody reads a thousand lines."""

_COUNTED: dict[type[BaseException], str] = {Late: "late", Unwritable: "unwritable", OutcomeUnknown: "unknown"}

ENDED: Counter[str] = Counter(dict.fromkeys(("committed", "undone", *_COUNTED.values()), 0))

log = logging.getLogger(__name__)


class Writes:
    """What became of the newest write that tells about the database: it was taken, or it failed. A refusal by
    the rules tells nothing.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As in a database that has just been opened."""
        self._word: Word = "ok"
        self._at = 0.0
        self._said: dict[str, float] = {}
        self._unsaid = 0

    @property
    def word(self) -> Word:
        return self._word

    @property
    def quiet(self) -> float:
        """Seconds since a write told how it is."""
        return time.monotonic() - self._at

    def refuse(self) -> None:
        """From now on nothing is written, whatever else happens."""
        self._word = "refused"

    def ended(self, error: BaseException | None, *, wrote: bool = False) -> str:
        """Takes down how a deed ended, and gives the word under which it is counted. That one ended well says
        something only if it `wrote`: a retry that finds its first answer does not.
        """
        if error is None:
            if wrote:
                self._became("ok")
            return "committed"
        kind: type[BaseException] | None = type(error)
        if isinstance(error, OutcomeUnknown):  # of a line that broke, whoever looks for the database tells
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
