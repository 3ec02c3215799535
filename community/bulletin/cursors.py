"""Places in the journal as clients keep them: opaque, and good for this database only."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection
from typing import NamedTuple

from community.database.models import Installation
from community.database.sql import select
from community.errors import CursorInvalid

_SHAPE = struct.Struct(">qq")


def encode(mark: int, number: int) -> str:
    return urlsafe_b64encode(_SHAPE.pack(mark, number)).decode().rstrip("=")


def decode(mark: int, text: str) -> int:
    """Raises CursorInvalid where `text` is not a cursor that `encode` gave for this mark."""
    try:
        found, number = _SHAPE.unpack(urlsafe_b64decode(text + "=="))
    except (Error, ValueError, struct.error):
        raise CursorInvalid from None
    # The decoder skips what it does not know: only the very text that encode gives is one of ours.
    if found != mark or number < 0 or encode(mark, number) != text:
        raise CursorInvalid
    return int(number)


async def mark() -> int:
    """The mark of this database; migrating gave it one."""
    (row,) = await Installation.all().values("id")
    return int(row["id"])


_JOURNAL = """
SELECT (SELECT id FROM installation) AS mark, (SELECT COALESCE(MAX(number), 0) FROM change) AS head
"""


class Journal(NamedTuple):
    """Where its cursors come from, and up to where they may lie."""

    mark: int
    head: int

    def number_of(self, text: str) -> int:
        """Raises CursorInvalid where `text` is not one of this database, or lies ahead of its journal."""
        number = decode(self.mark, text)
        if number > self.head:
            raise CursorInvalid
        return number


async def journal(keys: Collection[None] = (None,)) -> dict[None, Journal]:
    """There is one: for loaders, which ask by keys."""
    (row,) = await select(_JOURNAL)
    return {None: Journal(**row)}


async def number_of(text: str) -> int:
    return (await journal())[None].number_of(text)
