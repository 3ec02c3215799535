"""Relay ids: what stands outside for our numbers, and back to the node."""

import binascii
import re
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any, ClassVar, NoReturn, Self, cast, overload

import strawberry

from community.catalogue import Subject
from community.database.ids import new_id
from community.errors import InvalidId, NotFound
from schema.context import Context

_SHAPE = re.compile(r"([A-Z][A-Za-z]{1,31}):([1-9][0-9]{0,18})", re.ASCII)
_LARGEST = 2**63 - 1


@lru_cache(maxsize=16_384, typed=True)  # 2.0 is no key, and equal to one
def to_id(type_name: str, key: int) -> strawberry.ID:
    return strawberry.ID(b64encode(f"{type_name}:{key}".encode()).decode())


def parse_id(text: str, field: str = "id") -> tuple[str, int]:
    """The type and key of an id. Raises InvalidId, which names the `field`, where it is not one of ours to
    the letter.
    """
    try:
        found = _SHAPE.fullmatch(b64decode(text, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        found = None
    if found is None:
        raise InvalidId(field=field)
    type_name, key = found[1], int(found[2])
    if key > _LARGEST or to_id(type_name, key) != text:
        raise InvalidId(field=field)
    return type_name, key


def key_of(text: str, type_name: str, field: str = "id") -> int:
    """The key of an id of this type. Raises InvalidId, and NotFound for an id of another type."""
    found, key = parse_id(text, field)
    if found != type_name:
        raise NotFound(field=field)
    return key


def key_or_unknown(text: str, type_name: str, field: str) -> int:
    """The same for what is named beside a subject; of another type it is a key that no row has, which is
    refused in its turn: after the right to the subject, and what was done under the client's key. Raises
    InvalidId.
    """
    found, key = parse_id(text, field)
    return key if found == type_name else new_id()


NODES: dict[str, type["Node"]] = {}
"""The type that shows a subject, by the subject's kind; `Node` keeps it."""

_KINDS: dict[type, str] = {}
"""The kind of a row's class."""


def id_of(root: Any) -> strawberry.ID:
    """Of a row that a node shows."""
    return to_id(_KINDS[type(root)], root.id)


@strawberry.interface(
    description="Whatever has an id and can be fetched by it with `node` (Relay), by whoever it was"
    " given to."
    " 凡有 id 的对象，拿到 id 的人都能用 node 查到。"
)
class Node:
    """A type names the subject that it shows and the class of its rows,
    `class Vote(Node, subject=VOTE, row=VoteRow)`. It has no instances: the rows themselves are its values.
    """

    id: strawberry.ID = strawberry.field(
        resolver=id_of,
        description="Opaque, and the same for ever; give it back exactly as it came."
        " 不透明、永远不变的编号，请原样传回。",
    )
    subject_of: ClassVar[Subject[Any]]
    row: ClassVar[type]

    def __init_subclass__(cls, subject: Subject[Any] | None = None, row: type | None = None) -> None:
        if subject is not None and row is not None:
            cls.subject_of, cls.row = subject, row
            NODES[subject.kind], _KINDS[row] = cls, subject.kind

    def __new__(cls, *_: object, **__: object) -> NoReturn:
        raise TypeError(f"{cls.__name__} has no instances: rows are its values")

    @classmethod
    def is_type_of(cls, value: object, info: object) -> bool:
        return type(value) is cls.row

    @overload
    @classmethod
    def of(cls, row: None) -> None: ...

    @overload
    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self: ...

    @classmethod
    def of(cls, row: tuple[Any, ...] | None) -> Self | None:
        """A row as the type that shows it; nothing where there is none."""
        return cast("Self | None", row)

    @classmethod
    async def fetch(cls, context: Context, key: int) -> Self | None:
        """The one with this key; None where it is unknown or hidden."""
        return cls.of(await context.loaders.rows(cls.subject_of).load(key))

    @classmethod
    async def named(cls, context: Context, text: str) -> Self | None:
        """The one with this id; None where it is unknown, hidden or of another type. Raises InvalidId."""
        kind, key = parse_id(text)
        return await cls.fetch(context, key) if kind == cls.subject_of.kind else None


async def node_of(context: Context, text: str) -> Node | None:
    """The node behind an id, None where it is unknown or hidden. Raises InvalidId."""
    kind, key = parse_id(text)
    return await NODES[kind].fetch(context, key) if kind in NODES else None
