"""The supervisor of several workers: the slow are not dead, and the welcome comes when somebody answers."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from uvicorn.supervisors.multiprocess import Process

from api import supervisor as supervising
from api.server import _welcome_once_served
from api.supervisor import Supervisor
from tests.services import free_port
from tests.world.server import PATIENCE


class Pipe:
    """A worker's end of its pipe: answers each ping, or not yet."""

    def __init__(self) -> None:
        self.frozen, self.pings, self.answers = False, 0, 0

    def send(self, said: bytes) -> None:
        assert said == b"ping"
        self.pings += 1

    def poll(self, timeout: float = 0) -> bool:
        assert timeout == 0, "the supervisor stands still"
        return not self.frozen and self.answers < self.pings

    def recv(self) -> bool:
        self.answers += 1
        return True


class Worker:
    """Stands for a process."""

    made: list["Worker"]

    def __init__(self, config: Any = None, sockets: Any = None) -> None:
        self.process, self.parent_conn = self, Pipe()
        self.alive, self.exitcode, self.pid = True, None, len(self.made)
        self.made.append(self)

    def is_alive(self) -> bool:
        return self.alive

    def start(self) -> None: ...

    def join(self) -> None: ...

    def kill(self) -> None:
        self.alive = False


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(supervising, "time", clock)
    monkeypatch.setattr(supervising, "Process", Worker)
    monkeypatch.setattr(Worker, "made", [], raising=False)
    return clock


@pytest.fixture
def supervisor(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr(supervising.Multiprocess, "__init__", _bare)
    found = Supervisor(uvicorn.Config("x"), [])
    found.processes = [Worker(), Worker()]  # type: ignore[list-item]
    return found


def _bare(self: Any, config: Any, sockets: Any) -> None:
    """Without taking over the signals of the tests."""
    self.config, self.sockets, self.processes = config, sockets, []
    self.should_exit = threading.Event()


def looks(supervisor: Supervisor, clock: Clock, seconds: float) -> list[Any]:
    """Who is there after so many seconds with two looks in each."""
    for _ in range(round(seconds * 2)):
        clock.now += 0.5
        supervisor.keep_subprocess_alive()
    return list(supervisor.processes)


def test_starting_may_take_long(supervisor: Supervisor, clock: Clock) -> None:
    first: list[Any] = list(supervisor.processes)
    for worker in first:
        worker.parent_conn.frozen = True
    assert looks(supervisor, clock, 300) == first
    assert [worker.parent_conn.pings for worker in first] == [1, 1]  # they do not pile up
    for worker in first:
        worker.parent_conn.frozen = False
    assert looks(supervisor, clock, 300) == first


def test_a_short_freeze_is_no_death_and_a_long_one_is(supervisor: Supervisor, clock: Clock) -> None:
    first: list[Any] = looks(supervisor, clock, 10)
    for _ in range(3):
        first[0].parent_conn.frozen = True
        assert looks(supervisor, clock, 30) == first
        first[0].parent_conn.frozen = False
        assert looks(supervisor, clock, 5) == first
    first[0].parent_conn.frozen = True
    now: list[Any] = looks(supervisor, clock, 90)
    assert now[1] is first[1]
    assert now[0] is not first[0]
    assert not first[0].alive
    assert len(Worker.made) == 3


def test_who_died_is_replaced_at_once(supervisor: Supervisor, clock: Clock) -> None:
    first: list[Any] = looks(supervisor, clock, 1)
    first[1].alive = False
    assert looks(supervisor, clock, 0.5)[0] is first[0]
    assert supervisor.processes[1] is not first[1]
    assert not supervisor.should_exit.is_set()


def test_who_cannot_start_ends_them_all(supervisor: Supervisor, clock: Clock) -> None:
    first: list[Any] = list(supervisor.processes)
    first[0].alive, first[0].exitcode = False, 3
    assert looks(supervisor, clock, 1) == first
    assert supervisor.should_exit.is_set()


def test_a_line_that_breaks_is_no_fault_of_the_supervisor(supervisor: Supervisor, clock: Clock) -> None:
    def broken(*_: Any) -> Any:
        raise BrokenPipeError

    supervisor.processes[0].parent_conn.send = broken  # type: ignore[method-assign]
    first = list(supervisor.processes)
    assert looks(supervisor, clock, 1) == first


def test_the_real_worker_has_what_the_supervisor_asks_of_it() -> None:
    process = Process(uvicorn.Config("x"), [])
    assert process.parent_conn.poll() is False
    assert process.process.is_alive() is False
    threading.Thread(target=process.pong, daemon=True).start()
    process._server = uvicorn.Server(process.config)
    asked = supervising._Pulse()
    assert asked.answers(process)
    end = time.monotonic() + 20
    while asked._patience != supervising.FREEZING and time.monotonic() < end:
        asked.answers(process)
        time.sleep(0.01)
    assert asked._patience == supervising.FREEZING


# The welcome


class Bound:
    """What the welcome needs of a supervisor."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket()
        self.socket.bind((host, 0))
        self.sockets, self.should_exit = [self.socket], threading.Event()

    def answers(self, answer: bytes) -> None:
        """To whoever connects, once."""

        def serve() -> None:
            connection, _ = self.socket.accept()
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()

        self.socket.listen()
        threading.Thread(target=serve, daemon=True).start()


@pytest.fixture
def welcomed() -> Callable[[Any], threading.Thread]:
    def start(bound: Any) -> threading.Thread:
        thread = threading.Thread(target=_welcome_once_served, args=(bound, "http://us"), daemon=True)
        thread.start()
        return thread

    return start


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_the_welcome_comes_when_somebody_answers(capsys: Any, welcomed: Any, host: str) -> None:
    bound = Bound(host)
    thread = welcomed(bound)
    thread.join(0.5)
    assert capsys.readouterr().out == ""  # bound, and nobody there
    bound.answers(b"HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n")
    thread.join(0.5)
    assert capsys.readouterr().out == ""
    bound.answers(b"HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n")
    thread.join(20)
    assert "http://us" in capsys.readouterr().out


def test_it_does_not_come_at_all_where_it_ends_before(capsys: Any, welcomed: Any) -> None:
    bound = Bound()
    thread = welcomed(bound)
    bound.should_exit.set()
    thread.join(20)
    assert not thread.is_alive()
    assert capsys.readouterr().out == ""


# Real workers


def workers_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def until(true: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


@pytest.mark.xdist_group("server")
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_that_freeze_stay_and_those_that_die_are_replaced(
    town_url: str, town: Any, redis_server: Any, tmp_path: Path, command: Any
) -> None:
    """Longer than uvicorn would wait: while they start, and while they serve."""
    port, said = free_port(), tmp_path / "said"
    settings = {"MEILIN_DATABASE_URL": town_url, "MEILIN_REDIS_URL": redis_server.url}
    with said.open("wb") as out:
        started = command.prepared("serve", "--port", str(port), "--workers", "2", **settings)
        process = subprocess.Popen(**started, stdout=out, stderr=out)
    try:
        first = until(lambda: len(found := workers_of(process.pid)) == 2 and found)
        for seconds in (7, 7):
            for pid in first:
                os.kill(pid, signal.SIGSTOP)
            welcomed = "Meilin" in said.read_text(encoding="utf-8")
            time.sleep(seconds)
            assert ("Meilin" in said.read_text(encoding="utf-8")) is welcomed  # nobody could answer
            for pid in first:
                os.kill(pid, signal.SIGCONT)
            until(lambda: "Meilin" in said.read_text(encoding="utf-8"))
            assert httpx2.get(f"http://127.0.0.1:{port}/health/live", timeout=PATIENCE).status_code == 200
            assert workers_of(process.pid) == first
        os.kill(first[0], signal.SIGKILL)
        now = until(lambda: len(found := workers_of(process.pid)) == 2 and found != first and found)
        assert first[1] in now
        assert said.read_text(encoding="utf-8").count("Meilin") == 1
    finally:
        process.terminate()
        process.wait(30)
