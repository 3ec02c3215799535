"""What a client's own key does: the same again is the same, anything else is refused."""

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.database.commands import canonical
from community.database.models import IdempotencyRecord
from community.database.sql import select
from community.database.work import UnitOfWork, atomic
from community.errors import InvalidInput, KeyReused, ResultGone
from community.permissions import Viewer

NOON = datetime(2026, 5, 20, 12, 0, 0, 5, tzinfo=UTC)


class Kind(StrEnum):
    NOTICE = "NOTICE"


async def do(
    viewer: Viewer, now: datetime, key: str | None, name: str = "signUp", *, stands: bool = True, **given: Any
) -> int | None:
    """The result of before; None where this is the first time, which then leads to 70."""

    async def body(work: UnitOfWork) -> int | None:
        command = await work.command(name, key, **given)
        if command.result is not None:
            return command.again(same=command.result == 70, stands=stands)
        await command.store(70)
        return None

    return await atomic(body, viewer, now)


async def test_a_key_remembers_its_command_for_its_account(estate: Any, now: datetime) -> None:
    assert await do(estate.owner, now, "k") is None
    assert await do(estate.owner, now, "k") == 70
    assert await do(estate.owner, now, " k ") == 70
    assert await do(estate.owner, now, "k", "recordEntry") is None
    assert await do(estate.owner, now, "l") is None
    assert await do(estate.neighbour, now, "k") is None
    assert await do(estate.owner, now, None) is None
    assert await do(estate.owner, now, None) is None
    assert await IdempotencyRecord.all().count() == 4


async def test_a_key_with_other_arguments_is_refused(estate: Any, now: datetime) -> None:
    given = {"item": "水泵", "amount": 50_000, "date": date(2026, 5, 1), "voucher": None}
    await do(estate.owner, now, "k", **given)
    assert await do(estate.owner, now, "k", **{name: given[name] for name in reversed(given)}) == 70
    assert (
        await do(estate.owner, now, "k", **{name: given[name] for name in ("item", "amount", "date")}) == 70
    )
    changes: list[dict[str, Any]] = [
        {"amount": 70_000}, {"amount": "50000"}, {"item": "水"}, {"date": "2026-05-02"}, {"voucher": "1"},
        {"voucher": ""}, {"clause": "x"}, {"item": None},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(KeyReused) as refused:
            await do(estate.owner, now, "k", **(given | change))
        assert refused.value.field == "key"
    assert await IdempotencyRecord.all().count() == 1


async def test_a_result_that_no_longer_stands_is_not_told_as_done(estate: Any, now: datetime) -> None:
    await do(estate.owner, now, "k", size=2)
    with pytest.raises(ResultGone):
        await do(estate.owner, now, "k", size=2, stands=False)
    with pytest.raises(KeyReused) as refused:
        await do(estate.owner, now, "k", size=3, stands=False)
    assert refused.type is KeyReused  # it never was about this


async def test_a_record_from_before_is_judged_by_its_subject_alone(estate: Any, now: datetime) -> None:
    for key, subject in (("old", 70), ("other", 71)):
        await IdempotencyRecord.create(
            account_id=estate.owner.account, deed="signUp", key=key, subject=subject, at=now
        )
    assert await do(estate.owner, now, "old", size=2) == 70
    assert await do(estate.owner, now, "old", size=3, stands=False) == 70
    with pytest.raises(KeyReused):
        await do(estate.owner, now, "other", size=2)


@pytest.mark.parametrize("key", ["", " ", "\u200b", "k\u202e", "k" * 65, "a\nb"])
async def test_a_key_that_is_none_is_refused(estate: Any, now: datetime, key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await do(estate.owner, now, key)
    assert refused.value.field == "key"


async def test_a_fingerprint_tells_nothing_and_equal_ballots_do_not_look_alike(
    estate: Any, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for viewer in (estate.owner, estate.neighbour):
            for key in "kl":
                await do(viewer, now, key, "castBallot", vote=1, answers=[[1, ["FOR"], ""]])
    kept = await IdempotencyRecord.all().values_list("fingerprint", flat=True)
    assert len(set(kept)) == 4
    assert {len(str(one)) for one in kept} == {64}
    (secret,) = await select("SELECT value FROM secret")
    assert len(bytes.fromhex(secret["value"])) == 32
    assert secret["value"] not in caplog.text


# One form for one meaning


def test_the_same_meaning_has_one_form() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=8)))
    assert canonical(NOON) == canonical(there)
    assert canonical("Cafe\u0301") == canonical("Caf\u00e9")
    assert canonical({"a": None, "b": 1}) == canonical({"b": 1})
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})
    assert canonical((1, 2)) == canonical([1, 2]) != canonical([2, 1])
    assert canonical(frozenset("ab")) == canonical(frozenset("ba"))
    assert canonical(Kind.NOTICE) == "NOTICE"
    assert canonical(date(2026, 5, 20)) == "2026-05-20"
    assert canonical(True) is True


@dataclass
class Strange:
    x: int = 1


def test_what_has_no_form_is_a_fault_of_ours() -> None:
    for value in (Strange(), 1.5, b"x", object()):
        with pytest.raises(TypeError, match="no canonical form"):
            canonical({"x": [value]})
    assert canonical(asdict(Strange())) == {"x": 1}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.dates() | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_a_form_is_its_own_form(value: object) -> None:
    assert canonical(canonical(value)) == canonical(value)


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=4), st.randoms())
def test_the_order_of_names_is_no_matter(value: Mapping[str, int], chance: Any) -> None:
    items = list(value.items())
    chance.shuffle(items)
    assert canonical(dict(items)) == canonical(value)
