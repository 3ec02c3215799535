"""A disk that is full, broken or read-only: try again, nothing recorded, one line, and back by itself."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from tortoise import connections
from tortoise.exceptions import IntegrityError, OperationalError

from community.database import outcomes
from community.database.engine import opened, sqlite_file
from community.database.models import Due
from community.database.outcomes import WRITES
from community.database.sql import select
from community.database.sqlite import Writer
from community.database.trouble import meaning
from community.database.work import UnitOfWork, atomic, try_writing
from community.errors import Late, NotFound, OutcomeUnknown, TryAgain, Unwritable
from community.members.facts import RIGHTS_CHANGED
from community.permissions import SYSTEM
from tests.engines import execute


async def write(doing: UnitOfWork, rows: int = 300) -> None:
    await Due.bulk_create(Due(job="deed", subject=subject, at=doing.now) for subject in range(rows))
    doing.record(RIGHTS_CHANGED, 1)


async def written() -> int:
    return await Due.filter(job="deed").count()


OF_POSTGRES = {
    "53100": Unwritable,  # disk_full
    "53200": Unwritable,  # out_of_memory
    "53400": Unwritable,  # configuration_limit_exceeded
    "58030": Unwritable,  # io_error
    "25006": Unwritable,  # read_only_sql_transaction
    "57014": Late,  # query_canceled
    "55P03": Late,  # lock_not_available
    "40P01": TryAgain,  # deadlock_detected
    "40001": TryAgain,  # serialization_failure
}


class Postgres:
    """Says it at the very table; `late`: at the COMMIT."""

    def __init__(self, url: str, code: str) -> None:
        self._url, self._code = url, code

    async def fail(self, *, late: bool = False) -> None:
        body = f"BEGIN RAISE EXCEPTION 'could not' USING ERRCODE = '{self._code}'; END"
        await execute(self._url, f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $f$ {body} $f$")
        kind, when = ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED") if late else ("TRIGGER", "")
        await execute(
            self._url,
            f"CREATE {kind} fail AFTER INSERT ON due {when} FOR EACH ROW EXECUTE FUNCTION fail()",
        )

    async def mend(self) -> None:
        await execute(self._url, "DROP FUNCTION IF EXISTS fail CASCADE")


class Sqlite:
    """Has no room for more pages, or a writer that may not write."""

    def __init__(self, url: str, how: str) -> None:
        self._how = how

    async def _pragma(self, pragma: str) -> Any:
        client = connections.get("default")
        return await client.execute_query(f"PRAGMA {pragma}")

    async def fail(self, *, late: bool = False) -> None:
        if self._how == "full":
            _, ((pages,),) = await self._pragma("page_count")
            await self._pragma(f"max_page_count={pages}")
        else:
            await self._pragma("query_only=ON")

    async def mend(self) -> None:
        await self._pragma("max_page_count=1000000")
        await self._pragma("query_only=OFF")


@pytest.fixture(params=["sqlite full", "sqlite readonly", *(f"postgres {code}" for code in OF_POSTGRES)])
def kind(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    engine, how = request.param.split()
    return engine, how, request.getfixturevalue(f"{engine}_url")


@pytest.fixture
async def disk(kind: tuple[str, str, str]) -> AsyncIterator[tuple[Any, type[TryAgain]]]:
    engine, how, url = kind
    disk = Sqlite(url, how) if engine == "sqlite" else Postgres(url, how)
    async with opened(url):
        try:
            yield disk, OF_POSTGRES.get(how, Unwritable)
        finally:
            await disk.mend()


WORDS = {Unwritable: "failing", Late: "late", TryAgain: "ok"}


@pytest.mark.parametrize("late", [False, True])
async def test_it_says_try_again_and_records_nothing(disk: Any, now: datetime, late: bool) -> None:
    fault, expected = disk
    await fault.fail(late=late)
    for _ in range(3):
        with pytest.raises(TryAgain) as refused:
            await atomic(write, SYSTEM, now)
        assert refused.type is expected
        assert WRITES.word == WORDS[expected]
    assert await written() == 0
    await fault.mend()
    await atomic(write, SYSTEM, now)
    assert (await written(), WRITES.word) == (300, "ok")


async def test_one_of_ours_notices_as_well_as_a_neighbours(disk: Any, now: datetime) -> None:
    fault, expected = disk
    await fault.fail()
    with pytest.raises(expected):
        await try_writing(now)
    assert WRITES.word == WORDS[expected]
    await fault.mend()
    await try_writing(now)
    assert (WRITES.word, await Due.all().count()) == ("ok", 0)


async def test_a_line_a_minute(
    disk: Any, now: datetime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, expected = disk

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == outcomes.__name__]

    await fault.fail()
    for _ in range(30):
        with suppress(TryAgain):
            await atomic(write, SYSTEM, now)
    if expected is TryAgain:  # it says nothing about the disk
        assert lines() == []
        return
    (line,) = lines()
    assert "0 more since" in line
    assert not [record for record in caplog.records if record.exc_info]
    monkeypatch.setattr(outcomes, "ONE_LINE_IN", 0.0)  # a minute is over
    with suppress(TryAgain):
        await atomic(write, SYSTEM, now)
    assert "29 more since" in lines()[1]


@pytest.mark.parametrize(
    ("code", "words", "refusal"),
    [
        (sqlite3.SQLITE_FULL, "database or disk is full", Unwritable),
        (sqlite3.SQLITE_IOERR_WRITE, "disk I/O error", Unwritable),
        (sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error", OutcomeUnknown),
        (sqlite3.SQLITE_IOERR_DIR_FSYNC, "disk I/O error", OutcomeUnknown),
        (sqlite3.SQLITE_BUSY, "database is locked", Late),
        (sqlite3.SQLITE_READONLY, "attempt to write a readonly database", Unwritable),
        (sqlite3.SQLITE_CORRUPT, "database disk image is malformed", Unwritable),
    ],
)
async def test_a_commit_that_fails_is_undone_or_open(
    sqlite_url: str,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    words: str,
    refusal: type[Exception],
) -> None:
    """What is in the log may come back with a crash, even if it could not be brought to the disk."""

    def fail(*_: object) -> None:
        error = sqlite3.OperationalError(words)
        error.sqlite_errorcode = code
        raise error

    async with opened(sqlite_url):
        with monkeypatch.context() as failing:
            failing.setattr(Writer, "commit", fail)
            with pytest.raises(refusal):
                await atomic(write, SYSTEM, now)
        assert await written() == 0
        assert WRITES.word == ("late" if refusal is Late else "failing")
        await atomic(write, SYSTEM, now)
        assert WRITES.word == "ok"


async def test_what_the_rules_refuse_says_nothing_about_the_disk(database: str, now: datetime) -> None:
    async def refuse(doing: UnitOfWork) -> None:
        raise NotFound

    for word in ("ok", "failing"):
        WRITES.forget()
        if word == "failing":
            WRITES.ended(Unwritable())
        with pytest.raises(NotFound):
            await atomic(refuse, SYSTEM, now)
        assert WRITES.word == word


async def test_a_broken_file_says_try_again_to_readers(sqlite_url: str, now: datetime) -> None:
    async with opened(sqlite_url):
        await atomic(write, SYSTEM, now)
        (root,) = await select("SELECT rootpage FROM sqlite_master WHERE name = 'due'")
    file = sqlite_file(sqlite_url)
    assert file
    with file.open("r+b") as there:
        there.seek(4096 * (root["rootpage"] - 1))
        there.write(b"\xff" * 4096)
    async with opened(sqlite_url):
        for _ in range(2):
            with pytest.raises(Unwritable):
                await select("SELECT * FROM due")
        with pytest.raises(Unwritable):
            await atomic(write, SYSTEM, now)
        assert WRITES.word == "failing"


async def test_a_retry_that_finds_its_first_answer_says_nothing_about_the_disk(
    database: str, now: datetime
) -> None:
    async def look(doing: UnitOfWork) -> int:
        return await Due.all().count()

    WRITES.ended(Unwritable())
    assert await atomic(look, SYSTEM, now) == 0
    assert WRITES.word == "failing"
    await atomic(write, SYSTEM, now)
    assert WRITES.word == "ok"


def test_what_is_a_fault_of_ours_stays_one() -> None:
    for fault in (OperationalError("no such table"), IntegrityError("twice"), ValueError(), NotFound()):
        assert meaning(fault) is None
