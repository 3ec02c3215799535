"""What a topic hears of in a journal, in both directions."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from community.catalogue import catalogue
from community.database import journal
from community.database.feed import Feed
from community.database.journal import News
from community.members.facts import RIGHTS_CHANGED

FEED = Feed("bulletin")


async def write(news: list[News], now: datetime) -> None:
    await journal.write(news, now)


def item(community: int, fact: str, subject: int) -> News:
    return News(catalogue().facts[fact], subject, community)


@pytest.fixture
async def feed(estate: Any, build: Any, now: datetime) -> int:
    """The items of the estate's bulletin are 2, 3 and 4; other facts and other communities stand between."""
    here, elsewhere = estate.community, await build.community()
    await write(
        [
            item(here, "SIGNED_UP", 70),
            item(here, "EVENT_PUBLISHED", 71),
            item(elsewhere, "VOTE_OPENED", 72),
            News(RIGHTS_CHANGED, 73, None),
            item(here, "VOTE_CLOSED", 74),
        ],
        now,
    )
    await write([item(here, "LEDGER_PUBLISHED", here)], now + timedelta(seconds=1))
    return int(here)


async def test_the_feed_newest_first(feed: int, now: datetime) -> None:
    page = (await FEED.pages([feed], 2))[feed]
    assert page.more
    assert [(row.number, row.kind, row.subject) for row in page.rows] == [
        (4, "LEDGER_PUBLISHED", feed),
        (3, "VOTE_CLOSED", 74),
    ]
    assert [row.at for row in page.rows] == [now + timedelta(seconds=1), now]
    rest = (await FEED.pages([feed], 2, before=3))[feed]
    assert ([row.subject for row in rest.rows], rest.more) == ([71], False)


async def test_the_feed_after_a_number_in_its_own_order(feed: int) -> None:
    assert [row.number for row in await FEED.after(feed, 0)] == [2, 3, 4]
    assert [row.number for row in await FEED.after(feed, 2)] == [3, 4]
    assert [row.number for row in await FEED.after(feed, 0, most=2)] == [2, 3]
    assert await FEED.after(feed, 4) == []
    assert await FEED.after(1, 0) == []


async def test_each_topic_has_its_own_of_one_journal(feed: int) -> None:
    numbers = {
        topic: [row.number for row in await Feed(topic).after(feed, 0)] for topic in ("board", "rights")
    }
    assert numbers == {"board": [1, 2, 3, 4], "rights": []}
    (first, *_) = await Feed("board").after(feed, 0)
    assert (first.community, first.kind, first.subject_kind, first.subject) == (
        feed,
        "SIGNED_UP",
        "Event",
        70,
    )


async def test_the_newest_come_behind_a_number(feed: int) -> None:
    behind = [await Feed("board").recent(feed, most) for most in (1, 3, 4, 5)]
    assert behind == [3, 1, 0, 0]
    assert await FEED.recent(feed, 2) == 2
