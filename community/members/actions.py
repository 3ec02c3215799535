"""Sessions begin and end here; secrets leave once and are never kept."""

import secrets
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from community.database.work import UnitOfWork, requires
from community.errors import NotFound
from community.members.models import Account, Session
from community.members.reads import hash_of, ties_to_session
from community.members.rules import KEPT_AFTER_ITS_END, LONGEST_NAME, SessionKind
from community.permissions import Permission
from community.places.reads import citywide
from community.signals import Topic

SWEPT_AT_ONCE = 100
"""Sessions removed when another one begins: more than begin, so that none stay."""


@requires(Permission.MANAGE_SESSIONS, within=citywide)
async def open_session(
    work: UnitOfWork,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None = None,
) -> str:
    """The secret of a new cookie or token for the account of this name. Raises NotFound."""
    return await _open(work, account, kind, lifetime, scopes)


async def _open(
    work: UnitOfWork,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None,
) -> str:
    found = await Account.get_or_none(name=account)
    if found is None:
        raise NotFound
    await _sweep(work)
    secret = secrets.token_urlsafe(32)
    await Session.create(
        hash=hash_of(secret),
        account_id=found.id,
        kind=kind,
        scopes=None if scopes is None else " ".join(sorted(set(scopes))),
        created_at=work.now,
        expires_at=work.now + lifetime,
    )
    return secret


async def _sweep(work: UnitOfWork) -> None:
    """Removes sessions that are long over. Nothing refers to one, and each that begins makes room."""
    over = Session.filter(expires_at__lte=work.now - KEPT_AFTER_ITS_END)
    ids = [row["id"] for row in await over.order_by("expires_at").limit(SWEPT_AT_ONCE).values("id")]
    if ids:
        await Session.filter(id__in=ids).delete()


@requires(Permission.SIGN_IN, within=citywide)
async def sign_in_demonstration(
    work: UnitOfWork, account: str, lifetime: timedelta, replacing: str | None = None
) -> str:
    """A cookie's secret for a demonstration account, which needs no proof. Raises NotFound for any other.

    `replacing`: the secret of the cookie that this browser had until now, which ends with it.
    """
    known = account.isprintable() and len(account) <= LONGEST_NAME
    if not known or not await Account.exists(name=account, demonstration=True):
        raise NotFound
    if replacing is not None:
        await _end(work, hash=hash_of(replacing), kind=SessionKind.COOKIE)
    return await _open(work, account, SessionKind.COOKIE, lifetime, None)


@requires(Permission.SIGN_OUT, within=citywide, tied=ties_to_session)
async def end_session(work: UnitOfWork, secret: str) -> None:
    """Ends one's own session of this secret, if there is one; its sockets lose what only it allowed."""
    await _end(work, hash=hash_of(secret))


@requires(Permission.MANAGE_SESSIONS, within=citywide)
async def revoke_session(work: UnitOfWork, session: int) -> None:
    """Ends the session of this number, as listed; its sockets lose what only it allowed. Raises NotFound."""
    if not await _end(work, id=session):
        raise NotFound


async def _end(work: UnitOfWork, **which: object) -> bool:
    """Removes the one session, and says whether it stood until now."""
    rows = await Session.filter(**which).values("id", "account_id", "expires_at", "revoked_at")
    return any([await _remove(work, row) for row in rows])


async def _remove(work: UnitOfWork, session: Mapping[str, Any]) -> bool:
    if not await Session.filter(id=session["id"]).delete():
        return False  # somebody else was first
    stood: bool = session["revoked_at"] is None and session["expires_at"] > work.now
    if stood:
        work.changed(Topic.RIGHTS, session["account_id"], None)
    return stood
