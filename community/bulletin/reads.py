"""Notices, and the feed of the bulletin as the journal holds it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from community.bulletin.rules import BULLETIN_TOPIC, NOTICE_LIFE, NoticeKind, NoticeStatus, NoticeStep
from community.database.corrections import earlier_versions, last_corrected, of_correction
from community.database.feed import Feed
from community.database.feed import ItemRow as ItemRow
from community.database.paging import Page, page
from community.database.rows import Run, Shape, first_of_each
from community.errors import NotFound
from community.permissions import Permission, Scope, Viewer
from community.places.reads import permitted_rows, scope_where


class NoticeRow(NamedTuple):
    """`corrected_at`: when last; `withdrawn_by`: the organization."""

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
    last_step: NoticeStep | None = None
    corrected_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_by: int | None = None
    withdrawn_reason: str | None = None

    @property
    def status(self) -> NoticeStatus:
        return NOTICE_LIFE.status(self.last_step)


class NoticeCorrectionRow(NamedTuple):
    """What a notice said from `since` until `corrected_at`, and why that `organization` replaced it."""

    notice: int
    title: str
    body: str
    effective_from: datetime | None
    effective_until: datetime | None
    since: datetime
    corrected_at: datetime
    organization: int
    reason: str | None


def _of_withdrawal(column: str) -> str:
    last = f"SELECT s.{column} FROM notice_step s WHERE s.subject_id = t.id AND s.number = t.steps"  # noqa: S608
    return f"CASE WHEN t.last_step = 'WITHDRAWN' THEN ({last}) END"


_NOTICES = Shape(
    NoticeRow,
    "notice",
    {
        "corrected_at": last_corrected("notice_step"),
        "withdrawn_at": _of_withdrawal("at"),
        "withdrawn_by": _of_withdrawal("organization_id"),
        "withdrawn_reason": _of_withdrawal("reason"),
    },
    community="community_id",
    organization="organization_id",
)
_CORRECTIONS = Shape(NoticeCorrectionRow, "notice_version", of_correction("notice_step"), notice="subject_id")


async def notices_pages(
    communities: Collection[int],
    first: int,
    after: tuple[datetime, int] | None = None,
    columns: frozenset[str] | None = None,
) -> dict[int, Page[NoticeRow]]:
    """Of each community, newest first; `after`: `published_at` and `id` of the last one seen. `columns`:
    those that are used, None where all may be.
    """
    run = Run("t.published_at DESC, t.id DESC")
    if after is not None:
        beyond = " AND (t.published_at < ? OR (t.published_at = ? AND t.id < ?))"
        run = run._replace(where=beyond, values=[after[0], *after])
    shape = _NOTICES.only(columns, "id", "published_at")
    found = await first_of_each(shape, "community", communities, first + 1, run)
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


async def notice_row(notice: int) -> NoticeRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _NOTICES.with_ids([notice])
    if not rows:
        raise NotFound
    return rows[0]


async def notice_corrections_of(notices: Collection[int]) -> dict[int, list[NoticeCorrectionRow]]:
    """Of each notice, newest first."""
    return await earlier_versions(_CORRECTIONS, notices)


async def scope_of_notice(notice: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("JOIN notice n ON n.community_id = c.id WHERE n.id = ?", notice)


_FEED = Feed(BULLETIN_TOPIC)
items_pages, items_after, recent = _FEED.pages, _FEED.after, _FEED.recent


async def items_page(community: int, *terms: Any, **more: Any) -> Page[ItemRow]:
    return (await items_pages([community], *terms, **more))[community]
