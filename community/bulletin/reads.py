"""Notices, the feed as the journal holds it, and whose name somebody may use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from community.bulletin.rules import BulletinKind, NoticeKind
from community.database.models import Change
from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each
from community.permissions import Permission, Scope, Viewer
from community.places.reads import permitted_rows, scope_where
from community.signals import Topic


@dataclass(frozen=True, slots=True)
class NoticeRow:
    id: int
    community: int
    number: int
    organization: int
    kind: NoticeKind
    title: str
    body: str
    effective_from: datetime | None
    effective_until: datetime | None
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ItemRow:
    """`subject` is the id of what the item is about; what that is follows from `kind`."""

    number: int
    at: datetime
    kind: BulletinKind
    subject: int


_NOTICES = Shape(NoticeRow, "notice", community="community_id", organization="organization_id")
_ITEMS = Shape(ItemRow, "change", subject="key")


async def notices_pages(
    communities: Collection[int], first: int, after: tuple[datetime, int] | None = None
) -> dict[int, Page[NoticeRow]]:
    """Of each community, newest first; `after` is the `published_at` and `id` of the last one seen."""
    run = Run("t.published_at DESC, t.id DESC")
    if after is not None:
        beyond = " AND (t.published_at < ? OR (t.published_at = ? AND t.id < ?))"
        run = run._replace(where=beyond, values=[after[0], *after])
    found = await first_of_each(_NOTICES, "community", communities, first + 1, run)
    return {community: page(rows, first) for community, rows in found.items()}


async def notices_page(community: int, *terms: Any) -> Page[NoticeRow]:
    return (await notices_pages([community], *terms))[community]


async def notices_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, NoticeRow]:
    """Those of communities whose bulletin the viewer may read."""
    rows = await permitted_rows(viewer, Permission.READ_BULLETIN, _NOTICES, ids)
    return {row.id: row for row in rows}


async def notices_by_number(communities: Collection[int], number: int) -> dict[int, NoticeRow]:
    """By community."""
    return {row.community: row for row in await _NOTICES.with_number(number, communities)}


async def scope_of_notice(notice: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("JOIN notice n ON n.community_id = c.id WHERE n.id = ?", notice)


async def items_pages(
    communities: Collection[int], first: int, before: int | None = None
) -> dict[int, Page[ItemRow]]:
    """Of each community, newest first; `before` is the number of the last one seen."""
    run = Run("t.number DESC", " AND t.topic = ?", [Topic.BULLETIN])
    if before is not None:
        run = run._replace(where=f"{run.where} AND t.number < ?", values=[*run.values, before])
    found = await first_of_each(_ITEMS, "community", communities, first + 1, run)
    return {community: page(rows, first) for community, rows in found.items()}


async def items_page(community: int, *terms: Any, **more: Any) -> Page[ItemRow]:
    return (await items_pages([community], *terms, **more))[community]


async def items_after(community: int, number: int, most: int = 100) -> list[ItemRow]:
    """In the order in which they happened."""
    return await _ITEMS.where(
        "t.community_id = ? AND t.topic = ? AND t.number > ? ORDER BY t.number LIMIT ?",
        [community, Topic.BULLETIN, number, most],
    )


async def recent(community: int, most: int = 50) -> int:
    """The number behind which the newest `most` items come."""
    query = Change.filter(community_id=community, topic=Topic.BULLETIN).order_by("-number")
    rows = await query.offset(most).limit(1).values("number")
    return int(rows[0]["number"]) if rows else 0
