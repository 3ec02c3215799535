"""Answers that are kept: shown while they are true, to whom they belong, and to nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from api import kept as module
from api.kept import PART, KeptAnswers
from community.actions import found_community
from community.catalogue import Fact, catalogue
from community.database import journal
from community.database.work import UnitOfWork, atomic, publish_through
from community.errors import TryAgain
from community.permissions import NOBODY, SYSTEM, Permission, Rights, Viewer
from community.places.actions import NewCommunity, set_public_reading
from community.places.rules import Profile
from realtime import versions
from realtime.audience import Audience, executed_for
from realtime.fields import SubscribeRequest
from realtime.poller import JournalPoller
from realtime.versions import BEHIND
from schema.schema import graphql_schema
from tests.examples import of_all
from tests.world.house import House

MEGABYTE = 1 << 20
BRIEFLY = timedelta(seconds=1)

NAME = "query($slug: String!) { community(slug: $slug) { slug name } }"
TITLES = "query($slug: String!) { community(slug: $slug) { votes { edges { node { title } } } } }"
STATUS = "query($id: ID!) { vote(id: $id) { title status } }"
OPEN = '{ community(slug: "spring") { votes(status: [OPEN]) { edges { node { title } } } } }'
COMING = '{ community(slug: "spring") { events(coming: true) { edges { node { title } } } } }'
EVENT = "query($id: ID!) { event(id: $id) { title } }"
OWN = "query($id: ID!) { vote(id: $id) { title viewerEntries { units } viewerMayCast { code } } }"
LATER = BRIEFLY * 3600


class Asking:
    """The house with its answers, as they are kept by the app: `versions` follow what this process writes."""

    def __init__(self, house: House, most_bytes: int = MEGABYTE) -> None:
        self.house = house
        self.poller = JournalPoller(house.broker.dispatch)
        self.versions = self.poller.versions
        self.answers = KeptAnswers(
            graphql_schema, house.sources, self.versions, most_bytes=most_bytes, most_cost=1e9
        )

    def look(self) -> Awaitable[None]:
        return self.poller._poll_once()

    async def ask(
        self,
        query: str,
        viewer: Viewer = NOBODY,
        *,
        now: datetime | None = None,
        operation: str | None = None,
        **variables: Any,
    ) -> bytes | None:
        """None where the viewer has to be told itself."""
        request = SubscribeRequest(query, variables, operation)
        audience = self.answers.audience(request, viewer)
        if audience is None:
            return None
        text = await self.answers.answer(request, audience, viewer, now or self.house.now)
        return text and text.body

    async def how(self, query: str, viewer: Viewer = NOBODY, **given: Any) -> str:
        """How the answer came."""
        before = dict(self.answers.counts)
        await self.ask(query, viewer, **given)
        (how,) = (how for how, count in self.answers.counts.items() if count > before[how])
        return how


@pytest.fixture
async def asking(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asking]:
    monkeypatch.setattr(module, "JOINED", 60.0)  # no test depends on how slow the machine is
    asking = Asking(house)
    await asking.look()
    stop = publish_through(lambda signals: None, asking.poller.pass_over)
    yield asking
    stop()


async def happens(fact: Fact, subject: int, community: int) -> None:
    async def body(work: UnitOfWork) -> None:
        work.community = community
        work.record(fact, subject)

    await atomic(body, SYSTEM, datetime.now().astimezone())


async def in_spring(house: House) -> None:
    """Anything."""
    await happens(
        catalogue().facts["BALLOT_CAST"],
        house.town.key("Vote", "open"),
        house.town.key("Community", "spring"),
    )


def standing(now: float) -> Any:
    """The module `time`, in which it is always this time."""
    return SimpleNamespace(monotonic=lambda: now)


class Held:
    """Executions that wait until they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go, real = 0, asyncio.Event(), graphql_schema.execute

        async def execute(*given: Any, **named: Any) -> Any:
            self.begun += 1
            result = await real(*given, **named)  # what is read from here on is not in it
            await self.go.wait()
            return result

        monkeypatch.setattr(graphql_schema, "execute", execute)

    async def until(self, begun: int) -> None:
        async with asyncio.timeout(20):
            while self.begun < begun:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(monkeypatch)


# Hits


async def test_a_hit_reads_nothing_and_executes_nothing(
    asking: Asking, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await asking.ask(NAME, slug="spring")
    assert first == '{"data":{"community":{"slug":"spring","name":"春风里"}}}'.encode()

    async def never(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(graphql_schema, "execute", never)
    statements.clear()
    assert await asking.ask(NAME, slug="spring") == first
    assert statements == []
    assert asking.answers.counts == {"hit": 1, "joined": 0, "missed": 1}


async def test_those_who_ask_at_the_same_time_are_one_execution(asking: Asking, held: Held) -> None:
    tasks = [asyncio.create_task(asking.ask(NAME, slug="spring")) for _ in range(200)]
    await held.until(1)
    held.go.set()
    assert len(set(await asyncio.gather(*tasks))) == 1
    assert held.begun == 1
    assert asking.answers.counts == {"hit": 0, "joined": 199, "missed": 1}


async def test_whoever_asks_after_a_change_does_not_join_what_was_begun_before_it(
    asking: Asking, held: Held
) -> None:
    before = asyncio.create_task(asking.ask(TITLES, slug="spring"))
    await held.until(1)
    await in_spring(asking.house)
    after = asyncio.create_task(asking.ask(TITLES, slug="spring"))
    await held.until(2)
    also = asyncio.create_task(asking.ask(TITLES, slug="spring"))
    await asyncio.sleep(0.01)
    held.go.set()
    await asyncio.gather(before, after, also)
    assert held.begun == 2
    assert asking.answers.counts == {"hit": 0, "joined": 1, "missed": 2}


async def test_nor_is_what_was_read_before_a_change_kept_after_it(asking: Asking, held: Held) -> None:
    before = asyncio.create_task(asking.ask(TITLES, slug="spring"))
    await held.until(1)
    await in_spring(asking.house)
    held.go.set()
    await before
    assert await asking.how(TITLES, slug="spring") == "missed"
    assert await asking.how(TITLES, slug="spring") == "hit"


async def test_nobody_joins_what_takes_long(
    asking: Asking, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    for seconds, begun in ((0, 1), (module.JOINED - 0.2, 1), (module.JOINED + 0.2, 2)):
        with monkeypatch.context() as later:
            later.setattr(module, "time", standing(began + seconds))
            task = asyncio.create_task(asking.ask(NAME, slug="spring"))
            await held.until(begun)
    assert held.begun == 2
    held.go.set()
    await task


async def test_who_hangs_up_spoils_it_for_nobody(asking: Asking, held: Held) -> None:
    first, *others = [asyncio.create_task(asking.ask(NAME, slug="spring")) for _ in range(5)]
    await held.until(1)
    first.cancel()
    others[2].cancel()
    await asyncio.sleep(0)
    held.go.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert [isinstance(each, bytes) for each in results] == [False, True, True, False, True]
    assert held.begun == 1
    assert await asking.how(NAME, slug="spring") == "hit"


async def test_whoever_waits_for_what_is_cancelled_from_below_is_told_to_try_again(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else their request would end without an answer, as if they had hung up."""

    async def cancelled(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    with monkeypatch.context() as once:
        once.setattr(graphql_schema, "execute", cancelled)
        both = [asyncio.create_task(asking.ask(NAME, slug="spring")) for _ in range(2)]
        results = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in results] == [TryAgain, TryAgain]
    assert await asking.how(NAME, slug="spring") == "missed"


async def test_what_everybody_hung_up_on_is_not_executed_any_further(asking: Asking, held: Held) -> None:
    both = [asyncio.create_task(asking.ask(NAME, slug="spring")) for _ in range(2)]
    await held.until(1)
    for task in both:
        task.cancel()
    await asyncio.wait(both)
    again = asyncio.create_task(asking.ask(NAME, slug="spring"))
    await held.until(2)
    held.go.set()
    assert await again
    assert held.begun == 2, "nobody joins what is being cancelled"
    assert await asking.how(NAME, slug="spring") == "hit"
    assert len(asking.answers) == 1


# The clock


async def test_whoever_asks_at_the_close_in_the_step_in_which_the_one_before_is_done_is_answered(
    asking: Asking, held: Held
) -> None:
    house, vote = asking.house, asking.house.town.id("Vote", "open")
    closes = house.now + 8 * 24 * LATER
    before = asyncio.create_task(asking.ask(STATUS, now=closes - BRIEFLY / 100, id=vote))
    await held.until(1)
    held.go.set()
    after = asyncio.create_task(asking.ask(STATUS, now=closes, id=vote))
    assert b"OPEN" in (await before or b"")
    assert b"CLOSED" in (await after or b"")


async def test_whoever_asks_after_the_close_does_not_join_what_was_begun_before_it(
    asking: Asking, held: Held
) -> None:
    house, vote = asking.house, asking.house.town.id("Vote", "open")
    closes = house.now + 8 * 24 * LATER
    before = asyncio.create_task(asking.ask(STATUS, now=closes - BRIEFLY / 100, id=vote))
    await held.until(1)
    after = asyncio.create_task(asking.ask(STATUS, now=closes, id=vote))
    await asyncio.sleep(0.01)
    held.go.set()
    assert b"OPEN" in (await before or b"")
    assert b"OPEN" not in (await after or b"")


async def test_the_status_of_a_vote_changes_at_the_instant(asking: Asking) -> None:
    least = timedelta(microseconds=1)
    for name, days, before, after in (("open", 8, "OPEN", "CLOSED"), ("coming", 10, "ANNOUNCED", "OPEN")):
        vote, at = asking.house.town.id("Vote", name), asking.house.now + days * 24 * LATER
        assert f'"{before}"'.encode() in (await asking.ask(STATUS, id=vote) or b"")
        assert await asking.how(STATUS, now=at - least, id=vote) == "hit"
        assert f'"{after}"'.encode() in (await asking.ask(STATUS, now=at, id=vote) or b"")
    assert asking.answers.counts == {"hit": 2, "joined": 0, "missed": 4}


async def test_a_list_by_the_clock_holds_for_less_than_a_second(asking: Asking) -> None:
    now = asking.house.now
    for query in (OPEN, COMING):
        assert await asking.how(query, now=now) == "missed"
        assert await asking.how(query, now=now + BRIEFLY * 0.999) == "hit"
        assert await asking.how(query, now=now + BRIEFLY) == "missed"


async def test_what_does_not_depend_on_the_clock_holds_for_ever(asking: Asking) -> None:
    await asking.ask(TITLES, slug="spring")
    assert await asking.how(TITLES, now=asking.house.now + 1000 * 24 * LATER, slug="spring") == "hit"


# Errors


BROKEN = "query($first: Int) { communities { edges { node { votes(first: $first) { edges { cursor } } } } } }"
FAILING = 'query { community(slug: "spring") { name } vote(id: "x") { id } }'


async def test_an_error_is_everybodys_own(asking: Asking) -> None:
    """A partial one, of an argument, of a variable, and of one that is missing."""
    faulty: list[tuple[str, dict[str, Any]]] = [
        (FAILING, {}), (BROKEN, {"first": 1_000}), (NAME, {"slug": 5}), (NAME, {})
    ]  # fmt: skip
    for query, variables in faulty:
        for _ in range(3):
            assert await asking.ask(query, **variables) is None
    assert asking.answers.counts["hit"] == 0


async def test_what_failed_is_asked_again_a_second_later(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be well again without a fact, as a database that was away."""
    now = asking.house.now
    with monkeypatch.context() as away:
        away.setattr("schema.loaders.communities_by_slug", _fails)
        assert await asking.ask(NAME, now=now, slug="spring") is None
    assert await asking.ask(NAME, now=now + BRIEFLY / 2, slug="spring") is None
    assert await asking.ask(NAME, now=now + BRIEFLY, slug="spring") is not None


async def _fails(*_: Any, **__: Any) -> Any:
    raise OSError


async def test_a_fault_of_the_execution_is_raised_to_all_and_kept_for_nobody(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(graphql_schema, "execute", _fails)
        asked = [asking.ask(NAME, slug="spring") for _ in range(3)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(each) for each in results] == [OSError] * 3
    assert await asking.ask(NAME, slug="spring") is not None


async def test_variables_that_cannot_be_written_are_asked_by_everybody_alone(asking: Asking) -> None:
    deep: Any = []
    for _ in range(600):
        deep = [deep]
    assert await asking.ask(NAME, slug="spring", more=deep) is None
    assert await asking.ask(NAME, slug="spring", more=2**70) is None
    assert asking.answers.counts == {"hit": 0, "joined": 0, "missed": 0}


# To whom an answer belongs


TWO = """
query A($slug: String!) { community(slug: $slug) { name } }
query B($slug: String!) { community(slug: $slug) { slug } }
"""


async def test_answers_to_equal_documents_are_apart_where_something_else_differs(asking: Asking) -> None:
    house = asking.house
    resident, staff = [await house.viewer(f"spring/{who}") for who in ("resident-1", "committee")]
    here = Rights(resident.roles, None, resident.demonstration)
    narrow = Rights(resident.roles, frozenset({Permission.READ_LEDGER}), resident.demonstration)
    real = Rights(resident.roles, None, not resident.demonstration)
    asked = [
        {"viewer": NOBODY, "operation": "A", "slug": "spring"},
        {"viewer": NOBODY, "operation": "A", "slug": "quiet"},
        {"viewer": NOBODY, "operation": "A", "slug": "spring", "more": 1},
        {"viewer": NOBODY, "operation": "A", "slug": "spring", "more": 1.0},
        {"viewer": NOBODY, "operation": "A", "slug": "spring", "more": True},
        {"viewer": NOBODY, "operation": "A", "slug": "spring", "more": "1"},
        {"viewer": NOBODY, "operation": "B", "slug": "spring"},
        {"viewer": here, "operation": "A", "slug": "spring"},
        {"viewer": narrow, "operation": "A", "slug": "spring"},
        {"viewer": staff, "operation": "A", "slug": "spring"},
        {"viewer": real, "operation": "A", "slug": "spring"},
    ]
    for each in asked:
        assert await asking.how(TWO, **each) == "missed", each
    for each in asked:
        assert await asking.how(TWO, **each) == "hit", each
    assert len(asking.answers) == len(asked)


async def test_those_with_the_same_rights_share_whoever_they_are(asking: Asking) -> None:
    one, other = [await asking.house.viewer(f"spring/resident-{number}") for number in (1, 2)]
    assert one.roles == other.roles
    assert await asking.how(NAME, one, slug="spring") == "missed"
    assert await asking.how(NAME, other, slug="spring") == "hit"
    there = await asking.house.viewer("quiet/resident-1")
    assert await asking.how(NAME, there, slug="spring") == "missed"


async def test_what_is_for_everybody_is_shared_by_all(asking: Asking) -> None:
    assert await asking.how("{ errorCodes }") == "missed"
    assert await asking.how("{ errorCodes }", await asking.house.viewer("spring/resident-1")) == "hit"


async def test_the_order_of_variables_means_nothing(asking: Asking) -> None:
    assert await asking.how(NAME, slug="spring", a=1, b=2) == "missed"
    assert await asking.how(NAME, b=2, a=1, slug="spring") == "hit"


async def test_what_is_somebodys_own_is_never_answered_from_memory(asking: Asking) -> None:
    vote, resident = asking.house.town.id("Vote", "open"), await asking.house.viewer("spring/resident-1")
    for query, variables in ((OWN, {"id": vote}), ("{ viewer { account } }", {}), ("{ __typename }", {})):
        for _ in range(2):
            assert await asking.ask(query, resident, **variables) is None
    assert asking.answers.counts == {"hit": 0, "joined": 0, "missed": 0}


async def test_but_of_a_visitor_it_is(asking: Asking) -> None:
    vote = asking.house.town.id("Vote", "open")
    for query, variables in ((OWN, {"id": vote}), ("{ viewer { account } }", {}), ("{ __typename }", {})):
        assert await asking.how(query, **variables) == "missed"
        later = asking.house.now + BRIEFLY * 60
        assert await asking.how(query, now=later, **variables) == "hit"
    assert b'"viewerEntries":[]' in (await asking.ask(OWN, id=vote) or b"")


async def test_it_is_executed_by_nobody_or_by_rights_without_a_name(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real, resident = graphql_schema.execute, await asking.house.viewer("spring/resident-1")

    async def execute(text: str, variables: Any, context: Any, **named: Any) -> Any:
        seen.append(context)
        return await real(text, variables, context, **named)

    monkeypatch.setattr(graphql_schema, "execute", execute)
    nameless = Rights(resident.roles, None, demonstration=True)
    asked: list[tuple[str, Viewer, Viewer]] = [
        ("{ errorCodes }", resident, NOBODY),
        (OPEN, resident, nameless),
        (OPEN, NOBODY, NOBODY),
        ("{ viewer { account } }", NOBODY, NOBODY),
    ]
    for query, viewer, executed in asked:
        await asking.ask(query, viewer)
        context = seen.pop()
        assert (context.viewer, type(context.viewer)) == (executed, type(executed))
        assert context.request is None


NOT_SHARED = [
    ("mutation { __typename }", None),
    ("query A { errorCodes } mutation B { __typename }", "A"),
    ("subscription { voteProgress(voteId: 1) { version } }", None),
    ("{ errorCodes", None),
    ("{ nothing }", None),
    ("query A { errorCodes } query B { errorCodes }", None),
    ("query A { errorCodes }", "B"),
]


async def test_only_what_can_be_run_and_only_reads_has_an_audience(asking: Asking) -> None:
    for query, operation in NOT_SHARED:
        assert asking.answers.audience(SubscribeRequest(query, None, operation), NOBODY) is None


# What changes it


FACTS = {name: fact for name, fact in catalogue().facts.items() if not fact.subject.of_city}


async def test_each_fact_ends_the_answers_of_its_community_and_no_others(asking: Asking) -> None:
    town = asking.house.town
    spring, quiet = (town.key("Community", slug) for slug in ("spring", "quiet"))
    there = await asking.house.viewer("quiet/resident-1")
    asked: dict[int, dict[str, Any]] = {
        spring: {"query": NAME, "slug": "spring"},
        quiet: {"query": NAME, "viewer": there, "slug": "quiet"},
    }
    for how in asked.values():
        await asking.ask(**how)
    assert len(FACTS) > 15
    for name, fact in FACTS.items():
        for community, other in ((spring, quiet), (quiet, spring)):
            await happens(fact, community, community)
            assert await asking.how(**asked[other]) == "hit", name
            assert await asking.how(**asked[community]) == "missed", name


async def test_what_happens_in_the_city_ends_what_came_from_anywhere(asking: Asking) -> None:
    async def body(work: UnitOfWork) -> None:
        work.record(catalogue().facts["RIGHTS_CHANGED"], 1)

    for query in ("{ communities { edges { node { slug } } } }", NAME, "{ errorCodes }"):
        await asking.ask(query, slug="spring")
    await atomic(body, SYSTEM, asking.house.now)
    assert await asking.how(NAME, slug="spring") == "hit"
    assert await asking.how("{ communities { edges { node { slug } } } }", slug="spring") == "missed"


MUTATIONS = of_all(lambda topic: topic.mutations)


async def test_each_mutation_ends_the_answers_of_its_community(asking: Asking) -> None:
    house = asking.house
    viewer, there = await house.viewer("spring/resident-2"), await house.viewer("quiet/resident-1")
    last = {"setPublicReading"}  # others would not be told the data of their answers
    for name in sorted(MUTATIONS, key=lambda name: name in last):
        example = await MUTATIONS[name](house)
        await asking.ask(NAME, viewer, slug="spring")
        await asking.ask(NAME, there, slug="quiet")
        await house.ask(example.query, example.who, **example.given)
        assert await asking.how(NAME, there, slug="quiet") == "hit", name
        assert await asking.how(NAME, viewer, slug="spring") == "missed", name


async def test_what_was_hidden_is_shown_as_soon_as_it_is_public(asking: Asking) -> None:
    town = asking.house.town
    asked: list[tuple[str, dict[str, Any]]] = [
        (NAME, {"slug": "quiet"}),
        (STATUS, {"id": town.id("Vote", "quiet")}),
        ("{ communities { edges { node { slug } } } }", {}),
    ]
    hidden = [await asking.ask(query, **given) for query, given in asked]
    assert hidden[:2] == [b'{"data":{"community":null}}', b'{"data":{"vote":null}}']
    await set_public_reading(SYSTEM, asking.house.now, town.key("Community", "quiet"), public=True)
    for (query, given), before in zip(asked, hidden, strict=True):
        assert await asking.ask(query, **given) != before
    await set_public_reading(SYSTEM, asking.house.now, town.key("Community", "quiet"), public=False)
    assert [await asking.ask(query, **given) for query, given in asked] == hidden


async def test_what_was_unknown_is_shown_as_soon_as_it_is_there(asking: Asking) -> None:
    """Another process writes it, of which the poller tells."""
    assert await asking.ask(NAME, slug="autumn") == b'{"data":{"community":null}}'
    assert await asking.how(NAME, slug="autumn") == "hit"
    new = NewCommunity("autumn", "秋水", "萧山区", 1, profile=Profile(1, True))
    await found_community(SYSTEM, asking.house.now, new)
    assert "秋水".encode() in (await asking.ask(NAME, slug="autumn") or b"")


async def test_what_another_process_wrote_ends_it_when_the_poller_has_looked(asking: Asking) -> None:
    await asking.ask(NAME, slug="spring")
    community = asking.house.town.key("Community", "spring")
    await journal.write([journal.News(FACTS["BALLOT_CAST"], 1, community)], asking.house.now)
    assert await asking.how(NAME, slug="spring") == "hit"
    await asking.look()
    assert await asking.how(NAME, slug="spring") == "missed"


# Bounds


async def test_so_many_bytes_are_kept_and_those_asked_for_last(house: House) -> None:
    asking = Asking(house, 40_000)
    await asking.look()
    for number in range(200):
        await asking.ask(NAME, slug=f"nowhere-{number}")
        await asking.ask(NAME, slug="spring")
    assert 4 < len(asking.answers) < 40
    assert asking.answers.size <= 40_000
    assert asking.answers.counts["hit"] == 199
    assert await asking.how(NAME, slug="nowhere-199") == "hit"
    assert await asking.how(NAME, slug="nowhere-1") == "missed"


async def test_a_large_one_takes_no_more_than_a_part(house: House) -> None:
    asking = Asking(house, 40_000)
    await asking.look()
    wide = "{" + " ".join(f"a{number}: errorCodes" for number in range(20)) + "}"
    assert len(await asking.ask(wide) or b"") > 40_000 / PART
    for query, variables in (("{ errorCodes }#" + "x" * 5_000, {}), ("{ errorCodes }", {"x": "x" * 40_000})):
        assert await asking.ask(query, **variables)
    assert len(asking.answers) == asking.answers.size == 0
    await asking.ask("{ errorCodes }")
    assert len(asking.answers) == 1


async def test_what_is_kept_takes_no_more_than_is_said(asking: Asking) -> None:
    await asking.ask(NAME, slug="spring")
    before = asking.answers.size
    await in_spring(asking.house)
    await asking.ask(NAME, slug="spring")
    assert (len(asking.answers), asking.answers.size) == (1, before)


# When memory is used


async def test_with_0_it_is_off(house: House) -> None:
    asking = Asking(house, 0)
    await asking.look()
    assert not asking.answers.usable


async def test_it_is_used_only_while_the_journals_are_known(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking(house)
    assert not asking.answers.usable
    await asking.look()
    assert asking.answers.usable
    monkeypatch.setattr(versions, "time", standing(time.monotonic() + BEHIND + 0.1))
    assert not asking.answers.usable
    monkeypatch.undo()
    await asking.look()
    assert asking.answers.usable


def test_an_audience_of_one_is_executed_for_itself() -> None:
    viewer = Rights({1: frozenset()}, None, demonstration=False)
    assert executed_for(Audience.VIEWER, viewer) is viewer
