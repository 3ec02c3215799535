"""Sessions begin and end here; secrets leave once and are never kept."""

import secrets
from collections.abc import Collection
from datetime import timedelta

from community.database.work import Work, requires
from community.errors import NotFound
from community.members.models import Account, Session
from community.members.reads import hash_of
from community.members.rules import LONGEST_NAME, SessionKind
from community.permissions import Permission
from community.places.reads import the_city
from community.signals import Topic


@requires(Permission.OPERATE, within=the_city)
async def open_session(
    work: Work,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None = None,
) -> str:
    """The secret of a new cookie or token for the account of this name. Raises NotFound."""
    return await _open(work, account, kind, lifetime, scopes)


async def _open(
    work: Work,
    account: str,
    kind: SessionKind,
    lifetime: timedelta,
    scopes: Collection[Permission] | None,
) -> str:
    found = await Account.get_or_none(name=account)
    if found is None:
        raise NotFound
    secret = secrets.token_urlsafe(32)
    await Session.create(
        hash=hash_of(secret),
        account_id=found.id,
        kind=kind,
        scopes=None if scopes is None else " ".join(sorted(scopes)),
        created_at=work.now,
        expires_at=work.now + lifetime,
    )
    return secret


@requires(Permission.OPERATE, within=the_city)
async def sign_in_demonstration(work: Work, account: str, lifetime: timedelta) -> str:
    """A cookie's secret for a demonstration account, which needs no proof. Raises NotFound for any other."""
    known = account.isprintable() and len(account) <= LONGEST_NAME
    if not known or not await Account.exists(name=account, demonstration=True):
        raise NotFound
    return await _open(work, account, SessionKind.COOKIE, lifetime, None)


@requires(Permission.OPERATE, within=the_city)
async def end_session(work: Work, secret: str) -> None:
    """Ends the session of this secret, if there is one; its sockets lose what only it allowed."""
    session = await Session.filter(hash=hash_of(secret), revoked_at=None).first().values("id", "account_id")
    if session is None:
        return
    await Session.filter(id=session["id"]).update(revoked_at=work.now)
    work.changed(Topic.RIGHTS, session["account_id"], None)
