import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from community.errors import TryAgain
from community.signals import Signal
from realtime import groups
from realtime.execution import Ended
from realtime.groups import CHUNK, Group, Groups, Member
from realtime.pacing import Turn, WritePacer
from realtime.subscriptions import SharedSubscription, Step
from tests.realtime.conftest import Source, state_of, virtual

pytestmark = pytest.mark.usefixtures("one_clock")

KEY = 7
REFUSED, OURS = [{"message": "no"}], [{"message": "our fault"}]


class Screen:
    """A writer. `room`: how many texts it takes before it is busy, as long as nobody reads them."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.texts: list[bytes] = []
        self.unread = 0
        self.drained: Callable[[], None] | None = None
        self._read = asyncio.Event()

    @property
    def busy(self) -> bool:
        return self.unread >= self.room

    def write(self, text: bytes) -> None:
        assert not self.busy, "who is busy is not written to"
        self.texts.append(text)
        self.unread += 1

    def read(self) -> None:
        was_busy, self.unread = self.busy, 0
        self._read.set()
        if was_busy and self.drained:
            self.drained()

    async def drain(self) -> None:
        self._read.clear()
        await self._read.wait()

    def close(self, code: int, reason: str) -> None:
        raise NotImplementedError


class Guest(Member):
    __slots__ = ("__weakref__", "ended", "fell_behind", "screen", "sees")

    def __init__(self, group: Group, room: int = 10**9, seen: int = 0, prefix: bytes = b"") -> None:
        self.screen = Screen(room)
        super().__init__(self.screen, prefix, seen)
        self.sees, self.fell_behind = group, 0
        self.ended: Sequence[Mapping[str, Any]] | None = None
        self.screen.drained = lambda: group.catch_up(self)

    def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
        assert self.ended is None
        self.ended = errors

    def fall_behind(self) -> None:
        self.fell_behind += 1

    def _write_and_then(self, call: Callable[[], Any]) -> None:
        write = self.screen.write
        self.writer = SimpleNamespace(  # type: ignore[assignment]
            busy=False, write=lambda text: (write(text), call())
        )

    after_write = property(None, _write_and_then)
    """What happens as soon as a text was written, in the same step."""

    @property
    def shown(self) -> list[int]:
        return [int(text) for text in self.screen.texts]


class Script(SharedSubscription):
    """Says what the test tells it to say."""

    def __init__(self, kept: int = 1, *, alone: bool = False) -> None:
        self.kept, self.alone, self.up_to_date, self.closed = kept, alone, True, False
        self.opened = asyncio.Event()
        self.begun = self.made = self.start = 0
        self.faults: list[Exception] = []
        self._next: asyncio.Queue[int | BaseException | None] = asyncio.Queue()

    def say(self, *numbers: int | BaseException | None) -> None:
        for number in numbers:
            self._next.put_nowait(number)

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        self.begun += 1
        try:
            while (number := await self._next.get()) is not None:
                if isinstance(number, BaseException):
                    raise number
                self.made += 1
                yield Step(number, str(number).encode())
        finally:
            self.closed = True

    def is_newest(self, number: int) -> bool:
        return self.up_to_date

    def fault(self, error: Exception) -> Sequence[Mapping[str, Any]]:
        self.faults.append(error)
        return OURS


class Tally(SharedSubscription):
    """A state as the house has them: read through `LiveSources`."""

    def __init__(self, live: Source) -> None:
        self.kept, self.alone, self.opened = 1, False, asyncio.Event()
        self._live = live

    async def steps(self, turn: Turn) -> AsyncGenerator[Step, None]:
        async with self._live.watch(KEY) as states:
            self._reader = states
            self.opened.set()
            while True:
                await states.until_read()
                if states.has_next:
                    text = str(states.take()).encode()
                yield Step(states.number, text)


class Truth:
    """What is read, and a source of it. `takes`: seconds a read takes."""

    def __init__(self) -> None:
        self.state, self.takes = 0, 0.01
        self.live = Source(state_of(self._read))

    async def _read(self, key: int) -> int:
        state = self.state
        await asyncio.sleep(self.takes)
        return state

    def source(self) -> Tally:
        return Tally(self.live)

    def hear(self, *, change: bool = True) -> None:
        self.state += change
        self.live.handle(Signal("tally", KEY))


async def quiet() -> None:
    await asyncio.sleep(100)


class House:
    """One group over a script, and whoever comes to see."""

    def __init__(self, kept: int = 1, *, alone: bool = False) -> None:
        self.delivered: list[int] = []
        self.groups: Groups = Groups(WritePacer(), lambda members, _: self.delivered.append(members))
        self.script = Script(kept, alone=alone)
        self.group = self.groups.enter("key", lambda: self.script)
        self.group.open()

    def join(self, room: int = 10**9, seen: int = 0, prefix: bytes = b"") -> Guest:
        guest = Guest(self.group, room, seen, prefix)
        self.group.join(guest)
        return guest

    def end(self) -> None:
        self.groups.release(self.group)
        assert len(self.groups) == 0


@virtual
async def test_nothing_is_followed_before_the_first_member_joins() -> None:
    groups, script = Groups(WritePacer()), Script()
    group = groups.enter("key", lambda: script)
    script.say(1)
    await quiet()
    assert script.begun == 0
    guests = [Guest(group), Guest(group)]
    for guest in guests:
        group.join(guest)
    await quiet()
    assert (script.begun, [guest.shown for guest in guests]) == (1, [[1], [1]])
    groups.release(group)


@virtual
async def test_a_group_may_be_opened_twice_and_also_after_its_end() -> None:
    house = House()
    house.group.open()
    guest = house.join()
    house.script.say(1, Ended(REFUSED))
    await quiet()
    house.group.open()
    await quiet()
    assert (guest.shown, guest.ended) == ([1], REFUSED)
    house.end()


# A state


@virtual
async def test_every_member_is_sent_each_step_behind_its_own_prefix() -> None:
    house = House()
    guests = [house.join(prefix=str(number).encode()) for number in range(1, 4)]
    for number in (5, 6):
        house.script.say(number)
        await quiet()
    assert [guest.screen.texts for guest in guests] == [[b"15", b"16"], [b"25", b"26"], [b"35", b"36"]]
    assert house.delivered == [3, 3]
    house.end()


@virtual
async def test_a_slow_member_misses_steps_and_never_the_end() -> None:
    house = House()
    slow, quick = house.join(room=1), house.join()
    for number in range(1, 6):
        house.script.say(number)
        await quiet()
    assert (slow.shown, quick.shown) == ([1], [1, 2, 3, 4, 5])
    slow.screen.read()
    assert slow.shown == [1, 5]
    slow.screen.read()
    house.group.catch_up(slow)
    assert slow.shown == [1, 5]
    house.end()


@virtual
async def test_a_member_that_never_reads_costs_what_its_writer_took() -> None:
    house = House()
    dead = house.join(room=2)
    for number in range(1, 1_000):
        house.script.say(number)
    await quiet()
    assert dead.shown == [1, 2]
    assert len(house.group._kept) == 1
    house.end()


@virtual
async def test_a_newcomer_is_shown_the_last_state_at_once_while_it_is_the_newest() -> None:
    house = House()
    house.script.say(1, 2)
    await quiet()
    assert house.join().shown == [2]
    house.end()


@virtual
async def test_a_newcomer_waits_for_a_state_that_is_about_to_come() -> None:
    house = House()
    house.script.say(1)
    await quiet()
    house.script.up_to_date = False
    newcomer = house.join()
    await quiet()
    assert newcomer.shown == []
    house.script.say(2, 2)
    await quiet()
    assert newcomer.shown == [2]
    assert house.delivered == [0, 1]
    house.end()


@virtual
async def test_a_newcomer_is_shown_the_last_state_where_it_turns_out_unchanged() -> None:
    house = House()
    house.script.say(1)
    await quiet()
    house.script.up_to_date = False
    newcomer, gone = house.join(), house.join()
    house.group.leave(gone)
    house.script.say(1)
    await quiet()
    assert (newcomer.shown, gone.shown) == ([1], [])
    house.end()


@virtual
async def test_whoever_comes_between_a_change_and_its_read_is_never_shown_what_was_before() -> None:
    truth, groups = Truth(), Groups(WritePacer())
    group = groups.enter("key", truth.source)
    first = Guest(group)
    group.join(first)
    await quiet()
    truth.takes = 5.0
    truth.hear()
    at_the_signal = Guest(group)
    group.join(at_the_signal)
    await asyncio.sleep(1)  # it is being read
    during_the_read = Guest(group)
    group.join(during_the_read)
    await quiet()
    assert first.shown == [0, 1]
    assert at_the_signal.shown == during_the_read.shown == [1]
    groups.release(group)


@virtual
async def test_a_new_group_of_a_key_that_is_watched_is_never_shown_what_was_before() -> None:
    truth, groups = Truth(), Groups(WritePacer())
    one = groups.enter("one", truth.source)
    one.join(Guest(one))
    await quiet()
    truth.takes = 5.0
    truth.hear()
    other = groups.enter("other", truth.source)
    newcomer = Guest(other)
    other.join(newcomer)
    await quiet()
    assert newcomer.shown == [1]
    for group in (one, other):
        groups.release(group)


@pytest.mark.parametrize("before", [0.0, 1.0], ids=["at the signal", "during the read"])
@virtual
async def test_whoever_comes_between_a_signal_and_a_read_without_a_change_is_shown_the_state(
    before: float,
) -> None:
    truth, groups = Truth(), Groups(WritePacer())
    group = groups.enter("key", truth.source)
    group.open()
    await quiet()
    truth.takes = 5.0
    truth.hear(change=False)
    await asyncio.sleep(before)
    newcomer = Guest(group)
    group.join(newcomer)
    assert newcomer.shown == []
    await quiet()
    assert newcomer.shown == [0]
    groups.release(group)


# A journal


@virtual
async def test_of_a_journal_every_step_comes_once_and_in_order() -> None:
    house = House(kept=100)
    early = house.join()
    house.script.say(*range(3, 60, 3))
    await asyncio.sleep(0)
    late = house.join(seen=10)
    between = house.join(seen=12)
    await quiet()
    assert early.shown == list(range(3, 60, 3))
    assert late.shown == list(range(12, 60, 3))
    assert between.shown == list(range(15, 60, 3))
    house.end()


@pytest.mark.parametrize("room", [1, 2, 7])
@virtual
async def test_what_came_while_a_reader_was_busy_is_replayed(room: int) -> None:
    house = House(kept=100)
    slow = house.join(room)
    house.script.say(*range(1, 20))
    await quiet()
    assert slow.shown == list(range(1, room + 1))
    while slow.screen.busy:
        slow.screen.read()
    house.script.say(20)
    await quiet()
    slow.screen.read()
    assert slow.shown == list(range(1, 21))
    assert not slow.fell_behind
    house.end()


@virtual
async def test_whoever_is_behind_what_is_kept_is_let_go_and_shown_nothing_more() -> None:
    house = House(kept=5)
    just, behind = house.join(room=1), house.join(room=1)
    house.script.say(*range(1, 7))
    await quiet()
    just.screen.read()
    house.script.say(7)
    await quiet()
    behind.screen.read()
    assert (just.shown, just.fell_behind) == ([1, 2], 0)
    assert (behind.shown, behind.fell_behind) == ([1], 1)
    assert house.group.forgotten == 2
    assert [house.group.reaches(seen) for seen in (1, 2, 3)] == [False, True, True]
    house.script.start = 3  # of who begins there all before is unknown
    assert [house.group.reaches(seen) for seen in (2, 3)] == [False, True]
    house.end()


KEPT_OF_TEN_BYTES = {
    100: [100],
    101: [100, 101],
    102: [100, 101, 102],
    9999: [101, 102, 9999],
    10**20: [10**20],
    10**20 + 1: [10**20 + 1],
}
"""What is kept after each step; its text is its number."""


@virtual
async def test_what_is_kept_is_bounded_in_bytes_but_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "KEPT_BYTES", 10)
    house = House(kept=100)
    just, behind = house.join(room=1), house.join(room=1)
    for number, kept in KEPT_OF_TEN_BYTES.items():
        house.script.say(number)
        await quiet()
        assert [number for number, _ in house.group._kept] == kept
        if number == 9999:
            for _ in range(3):
                just.screen.read()
    assert house.group.forgotten == 10**20
    for guest in (just, behind):
        guest.screen.read()
    assert (just.shown, just.fell_behind) == ([100, 101, 102, 9999], 1)
    assert (behind.shown, behind.fell_behind) == ([100], 1)
    house.end()


@virtual
async def test_whoever_sees_something_alone_is_waited_for_and_never_falls_behind() -> None:
    house = House(kept=3, alone=True)
    slow = house.join(room=2)
    house.script.say(*range(1, 100))
    for read in range(50):
        await quiet()
        assert house.script.made == min(2 * (read + 1), 99)
        slow.screen.read()
    await quiet()
    assert (slow.shown, slow.fell_behind) == (list(range(1, 100)), 0)
    house.script.say(100, 101)
    await quiet()
    house.end()


# Leaving


@virtual
async def test_whoever_left_is_shown_nothing_more() -> None:
    for kept in (1, 10):
        house = House(kept)
        leaver, busy = house.join(), house.join(room=1)
        house.script.say(1)
        await quiet()
        for guest in (leaver, busy):
            house.group.leave(guest)
        house.script.say(2)
        await quiet()
        busy.screen.read()
        assert leaver.shown == busy.shown == [1]
        assert (leaver.group, len(house.group)) == (None, 0)
        house.end()


@virtual
async def test_whoever_leaves_in_the_middle_of_a_round_is_not_reached_by_it() -> None:
    house = House()
    guests = [house.join() for _ in range(5 * CHUNK // 2)]
    house.script.say(1)
    while not (reached := [guest for guest in guests if guest.shown]):  # noqa: ASYNC110 - turn by turn
        await asyncio.sleep(0)
    assert len(reached) == CHUNK
    left = [guest for guest in guests if not guest.shown][::2] + reached[::2]
    for guest in left:
        house.group.leave(guest)
    house.script.say(2)
    await quiet()
    for guest in guests:
        first = [1] if guest in reached else []
        assert guest.shown == first if guest in left else guest.shown == [1, 2]
    house.end()


@pytest.mark.parametrize("again", [False, True], ids=["a new step", "one that comes again"])
@virtual
async def test_whoever_leaves_while_a_neighbour_is_written_to_is_not_reached(again: bool) -> None:
    house = House()
    if again:
        house.script.say(1)
        await quiet()
        house.script.up_to_date = False
    guests = [house.join() for _ in range(10)]

    def everybody_leaves() -> None:
        for guest in guests:
            house.group.leave(guest)

    for guest in guests:
        guest.after_write = everybody_leaves
    house.script.say(1)
    await quiet()
    assert sorted(guest.shown for guest in guests) == [[]] * 9 + [[1]]
    house.end()


@virtual
async def test_whoever_leaves_while_it_is_replayed_what_it_missed_is_shown_no_more_of_it() -> None:
    house = House(kept=10)
    house.script.say(1, 2, 3, 4)
    await quiet()
    guest = Guest(house.group)
    guest.after_write = lambda: house.group.leave(guest) if guest.shown == [1, 2] else None
    house.group.join(guest)
    assert guest.shown == [1, 2]
    house.end()


@virtual
async def test_whoever_joins_in_the_middle_of_a_round_is_shown_it_once() -> None:
    for kept in (1, 10):
        house = House(kept)
        guests = [house.join() for _ in range(3 * CHUNK)]
        house.script.say(1)
        while not any(guest.shown for guest in guests):  # noqa: ASYNC110 - turn by turn
            await asyncio.sleep(0)
        newcomer = house.join()
        house.script.say(2)
        await quiet()
        assert newcomer.shown == [1, 2]
        assert all(guest.shown == [1, 2] for guest in guests)
        house.end()


@virtual
async def test_the_group_that_was_left_does_not_write_to_whoever_came_in_its_place() -> None:
    old, new = House(), House()
    old.script.up_to_date = False
    old.script.say(1)
    await quiet()
    leaver = old.join()
    old.group.leave(leaver)
    successor = Guest(new.group)
    successor.writer = leaver.screen  # the socket is the same
    new.group.join(successor)
    old.script.say(1, 2)
    new.script.say(30)
    await quiet()
    assert leaver.shown == [30]
    old.end()
    new.end()


# Ends


@virtual
async def test_equal_keys_are_one_group_and_others_are_others() -> None:
    groups, made = Groups(WritePacer()), list[Script]()

    def make() -> Script:
        made.append(Script())
        return made[-1]

    one, same, other = (groups.enter(key, make) for key in ("a", "a", "b"))
    assert one is same
    assert one is not other
    assert (len(groups), len(made), one.references, other.references) == (2, 2, 2, 1)
    one.join(Guest(one))
    assert groups.members == 1
    for group in (one, same, other):
        groups.release(group)
    assert (len(groups), groups.members) == (0, 0)


@virtual
async def test_a_group_ends_with_its_last_reference() -> None:
    house = House()
    house.groups.enter("key", lambda: Script())
    house.script.say(1)
    await quiet()
    house.groups.release(house.group)
    await quiet()
    assert (len(house.groups), house.script.closed) == (1, False)
    house.end()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert house.script.closed
    assert house.groups.enter("key", lambda: Script()) is not house.group
    house.groups.release(house.groups._by_key["key"])


@pytest.mark.parametrize(
    ("last", "told"), [(Ended(REFUSED), REFUSED), (None, []), (OSError("gone"), OURS)], ids=repr
)
@virtual
async def test_a_source_that_ends_ends_all(last: Exception | None, told: object) -> None:
    house = House()
    guests = [house.join(room=1) for _ in range(3)]
    gone = house.join()
    house.group.leave(gone)
    house.script.say(1, last)
    await quiet()
    assert [guest.ended for guest in guests] == [told] * 3
    assert (gone.ended, house.script.closed) == (None, True)
    with pytest.raises(Ended) as ended:
        await house.group.until_open()
    assert ended.value.errors == told
    assert house.script.faults == ([last] if isinstance(last, OSError) else [])
    assert len(house.groups) == 0
    fresh = Script()
    successor = house.groups.enter("key", lambda: fresh)
    assert successor is not house.group
    house.groups.release(house.group)
    assert len(house.groups) == 1
    house.groups.release(successor)


@virtual
async def test_a_read_that_was_cancelled_below_the_source_ends_all_and_leaves_nobody_waiting() -> None:
    house = House()
    guests = [house.join(room=1) for _ in range(3)]
    house.script.say(1, asyncio.CancelledError())
    await quiet()
    assert [guest.ended for guest in guests] == [OURS] * 3
    assert [type(fault) for fault in house.script.faults] == [TryAgain]
    house.groups.release(house.group)


@virtual
async def test_whoever_joins_what_has_ended_is_told() -> None:
    house = House()
    house.script.say(1, Ended(REFUSED))
    await quiet()
    late = house.join()
    assert (late.ended, late.shown, len(house.group)) == (REFUSED, [], 0)
    house.end()


@virtual
async def test_members_that_end_may_leave_and_release_at_once() -> None:
    """As operations do: the group is then released by its own task."""

    class Polite(Guest):
        __slots__ = ()

        def end(self, errors: Sequence[Mapping[str, Any]]) -> None:
            super().end(errors)
            self.sees.leave(self)
            self.sees._groups.release(self.sees)

    house = House()
    guests = [Polite(house.group), Polite(house.groups.enter("key", Script))]
    for guest in guests:
        house.group.join(guest)
    house.script.say(Ended(REFUSED))
    await quiet()
    assert [guest.ended for guest in guests] == [REFUSED] * 2
    assert (len(house.groups), house.group.references, len(house.group)) == (0, 0, 0)


@virtual
async def test_nothing_is_left_after_ten_thousand_came_and_went() -> None:
    """The `run` of these tests counts the tasks."""
    truth, groups, alive = Truth(), Groups(WritePacer()), weakref.WeakSet[Any]()
    for number in range(10_000):
        group = groups.enter(number % 7 if number % 2 else "all", truth.source)
        guest = Guest(group)
        alive.add(guest)
        group.join(guest)
        if number % 100 == 0:
            truth.hear(change=number % 200 == 0)
            await asyncio.sleep(0.01 * (number % 3))
        group.leave(guest)
        groups.release(group)
        if number % 11 == 0:  # abruptly: before anything of it has begun
            groups.release(groups.enter("abrupt", truth.source))
    assert (len(groups), groups.members) == (0, 0)
    await quiet()
    assert (truth.live.watched, truth.live.watchers) == (0, 0)
    del group, guest
    gc.collect()
    assert len(alive) == 0


@virtual
async def test_whoever_goes_while_the_state_cannot_be_read_is_forgotten_by_those_who_stay() -> None:
    truth, groups, alive = Truth(), Groups(WritePacer()), weakref.WeakSet[Any]()
    group = groups.enter("key", truth.source)
    stays = Guest(group)
    group.join(stays)
    await quiet()
    truth.takes = 1_000.0
    truth.hear()
    for _ in range(10_000):
        guest = Guest(groups.enter("key", truth.source))
        alive.add(guest)
        group.join(guest)
        group.leave(guest)
        groups.release(group)
    del guest
    gc.collect()
    assert len(alive) == 0
    await asyncio.sleep(2_000)
    assert stays.shown == [0, 1]
    groups.release(group)


class CountedTurn(Turn):
    def __init__(self, pacer: WritePacer, turns: list[int]) -> None:
        super().__init__(pacer, lambda: 1)
        self._turns = turns

    async def __aenter__(self) -> None:
        self._turns.append(1)
        await super().__aenter__()


@virtual
async def test_a_step_that_comes_again_is_looked_at_only_where_somebody_waits_for_it() -> None:
    house, turns = House(), list[int]()
    guests = [house.join() for _ in range(3)]
    house.script.say(1)
    await quiet()
    house.group._turn = CountedTurn(house.groups.pacer, turns)
    house.script.say(1, 1)
    await quiet()
    assert turns == []
    house.script.up_to_date = False
    newcomer = house.join()
    house.script.say(1, 1)
    await quiet()
    assert (newcomer.shown, turns) == ([1], [1])
    assert [guest.shown for guest in guests] == [[1]] * 3
    house.end()
