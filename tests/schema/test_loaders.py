import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

import pytest

from community.bulletin.actions import publish_notice
from community.bulletin.facts import NOTICE
from community.bulletin.rules import NoticeKind
from community.errors import TryAgain, without_frames
from community.events.facts import SIGN_UP
from community.events.reads import dishes_of, events_pages
from community.ledger.facts import ENTRY
from community.ledger.reads import months_of
from community.permissions import NOBODY, Viewer
from community.places.reads import buildings_by_id, buildings_of
from community.votes.lifecycle import VoteStatus
from community.votes.progress import progress_of_many
from community.votes.reads import questions_of, votes_pages
from schema.loaders import MOST_KEYS, Loader, Loaders
from tests.leftovers import leftovers

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def loaders_of(viewer: Viewer = NOBODY) -> Loaders:
    return Loaders(viewer, lambda: NOW)


async def test_what_is_asked_for_together_is_read_together_in_order(
    house: Any, statements: list[str]
) -> None:
    loaders = loaders_of()
    keys = [house.town.key("Vote", name) for name in ("open", "closed", "quiet")]
    rows = await asyncio.gather(*(loaders.votes.load(key) for key in [*keys, 42, keys[0]]))
    assert [row and row.id for row in rows] == [*keys[:2], None, None, keys[0]]  # hidden and unknown are None
    assert sum("FROM vote t" in statement for statement in statements) == 1


async def test_each_key_is_read_once(house: Any, statements: list[str]) -> None:
    loaders, key = loaders_of(), house.town.key("Event", "picnic")
    row = await loaders.events.load(key)
    cost = len(statements)
    assert await asyncio.gather(*(loaders.events.load(key) for _ in range(3))) == [row] * 3
    assert await loaders.events.load(key) is row
    assert len(statements) == cost


async def test_a_community_that_was_found_by_its_name_is_found_by_its_id(
    house: Any, statements: list[str]
) -> None:
    loaders = loaders_of()
    row = await loaders.communities_by_slug.load("spring")
    cost = len(statements)
    assert row
    assert await loaders.communities.load(row.id) is row
    assert len(statements) == cost


async def test_each_viewer_is_shown_what_it_may_see(house: Any) -> None:
    key = house.town.key("Notice", "gate")
    assert await Loaders(await house.viewer("quiet/resident-1"), lambda: house.now).rows(NOTICE).load(key)
    assert await Loaders(NOBODY, lambda: house.now).rows(NOTICE).load(key) is None


async def test_a_read_with_other_terms_is_another_one() -> None:
    asked: list[tuple[list[int], int]] = []

    async def times(keys: Collection[int], factor: int) -> dict[int, int]:
        asked.append((list(keys), factor))
        return {key: key * factor for key in keys}

    loaders = loaders_of()
    given = [(1, 2), (2, 2), (1, 3), (1, 2)]
    found = await asyncio.gather(*(loaders.of(times, factor).get(key) for key, factor in given))
    assert found == [2, 4, 3, 2]
    assert asked == [([1, 2], 2), ([1], 3)]
    with pytest.raises(KeyError):
        await loaders.of(lambda_of({})).get(1)


async def test_what_was_read_is_brought_again_without_reading() -> None:
    """And what could not be read fails again; anything else is read."""
    asked: list[list[int]] = []

    async def even(keys: Collection[int]) -> dict[int, int]:
        asked.append(list(keys))
        if any(key % 2 for key in keys):
            raise TryAgain
        return {key: 10 * key for key in keys if key}

    loaders = loaders_of()
    assert [await loaders.of(even).load(key) for key in (2, 0)] == [20, None]
    with pytest.raises(TryAgain):
        await loaders.of(even).load(1)
    loaders.words = frozenset({"word"})
    again = loaders.again()
    assert (again.viewer, again.now, again.words) == (loaders.viewer, loaders.now, loaders.words)
    loader = again.of(even)
    assert not loader.found
    asked.clear()
    found = await asyncio.gather(*(loader.load(key) for key in (2, 0, 1, 4)), return_exceptions=True)
    assert found[:2] == [20, None]
    assert type(found[2]) is TryAgain
    assert found[3] == 40
    assert asked == [[4]]


def lambda_of(found: dict[int, int]) -> Callable[[Collection[int]], Awaitable[dict[int, int]]]:
    async def read(keys: Collection[int]) -> dict[int, int]:
        return found

    return read


async def test_what_cannot_be_read_is_told_to_all_who_asked_and_asked_once() -> None:
    asked = 0

    async def fail(keys: Collection[int]) -> dict[int, int]:
        nonlocal asked
        asked += 1
        raise TryAgain

    loader = loaders_of().of(fail)
    told = await asyncio.gather(*(loader.load(key) for key in (1, 2, 1)), return_exceptions=True)
    assert [type(error) for error in told] == [TryAgain] * 3
    with pytest.raises(TryAgain):
        await loader.load(2)
    assert asked == 1


async def test_whoever_waits_for_a_read_that_is_cancelled_below_is_told() -> None:
    async def cancelled(keys: Collection[int]) -> dict[int, int]:
        raise asyncio.CancelledError

    loader = loaders_of().of(cancelled)
    async with asyncio.timeout(20):
        told = await asyncio.gather(*(loader.load(key) for key in (1, 2)), return_exceptions=True)
    assert [type(error) for error in told] == [TryAgain] * 2


async def test_what_cannot_be_read_leaves_nothing_to_the_collector() -> None:
    async def fail(keys: Collection[int]) -> dict[int, int]:
        raise TryAgain

    async def ask() -> None:
        loader = loaders_of().of(fail)
        try:
            await loader.load(1)
        except TryAgain as error:
            without_frames(error)  # as whoever presents it does

    await ask()
    with leftovers() as left:
        await ask()
        await asyncio.sleep(0)
    assert left == []


async def test_who_no_longer_waits_takes_nothing_from_the_others() -> None:
    """graphql-core cancels what stands beside a field that failed."""
    going = asyncio.Event()

    async def slow(keys: Collection[int]) -> dict[int, int]:
        await going.wait()
        return dict.fromkeys(keys, 7)

    loader = loaders_of().of(slow)
    gone, stays = [asyncio.create_task(loader.load(1)) for _ in range(2)]
    await asyncio.sleep(0.01)
    gone.cancel()
    going.set()
    assert await stays == 7
    assert await loader.load(1) == 7
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_many_keys_are_read_in_several_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    async def read(keys: Collection[int]) -> dict[int, int]:
        sizes.append(len(keys))
        return {key: -key for key in keys}

    loader = loaders_of().of(read)
    found = await asyncio.gather(*(loader.load(key) for key in range(2 * MOST_KEYS + 1)))
    assert found == [-key for key in range(2 * MOST_KEYS + 1)]
    assert sizes == [MOST_KEYS, MOST_KEYS, 1]


async def test_both_engines_take_as_many_keys_as_are_read_at_once(house: Any) -> None:
    loaders = loaders_of(await house.viewer("spring/resident-1"))
    vote = await loaders.votes.load(house.town.key("Vote", "open"))
    assert vote
    keys = [vote.id, *range(1, MOST_KEYS)]
    reads: list[Loader[int, Any]] = [
        loaders.votes, loaders.events, loaders.rows(NOTICE), loaders.rows(ENTRY), loaders.communities,
        loaders.rows(SIGN_UP), loaders.own_sign_ups, loaders.of(progress_of_many), loaders.of(questions_of),
        loaders.ballots, loaders.of(buildings_by_id), loaders.of(buildings_of),
        loaders.of(votes_pages, NOW, 5, (NOW, 1), tuple(VoteStatus)), loaders.of(events_pages, NOW, 5),
        loaders.of(months_of), loaders.of(dishes_of, 5),
    ]  # fmt: skip
    for loader in reads:
        await asyncio.gather(*(loader.load(key) for key in keys))
    many = [vote._replace(id=key, community_id=key) for key in keys[1:]]
    assert await asyncio.gather(*(loaders.own_entries.load(row) for row in [vote, *many]))


async def test_what_comes_a_little_later_is_read_along() -> None:
    """Parts of an answer that are read side by side go on together."""
    batches: list[list[str]] = []

    async def slower(keys: Collection[int], seconds: float) -> dict[int, float]:
        await asyncio.sleep(seconds)
        return dict.fromkeys(keys, seconds)

    async def next_level(keys: Collection[str]) -> dict[str, str]:
        batches.append(sorted(keys))
        return {key: key for key in keys}

    loaders = loaders_of()

    async def part(seconds: float) -> None:
        await loaders.of(slower, seconds).load(1)
        await loaders.of(next_level).load(str(seconds))

    await asyncio.gather(*(part(seconds) for seconds in (0.0, 0.01, 0.02)))
    assert batches == [["0.0", "0.01", "0.02"]]


CLOSES = """subscription($id: ID!) { bulletin(communityId: $id) {
  subject { ... on Notice { community { notices(first: 100) { edges { node { title } } } } } } } }"""


@pytest.mark.parametrize("who", [None, "spring/resident-1"])
async def test_the_next_answer_of_a_subscription_reads_anew(house: Any, who: str | None) -> None:
    """Also where one context lives as long as a socket."""
    context, committee = await house.context(who), await house.viewer("spring/committee")
    community = house.town.key("Community", "spring")

    async def publish(title: str) -> None:
        await publish_notice(committee, house.now, community, kind=NoticeKind.NOTICE, title=title, body="。")

    async with house.watch(CLOSES, who, context, id=house.town.id("Community", "spring")) as following:
        first = asyncio.create_task(following())
        await asyncio.sleep(0.05)
        for number in range(3):
            await publish(f"新 {number}")
            result = await (first if number == 0 else following())
            edges = result.data["bulletin"]["subject"]["community"]["notices"]["edges"]
            assert f"新 {number}" in [edge["node"]["title"] for edge in edges]


PAGE = """{ community(slug: "spring") { events { edges { node {
  title community { name } organizers { name } viewerSignUp { id } } } } } }"""


async def test_a_page_costs_the_same_statements_however_long_it_is(house: Any, statements: list[str]) -> None:
    await house.ask(PAGE, "spring/resident-1")
    cost = len(statements)
    statements.clear()
    invitation = {
        "title": "百家宴",
        "place": "广场",
        "startsAt": "2999-01-01T00:00:00Z",
        "endsAt": "2999-01-02T00:00:00Z",
    }
    publish = """mutation($c: ID!, $e: EventInput!) { publishEvent(communityId: $c, event: $e) { id } }"""
    for _ in range(8):
        await house.ask(publish, "spring/committee", c=house.town.id("Community", "spring"), e=invitation)
    statements.clear()
    await house.ask(PAGE, "spring/resident-1")
    assert len(statements) == cost


async def test_what_is_wanted_together_is_waited_for_together() -> None:
    asked: list[list[int]] = []

    async def halves(keys: Collection[int]) -> dict[int, int]:
        asked.append(list(keys))
        return {key: key // 2 for key in keys if key % 2 == 0}

    loader = loaders_of().of(halves)
    one, two = loader.want([4, 5, 4]), loader.want([5, 6])
    assert one is not None
    assert two is not None
    assert one is not two, "who no longer waits must not take it from the other"
    one.cancel()
    await two
    assert asked == [[4, 5, 6]]
    assert loader.found == {4: 2, 5: None, 6: 3}
    assert loader.want([4, 5, 6]) is None
    assert loader.want([]) is None
    further = loader.want([6, 8])
    assert further is not None
    await further
    assert asked == [[4, 5, 6], [8]]


async def test_a_key_that_cannot_be_read_is_not_found_nor_wanted_again() -> None:
    async def fail(keys: Collection[int]) -> dict[int, int]:
        raise TryAgain

    loader = loaders_of().of(fail)
    wanted = loader.want([1])
    assert wanted is not None
    await wanted
    assert loader.found == {}
    assert loader.want([1]) is None
    with pytest.raises(TryAgain):
        await loader.load(1)
