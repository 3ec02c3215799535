"""Who is behind a socket: found out at its `connection_init`, and again whenever rights change."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from api.clock import utc_now
from api.credentials import TwoCredentials, UnknownCredential, authorization_in
from api.protocol import AGAIN_LATER, BAD_REQUEST, SESSION_OVER, TRY_AGAIN_LATER, Close, forbidden
from api.sessions import secret_of, viewer_behind
from community.errors import InvalidInput, Refused, TryAgain, Unauthenticated
from community.permissions import NOBODY, Person, Viewer, Visitor
from community.waiting import unless_cancelled
from realtime.authorization import AuthorizationRegistry

MOST_SOCKETS_OF_ACCOUNT = 50
"""On one process: the phones, tabs and integrations of one account."""

TOO_MANY_OF_ACCOUNT = Close(TRY_AGAIN_LATER, "Too many connections of one account")

log = logging.getLogger(__name__)


class Holder(Protocol):
    """A socket, as its identity sees it."""

    def pause(self) -> None:
        """Shows nothing more until `resume`: the rights may be other ones."""

    def resume(self) -> None: ...

    def close(self, why: Close) -> None: ...


class Identity:
    """`viewer` is who it was when it was found out last, NOBODY before; from then on it is registered for
    changes of the account's rights, which `_changes` counts.
    """

    __slots__ = (
        "_authorization", "_changes", "_cookie", "_expiry", "_holder", "_registry", "_renewal", "_secret",
        "viewer",
    )  # fmt: skip

    def __init__(
        self, registry: AuthorizationRegistry, holder: Holder, authorization: str | None, cookie: str | None
    ) -> None:
        self._registry, self._holder = registry, holder
        self._authorization, self._cookie = authorization, cookie
        self._secret: str | None = None
        self.viewer: Viewer = NOBODY
        self._changes = 0
        self._renewal: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def settled(self) -> bool:
        """Whether its rights are known: not being read again, nor given up with the socket."""
        return self._renewal is None

    async def enter(self, payload: Mapping[str, Any]) -> Close | None:
        """Finds out who it is, by the `connection_init` or else by the handshake. Returns why the socket is
        closed instead, if it is.
        """
        given = None
        try:
            given = authorization_in(payload)
            given = self._authorization if given is None else given
            self._secret = secret_of(given, self._cookie)
            return await self._find_out()
        except Refused as refused:
            return _why(refused, given)

    async def _find_out(self) -> Close | None:
        changes_before = self._registry.changes
        viewer = await self.now()
        if isinstance(viewer, Person):
            if self._registry.count(viewer.account) >= MOST_SOCKETS_OF_ACCOUNT:
                return TOO_MANY_OF_ACCOUNT
            self._registry.add(viewer.account, self)
        self._set(viewer)
        if changes_before != self._registry.changes:  # before its account was known: maybe its own
            await self._read_until_settled()
        return None

    def leave(self) -> None:
        for handle in (self._expiry, self._renewal):
            if handle:
                handle.cancel()
        if isinstance(self.viewer, Person):
            self._registry.remove(self.viewer.account, self)
        del self._holder  # no circle: what is left goes at once

    async def now(self) -> Person | Visitor:
        """Reads who it is now. Raises Unauthenticated if the session is over."""
        return await unless_cancelled(viewer_behind(self._secret, utc_now(), strict=True), TryAgain())

    def changed(self) -> None:
        """Its rights changed, or the first of them has expired."""
        self._changes += 1
        self._holder.pause()
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._read_until_settled()
        except Unauthenticated:
            self._holder.close(SESSION_OVER)
        except Exception as error:
            if not isinstance(error, Refused):
                log.exception("could not ask for rights again")
            self._holder.close(AGAIN_LATER)
        else:
            self._renewal = None
            self._holder.resume()

    async def _read_until_settled(self) -> None:
        """Reads the viewer until no change came meanwhile. Raises Refused."""
        before = None
        while before != self._changes:
            before, viewer = self._changes, await self.now()
        self._set(viewer)

    def _set(self, viewer: Person | Visitor) -> None:
        self.viewer = viewer
        if self._expiry:
            self._expiry.cancel()
        if isinstance(viewer, Person) and viewer.expires_at is not None:
            left = (viewer.expires_at - utc_now()).total_seconds()
            self._expiry = asyncio.get_running_loop().call_later(max(0.0, left), self.changed)


def _why(refused: Refused, given: object) -> Close:
    """`given`: the authorization, if it came by a header or the payload, and not by a cookie."""
    match refused:
        case TryAgain():
            return AGAIN_LATER
        case InvalidInput():
            return Close(BAD_REQUEST, refused.en)
        case UnknownCredential() | TwoCredentials():
            return forbidden(refused.en)
    return SESSION_OVER if given is None else forbidden(refused.en)
