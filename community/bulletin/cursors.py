"""Positions in the journal as clients keep them: opaque, and good for one bulletin of this database only."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection
from hashlib import blake2b
from typing import NamedTuple

from community.database.models import Installation
from community.database.sql import placeholders, select
from community.errors import CursorInvalid

_SHAPE, _CHECKED, _MARK = struct.Struct(">qq"), struct.Struct(">qqq"), struct.Struct(">q")


def encode(mark: int, number: int) -> str:
    return urlsafe_b64encode(_SHAPE.pack(mark, number)).decode().rstrip("=")


def _parts(text: str) -> tuple[int, int]:
    """What stands before the number, and the number. Raises CursorInvalid."""
    try:
        before, number = _SHAPE.unpack(urlsafe_b64decode(text + "=="))
    except (Error, ValueError, struct.error):
        raise CursorInvalid from None
    # The decoder skips what it does not know: only the very text that encode gives is one of ours.
    if number < 0 or encode(before, number) != text:
        raise CursorInvalid
    return int(before), int(number)


async def mark() -> int:
    """The mark of this database; migrating gave it one."""
    (row,) = await Installation.all().values("id")
    return int(row["id"])


class BulletinCursors(NamedTuple):
    """Those of one community's bulletin, listed or watched; those of another one are refused, as is one that
    somebody altered: before the number stands a check over it, the community and the mark.

    Version 0.1 gave cursors in which the mark itself stands there. Whoever kept one goes on with it:
    each community counts on from where the one journal of all was.
    """

    mark: int
    community: int

    def cursor(self, number: int) -> str:
        return encode(self._check(number), number)

    def number_of(self, text: str) -> int:
        """Raises CursorInvalid."""
        check, number = _parts(text)
        if check not in (self._check(number), self.mark):
            raise CursorInvalid
        return number

    def _check(self, number: int) -> int:
        checked = blake2b(_CHECKED.pack(self.mark, self.community, number), digest_size=_MARK.size)
        return int(_MARK.unpack(checked.digest())[0])


async def of_bulletin(community: int) -> BulletinCursors:
    return BulletinCursors(await mark(), community)


class Journal(NamedTuple):
    """The cursors of a bulletin, and up to where they may lie."""

    cursors: BulletinCursors
    head: int

    def number_of(self, text: str) -> int:
        """Raises CursorInvalid where `text` is not one of this bulletin, or lies ahead of the journal."""
        number = self.cursors.number_of(text)
        if number > self.head:
            raise CursorInvalid
        return number


_JOURNALS = """
SELECT i.id AS mark, h.community_id AS community, h.number AS head
  FROM installation i LEFT JOIN journal_head h ON h.community_id IN ({communities})
"""


async def journals(communities: Collection[int]) -> dict[int, Journal]:
    """Of each community."""
    rows = await select(_JOURNALS.format(communities=placeholders(communities)), list(communities))
    mark, heads = rows[0]["mark"], {row["community"]: row["head"] for row in rows}
    return {key: Journal(BulletinCursors(mark, key), heads.get(key, 0)) for key in communities}


async def number_of(text: str, community: int) -> int:
    """Raises CursorInvalid."""
    return (await journals([community]))[community].number_of(text)
