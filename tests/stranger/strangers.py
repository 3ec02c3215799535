"""Strangers at a server's door: whatever they do follows from a seed, and is looked at as they go.

A seed, a kind and a number are one script: `Strangers(…, seed).script("frames", 17)` is what was played then.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema

from tests.stranger.documents import Writer
from tests.stranger.frames import SocketWriter
from tests.stranger.heads import HeadWriter
from tests.stranger.town import Asker, Grounds
from tests.stranger.wire import HERE, Script, codes, play, statuses, texts
from tests.world.server import Server

KINDS = ("documents", "frames", "heads")
MOST_CPU = 0.15
"""Seconds, of a document and of a stretch without a turn of the loop."""

MOST_SUSPECTS = 200
METRICS = "the metrics, please"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    number: int
    script: str
    asker: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.number} ({self.script}, {self.asker}): {self.what}"


@dataclass
class Strangers:
    """`stretches`: asked after each script what long stretches of CPU there were; none where nobody tells."""

    grounds: Grounds
    schema: GraphQLSchema
    port: int
    seed: str
    stretches: Callable[[], Sequence[float]] = field(default=tuple)
    findings: list[Finding] = field(default_factory=list)
    played: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    _under_way: set[tuple[str, int]] = field(default_factory=set)
    _suspects: set[tuple[str, int]] = field(default_factory=set)

    def script(self, kind: str, number: int) -> Script:
        chance = random.Random(f"{self.seed}/{kind}/{number}")  # noqa: S311 - to be drawn again
        asker = chance.choice(self.grounds.askers)
        writer, host = Writer(self.schema, chance, self.grounds.words), f"{HERE}:{self.port}"
        if kind == "documents":
            return HeadWriter(writer, asker, host).asking(writer.request())
        if kind == "frames":
            return SocketWriter(writer, asker, host).script()
        return HeadWriter(writer, asker, host).script()

    async def play(self, kind: str, numbers: Iterable[int], address: str = HERE) -> None:
        """One after the other."""
        for number in numbers:
            script = self.script(kind, number)
            self._under_way.add((kind, number))
            received = await play(script, self.port, address)
            self.played[kind] += 1
            self._look(kind, number, script, received)
            if self.stretches():
                self._suspects |= self._under_way
            self._under_way.discard((kind, number))

    async def play_all(self, kind: str, numbers: Iterable[int], at_once: int, address: str = HERE) -> None:
        left = iter(numbers)
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(self.play(kind, left, address))

    async def confirm(self) -> None:
        """Whoever was there when the loop was held does it again, alone and twice: then it was not chance."""
        suspects, self._suspects = sorted(self._suspects)[:MOST_SUSPECTS], set()
        for kind, number in suspects:
            held = []
            for _ in range(2):
                script = self.script(kind, number)
                await play(script, self.port)
                held.append(max(self.stretches(), default=0.0))
            if all(held):
                what = f"held the loop for {min(held)} ms"
                self.findings.append(Finding(kind, number, script.name, script.asker, what))

    def _look(self, kind: str, number: int, script: Script, received: bytes) -> None:
        def found(what: str) -> None:
            self.findings.append(Finding(kind, number, script.name, script.asker, what))

        said, told = texts(received), statuses(received)
        self.answers.update(map(str, told))
        self.answers.update(codes(said))
        if "INTERNAL" in codes(said) or any(status >= 500 and status != 503 for status in told):
            found(f"our fault: {told} {said[:300]}")
        for leak in self.grounds.leaks(self._asker(script), script.said.decode(errors="replace"), said):
            found(leak)

    def _asker(self, script: Script) -> Asker:
        return next(each for each in self.grounds.askers if each.name == script.asker)


class Stretches:
    """Reads what `turning` tells; each call gives what is new."""

    def __init__(self, file: Path, above: float) -> None:
        self._file, self._above, self._read = file, above, 0
        self.longest = 0.0
        file.touch()

    def __call__(self) -> list[float]:
        found = [float(line) for line in self._file.read_text().splitlines()]
        new, self._read = found[self._read :], len(found)
        self.longest = max([self.longest, *new])
        return [stretch for stretch in new if stretch > self._above]


def resident(pid: int) -> int:
    """Bytes of memory that a process really has."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


def faults(log: str) -> list[str]:
    """What a server logged that it should not have had to."""
    return [
        line for line in log.splitlines() if '"level":"error"' in line.replace(" ", "") or "Traceback" in line
    ]


def at_rest(metrics: str) -> dict[str, float]:
    """What a server holds while it answers this: all of it ends with those who wanted it."""
    names = ("sockets", "watchers", "groups", "group_members", "under_way")
    found: dict[str, Any] = {}
    for name in names:
        value = re.search(rf"^meilin_{name} (\S+)$", metrics, re.MULTILINE)
        if value:
            found[name] = float(value[1])
    return found


QUIET = {"sockets": 0, "watchers": 0, "groups": 0, "group_members": 0, "under_way": 1}
"""`under_way`: whoever asks."""


@dataclass
class Attacked:
    server: Server
    grounds: Grounds
    stretches: Stretches

    def strangers(self, schema: GraphQLSchema, seed: str) -> Strangers:
        return Strangers(self.grounds, schema, self.server.port, seed, self.stretches)

    def memory(self) -> int:
        return resident(self.server.process.pid)

    async def rest(self) -> dict[str, float]:
        """What is held, once that is no more than what nobody wants."""
        for _ in range(200):
            metrics = self.server.client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"}).text
            found = at_rest(metrics)
            if found == QUIET:
                break
            await asyncio.sleep(0.1)
        return found
