"""Numbers that fit on paper: in order, each once, whoever publishes at the same time."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from importlib import import_module
from random import Random
from typing import Any

import asyncpg
import pytest

from community.bulletin.actions import publish_notice
from community.bulletin.reads import NoticeRow, notices_by_id, notices_by_number
from community.bulletin.rules import NoticeKind
from community.database.sql import is_postgres, select
from tests.community.database.populating import load

WATER: dict[str, Any] = {"kind": NoticeKind.NOTICE, "title": "停水", "body": "明早九点起。"}


async def publish(estate: Any, now: datetime, **terms: Any) -> NoticeRow:
    made = await publish_notice(estate.manager, now, estate.community, **WATER | terms)
    return (await notices_by_id(estate.owner, [made]))[made]


async def test_each_community_counts_its_own_from_one(estate: Any, build: Any, now: datetime) -> None:
    elsewhere = await build.community()
    numbers = [(await publish(estate, now)).number for _ in range(3)]
    assert numbers == [1, 2, 3]
    assert {
        number: row.number for number, row in (await notices_by_number([estate.community], 2)).items()
    } == {estate.community: 2}
    for communities, number in (([elsewhere], 1), ([estate.community], 4), ([estate.community], 0), ([], 1)):
        assert await notices_by_number(communities, number) == {}


async def test_many_at_once_get_one_each_and_none_is_left_out(estate: Any, now: datetime) -> None:
    rows = await asyncio.gather(*(publish(estate, now, title=f"第 {index} 张") for index in range(12)))
    assert sorted(row.number for row in rows) == list(range(1, 13))
    journal = await select("SELECT subject FROM journal WHERE fact = 'NOTICE_PUBLISHED' ORDER BY number")
    of_row = {row.id: row.number for row in rows}
    assert [of_row[item["subject"]] for item in journal] == list(range(1, 13)), "in the order of the journal"


async def test_what_was_never_published_has_used_no_number(estate: Any, now: datetime) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await publish(estate, now, organization=int("x"))
    assert (await publish(estate, now)).number == 1


_COPY = """
INSERT INTO notice (id, community_id, organization_id, kind, title, body, published_at)
 SELECT $1, community_id, organization_id, kind, title, body, published_at FROM notice WHERE number = 1
"""


async def test_another_process_waits_for_the_number_before(database: str, estate: Any, now: datetime) -> None:
    """Not only our own actions, which take turns anyway."""
    if not is_postgres():
        pytest.skip("SQLite has a single writer")
    await publish(estate, now)
    first, second = [await asyncpg.connect(database) for _ in range(2)]
    try:
        undone = first.transaction()
        await undone.start()
        await first.execute(_COPY, 71)
        waiting = asyncio.create_task(second.execute(_COPY, 72))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await undone.rollback()
        await waiting
        kept = first.transaction()
        await kept.start()
        await first.execute(_COPY, 73)
        waiting = asyncio.create_task(second.execute(_COPY, 74))
        await asyncio.sleep(0.05)
        await kept.commit()
        await waiting
    finally:
        await first.close()
        await second.close()
    found = await select("SELECT id, number FROM notice WHERE id < 100 ORDER BY number")
    assert [(row["id"], row["number"]) for row in found] == [(72, 2), (73, 3), (74, 4)]


_OTHER = """
INSERT INTO community (id, slug, name, address, households, profile_version, created_at)
 VALUES (1, 'other', '园', '萧山区', 3, 1, '2026-01-01 00:00:00+00:00');
"""


async def test_those_from_before_are_numbered_as_they_were_published(ground: Any, now: datetime) -> None:
    url, before = await ground.populated("0005_demonstration"), ground.migrations("0005_demonstration")
    day = timedelta(days=1)

    async with ground.migrated(url, before):
        (there,) = await select("SELECT community_id, organization_id, id FROM notice")
        home = there["community_id"]

        def row(key: int, community: int, at: datetime) -> str:
            values = (
                f"{key}, {community}, {there['organization_id']}, 'NOTICE', 'x', 'x', '{at.isoformat(' ')}'"
            )
            columns = "id, community_id, organization_id, kind, title, body, published_at"
            return f"INSERT INTO notice ({columns}) VALUES ({values});"

        more = ((5, home, now - day), (9, home, now - 2 * day), (7, home, now - day), (6, 1, now))
        await load(_OTHER + "".join(row(*each) for each in more))
    async with ground.migrated(url, "community.database.migrations"):
        rows = await select("SELECT id, number FROM notice")
    assert {row["id"]: row["number"] for row in rows} == {9: 1, 5: 2, 7: 3, there["id"]: 4, 6: 1}


@pytest.mark.parametrize("at_once", [True, False])
async def test_both_ways_of_numbering_and_both_engines_give_the_same_numbers(
    ground: Any, now: datetime, at_once: bool
) -> None:
    url, before = await ground.populated("0006_numbers"), ground.migrations("0006_numbers")
    chance = Random(6)  # noqa: S311 - the same each time
    instants = [now - timedelta(hours=chance.randint(0, 40)) for _ in range(300)]
    published = {key: (chance.choice((1, 2, 3)), at) for key, at in enumerate(instants, start=1)}
    rows = ", ".join(f"({key}, {home}, 0, '{at.isoformat(' ')}')" for key, (home, at) in published.items())
    async with ground.migrated(url, before):
        await load(
            "CREATE TABLE slip (id BIGINT PRIMARY KEY, community_id BIGINT, number INT, published_at TEXT);"
            f"INSERT INTO slip (id, community_id, number, published_at) VALUES {rows};"
        )
        module = import_module("community.database.migrations.0006_numbers")
        await load(module.numbering("slip", "published_at", at_once=at_once) + ";")
        found = {row["id"]: row["number"] for row in await select("SELECT id, number FROM slip")}
        await load("DROP TABLE slip;")
    expected: Counter[int] = Counter()
    for key, (home, _) in sorted(published.items(), key=lambda each: (each[1][1], each[0])):
        expected[home] += 1
        assert found[key] == expected[home]


def test_numbering_asks_for_no_place_once_a_row_where_the_engine_knows_better() -> None:
    module = import_module("community.database.migrations.0006_numbers")
    for table, since in module.NUMBERED.items():
        (first, *_) = module.statements_of(table, since, postgres=True)
        assert " FROM (SELECT" in first.partition("SET number = n.place")[2]
