"""Asks the members of groups again whether they may watch, after it changed who may read in a community."""

import asyncio

from community.places.facts import READING
from community.signals import Signal
from realtime.broker import call_each
from realtime.groups import Groups, Member

AT_ONCE = 32
"""Members that begin again in one turn of the pacer."""


class AskingAgain:
    """All members pause in the step of the signal; then they begin again, a few in each turn."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._paused: list[Member] = []
        self._task: asyncio.Task[None] | None = None

    def handle(self, signal: Signal) -> None:
        if signal.topic == READING.topic:
            self._ask(signal.key)

    def resync(self) -> None:
        """Asks everybody, after changes may have been missed."""
        self._ask(None)

    def _ask(self, community: int | None) -> None:
        changed = [each for each in self._groups if each.subscription.access.reading_changed(community)]
        members = [member for group in changed for member in group]
        for member in members:
            member.pause()
        self._paused += members
        if self._paused and self._task is None:
            self._task = asyncio.create_task(self._begin_again())

    async def _begin_again(self) -> None:
        try:
            while self._paused:
                async with self._groups.pacer.turn(lambda: len(self._paused)):
                    first, self._paused = self._paused[:AT_ONCE], self._paused[AT_ONCE:]
                    call_each(member.begin for member in first)
        finally:
            self._task = None  # else whoever pauses later would stay so
