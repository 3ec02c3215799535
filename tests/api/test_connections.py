"""Who goes when there are too many, counted without any network."""

import asyncio
import pickle
import time

import pytest

from api import connections
from api.connections import Connections


class Client:
    def __init__(self, counted: Connections, address: str = "192.0.2.1") -> None:
        self.counted, self.was_shed, self.times_overdue = counted, False, 0
        self.entered = counted.enter(self, address, 60)

    def overdue(self) -> None:
        self.times_overdue += 1
        self.counted.leave(self)

    def shed(self) -> None:
        self.was_shed = True


async def test_who_has_waited_for_longest_goes_first_and_who_is_served_never() -> None:
    counted = Connections(3, 3)
    first, second, third = (Client(counted) for _ in range(3))
    counted.work(first)
    counted.wait(second, 60)  # began to wait anew
    assert Client(counted).entered
    assert (first.was_shed, second.was_shed, third.was_shed) == (False, False, True)
    assert Client(counted).entered
    assert second.was_shed
    assert len(counted) == 3


async def test_where_all_are_served_nobody_new_comes_in() -> None:
    counted = Connections(2, 2)
    served = [Client(counted) for _ in range(2)]
    for client in served:
        counted.work(client)
    late = Client(counted)
    assert not late.entered
    counted.leave(late)  # who never came in leaves without a trace
    counted.wait(late, 1)
    counted.work(late)
    assert len(counted) == 2
    counted.leave(served[0])
    counted.leave(served[0])
    assert Client(counted).entered


async def test_a_network_sheds_its_own() -> None:
    counted = Connections(100, 2)
    other = Client(counted, "192.0.2.9")
    for number in range(50):
        assert Client(counted, f"2001:db8::{number:x}").entered  # all of one network
    assert not other.was_shed
    assert len(counted) == 3


async def test_sockets_are_counted_in_all_and_are_not_shed() -> None:
    counted = Connections(2, 1)
    for _ in range(2):
        client = Client(counted)
        counted.become_socket(client)
        counted.become_socket(client)
    assert len(counted) == 2
    assert not Client(counted).entered
    counted.lose_socket()
    assert Client(counted).entered


async def test_who_lets_us_wait_for_too_long_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "EVERY", 0.001)
    counted = Connections(10, 10)
    late, working, patient = (Client(counted) for _ in range(3))
    counted.wait(late, 0)
    counted.wait(working, 0)
    counted.work(working)
    async with asyncio.timeout(20):
        while not late.times_overdue:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.02)
    assert (late.times_overdue, working.times_overdue, patient.times_overdue) == (1, 0, 0)


async def test_nothing_is_left_of_those_who_left() -> None:
    counted = Connections(10, 10)
    for number in range(1000):
        client = Client(counted, f"192.0.2.{number % 250}")
        (counted.leave if number % 2 else counted.become_socket)(client)
        if not number % 2:
            counted.lose_socket()
    assert len(counted) == 0
    assert [*counted._of, *counted._networks, *counted._waiting] == []


async def test_the_log_has_one_line_a_minute_with_numbers_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counted = Connections(1, 1)
    for _ in range(5):
        Client(counted)
    counted._report(1000)
    for at in (1001, 1030, 1059):
        Client(counted)
        counted._report(at)
    counted._report(1060)
    counted._report(2000)
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(":")[1].split()[0] for line in said] == ["4", "3"]
    assert "192.0.2" not in "".join(said)


def test_a_worker_gets_its_own_before_anybody_came() -> None:
    assert len(pickle.loads(pickle.dumps(Connections(1, 1)))) == 0  # noqa: S301 - our own


async def test_our_own_freeze_is_nobodys_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "EVERY", 0.01)
    counted = Connections(3, 3)
    waiting = Client(counted)
    counted.wait(waiting, 0.2)
    time.sleep(0.4)  # noqa: ASYNC251 - the whole process stands still
    await asyncio.sleep(0.03)
    assert not waiting.times_overdue
    async with asyncio.timeout(20):
        while not waiting.times_overdue:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
