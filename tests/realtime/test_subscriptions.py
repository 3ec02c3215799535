import asyncio
import gc
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult, GraphQLError

from community.bulletin.actions import publish_notice
from community.bulletin.facts import NOTICE
from community.bulletin.rules import NoticeKind
from community.database import cursors, journal
from community.errors import CursorInvalid, NotFound, Refused, TryAgain
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import NOBODY, SYSTEM, Permission, Viewer, rights_of
from community.signals import Signal
from community.votes.actions import cast_ballot
from community.votes.casting import Answered
from community.votes.facts import TALLY
from realtime import bounds, subscriptions
from realtime.audience import Audience
from realtime.bounds import TooManyGroups
from realtime.execution import Ended, encoded
from realtime.fields import SubscribeRequest as Asked
from realtime.groups import Group, Groups, Member
from realtime.journals import JournalReader
from realtime.pacing import WritePacer
from realtime.registry import SubscriptionRegistry
from schema.executable import ExecutableSchema
from schema.nodes import to_id
from tests.pace import slowness

VOTE, OTHER_VOTE, COMMUNITY = to_id("Vote", 5), to_id("Vote", 6), to_id("Community", 7)
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"
BOARD = "subscription($id: ID!) { board(communityId: $id) { cursor change { fact } } }"
BULLETIN = "subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) { cursor } }"
SUBJECTS = BULLETIN.replace(
    "cursor }",
    "cursor kind subject { id ... on Notice { title community { name ledger { balance } } }"
    " ... on Community { ledger { balance } } } }",
)
OWN = BULLETIN.replace("cursor }", "cursor subject { ... on Vote { viewerEntries { party } } } }")
PATIENCE = 20


class Screen:
    busy = False
    drained: Callable[[], None] | None = None

    def __init__(self) -> None:
        self.texts: asyncio.Queue[bytes] = asyncio.Queue()

    def write(self, text: bytes) -> None:
        self.texts.put_nowait(text)

    async def drain(self) -> None:
        raise NotImplementedError

    def close(self, code: int, reason: str) -> None:
        raise NotImplementedError


class Guest(Member):
    """A member that was let in."""

    __slots__ = ("errors", "screen")

    def __init__(self, seen: int) -> None:
        self.screen = Screen()
        super().__init__(self.screen, b'{"payload":', seen)
        self.errors: asyncio.Queue[Sequence[Mapping[str, Any]]] = asyncio.Queue()

    async def text(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.screen.texts.get()

    async def next(self) -> Any:
        return orjson.loads(await self.text())["payload"]

    async def until_ended(self) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            return codes(await self.errors.get())

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        self.errors.put_nowait(errors)

    def fall_behind(self) -> None:
        raise NotImplementedError


def codes(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


class Lobby:
    """Where subscriptions are asked for, in the house."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.groups: Groups = Groups(WritePacer())
        self.executable = ExecutableSchema(lambda: house.now, house.sources)
        self.registry = SubscriptionRegistry(self.executable, house.sources, self.groups)
        self.left = list[Group]()

    def enter(self, request: Asked, viewer: Viewer = NOBODY, address: str = "") -> Group:
        """Raises Ended and Refused."""
        document = self.registry.documents.read(request, viewer)
        if document.audience is Audience.VIEWER:
            return self.registry.enter_alone(document, request, viewer, "", None)
        return self.registry.enter(document, request, viewer, address)[0]

    @asynccontextmanager
    async def entered(
        self, query: str, viewer: Viewer = NOBODY, name: str | None = None, **variables: Any
    ) -> AsyncIterator[Group]:
        group = self.enter(Asked(query, variables, name), viewer)
        try:
            yield group
        finally:
            self.registry.leave(group)

    @asynccontextmanager
    async def joined(self, query: str, viewer: Viewer = NOBODY, **variables: Any) -> AsyncIterator[Guest]:
        async with self.entered(query, viewer, **variables) as group:
            async with asyncio.timeout(PATIENCE):
                await group.subscription.access.require(viewer)
            seen = 0
            if group.subscription.document.is_journal:
                await self.opened(group)
                seen = await group.subscription.start_of(variables.get("after"))
            guest = Guest(seen)
            group.join(guest)
            try:
                yield guest
            finally:
                group.leave(guest)

    async def opened(self, group: Group) -> None:
        async with asyncio.timeout(PATIENCE):
            await group.until_open()

    async def why_not(self, query: str, viewer: Viewer = NOBODY, **variables: Any) -> list[str]:
        """The codes of what it is refused with, before anything of it is executed."""
        try:
            async with self.entered(query, viewer, **variables) as group, asyncio.timeout(PATIENCE):
                with pytest.raises((Refused, OSError)) as refused:
                    await group.subscription.access.require(viewer)
                assert not group.subscription.opened.is_set()
                error: Exception = refused.value
        except (Ended, Refused) as at_once:
            error = at_once
        return codes(self.shown(error))

    def shown(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        """As an operation shows it to its client."""
        return error.errors if isinstance(error, Ended) else [self.executable.formatted(error)]


@pytest.fixture
async def lobby(house: Any) -> AsyncIterator[Lobby]:
    lobby = Lobby(house)
    yield lobby
    assert (len(lobby.groups), lobby.groups.members) == (0, 0)
    async with asyncio.timeout(PATIENCE):
        while house.sources.watchers:  # noqa: ASYNC110 - the last group ends in its own turn
            await asyncio.sleep(0)


def spring(house: Any) -> str:
    return str(house.town.id("Community", "spring"))


def open_vote(house: Any) -> str:
    return str(house.town.id("Vote", "open"))


async def vote(house: Any, number: int) -> None:
    answers = [Answered(house.town.key("Question", "open/0"), ("FOR",))]
    who = await house.viewer(f"spring/resident-{number}")
    await cast_ballot(who, house.now, house.town.key("Vote", "open"), answers=answers)


async def publish(house: Any, title: str) -> None:
    await publish_notice(
        await house.viewer("spring/committee"), house.now, house.town.key("Community", "spring"),
        kind=NoticeKind.NOTICE, title=title, body="明天",
    )  # fmt: skip


# Who shares


SEVERAL = PROGRESS.replace("subscription", "subscription A") + PROGRESS.replace(
    "subscription", "subscription B"
)
CHOSEN = (
    "subscription($id: ID!, $area: Boolean = false) {"
    " voteProgress(voteId: $id) { eligible { heads area @include(if: $area) } } }"
)


@pytest.mark.parametrize(
    "one, other",  # noqa: PT006 - two of a kind
    [
        (Asked(PROGRESS, {"id": VOTE}, None),
         Asked(f"# my\n{PROGRESS.replace(' ', '  ')}", {"id": VOTE}, "")),
        (Asked(CHOSEN, {"id": VOTE, "area": True}, None), Asked(CHOSEN, {"area": True, "id": VOTE}, None)),
        (Asked(PROGRESS, {"id": VOTE}, None), Asked(PROGRESS, {"id": VOTE, "of no use": {"to": "it"}}, None)),
        (Asked(BULLETIN, {"id": COMMUNITY}, None), Asked(BULLETIN, {"id": COMMUNITY, "after": "y"}, None)),
        (Asked(PROGRESS, {"id": VOTE}, None), Asked(PROGRESS.replace("$id", "$vote"), {"vote": VOTE}, None)),
        (Asked(SEVERAL, {"id": VOTE}, "A"), Asked(SEVERAL, {"id": VOTE}, "B")),
        (
            Asked(BULLETIN, {"id": COMMUNITY, "after": "y"}, None),
            Asked(BULLETIN.replace("$after", "$id_").replace("$id:", "$a:").replace("$id,", "$a,"),
                  {"a": COMMUNITY, "id_": "y"}, None),
        ),
        (Asked(BULLETIN, {"id": COMMUNITY, "after": None}, None),
         Asked(BULLETIN, {"id": COMMUNITY, "after": "y"}, None)),
    ],
)  # fmt: skip
async def test_those_who_ask_for_the_same_share_it(lobby: Lobby, one: Asked, other: Asked) -> None:
    groups = [lobby.enter(asked) for asked in (one, other)]
    assert groups[0] is groups[1]
    for group in groups:
        lobby.registry.leave(group)


async def test_a_demonstration_account_shares_with_no_real_one_of_the_same_roles(lobby: Lobby) -> None:
    demo = await lobby.house.viewer("spring/resident-1")
    real = replace(demo, account=demo.account + 1, demonstration=False)
    asked = Asked(SUBJECTS, {"id": COMMUNITY}, None)
    groups = [lobby.enter(asked, viewer) for viewer in (demo, real, replace(demo, account=7))]
    assert groups[0] is groups[2] is not groups[1]
    for group in groups:
        lobby.registry.leave(group)


@pytest.mark.parametrize(
    "other",
    [
        Asked(CHOSEN, {"id": OTHER_VOTE}, None),
        Asked(CHOSEN, {"id": VOTE, "area": False}, None),
        Asked(CHOSEN, {"id": VOTE, "area": None}, None),
        Asked(CHOSEN.replace("eligible", "participating"), {"id": VOTE}, None),
        Asked(BULLETIN, {"id": COMMUNITY}, None),
        Asked(CHOSEN.replace("eligible", "all: eligible"), {"id": VOTE}, None),
        Asked(CHOSEN.replace("$area: Boolean = false", "$area: Boolean = true"), {"id": VOTE}, None),
        Asked(
            CHOSEN.replace("$id: ID!", "$area: ID!")
            .replace("$area: Boolean = false", "$id: Boolean = false")
            .replace("voteId: $id", "voteId: $area")
            .replace("if: $area", "if: $id"),
            {"area": OTHER_VOTE},
            None,
        ),
    ],
)
async def test_those_who_ask_otherwise_do_not(lobby: Lobby, other: Asked) -> None:
    groups = [lobby.enter(asked) for asked in (Asked(CHOSEN, {"id": VOTE}, None), other)]
    assert len(lobby.groups) == len(set(groups)) == len(groups)
    for group in groups:
        lobby.registry.leave(group)


async def test_what_says_the_same_to_all_is_one_for_all(lobby: Lobby) -> None:
    async with AsyncExitStack() as stack:
        for who in (None, "spring/resident-1", "spring/manager", "quiet/resident-1", "city/regulator"):
            viewer = await lobby.house.viewer(who)
            await stack.enter_async_context(lobby.entered(PROGRESS, viewer, id=open_vote(lobby.house)))
        assert len(lobby.groups) == 1


async def test_what_depends_on_rights_is_one_for_those_who_have_the_same(lobby: Lobby) -> None:
    async with AsyncExitStack() as stack:

        async def enter(viewer: Viewer) -> Group:
            return await stack.enter_async_context(lobby.entered(SUBJECTS, viewer, id=spring(lobby.house)))

        resident = await lobby.house.viewer("spring/resident-1")
        same = await enter(resident)
        assert await enter(await lobby.house.viewer("spring/resident-2")) is same
        others = [await lobby.house.viewer(who) for who in (None, "spring/manager", "spring/tenant",
                  "spring/registered", "quiet/resident-1", "city/regulator")]  # fmt: skip
        others.append(replace(resident, scopes=frozenset({Permission.READ_LEDGER})))
        groups = [await enter(viewer) for viewer in others]
        assert len({same, *groups}) == len(others) + 1


async def test_of_one_journal_each_group_is_shown_what_is_for_it_under_the_same_cursors(lobby: Lobby) -> None:
    """A board, in a community that is not public: the ledger is for some only."""
    quiet, resident = lobby.house.town.key("Community", "quiet"), await lobby.house.viewer("quiet/resident-1")
    bulletin, both = {Permission.READ_BULLETIN}, {Permission.READ_BULLETIN, Permission.READ_LEDGER}
    narrow, wide = (replace(resident, scopes=frozenset(scopes)) for scopes in (bulletin, both))
    id_ = to_id("Community", quiet)
    async with (
        lobby.joined(BOARD, narrow, id=id_) as one,
        lobby.joined(BOARD, narrow, id=id_) as same,
        lobby.joined(BOARD, wide, id=id_) as other,
    ):
        assert len(lobby.groups) == 2
        await record_entry(
            SYSTEM, lobby.house.now, quiet, date=lobby.house.now.date(), direction=Direction.INCOME,
            category=Category.INTEREST, item="利息", amount=1,
        )  # fmt: skip
        texts = [await guest.text() for guest in (one, same, other)]
    assert texts[0] == texts[1]
    left_out, shown = (orjson.loads(text)["payload"]["data"]["board"] for text in texts[1:])
    assert (left_out["change"], shown["change"]) == (None, {"fact": "ENTRIES_RECORDED"})
    assert left_out["cursor"] == shown["cursor"]


async def test_what_is_for_one_alone_has_a_group_of_one(lobby: Lobby) -> None:
    viewer = await lobby.house.viewer("spring/resident-1")
    request = Asked(OWN, {"id": COMMUNITY}, None)
    groups = [lobby.enter(request, viewer) for _ in range(2)]
    assert groups[0] is not groups[1]
    assert [group.subscription._viewer for group in groups] == [viewer, viewer]
    for group in groups:
        lobby.registry.leave(group)


@pytest.mark.parametrize(
    "request_",
    [
        Asked(BULLETIN, {"id": COMMUNITY, "after": 5}, None),
        Asked(CHOSEN, {}, None),
        Asked(CHOSEN, None, None),
        Asked(CHOSEN, {"id": VOTE, "area": 5}, None),
        Asked(PROGRESS, {"id": {}}, None),
        Asked(PROGRESS, {"id": VOTE}, "other"),
        Asked(PROGRESS.replace("version", "nothing"), {"id": VOTE}, None),
        Asked("subscription { __typename }", {}, None),
        Asked("subscription {", {}, None),
        Asked("", {}, None),
    ],
)
async def test_what_is_refused_has_no_group(lobby: Lobby, request_: Asked) -> None:
    for _ in range(2):  # also where its document is at hand
        with pytest.raises((Ended, GraphQLError)) as refused:
            lobby.enter(request_, await lobby.house.viewer("spring/resident-1"))
        assert codes(lobby.shown(refused.value)) == ["INVALID_INPUT"]
        assert len(lobby.groups) == 0


# What is shown


async def test_a_state_is_shown_and_then_each_newer_one_to_all_in_the_same_bytes(lobby: Lobby) -> None:
    house = lobby.house
    async with (
        lobby.joined(PROGRESS, id=open_vote(house)) as one,
        lobby.joined(PROGRESS, await house.viewer("spring/resident-1"), id=open_vote(house)) as other,
    ):
        for heads in range(4):
            text = await one.text()
            assert text == await other.text()
            progress = orjson.loads(text)["payload"]["data"]["voteProgress"]
            assert progress["participating"] == {"heads": heads}
            if heads < 3:
                await vote(house, heads + 1)
        async with lobby.joined(PROGRESS, id=open_vote(house)) as late:
            assert (await late.next())["data"]["voteProgress"]["participating"] == {"heads": 3}


async def test_whoever_comes_while_nothing_turns_out_new_is_shown_the_same_and_nothing_is_run(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = lobby.house
    async with lobby.joined(PROGRESS, id=open_vote(house)) as first:
        text = await first.text()
        monkeypatch.setattr(subscriptions, "execute", broken)
        house.broker.publish([Signal(TALLY.topic, house.town.key("Vote", "open"))])
        async with lobby.joined(PROGRESS, id=open_vote(house)) as late:
            assert late.screen.texts.empty()  # it may be about to change
            assert await late.text() == text
        assert first.screen.texts.empty()


async def test_whoever_comes_while_a_newer_state_is_executed_is_not_shown_the_one_before(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, execute, begun, go_on = lobby.house, subscriptions.execute, asyncio.Event(), asyncio.Event()

    async def waiting(*given: Any) -> ExecutionResult:
        begun.set()
        await go_on.wait()
        return await execute(*given)

    async with lobby.joined(PROGRESS, id=open_vote(house)) as first, asyncio.timeout(PATIENCE):
        before = await first.text()
        monkeypatch.setattr(subscriptions, "execute", waiting)
        await vote(house, 1)
        await begun.wait()
        async with lobby.joined(PROGRESS, id=open_vote(house)) as late:
            assert late.screen.texts.empty()
            go_on.set()
            assert await late.text() == await first.text() != before


@pytest.mark.parametrize("who", [None, "spring/resident-1", "spring/manager", "spring/registered"])
async def test_what_is_shared_is_what_each_would_be_shown_alone(lobby: Lobby, who: str | None) -> None:
    house = lobby.house
    start = cursors.encode(await cursors.mark(), 0)
    viewer = await house.viewer(who)
    async with (
        lobby.joined(SUBJECTS, viewer, id=spring(house), after=start) as shared,
        house.watch(SUBJECTS, who, id=spring(house), after=start) as alone,
    ):
        for number in range(3):
            await publish(house, f"新 {number}")
        last = ""
        while last != "新 2":
            text, result = await shared.text(), await alone()
            assert text == b'{"payload":' + orjson.dumps({"data": result.data}) + b"}"
            last = (result.data["bulletin"]["subject"] or {}).get("title", "")


async def test_of_a_viewer_those_who_run_it_know_only_the_rights(lobby: Lobby) -> None:
    resident = await lobby.house.viewer("spring/resident-1")
    async with lobby.entered(SUBJECTS, resident, id=COMMUNITY) as group:
        viewer = group.subscription._viewer
        assert viewer == rights_of(resident)
        assert {"account", "name", "session"}.isdisjoint(viewer.__slots__)
    async with lobby.entered(PROGRESS, resident, id=VOTE) as group:
        assert group.subscription._viewer is NOBODY
    request = Asked(SUBJECTS, {"id": COMMUNITY}, None)  # so it is for whoever is too far behind the others
    group = lobby.registry.enter_alone(
        lobby.registry.documents.read(request, resident), request, resident, "", 5
    )
    assert group.subscription._viewer == rights_of(resident)
    lobby.registry.leave(group)


async def test_readers_begin_apart_and_go_on_together(lobby: Lobby) -> None:
    house, mark = lobby.house, await cursors.mark()
    items = await house.ask('{ community(slug: "spring") { bulletin(first: 100) { edges { cursor } } } }')
    before = [edge["cursor"] for edge in items["community"]["bulletin"]["edges"]][::-1]
    async with (
        lobby.joined(BULLETIN, id=spring(house), after=cursors.encode(mark, 0)) as first,
        lobby.joined(BULLETIN, id=spring(house), after=before[3]) as middle,
        lobby.joined(BULLETIN, id=spring(house)) as last,
        lobby.joined(BULLETIN, id=spring(house), after=before[-1]) as as_well,
    ):
        assert len(lobby.groups) == 1
        await publish(house, "新")
        new = (await last.next())["data"]["bulletin"]["cursor"]
        for reader, missed in ((first, before), (middle, before[4:]), (as_well, [])):
            read = [(await reader.next())["data"]["bulletin"]["cursor"] for _ in (*missed, new)]
            assert read == [*missed, new]


# What is refused


async def test_a_cursor_that_is_not_ours_or_ahead_is_refused(lobby: Lobby) -> None:
    house, mark = lobby.house, await cursors.mark()
    head = await journal.head(house.town.key("Community", "spring"))
    async with lobby.entered(BULLETIN, id=spring(house)) as group:
        await lobby.opened(group)
        for wrong in ("", "x", "票", cursors.encode(mark + 1, head), cursors.encode(mark, head + 1)):
            with pytest.raises(CursorInvalid):
                await group.subscription.start_of(wrong)
        assert await group.subscription.start_of(cursors.encode(mark, head)) == head


async def test_a_cursor_that_another_process_gave_is_good_before_its_news_are_here(lobby: Lobby) -> None:
    house, mark = lobby.house, await cursors.mark()
    async with lobby.entered(BULLETIN, id=spring(house)) as group:
        await lobby.opened(group)
        house.broker._listeners.clear()
        await publish(house, "新")
        head = await journal.head(house.town.key("Community", "spring"))
        assert await group.subscription.start_of(cursors.encode(mark, head)) == head


async def test_whoever_may_not_read_there_is_not_let_in_and_nothing_is_run_for_them(lobby: Lobby) -> None:
    house = lobby.house
    for who, allowed in ((None, False), ("spring/resident-1", False), ("quiet/resident-1", True)):
        viewer = await house.viewer(who)
        told = await lobby.why_not(PROGRESS, viewer, id=house.town.id("Vote", "quiet")) if not allowed else []
        assert told == ([] if allowed else ["NOT_FOUND"])
    async with lobby.joined(PROGRESS, viewer, id=house.town.id("Vote", "quiet")) as guest:
        assert (await guest.next())["data"]


@pytest.mark.parametrize(
    ("code", "variables"),
    [
        ("NOT_FOUND", {"id": "Vm90ZTo5OTk="}),
        ("NOT_FOUND", {"id": "RXZlbnQ6MQ=="}),
        ("INVALID_ID", {"id": "x"}),
    ],
)
async def test_what_cannot_be_watched_says_why(lobby: Lobby, code: str, variables: dict[str, Any]) -> None:
    assert await lobby.why_not(PROGRESS, **variables) == [code]


async def away(*_: object) -> Any:
    raise TryAgain


async def broken(*_: object) -> Any:
    raise OSError("no such disk")


@pytest.mark.parametrize(("read", "code"), [(away, "TRY_AGAIN"), (broken, "INTERNAL")])
async def test_what_befalls_the_database_at_the_beginning_is_told(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, read: Any, code: str
) -> None:
    monkeypatch.setitem(vars(TALLY.subject), "scope_of", read)
    assert await lobby.why_not(PROGRESS, id=open_vote(lobby.house)) == [code]


@pytest.mark.parametrize(("read", "code"), [(away, "TRY_AGAIN"), (broken, "INTERNAL")])
async def test_what_befalls_the_database_on_the_way_is_told_to_all(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, read: Any, code: str
) -> None:
    house = lobby.house
    monkeypatch.setattr(JournalReader, "_fetch", read)
    async with (
        lobby.joined(BULLETIN, id=spring(house)) as one,
        lobby.joined(BULLETIN, id=spring(house)) as other,
    ):
        assert await one.until_ended() == await other.until_ended() == [code]


async def test_an_item_whose_subject_cannot_be_read_just_now_ends_the_group(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = lobby.house
    monkeypatch.setitem(vars(NOTICE), "rows", away)
    async with lobby.joined(SUBJECTS, id=spring(house)) as guest:
        await publish(house, "新")
        assert await guest.until_ended() == ["TRY_AGAIN"]


@pytest.mark.parametrize("data", [None, {"bulletin": {"subject": None}}])
def test_an_item_that_cannot_be_read_whole_just_now_is_not_shown_in_part(lobby: Lobby, data: Any) -> None:
    """Who got it without its subject would go on behind it, and never see the rest."""
    error = GraphQLError("", original_error=TryAgain())
    with pytest.raises(Ended) as caught:
        encoded(lobby.executable, ExecutionResult(data=data, errors=[error]))
    assert [error["extensions"]["code"] for error in caught.value.errors] == ["TRY_AGAIN"]


def test_what_else_is_wrong_with_a_field_is_shown_beside_the_others(lobby: Lobby) -> None:
    result = ExecutionResult(data={"a": 1, "b": None}, errors=[GraphQLError("", original_error=NotFound())])
    payload, errors = encoded(lobby.executable, result)
    text = orjson.loads(payload)
    assert text["errors"] == errors
    assert text["data"] == {"a": 1, "b": None}
    assert [error["extensions"]["code"] for error in text["errors"]] == ["NOT_FOUND"]


async def test_a_subscription_that_is_over_is_kept_by_nothing(lobby: Lobby) -> None:
    """The collector looks rarely."""
    house, over = lobby.house, list[weakref.ref[object]]()
    async with lobby.joined(PROGRESS, id=open_vote(house)) as guest:  # what is made once
        await guest.next()
    gc.collect()
    gc.disable()
    try:
        async with lobby.joined(PROGRESS, id=open_vote(house)) as guest:
            await guest.next()
            (group,) = lobby.groups
            over += weakref.ref(group), weakref.ref(group.subscription)
            del group
        del guest
        for _ in range(20):
            await asyncio.sleep(0)
        assert [each() for each in over] == [None, None]
    finally:
        gc.enable()


# Many of them

MANY = "subscription($id: ID!, {}) {{ voteProgress(voteId: $id) {{ version {} participating {{ heads }} }} }}"
MANY = MANY.format(
    " ".join(f"$b{n}: Boolean!" for n in range(11)),
    " ".join(f"a{n}: version @include(if: $b{n})" for n in range(11)),
)
"""One document, of which the variables make two thousand."""


class Stretches:
    """The longest CPU time between two steps of the loop, while it runs."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def look(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.thread_time() - before)


@asynccontextmanager
async def stretches() -> AsyncIterator[Stretches]:
    """Without the collector, which `spare_the_collector` keeps away in a server."""
    found = Stretches()
    gc.collect()
    gc.disable()
    looking = asyncio.create_task(found.look())
    try:
        await asyncio.sleep(0)
        yield found
    finally:
        looking.cancel()
        gc.enable()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session")
@pytest.mark.timeout(120)
async def test_two_thousand_groups_never_hold_the_loop(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_OF_ADDRESS", "MOST_OF_SUBJECT", "MOST_OF_BOTH"):
        monkeypatch.setattr(bounds, name, 10_000)
    house, groups, guests = lobby.house, list[Group](), list[Guest]()
    async with stretches() as found:
        for number in range(2_000):
            chosen = {f"b{bit}": bool(number >> bit & 1) for bit in range(11)}
            group = lobby.enter(Asked(MANY, {"id": open_vote(house), **chosen}, None))
            groups.append(group)
            await asyncio.sleep(0)
        for group in groups:
            await group.subscription.access.require(NOBODY)
            guests.append(Guest(0))
            group.join(guests[-1])
        first = [await guest.text() for guest in guests]
        assert len(set(first)) == 2_000
        await vote(house, 1)
        for guest in guests:
            while (await guest.next())["data"]["voteProgress"]["participating"]["heads"] < 1:
                pass
    for group, guest in zip(groups, guests, strict=True):
        group.leave(guest)
        lobby.registry.leave(group)
    assert found.longest < 0.010 * slowness()


async def test_the_largest_group_is_served_first(lobby: Lobby) -> None:
    house, order = lobby.house, list[str]()
    async with AsyncExitStack() as stack:
        guests = {
            (alias, number): await stack.enter_async_context(
                lobby.joined(PROGRESS.replace("version", f"{alias}: version"), id=open_vote(house))
            )
            for alias, size in (("few", 2), ("most", 5), ("some", 3), ("one", 1))
            for number in range(size)
        }
        for (alias, _), guest in guests.items():
            await guest.text()
            guest.screen.write = (  # type: ignore[method-assign]
                lambda text, alias=alias, put=guest.screen.texts.put_nowait: (order.append(alias), put(text))
            )
        await vote(house, 1)
        for guest in guests.values():
            await guest.text()
    assert order == ["most"] * 5 + ["some"] * 3 + ["few"] * 2 + ["one"]


def shapes(house: Any, count: int, subject: str = "open") -> list[Asked]:
    vote = house.town.id("Vote", subject)
    return [
        Asked(PROGRESS.replace("version", f"a{number}: version"), {"id": vote}, None)
        for number in range(count)
    ]


def entered(lobby: Lobby, asked: Sequence[Asked], address: str) -> int:
    """How many were let in."""
    count = 0
    for each in asked:
        with suppress(TooManyGroups):
            group = lobby.enter(each, NOBODY, address)
            lobby.left.append(group)
            count += 1
    return count


@pytest.fixture
def few(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, most in (
        ("MOST_OF_ADDRESS", 9), ("MOST_OF_SUBJECT", 12), ("MOST_OF_BOTH", 6), ("FEW", 2),
    ):  # fmt: skip
        monkeypatch.setattr(bounds, name, most)
    yield
    for group in lobby.left:
        lobby.registry.leave(group)
    assert not lobby.registry._bounds._counts


@pytest.mark.usefixtures("few")
async def test_an_address_may_ask_for_the_same_in_a_few_ways_only(lobby: Lobby) -> None:
    house = lobby.house
    assert entered(lobby, shapes(house, 20), "a") == 6
    assert entered(lobby, shapes(house, 6), "a") == 6  # which are there
    assert entered(lobby, shapes(house, 20, "survey"), "a") == 3
    assert entered(lobby, shapes(house, 20, "coming"), "a") == 0
    for group in lobby.left[-3:]:
        lobby.registry.leave(group)
    del lobby.left[-3:]
    assert entered(lobby, shapes(house, 20, "coming"), "a") == 3


@pytest.mark.usefixtures("few")
async def test_a_thing_has_a_few_groups_only_and_no_stranger_keeps_others_out(lobby: Lobby) -> None:
    house = lobby.house
    more = shapes(house, 60)
    assert entered(lobby, more[:20], "a") == 6
    assert entered(lobby, more[20:40], "b") == 6
    assert entered(lobby, more[40:], "c") == 2
    assert entered(lobby, more[:6], "c") == 6  # what others began costs nothing


@pytest.mark.usefixtures("few")
async def test_names_make_no_groups(lobby: Lobby) -> None:
    vote = open_vote(lobby.house)
    asked = [
        Asked(
            f"subscription N{n}($v{n}: ID!) {{ voteProgress(voteId: $v{n}) {{ ...F{n} }} }}"
            f" fragment F{n} on VoteProgress {{ version }}", {f"v{n}": vote, "of no use": n}, f"N{n}",
        )
        for n in range(50)
    ]  # fmt: skip
    assert entered(lobby, asked, "a") == 50
    assert len(lobby.groups) == 1


COSTLY = """subscription($id: ID!, $n: Int!) { bulletin(communityId: $id) { subject { ... on Community {
  votes(first: $n) { edges { node { tally { version } } } } } } } }"""


async def test_a_group_costs_no_more_because_its_document_is_at_hand(lobby: Lobby) -> None:
    house = lobby.house
    async with lobby.entered(COSTLY, id=spring(house), n=1):
        with pytest.raises(Ended) as ended:
            lobby.enter(Asked(COSTLY, {"id": spring(house), "n": 100}, None))
        assert codes(ended.value.errors) == ["TOO_COSTLY"]
