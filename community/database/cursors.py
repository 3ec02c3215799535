"""Positions as clients keep them, opaque: in the journal of one community, and in one list."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple, cast

import orjson

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


class JournalCursors(NamedTuple):
    """Those of one community's journal, listed or watched; those of another one are refused, as is one that
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


async def journal_cursors(community: int) -> JournalCursors:
    return JournalCursors(await mark(), community)


class Journal(NamedTuple):
    """The cursors of a journal, and up to where they may lie."""

    cursors: JournalCursors
    head: int

    def number_of(self, text: str) -> int:
        """Raises CursorInvalid where `text` is not one of these, or lies ahead of the journal."""
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
    return {key: Journal(JournalCursors(mark, key), heads.get(key, 0)) for key in communities}


async def number_of(text: str, community: int) -> int:
    """Raises CursorInvalid."""
    return (await journals([community]))[community].number_of(text)


@dataclass(frozen=True)
class ListCursors:
    """The cursors of one list: of a field of one parent, and of what it was asked for.

    Each carries the key of its row and a check over the key and the list: that of another list, parent or
    filter is refused, and so is one that somebody altered.
    """

    field: str
    parent: int | None = None
    filters: Mapping[str, object] = dataclass_field(default_factory=dict)

    def cursor(self, *key: object) -> str:
        """Numbers, instants and words of a key as one opaque string."""
        parts = [part.astimezone(UTC).isoformat() if isinstance(part, datetime) else part for part in key]
        return _text([self._check(parts), *parts])

    def key(self, text: str | None, *shape: type) -> tuple[object, ...] | None:
        """What `cursor` was given, each part of the type in `shape`. Raises CursorInvalid."""
        if text is None:
            return None
        try:
            _check, *parts = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            if len(parts) != len(shape):
                raise CursorInvalid
            key = tuple(_part(part, kind) for part, kind in zip(parts, shape, strict=True))
            # The decoders forgive much: only the very text that `cursor` gives is one of ours.
            if self.cursor(*key) != text:
                raise CursorInvalid
        except (Error, TypeError, ValueError, OverflowError) as error:
            raise CursorInvalid from error
        return key

    def _check(self, parts: list[object]) -> str:
        described = orjson.dumps([self.field, self.parent, self.filters, parts], option=orjson.OPT_SORT_KEYS)
        return urlsafe_b64encode(blake2b(described, digest_size=_CHECK).digest()).decode()


_CHECK = 6
"""Bytes: enough that no cursor passes for another's by chance."""


def _text(parts: list[object]) -> str:
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def _part(part: object, kind: type) -> object:
    if kind is datetime and isinstance(part, str):
        part = datetime.fromisoformat(part)
        if part.tzinfo is None:
            raise CursorInvalid
    if type(part) is not kind or (isinstance(part, int) and abs(part) >= 2**63):
        raise CursorInvalid
    return part


@dataclass(frozen=True)
class NumberCursors(ListCursors):
    """Those of a list whose rows are known by a number: the same resume the journal of these rows."""

    def number_of(self, text: str) -> int:
        """Raises CursorInvalid."""
        (number,) = cast("tuple[int]", self.key(text, int))
        if number < 0:
            raise CursorInvalid
        return number
