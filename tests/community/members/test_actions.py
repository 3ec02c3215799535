"""Sessions: a secret leaves once, and only its hash stays."""

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from community.database import journal
from community.errors import Forbidden, NotFound, Unauthenticated
from community.members.actions import (
    SWEPT_AT_ONCE,
    end_session,
    open_session,
    revoke_session,
    sign_in_demonstration,
)
from community.members.models import Account, CoOwner, OwnerParty, Session, Tenancy
from community.members.reads import hash_of, sessions_of, viewer_of
from community.members.rules import KEPT_AFTER_ITS_END, PartyKind, SessionKind
from community.permissions import NOBODY, SYSTEM, Permission, Role
from community.signals import Signal, Topic

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


async def name_of(account: int | None) -> str:
    return str((await Account.get(id=account)).name)


@pytest.fixture
async def handle(estate: Any) -> str:
    return await name_of(estate.owner.account)


@pytest.fixture
async def secret(estate: Any, handle: str, now: datetime) -> str:
    return await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)


async def test_a_session_leads_to_its_account_with_the_person_of_the_moment(
    estate: Any, build: Any, handle: str, secret: str, now: datetime
) -> None:
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert (viewer.account, viewer.name, viewer.scopes) == (estate.owner.account, handle, None)
    assert viewer.roles == {estate.community: {Role.OWNER}}
    assert viewer.expires_at == now + DAY

    await build.role(viewer.account, estate.community, Role.CLERK, since=now + TICK)
    later = await viewer_of(secret, now + TICK)
    assert later is not None
    assert later.roles == {estate.community: {Role.OWNER, Role.CLERK}}
    assert later.session == viewer.session


async def test_only_the_hash_of_a_secret_is_kept(secret: str, database: str) -> None:
    (row,) = await Session.all().values()
    assert row["hash"] == hash_of(secret) == sha256(secret.encode()).hexdigest()
    assert secret not in str(row)
    assert len(secret) >= 43  # 256 bits
    assert await viewer_of(row["hash"], row["created_at"]) is None


async def test_every_session_has_a_secret_of_its_own(handle: str, secret: str, now: datetime) -> None:
    assert await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY) != secret


async def test_a_session_ends_exactly_when_it_expires(secret: str, now: datetime) -> None:
    assert await viewer_of(secret, now + DAY - TICK)
    assert await viewer_of(secret, now + DAY) is None


@pytest.mark.parametrize("wrong", ["", "x", "' OR 1=1 --"])
async def test_no_other_words_lead_anywhere(secret: str, now: datetime, wrong: str) -> None:
    assert await viewer_of(wrong, now) is None
    assert await viewer_of(secret + wrong + " ", now) is None


@pytest.mark.parametrize("scopes", [set(), {Permission.SIGN_UP}, set(Permission)])
async def test_scopes_are_kept_as_given(handle: str, now: datetime, scopes: set[Permission]) -> None:
    secret = await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY, scopes)
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert viewer.scopes == scopes


async def test_an_ended_session_is_over_and_its_rights_are_told_to_have_changed(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    other = await open_session(SYSTEM, now, handle, SessionKind.COOKIE, DAY)
    assert not told
    await end_session(estate.owner, now, secret)
    assert await viewer_of(secret, now) is None
    assert await viewer_of(other, now)
    assert told == [Signal(Topic.RIGHTS, estate.owner.account)]
    assert [row.hash for row in await Session.all()] == [hash_of(other)]  # what ended is removed


async def test_ending_what_is_over_or_unknown_changes_nothing(
    estate: Any, secret: str, now: datetime, told: list[Signal]
) -> None:
    await end_session(estate.owner, now, "unknown")
    assert not told
    await asyncio.gather(*(end_session(estate.owner, now, secret) for _ in range(3)))
    assert await Session.all().count() == 0
    assert len(told) == 1


async def test_a_demonstration_account_is_entered_by_its_name(
    database: str, now: datetime, told: list[Signal]
) -> None:
    account = await Account.create(name="demo/resident-1", demonstration=True, created_at=now)
    viewer = await viewer_of(await sign_in_demonstration(NOBODY, now, "demo/resident-1", DAY), now)
    assert viewer is not None
    assert viewer.account == account.id
    (session,) = await Session.all()
    assert session.kind is SessionKind.COOKIE


@pytest.fixture
async def demo(database: str, now: datetime) -> str:
    return str((await Account.create(name="demo/resident-1", demonstration=True, created_at=now)).name)


async def test_signing_in_again_ends_the_cookie_that_it_replaces(
    demo: str, now: datetime, told: list[Signal]
) -> None:
    other = await sign_in_demonstration(NOBODY, now, demo, DAY)
    first = await sign_in_demonstration(NOBODY, now, demo, DAY)
    second = await sign_in_demonstration(NOBODY, now, demo, DAY, replacing=first)
    assert await viewer_of(first, now) is None
    assert await viewer_of(second, now)
    assert await viewer_of(other, now)
    account = await Account.get(name=demo)
    assert told == [Signal(Topic.RIGHTS, account.id)]


async def test_a_sign_in_that_is_refused_replaces_nothing(demo: str, now: datetime) -> None:
    first = await sign_in_demonstration(NOBODY, now, demo, DAY)
    with pytest.raises(NotFound):
        await sign_in_demonstration(NOBODY, now, "nobody", DAY, replacing=first)
    assert await viewer_of(first, now)


async def test_only_a_cookie_is_replaced(demo: str, now: datetime, told: list[Signal]) -> None:
    token = await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY)
    for replaced in (token, "unknown", ""):
        await sign_in_demonstration(NOBODY, now, demo, DAY, replacing=replaced)
    assert await viewer_of(token, now)
    assert not told


async def test_what_stands_is_listed_without_its_secret(demo: str, handle: str, now: datetime) -> None:
    secrets = [
        await open_session(SYSTEM, now - 2 * DAY, demo, SessionKind.TOKEN, DAY),  # over
        await open_session(
            SYSTEM, now, demo, SessionKind.TOKEN, DAY, {Permission.SIGN_UP, Permission.READ_OWN}
        ),
        await open_session(SYSTEM, now + TICK, demo, SessionKind.COOKIE, DAY),
        await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY, set()),
        await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY),
    ]
    await end_session(SYSTEM, now, secrets[3])
    account = await Account.get(name=demo)
    listed = await sessions_of([account.id], now + TICK)
    assert [(row.account, row.kind, row.scopes, row.created_at, row.expires_at) for row in listed] == [
        (demo, SessionKind.TOKEN, ("READ_OWN", "SIGN_UP"), now, now + DAY),
        (demo, SessionKind.COOKIE, None, now + TICK, now + TICK + DAY),
    ]
    assert not [secret for secret in secrets if secret in str(listed) or hash_of(secret) in str(listed)]
    assert await sessions_of([], now) == []


async def test_a_session_is_revoked_by_its_number(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    other = await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert viewer.session is not None
    await revoke_session(SYSTEM, now, viewer.session)
    assert await viewer_of(secret, now) is None
    assert await viewer_of(other, now)
    assert told == [Signal(Topic.RIGHTS, estate.owner.account)]
    for number in (viewer.session, 5, 0, -1):
        with pytest.raises(NotFound):
            await revoke_session(SYSTEM, now, number)
    assert len(told) == 1


async def test_one_that_ran_out_is_known_for_a_while_and_then_removed(handle: str, now: datetime) -> None:
    await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)
    over = now + DAY + KEPT_AFTER_ITS_END
    await open_session(SYSTEM, over - TICK, handle, SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 2
    await open_session(SYSTEM, over, handle, SessionKind.TOKEN, DAY)
    assert [row.created_at for row in await Session.all().order_by("created_at")] == [over - TICK, over]


async def test_what_is_removed_at_once_is_bounded_and_the_oldest_first(handle: str, now: datetime) -> None:
    account = await Account.get(name=handle)
    many = SWEPT_AT_ONCE + 5
    await Session.bulk_create(
        Session(hash=str(index), account_id=account.id, kind=SessionKind.COOKIE, created_at=now,
                expires_at=now + index * TICK)
        for index in range(many)
    )  # fmt: skip
    later = now + KEPT_AFTER_ITS_END + DAY
    await open_session(SYSTEM, later, handle, SessionKind.TOKEN, DAY)
    left = {row.hash for row in await Session.all() if len(row.hash) < 64}
    assert left == {str(index) for index in range(SWEPT_AT_ONCE, many)}
    await open_session(SYSTEM, later, handle, SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 2


async def test_a_viewer_says_whether_its_account_is_one_of_the_demonstration(
    demo: str, secret: str, now: datetime
) -> None:
    somebody = await viewer_of(await sign_in_demonstration(NOBODY, now, demo, DAY), now)
    token = await viewer_of(await open_session(SYSTEM, now, demo, SessionKind.TOKEN, DAY), now)
    real = await viewer_of(secret, now)
    assert [viewer.demonstration for viewer in (somebody, token, real) if viewer] == [True, True, False]


async def test_no_other_account_is_entered_by_its_name(handle: str, now: datetime) -> None:
    for name in (handle, "nobody-of-this-name", ""):
        with pytest.raises(NotFound):
            await sign_in_demonstration(NOBODY, now, name, DAY)
    with pytest.raises(NotFound):
        await open_session(SYSTEM, now, "nobody-of-this-name", SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 0


async def test_nobody_but_the_operator_opens_or_ends_the_sessions_of_others(
    estate: Any, handle: str, secret: str, now: datetime, told: list[Signal]
) -> None:
    head = await journal.head()
    for viewer, refusal in (
        (NOBODY, Unauthenticated),
        (estate.owner, Forbidden),
        (estate.chair, Forbidden),
        (estate.stranger, Forbidden),
    ):
        with pytest.raises(refusal):
            await open_session(viewer, now, handle, SessionKind.TOKEN, DAY)
        with pytest.raises(refusal):
            await revoke_session(viewer, now, (await Session.get()).id)
        if viewer is not estate.owner:
            with pytest.raises(refusal):
                await end_session(viewer, now, secret)
    assert await Session.all().count() == 1
    assert await viewer_of(secret, now)
    assert (await journal.head(), told) == (head, [])


async def test_whoever_signed_in_signs_out_whatever_the_token_is_narrowed_to(
    demo: str, handle: str, now: datetime, told: list[Signal]
) -> None:
    """Also one of the demonstration, which has no other right outside of it."""
    for name in (handle, demo):
        secret = await open_session(SYSTEM, now, name, SessionKind.TOKEN, DAY, {Permission.READ_LEDGER})
        narrow = await viewer_of(secret, now)
        assert narrow is not None
        await end_session(narrow, now, secret)
        assert await viewer_of(secret, now) is None
    assert len(told) == 2


async def test_a_viewer_expires_with_the_first_thing_held(
    estate: Any, build: Any, secret: str, now: datetime
) -> None:
    """Then a socket asks again, and finds what is left."""
    account, over = estate.owner.account, timedelta(hours=3)
    other = await OwnerParty.create(community_id=estate.community, kind=PartyKind.OWNERS)
    await CoOwner.create(party_id=other.id, account_id=account, since=now, until=now + 3 * over)
    await Tenancy.create(unit_id=estate.unit, account_id=account, since=now, until=now + 2 * over)
    await build.role(account, estate.community, Role.CLERK, since=now - DAY, until=now + over)
    await build.role(account, estate.community, Role.GRID_WORKER, since=now - DAY, until=now)
    await build.role(account, estate.community, Role.COMMITTEE, since=now + DAY, until=now + 2 * DAY)
    ends = []
    for at in (now, now + over, now + 2 * over, now + 3 * over):
        viewer = await viewer_of(secret, at)
        assert viewer is not None
        ends.append((viewer.expires_at, sorted(viewer.roles[estate.community])))
    assert ends == [
        (now + over, [Role.CLERK, Role.OWNER, Role.TENANT]),
        (now + 2 * over, [Role.OWNER, Role.TENANT]),
        (now + 3 * over, [Role.OWNER]),
        (now + DAY, [Role.OWNER]),
    ]
