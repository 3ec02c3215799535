from datetime import datetime, timedelta
from typing import Any

import pytest

from community.bulletin.models import Notice
from community.bulletin.reads import notices_by_id, notices_page, scope_of_notice
from community.bulletin.rules import NoticeKind
from community.errors import NotFound
from community.permissions import NOBODY, Scope


async def notice_at(community: int, organization: int, at: datetime) -> int:
    notice = await Notice.create(
        community_id=community, organization_id=organization, kind=NoticeKind.DISPLAY, title="公示",
        body="候选人名单", published_at=at,
    )  # fmt: skip
    return int(notice.id)


@pytest.fixture
async def notices(estate: Any, build: Any, now: datetime) -> list[int]:
    """Newest first; two of them at the very same moment."""
    await notice_at(await build.community(), estate.committee, now)
    hours = [5, 3, 3, 1]
    made = [
        await notice_at(estate.community, estate.committee, now - timedelta(hours=hour)) for hour in hours
    ]
    return made[::-1]


@pytest.mark.parametrize("first", [1, 2, 3, 4, 9])
async def test_notices_newest_first(estate: Any, notices: list[int], first: int) -> None:
    found: list[int] = []
    after = None
    while True:
        page = await notices_page(estate.community, first, after)
        found += [row.id for row in page.rows]
        if not page.more:
            break
        after = (page.rows[-1].published_at, page.rows[-1].id)
    assert found == notices


async def test_a_notice_is_found_by_those_who_may_read_the_bulletin(
    estate: Any, build: Any, notices: list[int], now: datetime
) -> None:
    public = await notice_at(await build.community(public=True), estate.committee, now)
    asked = [notices[0], public, 1]
    assert set(await notices_by_id(estate.tenant, asked)) == {notices[0], public}
    assert set(await notices_by_id(estate.stranger, asked)) == {public}
    assert set(await notices_by_id(NOBODY, asked)) == {public}


async def test_the_scope_of_a_notice(estate: Any, notices: list[int]) -> None:
    assert await scope_of_notice(notices[0]) == Scope(estate.community, public_reading=False)
    with pytest.raises(NotFound):
        await scope_of_notice(1)
