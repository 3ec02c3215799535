"""Tortoise still asks for our transactions where we reach in, and its own still have their faults."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise, connections
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.exceptions import TransactionManagementError
from tortoise.migrations.executor import MigrationExecutor
from tortoise.models import MetaInfo
from tortoise.transactions import atomic, in_transaction

from community.database.engine import config, opened
from community.database.ids import new_id
from community.database.migrate import migrate
from community.database.models import Due
from community.database.sql import select
from community.database.tortoise_privates import ForwardExecutor, OneState, OwnTransactions
from tests.community.database.catalogue import facts
from tests.community.database.conftest import using
from tests.community.database.populating import VERSIONS

pytestmark = pytest.mark.xdist_group("migrations")

STOCK = {"engine": "tortoise.backends.sqlite"}
MENDED = "Tortoise does it right by now: take community/database/tortoise_privates.py off"


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch, database: str) -> list[str]:
    """The clients that were asked for a context of theirs."""
    names: list[str] = []
    for client in type(connections.get("default")), type(in_transaction().client):  # type: ignore[attr-defined]
        real = client.transaction_context

        def noted(self: OwnTransactions, real: Any = real) -> Any:
            names.append(type(self).__name__)
            return real(self)

        monkeypatch.setattr(client, "transaction_context", noted)
    return names


async def test_tortoise_asks_the_client_for_its_transactions(entered: list[str], now: Any) -> None:
    @atomic()
    async def nothing() -> None:
        pass

    async with in_transaction():
        await nothing()
    await Due.get_or_create(job="a", subject=1, at=now, defaults={"id": new_id()})
    outer, inner, again = entered
    assert outer == again != inner


@pytest.mark.parametrize("fails", ["inner", "outer", "neither"])
async def test_a_transaction_inside_another_is_undone_by_itself(database: str, now: Any, fails: str) -> None:
    async def write(body: str) -> None:
        await Due.create(job=body, subject=new_id(), at=now)

    async def within() -> None:
        async with in_transaction():
            await write("inner")
            if fails == "inner":
                raise ZeroDivisionError

    with suppress(LookupError):
        async with in_transaction():
            await write("outer")
            with suppress(ZeroDivisionError):
                await within()
            await write("after")
            if fails == "outer":
                raise LookupError
    left = {"inner": ["after", "outer"], "outer": [], "neither": ["after", "inner", "outer"]}
    assert sorted(row["job"] for row in await select("SELECT job FROM due")) == left[fails]


@pytest.mark.parametrize("ends", ["commit", "rollback"])
async def test_whoever_is_in_a_transaction_may_end_it(database: str, now: Any, ends: str) -> None:
    async with in_transaction() as transaction:
        await Due.create(job="deed", subject=new_id(), at=now)
        await getattr(transaction, ends)()
        with pytest.raises(TransactionManagementError):
            await getattr(transaction, ends)()
    assert await Due.all().count() == (ends == "commit")


@asynccontextmanager
async def stock(connection: dict[str, Any] | str) -> AsyncIterator[Any]:
    """Tortoise with its own client, which has read once."""
    context = await Tortoise.init(config={**config("sqlite:///a"), "connections": {"default": connection}})
    async with context:
        client: Any = context.db()
        await client.execute_query("SELECT 1")
        yield client


async def enter() -> None:
    async with in_transaction():
        await asyncio.Event().wait()


async def test_sqlite_still_keeps_the_lock_of_one_cancelled_while_entering(tmp_path: Path) -> None:
    """tortoise-orm#1152"""
    async with stock(STOCK | {"credentials": {"file_path": str(tmp_path / "a.db")}}) as client:
        entering = asyncio.create_task(enter())
        while not client._lock.locked():  # noqa: ASYNC110
            await asyncio.sleep(0)
        entering.cancel()
        await asyncio.wait([entering])
        assert client._lock.locked(), MENDED


async def test_sqlite_still_begins_without_the_lock_of_a_writer(tmp_path: Path) -> None:
    """tortoise-orm#1675"""
    file = tmp_path / "a.db"
    async with stock(
        {"engine": "tortoise.backends.sqlite", "credentials": {"file_path": str(file)}}
    ) as client:
        await client.execute_script("CREATE TABLE a (b INT)")
        other = sqlite3.connect(file, isolation_level=None, timeout=0)
        async with in_transaction() as transaction:
            try:
                await transaction.execute_query("SELECT * FROM a")
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                pytest.fail(MENDED)
            other.execute("ROLLBACK")
        other.close()


async def test_postgres_still_loses_the_connection_of_one_cancelled_while_entering(postgres_url: str) -> None:
    """tortoise-orm#1152"""
    async with stock(expand_db_url(postgres_url)) as client:
        pool = client._pool
        assert (pool.get_size(), pool.get_idle_size()) == (1, 1)
        entering = asyncio.create_task(enter())
        while pool.get_idle_size():  # noqa: ASYNC110
            await asyncio.sleep(0)
        entering.cancel()
        await asyncio.wait([entering])
        try:
            assert (pool.get_size(), pool.get_idle_size()) == (1, 0), MENDED
        finally:
            pool.terminate()


# What was before an operation

HARMLESS = """
    ops.CreateModel(
        name="Tree",
        fields=[
            ("id", fields.BigIntField(primary_key=True, generated=False)),
            ("height", fields.IntField(db_index=True)),
        ],
        options={"table": "tree", "app": "meilin", "pk_attr": "id", "unique_together": (("id", "height"),)},
        bases=["Model"],
    ),
    ops.CreateModel(
        name="Leaf",
        fields=[
            ("id", fields.BigIntField(primary_key=True, generated=False)),
            (
                "tree",
                fields.ForeignKeyField(
                    "meilin.Tree", source_field="tree_id", to_field="id", on_delete=OnDelete.CASCADE
                ),
            ),
        ],
        options={"table": "leaf", "app": "meilin", "pk_attr": "id"},
        bases=["Model"],
    ),
    ops.AddField("Tree", "age", fields.IntField(null=True)),
    ops.AddField(
        "Tree", "estate", fields.ForeignKeyField("meilin.Community", source_field="estate_id", null=True)
    ),
    ops.AddIndex("Tree", Index(fields=["height", "age"], name="tree_height_age")),
    ops.RunPython(lambda apps, editor: editor._run_sql(
        "INSERT INTO tree (id, height) VALUES (1, %d)" % len(apps.get_model("meilin.Tree")._meta.fields)
    )),
    ops.RunSQL(["CREATE TABLE bush (height INT)", "INSERT INTO bush VALUES (2)"]),
"""


async def test_without_what_was_before_each_harmless_operation_does_the_same(
    ground: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = ground.migrations(planted={"9001_grows": HARMLESS})
    found = []
    for executor in (ForwardExecutor, MigrationExecutor):
        monkeypatch.setattr("community.database.migrate.ForwardExecutor", executor)
        async with ground.migrated(await ground.fresh(), migrations):
            rows = await select("SELECT t.*, b.height AS bush FROM tree t CROSS JOIN bush b")
            found.append((await facts(), rows))
    assert found[0] == found[1]
    assert [row["bush"] for row in found[0][1]] == [2]


async def test_tortoise_asks_our_state_for_what_was_before(
    ground: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[OneState] = []
    monkeypatch.setattr(OneState, "clone", lambda self: asked.append(self) or self)
    async with ground.migrated(await ground.fresh(), ground.migrations(planted={"9001_grows": HARMLESS})):
        assert len(asked) == 7  # once an operation


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> Counter[MetaInfo]:
    """How many times each model was finished."""
    real, times = MetaInfo.finalise_model, Counter[MetaInfo]()

    def noted(meta: MetaInfo) -> None:
        times[meta] += 1
        real(meta)

    monkeypatch.setattr(MetaInfo, "finalise_model", noted)
    return times


@pytest.mark.parametrize("version", ["0001_initial", VERSIONS[-1]])
async def test_ours_finishes_each_model_once(ground: Any, finished: Counter[MetaInfo], version: str) -> None:
    url = await ground.populated(version)
    migrations = ground.migrations(planted={"9001_grows": HARMLESS})
    async with opened(url):
        finished.clear()
        with using(migrations):
            assert "9001_grows" in await migrate(url)
    assert set(finished.values()) == {1}


async def test_ours_builds_once_what_stands(ground: Any, finished: Counter[MetaInfo]) -> None:
    url, planted = await ground.fresh(), {"9001_grows": 'ops.RunSQL("CREATE TABLE bush (height INT)")'}
    async with opened(url):
        finished.clear()
        with using(ground.migrations(planted=planted)):
            assert await migrate(url) == ["9001_grows"]
    assert set(Counter(meta.db_table for meta in finished).values()) == {1}


async def test_tortoise_still_builds_and_finishes_every_model_for_each_operation(
    ground: Any, finished: Counter[MetaInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    """tortoise-orm#2274"""
    monkeypatch.setattr("community.database.migrate.ForwardExecutor", MigrationExecutor)
    url = await ground.fresh()
    async with opened(url):
        finished.clear()
        with using(ground.migrations(planted={"9001_grows": HARMLESS})):
            await migrate(url)
    known = Counter(meta.db_table for meta in finished)
    assert min(known["notice"], max(finished.values())) > 1, MENDED
