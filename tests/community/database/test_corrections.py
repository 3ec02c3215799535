"""What a subject said before stays beside its steps, whatever is corrected and by whom."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.exceptions import IntegrityError

from community.bulletin.actions import correct_notice, publish_notice, withdraw_notice
from community.bulletin.models import Notice, NoticeVersion
from community.bulletin.reads import notice_corrections_of, notice_row
from community.bulletin.rules import NoticeKind
from community.database.sql import is_postgres, select
from community.errors import Refused
from community.permissions import SYSTEM
from tests.world.estates import NOW

MINUTE = timedelta(minutes=1)
WATER = {"kind": NoticeKind.NOTICE, "title": "a", "body": "a"}

TEXTS = st.sampled_from("abc")
MENDINGS = st.lists(st.tuples(st.sampled_from(["title", "body", "withdraw"]), TEXTS), max_size=8)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MENDINGS)
async def test_what_it_said_at_any_time_can_be_read(estate: Any, done: list[tuple[str, str]]) -> None:
    notice = await publish_notice(SYSTEM, NOW, estate.community, **WATER, organization=estate.committee)
    said, withdrawn = [{"title": "a", "body": "a"}], False
    for minute, (what, text) in enumerate(done, start=1):
        at, changes = NOW + minute * MINUTE, what != "withdraw" and said[-1][what] != text
        try:
            if what == "withdraw":
                await withdraw_notice(SYSTEM, at, notice, reason=text)
            else:
                await correct_notice(SYSTEM, at, notice, reason=text, **{what: text})
        except Refused:
            assert withdrawn or (what != "withdraw" and not changes)
            continue
        assert not withdrawn
        withdrawn = what == "withdraw"
        if changes:
            said.append(said[-1] | {what: text})
    row, earlier = await notice_row(notice), (await notice_corrections_of([notice]))[notice]
    told = [{"title": one.title, "body": one.body} for one in (row, *earlier)]
    assert told[::-1] == said
    assert (row.withdrawn_at is not None) is withdrawn
    ends = [*(one.corrected_at for one in earlier[::-1])]
    assert [one.since for one in earlier[::-1]] == [NOW, *ends][:-1] if earlier else True
    assert row.corrected_at == (ends[-1] if ends else None)


async def test_words_are_replaced_only_behind_a_version_and_a_step(estate: Any) -> None:
    notice = await publish_notice(SYSTEM, NOW, estate.community, **WATER, organization=estate.committee)
    version = {"subject_id": notice, "title": "a", "body": "a"}
    with pytest.raises(IntegrityError, match="notice_version_as_said"):
        await NoticeVersion.create(number=1, **version | {"body": "b"})
    await NoticeVersion.create(number=1, **version)
    with pytest.raises(IntegrityError, match="notice_keeps_words"):
        await Notice.filter(id=notice).update(title="b")


async def test_after_the_withdrawal_the_words_stay(estate: Any) -> None:
    notice = await publish_notice(SYSTEM, NOW, estate.community, **WATER, organization=estate.committee)
    await correct_notice(SYSTEM, NOW, notice, body="b")
    await withdraw_notice(SYSTEM, NOW, notice, reason="c")
    with pytest.raises(IntegrityError, match="notice_keeps_words"):
        await Notice.filter(id=notice).update(title="b")


async def test_a_time_that_was_stored_in_another_way_is_kept_as_it_is(estate: Any) -> None:
    notice = await publish_notice(SYSTEM, NOW, estate.community, **WATER, organization=estate.committee)
    if is_postgres():
        pytest.skip("it keeps an instant, and not how it was written")
    older, at = notice + 1, "2026-01-02 08:00:00+08:00"
    await select(
        "INSERT INTO notice"
        " (id, kind, title, body, effective_from, published_at, community_id, organization_id)"
        " SELECT ?, kind, title, body, ?, published_at, community_id, organization_id FROM notice",
        [older, at],
    )
    step = "INSERT INTO notice_step (id, subject_id, number, step, at) VALUES (?, ?, 1, 'PUBLISHED', ?)"
    await select(step, [older, older, NOW])
    await correct_notice(SYSTEM, NOW, older, title="b")
    assert await select("SELECT effective_from AS at FROM notice_version") == [{"at": at}]
