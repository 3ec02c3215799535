from typing import Any

import pytest

from community.signals import Signal, Topic
from realtime.broker import MemoryBroker
from realtime.sources import LiveSources


@pytest.mark.parametrize(
    ("field", "topic"),
    [("tally", Topic.TALLY), ("attendance", Topic.ATTENDANCE), ("bulletin", Topic.BULLETIN)],
)
async def test_every_live_state_hears_its_topic_through_the_broker(
    monkeypatch: pytest.MonkeyPatch, field: str, topic: Topic
) -> None:
    broker = MemoryBroker()
    watching = LiveSources(broker)
    heard: list[Signal] = []
    monkeypatch.setattr(getattr(watching, field), "hear", heard.append)
    broker.publish([Signal(topic, 7)])
    assert heard == [Signal(topic, 7)]


async def test_watchers_are_counted_over_all_topics(house: Any) -> None:
    town = house.town
    async with (
        house.watching.tally.watch(town.key("Vote", "open")),
        house.watching.attendance.watch(town.key("Event", "picnic")),
        house.watching.bulletin.watch(town.key("Community", "spring"), None),
        house.watching.bulletin.watch(town.key("Community", "spring"), None),
    ):
        assert house.watching.watchers == 4
    assert house.watching.watchers == 0


async def test_after_a_broken_line_every_state_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = LiveSources(MemoryBroker())
    mended: list[str] = []
    for field in ("tally", "attendance", "bulletin"):
        monkeypatch.setattr(
            getattr(watching, field), "everything_changed", lambda field=field: mended.append(field)
        )
    watching.resync()
    assert sorted(mended) == ["attendance", "bulletin", "tally"]
