import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql import GraphQLError
from strawberry.types.execution import ExecutionResult

from community.bulletin import cursors
from community.bulletin.actions import publish_notice
from community.bulletin.rules import NoticeKind
from community.database import journal
from community.errors import CursorInvalid, NotFound, TryAgain
from community.permissions import NOBODY, Permission, Viewer, rights_of
from community.votes.actions import cast_ballot
from community.votes.casting import Answered
from realtime.groups import Ended, Group, Groups, Member
from realtime.tempo import Tempo
from schema.shared import Asked, Shared, Sharing, text_of

PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version participating { heads } } }"
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
        self.groups: Groups[Shared] = Groups(Tempo())
        self.sharing = Sharing(house.watching, self.groups, lambda: house.now)

    @asynccontextmanager
    async def entered(
        self, query: str, viewer: Viewer = NOBODY, name: str | None = None, **variables: Any
    ) -> AsyncIterator[Group[Shared]]:
        group = self.sharing.enter(Asked(query, variables, name), viewer)
        assert group is not None
        try:
            yield group
        finally:
            self.sharing.leave(group)

    @asynccontextmanager
    async def joined(self, query: str, viewer: Viewer = NOBODY, **variables: Any) -> AsyncIterator[Guest]:
        async with self.entered(query, viewer, **variables) as group:
            async with asyncio.timeout(PATIENCE):
                await group.source.until_open()
            assert group.source.may_be_seen_by(viewer)
            guest = Guest(await group.source.begin(Asked(query, variables, None)))
            group.join(guest)
            try:
                yield guest
            finally:
                group.leave(guest)

    async def why_not(self, query: str, **variables: Any) -> list[str]:
        async with self.entered(query, **variables) as group, asyncio.timeout(PATIENCE):
            with pytest.raises(Ended) as ended:
                await group.source.until_open()
            return codes(ended.value.errors)


@pytest.fixture
async def lobby(house: Any) -> AsyncIterator[Lobby]:
    lobby = Lobby(house)
    yield lobby
    assert (len(lobby.groups), lobby.groups.members) == (0, 0)
    async with asyncio.timeout(PATIENCE):
        while house.watching.watchers:  # noqa: ASYNC110 - the last group ends in its own turn
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
        (Asked(PROGRESS, {"id": "x"}, None), Asked(f"# my\n{PROGRESS.replace(' ', '  ')}", {"id": "x"}, "")),
        (Asked(CHOSEN, {"id": "x", "area": True}, None), Asked(CHOSEN, {"area": True, "id": "x"}, None)),
        (Asked(PROGRESS, {"id": "x"}, None), Asked(PROGRESS, {"id": "x", "of no use": {"to": "it"}}, None)),
        (Asked(BULLETIN, {"id": "x"}, None), Asked(BULLETIN, {"id": "x", "after": "y"}, None)),
        (Asked(BULLETIN, {"id": "x", "after": None}, None), Asked(BULLETIN, {"id": "x", "after": "y"}, None)),
    ],
)  # fmt: skip
async def test_those_who_ask_for_the_same_share_it(lobby: Lobby, one: Asked, other: Asked) -> None:
    groups = [lobby.sharing.enter(asked, NOBODY) for asked in (one, other)]
    assert groups[0] is not None
    assert groups[0] is groups[1]
    for group in groups:
        lobby.sharing.leave(group)  # type: ignore[arg-type]


async def test_a_demonstration_account_shares_with_no_real_one_of_the_same_roles(lobby: Lobby) -> None:
    demo = await lobby.house.viewer("spring/resident-1")
    real = replace(demo, account=demo.account + 1, demonstration=False)
    asked = Asked(SUBJECTS, {"id": "x"}, None)
    groups = [lobby.sharing.enter(asked, viewer) for viewer in (demo, real, replace(demo, account=7))]
    assert groups[0] is groups[2] is not groups[1]
    for group in groups:
        assert group is not None
        lobby.sharing.leave(group)


@pytest.mark.parametrize(
    "other",
    [
        Asked(CHOSEN, {"id": "y"}, None),
        Asked(CHOSEN, {"id": "x", "area": False}, None),
        Asked(CHOSEN, {"id": "x", "area": None}, None),
        Asked(CHOSEN, {}, None),
        Asked(CHOSEN, None, None),
        Asked(CHOSEN.replace("eligible", "participating"), {"id": "x"}, None),
        Asked(BULLETIN, {"id": "x"}, None),
        Asked(SEVERAL, {"id": "x"}, "A"),
        Asked(SEVERAL, {"id": "x"}, "B"),
    ],
)
async def test_those_who_ask_otherwise_do_not(lobby: Lobby, other: Asked) -> None:
    groups = [lobby.sharing.enter(asked, NOBODY) for asked in (Asked(CHOSEN, {"id": "x"}, None), other)]
    if other.operation_name:
        groups.append(
            lobby.sharing.enter(replace(other, operation_name="AB".strip(other.operation_name)), NOBODY)
        )
    assert len(lobby.groups) == len(set(groups)) == len(groups)
    for group in groups:
        lobby.sharing.leave(group)  # type: ignore[arg-type]


async def test_what_says_the_same_to_all_is_one_for_all(lobby: Lobby) -> None:
    async with AsyncExitStack() as stack:
        for who in (None, "spring/resident-1", "spring/manager", "quiet/resident-1", "city/regulator"):
            viewer = await lobby.house.viewer(who)
            await stack.enter_async_context(lobby.entered(PROGRESS, viewer, id=open_vote(lobby.house)))
        assert len(lobby.groups) == 1


async def test_what_depends_on_rights_is_one_for_those_who_have_the_same(lobby: Lobby) -> None:
    async with AsyncExitStack() as stack:

        async def enter(viewer: Viewer) -> Group[Shared]:
            return await stack.enter_async_context(lobby.entered(SUBJECTS, viewer, id=spring(lobby.house)))

        resident = await lobby.house.viewer("spring/resident-1")
        same = await enter(resident)
        assert await enter(await lobby.house.viewer("spring/resident-2")) is same
        others = [await lobby.house.viewer(who) for who in (None, "spring/manager", "spring/tenant",
                  "spring/registered", "quiet/resident-1", "city/regulator")]  # fmt: skip
        others.append(replace(resident, scopes=frozenset({Permission.READ_LEDGER})))
        groups = [await enter(viewer) for viewer in others]
        assert len({same, *groups}) == len(others) + 1


@pytest.mark.parametrize(
    "asked",
    [
        Asked(OWN, {"id": "x"}, None),
        Asked(BULLETIN, {"id": "x", "after": 5}, None),
        Asked("{ viewer { account } }", {}, None),
        Asked("subscription {", {}, None),
    ],
)
async def test_what_is_for_one_alone_or_refused_has_no_group(lobby: Lobby, asked: Asked) -> None:
    assert lobby.sharing.enter(asked, await lobby.house.viewer("spring/resident-1")) is None


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
    async with lobby.entered(SUBJECTS, resident, id="x") as group:
        context = group.source._context
        assert context.viewer == rights_of(resident)
        assert (context.viewer.name, context.viewer.session, context.secret) == ("", None, None)
        assert context.viewer.account != resident.account
    async with lobby.entered(PROGRESS, resident, id="x") as group:
        assert group.source._context.viewer is NOBODY


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
    house, mark, head = lobby.house, await cursors.mark(), await journal.head()
    async with lobby.entered(BULLETIN, id=spring(house)) as group:
        await group.source.until_open()
        for wrong in ("", "x", "票", cursors.encode(mark + 1, head), cursors.encode(mark, head + 1)):
            with pytest.raises(CursorInvalid):
                await group.source.begin(Asked(BULLETIN, {"after": wrong}, None))
        assert await group.source.begin(Asked(BULLETIN, {"after": cursors.encode(mark, head)}, None)) == head


async def test_a_cursor_that_another_process_gave_is_good_before_its_news_are_here(lobby: Lobby) -> None:
    house, mark = lobby.house, await cursors.mark()
    async with lobby.entered(BULLETIN, id=spring(house)) as group:
        await group.source.until_open()
        house.broker._listeners.clear()
        await publish(house, "新")
        head = await journal.head()
        assert await group.source.begin(Asked(BULLETIN, {"after": cursors.encode(mark, head)}, None)) == head


async def test_whoever_may_not_read_there_is_not_let_in(lobby: Lobby) -> None:
    house, neighbour = lobby.house, await lobby.house.viewer("quiet/resident-1")
    async with lobby.entered(PROGRESS, id=house.town.id("Vote", "quiet")) as group:
        assert not group.source.is_open
        assert not group.source.may_be_seen_by(neighbour)  # it is not known yet where that is
        await group.source.until_open()
        seen_by = {
            who: group.source.may_be_seen_by(await house.viewer(who))
            for who in (None, "spring/resident-1", "quiet/resident-1", "city/regulator")
        }
        assert list(seen_by.values()) == [False, False, True, True]


@pytest.mark.parametrize(
    ("code", "variables"),
    [
        ("NOT_FOUND", {"id": "Vm90ZTo5OTk="}),
        ("NOT_FOUND", {"id": "RXZlbnQ6MQ=="}),
        ("INVALID_ID", {"id": "x"}),
        ("INVALID_INPUT", {"id": {}}),
        ("INVALID_INPUT", {}),
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
    monkeypatch.setattr("schema.votes.place_of_vote", read)
    assert await lobby.why_not(PROGRESS, id=open_vote(lobby.house)) == [code]


@pytest.mark.parametrize(("read", "code"), [(away, "TRY_AGAIN"), (broken, "INTERNAL")])
async def test_what_befalls_the_database_on_the_way_is_told_to_all(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, read: Any, code: str
) -> None:
    house = lobby.house
    monkeypatch.setattr(house.watching.bulletin, "_items_after", read)
    async with (
        lobby.joined(BULLETIN, id=spring(house)) as one,
        lobby.joined(BULLETIN, id=spring(house)) as other,
    ):
        assert await one.until_ended() == await other.until_ended() == [code]


async def test_an_item_whose_subject_cannot_be_read_just_now_ends_the_group(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = lobby.house
    monkeypatch.setattr("schema.loaders.notices_by_id", away)
    async with lobby.joined(SUBJECTS, id=spring(house)) as guest:
        await publish(house, "新")
        assert await guest.until_ended() == ["TRY_AGAIN"]


@pytest.mark.parametrize("data", [None, {"bulletin": {"subject": None}}])
def test_an_item_that_cannot_be_read_whole_just_now_is_not_shown_in_part(data: Any) -> None:
    """Who got it without its subject would go on behind it, and never see the rest."""
    error = GraphQLError("", original_error=TryAgain())
    with pytest.raises(Ended) as caught:
        text_of(ExecutionResult(data=data, errors=[error]))
    assert [error["extensions"]["code"] for error in caught.value.errors] == ["TRY_AGAIN"]


def test_what_else_is_wrong_with_a_field_is_shown_beside_the_others() -> None:
    result = ExecutionResult(data={"a": 1, "b": None}, errors=[GraphQLError("", original_error=NotFound())])
    text = orjson.loads(text_of(result))
    assert text["data"] == {"a": 1, "b": None}
    assert [error["extensions"]["code"] for error in text["errors"]] == ["NOT_FOUND"]
