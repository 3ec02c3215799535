"""Locks are taken in one order: the subject, the idempotency key, the journal."""

from datetime import datetime
from typing import Any

import pytest

from community.database.locks import Lock, OutOfOrder, taking
from community.database.sql import lock_advisory, lock_exclusive, lock_shared
from community.database.work import UnitOfWork, atomic
from community.members.facts import RIGHTS_CHANGED
from community.permissions import SYSTEM


async def subject(work: UnitOfWork) -> None:
    await lock_shared("vote", 1)
    await lock_exclusive("vote", 1)
    await lock_advisory("ballots 1")


async def key(work: UnitOfWork) -> None:
    await work.command("try", "key-1", much=1)


async def number(work: UnitOfWork) -> None:
    work.record(RIGHTS_CHANGED, 1)
    await work.write_journal()


IN_ORDER = [(), (subject,), (key,), (subject, subject, key), (subject, number), (key, key, number)]


@pytest.mark.parametrize("taken", IN_ORDER)
async def test_in_this_order_all_is_well(estate: Any, now: datetime, taken: Any) -> None:
    async def body(work: UnitOfWork) -> None:
        for each in taken:
            await each(work)

    await atomic(body, estate.owner, now)


@pytest.mark.parametrize("taken", [(key, subject), (number, subject), (number, key), (subject, key, subject)])
async def test_out_of_order_it_is_refused_on_both_engines(estate: Any, now: datetime, taken: Any) -> None:
    async def body(work: UnitOfWork) -> None:
        for each in taken:
            await each(work)

    with pytest.raises(OutOfOrder):
        await atomic(body, estate.owner, now)
    taking(Lock.SUBJECT)  # whoever is in no unit of work, as a migration, has no order


async def test_each_unit_of_work_begins_anew(database: str, now: datetime) -> None:
    async def within(work: UnitOfWork) -> None:
        await number(work)

    for _ in range(2):
        await atomic(within, SYSTEM, now)
