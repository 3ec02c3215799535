"""The live sources of this process: one for each declaration, which the broker passes signals to."""

from typing import Any, TypeAlias

from community.live import Declaration, State
from community.signals import Signal
from realtime.broker import Broker
from realtime.journals import JournalReader, JournalSource
from realtime.pacing import PAUSE
from realtime.states import StateReader, StateSource

Reader: TypeAlias = StateReader[Any] | JournalReader[Any]
Source: TypeAlias = StateSource[Any] | JournalSource[Any]


class LiveSources:
    """The sources by declaration, each made when the first of its keys is watched."""

    def __init__(self, broker: Broker, pause: float = PAUSE) -> None:
        self._broker, self._pause = broker, pause
        self._sources: dict[Declaration[Any, Any], Source] = {}
        broker.listen(self.handle)
        broker.on_resync(self.resync)

    def of(self, declaration: Declaration[Any, Any]) -> Source:
        if (source := self._sources.get(declaration)) is None:
            source = self._sources[declaration] = self._made(declaration)
        return source

    def _made(self, declaration: Declaration[Any, Any]) -> Source:
        register_interest = self._broker.register_interest
        if isinstance(declaration, State):
            return StateSource(
                declaration.topic,
                declaration.read,
                pause=self._pause,
                register_interest=register_interest,
            )
        return JournalSource(declaration, register_interest=register_interest)

    def handle(self, signal: Signal) -> None:
        for source in self._sources.values():
            source.handle(signal)

    def resync(self) -> None:
        for source in self._sources.values():
            source.resync()

    @property
    def watchers(self) -> int:
        return sum(source.watchers for source in self._sources.values())

    @property
    def rounds(self) -> int:
        """How many new values of states were read."""
        return sum(source.rounds for source in self._states)

    @property
    def merged(self) -> int:
        """How many changes came with another one in one read."""
        return sum(source.merged for source in self._states)

    @property
    def _states(self) -> list[StateSource[Any]]:
        return [source for source in self._sources.values() if isinstance(source, StateSource)]
