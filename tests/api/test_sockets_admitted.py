"""A journal that admits some of its readers: only those signed up for an event are shown who comes and goes.

All that it takes stands between here and `GUESTS`; nothing of the machinery knows of it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
import strawberry

from api.clock import utc_now
from community.catalogue import catalogue
from community.database import journal
from community.database.cursors import journal_cursors
from community.database.models import JournalRow
from community.events.facts import EVENT
from community.events.models import SignUp
from community.live import Journal
from community.permissions import Permission, Viewer, account_of
from community.signals import Signal
from realtime.groups import Groups
from realtime.pacing import WritePacer
from realtime.registry import SubscriptionRegistry
from schema.executable import ExecutableSchema
from schema.live import WatchedId, live
from schema.schema import PreparedSchema

pytestmark = pytest.mark.xdist_group("sockets")


COMING = [fact.name for fact in catalogue().touching("attendance")]


class Row(NamedTuple):
    number: int


async def items_after(event: int, number: int, most: int) -> Sequence[Row]:
    coming = JournalRow.filter(subject=event, fact__in=COMING, number__gt=number).order_by("number")
    return [Row(number) for number in await coming.limit(most).values_list("number", flat=True)]


async def signed_up(viewer: Viewer, event: int) -> bool:
    return await SignUp.filter(event_id=event, account_id=account_of(viewer), cancelled_at=None).exists()


async def from_the_beginning(event: int) -> int:
    return 0


GUESTS = Journal(
    topic="attendance", subject=EVENT, permission=Permission.READ_BULLETIN, admits=signed_up,
    items_after=items_after, head=journal.head, recent=from_the_beginning, cursors=journal_cursors,
)  # fmt: skip


@strawberry.type
class Coming:
    number: int
    cursor: str

    @classmethod
    def of(cls, row: Row, cursor: str) -> "Coming":
        return cls(number=row.number, cursor=cursor)


@strawberry.type
class Query:
    nothing: int = 0


@strawberry.type
class Subscription:
    guests: Coming = live(GUESTS, WatchedId("Event", "Which."), Coming.of, description="Who comes and goes.")


SCHEMA = PreparedSchema(query=Query, subscription=Subscription)
GUEST_LIST = (
    "subscription($id: ID!, $after: String) { guests(eventId: $id, after: $after) { number cursor } }"
)
SIGN_UP = "mutation($event: ID!) { signUp(eventId: $event) { id } }"
CANCEL = "mutation($id: ID!) { cancelSignUp(signUpId: $id) { id } }"


async def test_only_those_it_admits_are_shown_it_and_only_as_long_as_they_are(here: Any) -> None:
    async with here() as server:
        sources, event = server.app.state.sources, server.town.id("Event", "picnic")
        executable = ExecutableSchema(utc_now, sources, SCHEMA)
        server.sockets.registry = registry = SubscriptionRegistry(
            executable, sources, Groups(WritePacer()), server.sockets.metrics.count
        )
        own = (await server.ask(SIGN_UP, "spring/resident-1", event=event))["data"]["signUp"]["id"]
        async with (
            server.socket("spring/resident-1") as guest,
            server.socket("spring/resident-2") as neighbour,
            server.socket() as stranger,
        ):
            for socket in (guest, neighbour, stranger):
                await socket.subscribe("a", GUEST_LIST, id=event)
            for socket in (neighbour, stranger):
                assert codes(await socket.receive()) == ["NOT_FOUND"]
            await server.until(lambda: sources.watchers == 1)
            await server.ask(SIGN_UP, "spring/resident-3", event=event)
            first = (await guest.receive())["payload"]["data"]["guests"]
            await guest.subscribe("again", GUEST_LIST, id=event, after=first["cursor"])
            await server.ask(SIGN_UP, "spring/resident-2", event=event)
            told = {
                message["id"]: message["payload"]
                for message in [await guest.receive(), await guest.receive()]
            }
            assert told["a"] == told["again"] != first
            assert len(registry._groups) == 1
            await neighbour.subscribe("b", GUEST_LIST, id=event, after=first["cursor"])
            assert (await neighbour.receive())["payload"] == told["a"]
            await server.ask(CANCEL, "spring/resident-1", id=own)
            server.app.state.broker.publish(
                [Signal("rights", server.town.key("Account", "spring/resident-1"))]
            )
            ended = set[str]()
            while len(ended) < 2:
                if (message := await guest.receive())["type"] == "error":
                    assert codes(message) == ["NOT_FOUND"]
                    ended.add(message["id"])
            assert (await neighbour.receive())["type"] == "next"  # who stays was shown that one went


def codes(message: Any) -> list[str]:
    assert message["type"] == "error", message
    return [error["extensions"]["code"] for error in message["payload"]]
