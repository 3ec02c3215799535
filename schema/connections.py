"""Pages as Relay connections, forward by key."""

from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import Annotated, Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

import strawberry

from community.database.paging import Page

T = TypeVar("T")
R = TypeVar("R")

First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="How many items at most, from 0 to 100; more is INVALID_INPUT."
        " 最多要多少条，0 到 100，超出会被拒绝。"
    ),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(
        description="The cursor of the last item seen, of this very list with the same parent and"
        " filters; what comes behind it is given. Any other is CURSOR_INVALID."
        " 上次看到的最后一条的游标，只在同一列表、同样筛选下有效。"
    ),
]


@strawberry.type(
    description="Whether a list goes on, and with which cursors. 列表前后还有没有，从哪里接着读。"
)
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="True where more items follow behind `endCursor`. 后面还有没有。"
    )
    has_previous_page: bool = strawberry.field(
        description="True where this page began behind a cursor, so that items stand before it."
        " 前面还有没有。"
    )
    start_cursor: str | None = strawberry.field(
        description="That of the first item on this page; null where the page is empty."
        " 本页第一条的游标，空页为 null。"
    )
    end_cursor: str | None = strawberry.field(
        description="That of the last item on this page, to be given as `after` for the next; null"
        " where the page is empty."
        " 本页最后一条的游标，作为 after 接着往下读。"
    )


@strawberry.type(description="An item of a list together with its place there. 列表中的一条，连同它的位置。")
class Edge(Generic[T]):
    cursor: str = strawberry.field(
        description="Opaque and good for this list only; give it as `after` to go on behind this"
        " item."
        " 不透明的位置标记，作为 after 从这一条之后接着读，只在本列表有效。"
    )
    node: T = strawberry.field(description="What stands at this place of the list. 这一条的内容。")


@strawberry.type(
    description="One page of a list, forward by cursor: stable while items are added."
    " 列表的一页，按游标往后翻，新增内容不会打乱。"
)
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(
        description="Up to `first` items in the order of the list, each with its cursor."
        " 按顺序排好的各条，最多 first 条。"
    )
    page_info: PageInfo = strawberry.field(
        description="Where to go on, and whether it is worth asking. 还有没有下一页，从哪里接着读。"
    )


class LazyEdge(NamedTuple):
    """An edge as it is read: its cursor is made where it is asked for."""

    node: Any
    cursor_of: Callable[[Any], str]

    @property
    def cursor(self) -> str:
        return self.cursor_of(self.node)


_EDGE = partial(tuple.__new__, LazyEdge)
"""As `LazyEdge._make`, which counts the values in Python."""


def connect(
    page: Page[R],
    cursor: Callable[[R], str],
    *,
    later: bool,
    made: type[Connection[T]] = Connection,
) -> Connection[T]:
    """`later`: the page began behind a cursor. The rows are the nodes."""
    rows = page.rows
    return made(
        edges=cast("list[Edge[T]]", list(map(_EDGE, zip(rows, repeat(cursor))))),
        page_info=PageInfo(
            has_next_page=page.more,
            has_previous_page=later,
            start_cursor=cursor(rows[0]) if rows else None,
            end_cursor=cursor(rows[-1]) if rows else None,
        ),
    )
