"""The files that an open SQLite database stands on, and whether they are still the ones at their names.

What is written into a file that was removed, replaced or written over is lost, though SQLite says it is done.
"""

import os
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_HEADER = 100

Identity = tuple[int, int] | None


def _identity(path: Path) -> Identity:
    with suppress(OSError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None


class _Age(NamedTuple):
    """What a database's header says of how far it has come. SQLite only ever raises it; a vacuum, which takes
    pages away, counts as a change of the schema.
    """

    schema: int
    pages: int
    changes: int

    @classmethod
    def of(cls, header: bytes) -> "_Age":
        """Of one that was cut off, as a copy begins: older than any."""
        if len(header) < _HEADER:
            return cls(-1, 0, 0)
        changes, pages, _, _, schema = struct.unpack_from(">5I", header, 24)
        return cls(schema, pages, changes)

    def is_before(self, other: "_Age") -> bool:
        return self[:2] < other[:2] or self.changes < other.changes


class OpenFiles:
    """To be made before SQLite opens them and closed after it closed them: where any descriptor of a file is
    closed, POSIX takes away the locks that this process holds on it.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path).absolute()
        self._real = self._path.resolve()
        self._wal = Path(f"{self._real}-wal")
        self._descriptor = os.open(self._real, os.O_RDONLY)
        found = os.fstat(self._descriptor)
        self._main = found.st_dev, found.st_ino
        self._beside: dict[Path, Identity] = {}
        self._age = _Age.of(b"")

    def note(self) -> None:
        """Takes down what SQLite opened beside it, once it has read for the first time."""
        names = (self._wal, Path(f"{self._real}-shm"))
        self._beside = {path: found for path in names if (found := _identity(path))}
        self._age = self._now()

    def changed(self) -> Path | None:
        """Which of them is not what it was, if one is not. Costs a few microseconds."""
        if _identity(self._path) != self._main or self._written_over():
            return self._path
        return next((path for path, noted in self._beside.items() if _identity(path) != noted), None)

    def _now(self) -> _Age:
        return _Age.of(os.pread(self._descriptor, _HEADER, 0))

    def _written_over(self) -> bool:
        """By what is not SQLite, as by a copy of an earlier day."""
        age = self._now()
        if age.is_before(self._age):
            return True
        self._age = age
        return False

    @property
    def _is_ours(self) -> bool:
        """The database of the log: where a link leads elsewhere by now, both stay together behind it."""
        return _identity(self._real) == self._main and not self._written_over()

    @property
    def wal_is_missing(self) -> bool:
        """What was acknowledged is in nothing but our hands."""
        return self._is_ours and self._wal in self._beside and _identity(self._wal) is None

    @property
    def may_be_closed(self) -> bool:
        """SQLite, which then writes its log into the database and removes it by its name, hits no other's."""
        return self._is_ours and _identity(self._wal) in (self._beside.get(self._wal), None)

    def set_aside(self) -> None:
        """Takes what we left beside another database out of its way: it would take our log for its own."""
        if not self._is_ours:
            for path, noted in self._beside.items():
                if _identity(path) == noted:
                    path.rename(f"{path}.of-replaced-{int(time.time())}")

    def close(self) -> None:
        os.close(self._descriptor)
