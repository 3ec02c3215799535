"""Pages as Relay connections, forward by key."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeAlias, TypeVar

import orjson
import strawberry

from community.database.paging import Page
from community.errors import CursorInvalid

T = TypeVar("T")
R = TypeVar("R")

First: TypeAlias = Annotated[int | None, strawberry.argument(description="How many at most, up to 100.")]
After: TypeAlias = Annotated[str | None, strawberry.argument(description="The cursor of the last edge seen.")]


@strawberry.type(description="Whether there is more, and where to go on.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="There are more edges after the last one here.")
    has_previous_page: bool = strawberry.field(description="There are edges before the first one here.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge here.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge here.")


@strawberry.type(description="An item in its place.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Opaque; give it as `after` to go on behind this item.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items in order.")
    page_info: PageInfo = strawberry.field(description="Whether there is more.")


def connect(
    page: Page[R],
    node: Callable[[R], T],
    cursor: Callable[[R], str],
    *,
    later: bool,
    made: type[Connection[T]] = Connection,
) -> Connection[T]:
    """`later`: the page began behind a cursor."""
    edges = [Edge(cursor=cursor(row), node=node(row)) for row in page.rows]
    return made(
        edges=edges,
        page_info=PageInfo(
            has_next_page=page.more,
            has_previous_page=later,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )


def to_cursor(*key: object) -> str:
    """Numbers, instants and words of a key as one opaque string."""
    parts = [part.astimezone(UTC).isoformat() if isinstance(part, datetime) else part for part in key]
    return urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


K = TypeVar("K")


def from_cursor(text: str | None, *shape: type) -> tuple[object, ...] | None:
    """The parts of `text`, each of the type in `shape`. Raises CursorInvalid."""
    if text is None:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(parts, list) or len(parts) != len(shape):
            raise CursorInvalid
        key = tuple(_part(part, kind) for part, kind in zip(parts, shape, strict=True))
        # The decoders forgive much: only the very text that to_cursor gives is one of ours.
        if to_cursor(*key) != text:
            raise CursorInvalid
    except (binascii.Error, ValueError, OverflowError) as error:
        raise CursorInvalid from error
    return key


def _part(part: object, kind: type) -> object:
    if kind is datetime and isinstance(part, str):
        part = datetime.fromisoformat(part)
        if part.tzinfo is None:
            raise CursorInvalid
    if type(part) is not kind or (isinstance(part, int) and abs(part) >= 2**63):
        raise CursorInvalid
    return part
