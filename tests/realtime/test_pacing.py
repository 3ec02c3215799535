"""In virtual time: a turn takes as long as the test says."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.pacing import BURST, LONGEST, LOOP_STEPS, WritePacer
from tests.realtime.conftest import now, virtual

pytestmark = pytest.mark.usefixtures("one_clock")


def write(seconds: float) -> None:
    """Holds the loop for so long, as writing to many does."""
    asyncio.get_running_loop()._clock.now += seconds  # type: ignore[attr-defined]


async def turn(pacer: WritePacer, seconds: float) -> float:
    """When it began."""
    async with pacer.turn():
        began = now()
        write(seconds)
    return began


@virtual
async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    pacer, order = WritePacer(), list[int]()

    async def ask(number: int) -> None:
        for _ in range(3):
            async with pacer.turn():
                order.append(number)
                write(LONGEST)

    await asyncio.gather(*(ask(number) for number in range(20)))
    assert order == list(range(20)) * 3


@virtual
async def test_there_is_one_turn_at_a_time() -> None:
    pacer, within = WritePacer(), 0

    async def ask() -> None:
        nonlocal within
        async with pacer.turn():
            within += 1
            for _ in range(LOOP_STEPS // 2):
                await asyncio.sleep(0)
                assert within == 1
            within -= 1

    await asyncio.gather(*(ask() for _ in range(50)))


@virtual
async def test_whoever_waits_for_something_else_in_a_turn_keeps_nobody() -> None:
    pacer, order = WritePacer(), list[int]()

    async def ask(number: int) -> None:
        async with pacer.turn():
            await asyncio.sleep(100 - number)
            order.append(number)

    began = now()
    await asyncio.gather(*(ask(number) for number in range(10)))
    assert order == list(range(10))[::-1]
    assert now() - began == pytest.approx(100)
    await turn(pacer, 0)


@virtual
async def test_whoever_holds_a_turn_again_holds_it_for_as_long() -> None:
    pacer = WritePacer(1)
    again = pacer.turn()
    await again.begin()
    again.end()
    await again.begin()
    other = asyncio.create_task(pacer.turn().begin())
    for _ in range(LOOP_STEPS + 1):
        await asyncio.sleep(0)
        assert not other.done()
    await other


@virtual
async def test_the_largest_goes_first_and_in_each_round_everybody_once() -> None:
    pacer, order = WritePacer(1), list[int]()

    async def ask(size: int) -> None:
        turn = pacer.turn(lambda: size)
        for _ in range(3):
            await turn.begin()
            order.append(size)
            write(LONGEST)
            turn.end()
            for _ in range(2):  # what goes on with it comes before those who are smaller
                async with turn:
                    order.append(size)

    sizes = [3, 1, 4, 5, 9, 2, 6]
    await asyncio.gather(*(ask(size) for size in sizes))
    assert order == [size for _ in range(3) for size in sorted(sizes, reverse=True) for _ in range(3)]


@virtual
async def test_newcomers_without_end_keep_nobody_waiting() -> None:
    pacer, mine = WritePacer(1), 0

    async def flood() -> None:
        while mine < 10:
            await asyncio.gather(*(turn(pacer, 0) for _ in range(20)))

    async def small() -> None:
        nonlocal mine
        own = pacer.turn(lambda: -1)
        for _ in range(10):
            before = pacer.round
            await own.begin()
            mine += 1
            own.end()
            assert pacer.round <= before + 2

    await asyncio.gather(flood(), flood(), small())


@virtual
async def test_what_is_done_without_a_break_counts_in_full() -> None:
    pacer = WritePacer(0.5)
    long = pacer.turn()
    await long.begin()
    write(10)
    long.end()
    ended = now()
    assert await turn(pacer, 0) >= ended + 10 / 0.5 - 10 - BURST


@virtual
async def test_two_turns_never_come_in_one_step_of_the_loop() -> None:
    pacer, steps, seen = WritePacer(1), 0, list[int]()

    def step() -> None:
        nonlocal steps
        steps += 1
        if len(seen) < 100:
            asyncio.get_running_loop().call_soon(step)

    async def ask() -> None:
        turn = pacer.turn()
        await turn.begin()
        seen.append(steps)
        turn.end()

    step()
    await asyncio.gather(*(ask() for _ in range(100)))
    assert len(set(seen)) == 100


@virtual
async def test_a_turn_ends_when_the_loop_did_what_else_waited() -> None:
    pacer, order = WritePacer(), list[str]()
    async with pacer.turn():
        asyncio.get_running_loop().call_soon(order.append, "a ballot")
    order.append("the next turn")
    assert order == ["a ballot", "the next turn"]


@virtual
async def test_after_quiet_nobody_waits() -> None:
    pacer = WritePacer()
    for _ in range(3):
        began = now()
        for _ in range(int(BURST / LONGEST) // 4):
            await turn(pacer, LONGEST)
        assert now() - began <= BURST / 4 + 1e-9
        await asyncio.sleep(10)


turns = st.lists(st.tuples(st.floats(0, 2 * LONGEST), st.floats(0, 0.05)), min_size=1, max_size=100)


@given(turns=turns, share=st.sampled_from([0.1, 0.5, 0.9]))
@virtual
async def test_writing_never_takes_more_than_its_share(
    turns: list[tuple[float, float]], share: float
) -> None:
    pacer, start, written = WritePacer(share), now(), 0.0
    for takes, quiet in turns:
        began = await turn(pacer, takes)
        # What was written before this turn kept within the share of the time until it, but for a burst.
        assert written <= (began - start + BURST) * share + 1e-9
        written += min(takes, LONGEST)
        await asyncio.sleep(quiet)


@virtual
async def test_a_turn_that_others_made_long_counts_as_a_short_one() -> None:
    pacer = WritePacer(0.5)
    await turn(pacer, 60)
    ended = now()
    assert await turn(pacer, 0) == ended


@pytest.mark.parametrize("busy", [False, True], ids=["after quiet", "when the share is used up"])
@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("index", range(3))
@virtual
async def test_whoever_is_cancelled_at_any_step_lets_the_next_one_in(
    index: int, steps: int, busy: bool
) -> None:
    pacer, order = WritePacer(), list[int]()
    if busy:
        for _ in range(100):
            await turn(pacer, LONGEST)

    async def ask(number: int) -> None:
        async with pacer.turn():
            await asyncio.sleep(0)
            order.append(number)

    line = [asyncio.create_task(ask(number)) for number in range(3)]
    for _ in range(steps):
        await asyncio.sleep(0)
    line[index].cancel()
    await asyncio.gather(*line, return_exceptions=True)
    assert [number for number in order if number != index] == [n for n in range(3) if n != index]
    await turn(pacer, 0)


@virtual
async def test_whoever_is_let_in_and_cancelled_before_it_begins_is_not_charged() -> None:
    pacer = WritePacer(0.5)
    asked = asyncio.create_task(pacer.turn().begin())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    began = now()
    assert await turn(pacer, 0) == began


@virtual
async def test_whoever_is_let_in_and_cancelled_before_it_begins_keeps_nobody() -> None:
    pacer = WritePacer()
    gone = asyncio.create_task(pacer.turn().begin())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gone.cancel()
    following, steps = asyncio.create_task(pacer.turn().begin()), 0
    while not following.done():
        await asyncio.sleep(0)
        steps += 1
    assert gone.cancelled()
    assert steps < LOOP_STEPS / 2


@virtual
async def test_a_turn_that_fails_is_over() -> None:
    pacer = WritePacer()
    with pytest.raises(OSError, match="gone"):
        async with pacer.turn():
            raise OSError("gone")
    await turn(pacer, 0)
