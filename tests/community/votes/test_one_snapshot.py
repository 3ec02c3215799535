"""A tally is one snapshot, whatever happens between the statements that read it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from community.database import rows
from community.permissions import SYSTEM
from community.votes import known, progress, reads
from community.votes.actions import close_vote, open_vote
from community.votes.facts import TALLY
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteStep
from community.votes.progress import Progress, progress_of, progress_of_many
from realtime.broker import MemoryBroker
from realtime.sources import LiveSources
from tests.steps import take

MINUTE = timedelta(minutes=1)

Action = Callable[[Any, int, Any], Awaitable[object]]


async def _another(poll: Any, vote: int, homes: Any) -> None:
    await poll.cast(homes[1].viewer, vote, "AGAINST", at=poll.during + 2 * MINUTE)


async def _changed(poll: Any, vote: int, homes: Any) -> None:
    await poll.cast(homes[0].viewer, vote, "AGAINST", at=poll.during + 3 * MINUTE)


async def _closed(poll: Any, vote: int, homes: Any) -> None:
    await close_vote(SYSTEM, poll.counted_at, vote)


async def _annulled(poll: Any, vote: int, homes: Any) -> None:
    await take(vote, VoteStep.ANNULLED, at=poll.during)


async def _opened(poll: Any, vote: int, homes: Any) -> None:
    await open_vote(SYSTEM, poll.opens_at, vote)


async def _opened_and_cast(poll: Any, vote: int, homes: Any) -> None:
    await _opened(poll, vote, homes)
    await _another(poll, vote, homes)


ACTIONS: dict[str, tuple[bool, Action]] = {
    "another ballot": (True, _another),
    "a changed ballot": (True, _changed),
    "the closing count": (True, _closed),
    "an annulment": (True, _annulled),
    "the opening": (False, _opened),
    "the opening and a ballot": (False, _opened_and_cast),
}
"""What happens, and whether the vote was open before."""


async def read_directly(vote: int) -> Progress:
    return await progress_of(vote)


async def read_among_many(vote: int) -> Progress:
    return (await progress_of_many([vote]))[vote]


async def read_as_known(vote: int) -> Progress:
    return (await tallies_of([vote]))[vote]


async def read_live(vote: int) -> Progress:
    async with LiveSources(MemoryBroker(), pause=0).watch(TALLY, vote) as states:
        return await anext(states)


@pytest.mark.parametrize("read", [read_directly, read_among_many, read_as_known, read_live])
@pytest.mark.parametrize("name", ACTIONS)
async def test_all_of_a_tally_is_of_before_or_of_after(
    poll: Any, monkeypatch: pytest.MonkeyPatch, name: str, read: Callable[[int], Awaitable[Progress]]
) -> None:
    """Whichever statement it happens before; after the last one it is tried for nothing."""
    was_open, action = ACTIONS[name]
    homes = await poll.households(2)
    for index in count(1):
        vote = await poll.announced(revisable=True)
        if was_open:
            await poll.open(vote)
            await poll.cast(homes[0].viewer, vote, at=poll.during + MINUTE)
            await tallies_of([vote])  # what is remembered is of before
        before = await progress_of(vote)
        passed = await between(monkeypatch, index, lambda vote=vote: action(poll, vote, homes))
        found = await read(vote)
        monkeypatch.undo()
        if not passed():
            assert index > 1, "no statement was seen"
            return
        after = await progress_of(vote)
        assert before != after
        assert found in (before, after)


async def between(
    monkeypatch: pytest.MonkeyPatch, index: int, action: Callable[[], Awaitable[object]]
) -> Callable[[], bool]:
    """Does it before statement number `place` that reads a tally; whether it came to that."""
    seen = 0

    def counting(select: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counted(query: str, values: Sequence[Any] = ()) -> Any:
            nonlocal seen
            seen += 1
            if seen == index:
                await action()
            return await select(query, values)

        return counted

    for module in (progress, reads, rows, known):
        for name in {"select", "select_rows"} & vars(module).keys():
            monkeypatch.setattr(module, name, counting(vars(module)[name]))
    return lambda: seen >= index


async def test_the_newest_ballot_is_the_last_one_that_came(poll: Any) -> None:
    """Neither the first, nor the one that was cast latest: paper is taken in later than it was filled."""
    homes = await poll.households(3)
    vote = await poll.opened(revisable=True)
    assert (await progress_of(vote)).last_ballot_at is None
    for index, minutes in ((0, 1), (1, 9), (0, 10), (2, 30)):
        at = poll.during + minutes * MINUTE
        await poll.cast(homes[index].viewer, vote, at=at)
        assert (await progress_of(vote)).last_ballot_at == at
        assert (await tallies_of([vote]))[vote].last_ballot_at == at
    await poll.closed(vote)
    assert (await progress_of(vote)).last_ballot_at == at
