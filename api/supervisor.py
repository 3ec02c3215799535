"""Several workers: which of them live, and which are replaced.

Of uvicorn, whose supervisors are not documented, it asks for these names, and for no others:

    config          STARTUP_FAILURE
    Multiprocess    config, keep_subprocess_alive (which it calls), processes, run, should_exit, sockets
    Process         exitcode, join, kill, parent_conn, pid, process, start
"""

import logging
import time
from contextlib import suppress
from socket import socket
from weakref import WeakKeyDictionary

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

STARTING, FREEZING = 600.0, 60.0
"""Seconds for a worker to begin, on a slow machine, and in which it may be silent afterwards."""

log = logging.getLogger(__name__)


class Supervisor(Multiprocess):
    """Has more patience with its workers than uvicorn, and never stands still for one of them: stock, it asks
    each whether it lives, waits for the answer, and kills whoever gives none within seconds.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self._pulses: WeakKeyDictionary[Process, _Pulse] = WeakKeyDictionary()

    @property
    def exit_code(self) -> int:
        """Of this process: not 0 if a worker could not start."""
        failed = any(worker.exitcode == STARTUP_FAILURE for worker in self.processes)
        return STARTUP_FAILURE if failed else 0

    def keep_subprocess_alive(self) -> None:
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if process.process.is_alive() and self._pulses.setdefault(process, _Pulse()).answers(process):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                log.error("Child process [%d] failed to start, stopping the parent process.", process.pid)
                self.should_exit.set()
                return
            log.warning("Child process [%d] died", process.pid)
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()


class _Pulse:
    """When a worker last answered a ping."""

    def __init__(self) -> None:
        self._seen, self._patience = time.monotonic(), STARTING
        self._waiting = False

    def answers(self, process: Process) -> bool:
        pipe = process.parent_conn
        with suppress(OSError, EOFError):  # it died just now; the next look finds it dead
            while pipe.poll():
                pipe.recv()
                self._seen, self._patience, self._waiting = time.monotonic(), FREEZING, False
            if not self._waiting:
                pipe.send(b"ping")
                self._waiting = True
        return time.monotonic() - self._seen < self._patience
