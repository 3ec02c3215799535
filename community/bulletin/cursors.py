"""Places in the journal as clients keep them: opaque, and good for this database only."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error

from community.database import journal
from community.database.models import Installation
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


async def number_of(text: str) -> int:
    """Raises CursorInvalid where `text` is not one of this database, or lies ahead of its journal."""
    number = decode(await mark(), text)
    if number > await journal.head():
        raise CursorInvalid
    return number
