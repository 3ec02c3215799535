"""The live states of this process, one a topic, wired to the broker."""

from dataclasses import dataclass

from community.bulletin.reads import items_after
from community.database import journal
from community.events.reads import Attendance, attendance_of
from community.signals import Signal, Topic
from community.votes.progress import Progress, progress_of
from realtime.broker import Broker
from realtime.feed import Feed
from realtime.live import Live
from realtime.tempo import PAUSE


@dataclass(frozen=True)
class Watching:
    tally: Live[Progress]
    attendance: Live[Attendance | None]
    bulletin: Feed

    @classmethod
    def through(cls, broker: Broker, pause: float = PAUSE) -> "Watching":
        watching = cls(
            tally=Live(Topic.TALLY, progress_of, pause=pause, want=broker.want),
            attendance=Live(Topic.ATTENDANCE, attendance_of, pause=pause, want=broker.want),
            bulletin=Feed(items_after, journal.head, want=broker.want),
        )
        broker.listen(watching.hear)
        broker.after_gap(watching.everything_changed)
        return watching

    def hear(self, signal: Signal) -> None:
        self.tally.hear(signal)
        self.attendance.hear(signal)
        self.bulletin.hear(signal)

    def everything_changed(self) -> None:
        """After a broken line to the broker."""
        for shown in (self.tally, self.attendance, self.bulletin):
            shown.everything_changed()

    @property
    def moments(self) -> int:
        return self.tally.moments + self.attendance.moments

    @property
    def merged(self) -> int:
        return self.tally.merged + self.attendance.merged

    @property
    def watchers(self) -> int:
        return self.tally.watchers + self.attendance.watchers + self.bulletin.watchers
