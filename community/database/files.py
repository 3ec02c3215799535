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
_LOG_HEADER, _FRAME_HEADER, _INDEX_HEADER = 32, 24, 96

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
    def of(cls, header: bytes) -> "_Age | None":
        """None of one that was cut off, as a copy begins."""
        if len(header) < _HEADER:
            return None
        changes, pages, _, _, schema = struct.unpack_from(">5I", header, 24)
        return cls(schema, pages, changes)

    def is_before(self, other: "_Age") -> bool:
        return self[:2] < other[:2] or self.changes < other.changes


class _End(NamedTuple):
    """The last frame of a log, by its index."""

    frames: int
    page: int
    check: bytes
    salt: bytes

    @classmethod
    def of(cls, index: bytes) -> "_End":
        """Of a header that is just being written, whose two copies differ: nothing."""
        half = _INDEX_HEADER // 2
        if len(index) < _INDEX_HEADER or index[:half] != index[half:]:
            return cls(0, 0, b"", b"")
        page, frames, *check, salt = struct.unpack_from("=14xHI4x2I8s", index)
        return cls(frames, page if page > 1 else 1 << 16, struct.pack(">2I", *check), salt)


class _Log:
    """The log beside a database, and its index, which says with which frame the log ends. Both stay open, for
    closing them would take SQLite's locks away.
    """

    def __init__(self, log: Path, index: Path) -> None:
        self._log, self._index = (os.open(path, os.O_RDONLY) for path in (log, index))
        self._end: _End | None = None

    def is_whole(self) -> bool:
        """Whether it holds the frame that it ended with when we last looked, and the one that its index says
        it ends with now: one that was cut off, or written over by another one, does not.
        """
        end = self._read_end()
        if self._end and self._end.salt == end.salt and not self._holds(self._end):
            return self._read_end().salt != end.salt
        if not self._holds(end):
            return self._read_end() != end  # another process has begun it anew meanwhile
        self._end = end if end.salt else self._end
        return True

    def _read_end(self) -> "_End":
        return _End.of(os.pread(self._index, _INDEX_HEADER, 0))

    def _holds(self, end: "_End") -> bool:
        at = _LOG_HEADER + (end.frames - 1) * (_FRAME_HEADER + end.page)
        return not end.frames or os.pread(self._log, _FRAME_HEADER, at)[8:] == end.salt + end.check

    def close(self) -> None:
        for descriptor in (self._log, self._index):
            os.close(descriptor)


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
        self._log: _Log | None = None
        self._age: _Age | None = None

    def note(self) -> None:
        """Takes down what SQLite opened beside it, once it has read for the first time."""
        names = (self._wal, Path(f"{self._real}-shm"))
        self._beside = {path: found for path in names if (found := _identity(path))}
        if len(self._beside) == len(names) and self._log is None:
            self._log = _Log(*names)
        self._age = self._now()

    def changed(self) -> Path | None:
        """Returns the file that was replaced, if one was. Costs a few microseconds."""
        if _identity(self._path) != self._main or self._written_over():
            return self._path
        if other := next((path for path, noted in self._beside.items() if _identity(path) != noted), None):
            return other
        return None if self._log_is_whole else self._wal

    def _now(self) -> _Age | None:
        return _Age.of(os.pread(self._descriptor, _HEADER, 0))

    def _written_over(self) -> bool:
        """By what is not SQLite, as by a copy of an earlier day."""
        age = self._now()
        if self._age is not None and (age is None or age.is_before(self._age)):
            return True
        self._age = age
        return False

    @property
    def _log_is_whole(self) -> bool:
        return self._log is None or self._log.is_whole()

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
        log_is_ours = _identity(self._wal) in (self._beside.get(self._wal), None) and self._log_is_whole
        return self._is_ours and log_is_ours

    def set_aside(self) -> None:
        """Takes what we left beside another database out of its way: it would take our log for its own."""
        if not self._is_ours:
            for path, noted in self._beside.items():
                if _identity(path) == noted:
                    path.rename(f"{path}.of-replaced-{int(time.time())}")

    def close(self) -> None:
        os.close(self._descriptor)
        if self._log:
            self._log.close()
