"""Loads the demonstration, and goes on with it when what was open is over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from community.database.deadline import unhurried
from demo.days import local_day, midnight
from demo.estates import Estate, build
from demo.meizai import MEIZAI
from demo.neighbourhood import Neighbourhood
from demo.qiantang import QIANTANG
from demo.reads import community_of, loaded, names_in
from demo.settling import appoint_city_offices, settle
from demo.story import PlannedAction, first_story, next_story
from demo.telling import Telling
from demo.zijin import ZIJIN

Report = Callable[[str, int, int], None]
"""Is told what is being done, how many steps are done, and of how many."""

NEIGHBOURHOODS = (MEIZAI, ZIJIN, QIANTANG)

_SETTLED = timedelta(days=800)


@dataclass(slots=True)
class _Progress:
    report: Report
    total: int = 0
    done: int = 0

    def step(self, doing: str) -> None:
        self.done += 1
        self.report(doing, self.done, self.total)


async def load(now: datetime, report: Report) -> None:
    """Adds what is missing to the open database: everything the first time, nothing while it all stands.

    What stands is never changed, and a real community of the same name left alone. Of the same day, the same
    content.
    """
    progress = _Progress(report)
    chapters = [
        chapter for neighbourhood in NEIGHBOURHOODS if (chapter := await _chapter(neighbourhood, now))
    ]
    progress.total = sum(len(chapter.actions) + (chapter.community is None) for chapter in chapters)
    with unhurried():
        if progress.total:
            await appoint_city_offices(midnight(local_day(now)) - _SETTLED)
        for chapter in chapters:
            await _play(chapter, now, progress)


@dataclass(frozen=True, slots=True)
class _Chapter:
    """What is to be told of one neighbourhood; `community` is None where it has yet to be founded."""

    neighbourhood: Neighbourhood
    community: int | None
    actions: list[PlannedAction] = field(default_factory=list)


async def _chapter(neighbourhood: Neighbourhood, now: datetime) -> _Chapter | None:
    today = local_day(now)
    found = await community_of(neighbourhood.site.slug)
    if found is None:
        return _Chapter(neighbourhood, None, first_story(neighbourhood, today))
    community, demonstration = found
    if not demonstration:
        return None
    stands = await loaded(community, now)
    actions = next_story(neighbourhood, today, stands) if stands.votes else first_story(neighbourhood, today)
    return _Chapter(neighbourhood, community, actions)


async def _play(chapter: _Chapter, now: datetime, progress: _Progress) -> None:
    site, community = chapter.neighbourhood.site, chapter.community
    if not chapter.actions:
        return
    estate: Estate = build(site)
    if community is None:
        community = await settle(midnight(local_day(now)) - _SETTLED, estate)
        progress.step(site.name)
    telling = Telling(estate, await names_in(community, site.slug), now)
    for action in chapter.actions:
        await telling.do(action)
        progress.step(site.name)
