"""Whoever is asked again begins again, whatever becomes of the others."""

import asyncio
from types import SimpleNamespace

import pytest

from community.places.facts import READING
from community.signals import Signal
from realtime.asking_again import AT_ONCE, AskingAgain
from realtime.groups import Groups, Member
from realtime.pacing import WritePacer
from tests.realtime.conftest import virtual

pytestmark = pytest.mark.usefixtures("one_clock")

CHANGED = Signal(READING.topic, 7)


class Neighbour(Member):
    __slots__ = ("begun", "fails", "number")

    def __init__(self, number: int, begun: list[int], *, fails: bool = False) -> None:
        self.number, self.begun, self.fails = number, begun, fails

    def pause(self) -> None:
        """It stays in its group, for the next signal."""

    def begin(self) -> None:
        if self.fails:
            raise RuntimeError
        self.begun.append(self.number)


def asking(members: list[Neighbour]) -> AskingAgain:
    """Of one group, of a community whose rights change."""
    groups = Groups(WritePacer())
    access = SimpleNamespace(reading_changed=lambda community: community in (None, CHANGED.key))
    group = groups.enter("key", lambda: SimpleNamespace(kept=1, access=access))  # type: ignore[arg-type, return-value]
    group._members = dict.fromkeys(members)  # type: ignore[assignment] - in their order
    return AskingAgain(groups)


async def quiet() -> None:
    await asyncio.sleep(100)


@virtual
async def test_whoever_paused_first_begins_first() -> None:
    begun = list[int]()
    again = asking([Neighbour(number, begun) for number in range(3 * AT_ONCE + 1)])
    again.handle(CHANGED)
    await quiet()
    assert begun == list(range(3 * AT_ONCE + 1))


@virtual
async def test_one_that_does_not_begin_keeps_nobody_paused(caplog: pytest.LogCaptureFixture) -> None:
    begun = list[int]()
    again = asking([Neighbour(number, begun, fails=number == 1) for number in range(AT_ONCE + 2)])
    for _ in range(2):
        again.handle(CHANGED)
        await quiet()
        assert begun == [0, *range(2, AT_ONCE + 2)]
        begun.clear()
    assert len(caplog.messages) == 2


@virtual
async def test_whoever_pauses_after_the_task_was_cancelled_begins_again() -> None:
    begun = list[int]()
    again = asking([Neighbour(number, begun) for number in range(2)])
    again.resync()
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.sleep(0)
    task.cancel()
    await quiet()
    assert begun == []
    again.resync()
    await quiet()
    assert set(begun) == {0, 1}
