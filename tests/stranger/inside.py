"""Asks the schema in this very process, and measures what that costs: CPU time and statements."""

import gc
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiosqlite
import asyncpg
import orjson
import pytest
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from api.app import spare_the_collector
from community.members.reads import viewer_of
from community.permissions import NOBODY, Person, Viewer
from realtime.broker import MemoryBroker
from realtime.sources import LiveSources
from schema.context import Context
from schema.schema import graphql_schema
from tests.stranger.documents import Request
from tests.stranger.town import Asker, Grounds

_DOORS = (
    (aiosqlite.Connection, ("execute", "executemany", "execute_fetchall", "execute_insert")),
    (asyncpg.Connection, ("execute", "executemany", "fetch", "fetchrow", "fetchval")),
)
_GIVEN_BACK = "SELECT pg_advisory_unlock_all"
"""What asyncpg says for each connection that goes back to the pool; SQLite has nothing like it."""

_NOT_RUN = (CannotGetOperationTypeError, InvalidOperationTypeError, MissingQueryError)
"""What the endpoint makes a 400 of."""

_REQUEST_ID = re.compile(r'"requestId":\s*"[^"]*"')


@dataclass(frozen=True, slots=True)
class Answer:
    """`cpu` in seconds, of the whole process: SQLite works in threads of its own."""

    text: str
    codes: tuple[str, ...]
    cpu: float
    statements: int

    @property
    def comparable(self) -> str:
        return _REQUEST_ID.sub("", self.text)


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """Whatever is sent to a database meanwhile."""
    sent: list[str] = []

    def noting(real: Any) -> Any:
        def send(self: Any, query: str, *values: Any, **given: Any) -> Any:
            if not query.lstrip().startswith(_GIVEN_BACK):
                sent.append(query)
            return real(self, query, *values, **given)

        return send

    with pytest.MonkeyPatch.context() as patched:
        for client, names in _DOORS:
            for name in names:
                patched.setattr(client, name, noting(getattr(client, name)))
        yield sent


@contextmanager
def collected_as_in_the_server() -> Iterator[None]:
    """Rarely: else some document pays for what the whole test run left behind."""
    before = gc.get_threshold()
    spare_the_collector()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class Inside:
    """Over an open database; the moment stands still."""

    def __init__(self, grounds: Grounds, statements: list[str]) -> None:
        self.grounds = grounds
        self.now: datetime = grounds.town.now + timedelta(minutes=1)
        self._statements = statements
        self._sources = LiveSources(MemoryBroker())
        self._number = 0

    async def ask(self, request: Request, asker: Asker) -> Answer:
        """The document is new to the server, as a stranger's may always be."""
        viewer = await self._viewer(asker)
        if viewer is None:
            return Answer("", ("UNAUTHENTICATED",), 0.0, 0)
        self._number += 1
        text = f"{request.query}\n#{self._number}" if request.query.strip() else request.query
        context = self._context(viewer)
        before, start = len(self._statements), time.process_time()
        body: dict[str, Any] = {"data": None, "errors": [{"extensions": {"code": "INVALID_INPUT"}}]}
        try:
            result = await graphql_schema.execute(
                text, request.variables, context, operation_name=request.operation
            )
            body = {"data": result.data, "errors": [error.formatted for error in result.errors or ()]}
        except _NOT_RUN:
            pass
        encoded = _encoded(body)
        cpu = time.process_time() - start
        codes = tuple(str(error.get("extensions", {}).get("code")) for error in body["errors"])
        return Answer(encoded, codes, cpu, len(self._statements) - before)

    async def _viewer(self, asker: Asker) -> Person | None:
        """None where the server would not let them in."""
        return NOBODY if asker.token is None else await viewer_of(asker.token, self.now)

    def _context(self, viewer: Viewer) -> Context:
        return Context(lambda: self.now, self._sources, viewer)


def _encoded(body: Any) -> str:
    """As the server does; where it cannot, as JSON that shows why."""
    try:
        return orjson.dumps(body).decode()
    except orjson.JSONEncodeError:
        return json.dumps(body, default=str)
