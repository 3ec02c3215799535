"""Changes without ballots, so that the live side can be measured by itself."""

import json
import time
from dataclasses import dataclass, field, replace
from typing import TextIO

from community.signals import Signal
from community.votes.facts import TALLY
from community.votes.progress import Progress, progress_of
from realtime.broker import Broker
from schema.nodes import key_of


@dataclass
class _Vote:
    """`changed`: when the first change came that nobody has read yet."""

    version: int = 0
    changed: int | None = None
    state: Progress | None = None
    storm_ends: float = 0.0


@dataclass
class Tallies:
    """Stands before the read of a tally, so that each change has a version of its own.

    Unless `real`, the database is asked once and then left out of what is measured.
    """

    real: bool
    rounds: list[tuple[int, int, int]] = field(default_factory=list)
    votes: dict[int, _Vote] = field(default_factory=dict)
    broker: Broker | None = None

    def listen_to(self, broker: Broker) -> None:
        self.broker = broker
        broker.listen(self.handle)

    def handle(self, signal: Signal) -> None:
        if signal.topic == TALLY.topic:
            vote = self.votes.setdefault(signal.key, _Vote())
            if vote.changed is None:
                vote.changed = time.monotonic_ns()
                vote.version += 1

    async def read(self, key: int) -> Progress:
        vote = self.votes.setdefault(key, _Vote())
        now, changed, version, vote.changed = time.monotonic_ns(), vote.changed, vote.version, None
        if vote.state is None or self.real:
            vote.state = await progress_of(key)
        if time.monotonic() < vote.storm_ends:
            self.change(key)
        elif changed is not None:  # those of a storm would fill the memory that is being measured
            self.rounds.append((version, changed, now))
        return replace(vote.state, version=version)

    def change(self, key: int) -> None:
        assert self.broker is not None  # noqa: S101 - the app is built
        self.broker.publish([Signal(TALLY.topic, key)])

    def storm(self, key: int, seconds: float) -> None:
        self.votes.setdefault(key, _Vote()).storm_ends = time.monotonic() + seconds
        self.change(key)

    def obey(self, line: str, answers: TextIO) -> None:
        match line.split():
            case ["change", vote]:
                self.change(key_of(vote, "Vote"))
            case ["storm", vote, seconds]:
                self.storm(key_of(vote, "Vote"), float(seconds))
            case ["rounds"]:
                rounds, self.rounds = self.rounds, []
                print(json.dumps({"rounds": rounds}), file=answers, flush=True)
