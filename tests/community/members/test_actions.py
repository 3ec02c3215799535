"""Sessions: a secret leaves once, and only its hash stays."""

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from community.database import journal
from community.errors import Forbidden, NotFound, Unauthenticated
from community.members.actions import end_session, open_session, sign_in_demonstration
from community.members.models import Account, CoOwner, OwnerParty, Session, Tenancy
from community.members.reads import hash_of, viewer_of
from community.members.rules import PartyKind, SessionKind
from community.permissions import NOBODY, SYSTEM, Permission, Role
from community.signals import Signal, Topic

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


async def name_of(account: int | None) -> str:
    return str((await Account.get(id=account)).name)


@pytest.fixture
async def handle(estate: Any) -> str:
    return await name_of(estate.owner.account)


@pytest.fixture
async def secret(estate: Any, handle: str, now: datetime) -> str:
    return await open_session(SYSTEM, now, handle, SessionKind.TOKEN, DAY)


async def test_a_session_leads_to_its_account_with_the_roles_of_the_moment(
    estate: Any, build: Any, handle: str, secret: str, now: datetime
) -> None:
    viewer = await viewer_of(secret, now)
    assert viewer is not None
    assert (viewer.account, viewer.name, viewer.scopes) == (estate.owner.account, handle, None)
    assert viewer.roles == {estate.community: {Role.OWNER}}
    assert viewer.expires_at == now + DAY

    await build.role(viewer.account, estate.community, Role.CLERK, since=now + MOMENT)
    later = await viewer_of(secret, now + MOMENT)
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
    assert await viewer_of(secret, now + DAY - MOMENT)
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
    await end_session(SYSTEM, now, secret)
    assert await viewer_of(secret, now) is None
    assert await viewer_of(other, now)
    assert told == [Signal(Topic.RIGHTS, estate.owner.account)]
    assert await Session.all().count() == 2  # nothing is overwritten or deleted


async def test_ending_what_is_over_or_unknown_changes_nothing(
    secret: str, now: datetime, told: list[Signal]
) -> None:
    await end_session(SYSTEM, now, "unknown")
    assert not told
    await asyncio.gather(*(end_session(SYSTEM, now, secret) for _ in range(3)))
    (row,) = await Session.all()
    assert row.revoked_at == now
    await end_session(SYSTEM, now + DAY, secret)
    (row,) = await Session.all()
    assert row.revoked_at == now


async def test_a_demonstration_account_is_entered_by_its_name(
    database: str, now: datetime, told: list[Signal]
) -> None:
    account = await Account.create(name="demo/resident-1", demonstration=True, created_at=now)
    viewer = await viewer_of(await sign_in_demonstration(SYSTEM, now, "demo/resident-1", DAY), now)
    assert viewer is not None
    assert viewer.account == account.id
    (session,) = await Session.all()
    assert session.kind is SessionKind.COOKIE


async def test_no_other_account_is_entered_by_its_name(handle: str, now: datetime) -> None:
    for name in (handle, "nobody-of-this-name", ""):
        with pytest.raises(NotFound):
            await sign_in_demonstration(SYSTEM, now, name, DAY)
    with pytest.raises(NotFound):
        await open_session(SYSTEM, now, "nobody-of-this-name", SessionKind.TOKEN, DAY)
    assert await Session.all().count() == 0


async def test_nobody_but_the_operator_opens_or_ends_sessions(
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
            await sign_in_demonstration(viewer, now, handle, DAY)
        with pytest.raises(refusal):
            await end_session(viewer, now, secret)
    assert await Session.all().count() == 1
    assert await viewer_of(secret, now)
    assert (await journal.head(), told) == (head, [])


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
    for moment in (now, now + over, now + 2 * over, now + 3 * over):
        viewer = await viewer_of(secret, moment)
        assert viewer is not None
        ends.append((viewer.expires_at, sorted(viewer.roles[estate.community])))
    assert ends == [
        (now + over, [Role.CLERK, Role.OWNER, Role.TENANT]),
        (now + 2 * over, [Role.OWNER, Role.TENANT]),
        (now + 3 * over, [Role.OWNER]),
        (now + DAY, [Role.OWNER]),
    ]
