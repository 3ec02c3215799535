import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone

from tortoise.transactions import in_transaction

from community.database.sql import (
    as_json,
    instant,
    is_postgres,
    lock_advisory,
    lock_exclusive,
    lock_shared,
    placeholders,
    select,
    select_rows,
    server_time,
)
from community.members.models import Account


async def test_a_question_mark_is_a_value_on_both_engines(database: str) -> None:
    rows = await select("SELECT CAST(? AS BIGINT) AS a, CAST(? AS TEXT) AS b", [7, "it's ? and $1"])
    assert rows == [{"a": 7, "b": "it's ? and $1"}]
    assert is_postgres() is database.startswith("postgres")


async def test_postgres_says_what_time_it_is_also_within_a_transaction(database: str) -> None:
    async with in_transaction():
        times = [await server_time() for _ in range(2)]
    if not database.startswith("postgres"):
        assert times == [None, None]
        return
    first, second = times
    assert first
    assert second
    assert first < second
    assert abs(second - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_statement_without_values_and_without_rows(database: str) -> None:
    assert await select("SELECT 1 AS a") == [{"a": 1}]
    assert await select("SELECT 1 AS a WHERE 1 = 0") == []


async def test_a_moment_is_found_from_any_time_zone_and_comes_back_as_it_was(database: str) -> None:
    noon = datetime(2026, 6, 1, 12, microsecond=5, tzinfo=UTC)
    await Account.create(name="a", created_at=noon)
    for zone in (UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-8))):
        (row,) = await select("SELECT created_at FROM account WHERE created_at = ?", [noon.astimezone(zone)])
        assert (instant(row["created_at"]), instant(row["created_at"]).utcoffset()) == (noon, timedelta())
        assert not await select("SELECT id FROM account WHERE created_at > ?", [noon.astimezone(zone)])
    assert instant(None) is None


async def test_any_number_of_values_may_be_looked_for(database: str, now: datetime) -> None:
    names = ["a", "b", "c"]
    for name in names:
        await Account.create(name=name, created_at=now)
    for wanted in ([], ["b"], ["c", "a"], [*names, "d"]):
        found = await select(f"SELECT name FROM account WHERE name IN ({placeholders(wanted)})", wanted)
        assert sorted(row["name"] for row in found) == sorted(set(wanted) & set(names))


async def test_who_holds_a_word_is_alone_until_the_transaction_ends(database: str) -> None:
    order: list[str] = []
    held = asyncio.Event()

    async def first() -> None:
        async with in_transaction():
            await lock_advisory("word")
            held.set()
            await lock_advisory("word")  # holding it again is nothing
            await asyncio.sleep(0.05)
            order.append("first")

    async def second() -> None:
        await held.wait()
        async with in_transaction():
            await lock_advisory("word")
            order.append("second")

    await asyncio.gather(first(), second())
    assert order == ["first", "second"]


async def test_a_row_that_is_not_there_can_be_held(database: str) -> None:
    async with in_transaction():
        await lock_exclusive("vote", 42)


async def test_whether_a_row_is_to_be_read_again_once_it_is_held(database: str) -> None:
    """A transaction on SQLite has been alone from its beginning."""
    async with in_transaction():
        assert await lock_shared("vote", 42) is is_postgres()


async def test_rows_beside_another_one_come_in_their_order_whatever_stands_in_them(database: str) -> None:
    rows = (
        "(SELECT 1 AS of, 1 AS place, '“甲”\" \\ 🏮' AS word"
        " UNION ALL SELECT 1, 2, NULL UNION ALL SELECT 1, 3, 'last') r WHERE r.of = o.id"
    )
    beside = as_json("r.place, r.word", rows, "r.place % 3")
    asked = f"SELECT o.id, {beside} FROM (SELECT 1 AS id UNION ALL SELECT 2) o"
    found = {key: json.loads(text) for key, text in await select_rows(asked)}
    assert found == {1: [[3, "last"], [1, '“甲”" \\ 🏮'], [2, None]], 2: []}
