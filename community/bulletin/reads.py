"""Notices, the feed as the journal holds it, and whose name somebody may use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from community.bulletin.models import Notice
from community.bulletin.rules import BulletinKind, NoticeKind
from community.database.models import Change
from community.database.paging import Page, page
from community.members.models import RoleGrant
from community.members.reads import held
from community.permissions import GRANTS, Permission, Place, Viewer, may
from community.places.reads import place_where, places_of
from community.signals import Topic


@dataclass(frozen=True, slots=True)
class NoticeRow:
    id: int
    community: int
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


async def _notices(query: QuerySet[Notice]) -> list[NoticeRow]:
    rows: list[dict[str, Any]] = await query.values(
        "id", "kind", "title", "body", "effective_from", "effective_until", "published_at",
        community="community_id", organization="organization_id",
    )  # fmt: skip
    return [NoticeRow(**row) for row in rows]


async def notices_page(
    community: int, first: int, after: tuple[datetime, int] | None = None
) -> Page[NoticeRow]:
    """Newest first; `after` is the `published_at` and `id` of the last one seen."""
    query = Notice.filter(community_id=community)
    if after is not None:
        at, id_ = after
        query = query.filter(Q(published_at__lt=at) | Q(published_at=at, id__lt=id_))
    return page(await _notices(query.order_by("-published_at", "-id").limit(first + 1)), first)


async def notices_by_id(viewer: Viewer, ids: Sequence[int]) -> dict[int, NoticeRow]:
    """Those of communities whose bulletin the viewer may read."""
    rows = await _notices(Notice.filter(id__in=ids))
    places = await places_of({row.community for row in rows})
    return {row.id: row for row in rows if may(viewer, Permission.READ_BULLETIN, places[row.community])}


async def place_of_notice(notice: int) -> Place:
    """Raises NotFound."""
    return await place_where("JOIN notice n ON n.community_id = c.id WHERE n.id = ?", notice)


def _feed(community: int) -> QuerySet[Change]:
    return Change.filter(community_id=community, topic=Topic.BULLETIN)


async def _items(query: QuerySet[Change]) -> list[ItemRow]:
    rows = await query.values("number", "at", "kind", subject="key")
    return [ItemRow(kind=BulletinKind(row.pop("kind")), **row) for row in rows]


async def items_page(community: int, first: int, before: int | None = None) -> Page[ItemRow]:
    """Newest first; `before` is the number of the last one seen."""
    query = _feed(community)
    if before is not None:
        query = query.filter(number__lt=before)
    return page(await _items(query.order_by("-number").limit(first + 1)), first)


async def items_after(community: int, number: int, most: int = 100) -> list[ItemRow]:
    """In the order in which they happened."""
    return await _items(_feed(community).filter(number__gt=number).order_by("number").limit(most))


async def recent(community: int, most: int = 50) -> int:
    """The number behind which the newest `most` items come."""
    query = _feed(community).order_by("-number").offset(most).limit(1)
    rows = await query.values("number")
    return int(rows[0]["number"]) if rows else 0


async def own_organizations(account: int, community: int, permission: Permission, now: datetime) -> list[int]:
    """Those whose role gives the account this permission here, the longest held first."""
    grants = RoleGrant.filter(
        held(now), account_id=account, community_id=community, role__in=list(GRANTS[permission].roles)
    ).exclude(organization_id=None)
    rows = await grants.order_by("since", "id").values("organization_id")
    return list(dict.fromkeys(row["organization_id"] for row in rows))
