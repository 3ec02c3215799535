"""The story of a neighbourhood as planned actions in order of time.

The first telling has two years of history; a later one goes on from what stands in the database.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from community.ledger.rules import Category
from community.votes.lifecycle import counted_from
from demo.agendas import PlannedVote, history, statutory_round, survey_round
from demo.books import Allowed, Line, entered, mistake, month_lines
from demo.days import Month, at, local_day, midnight, months
from demo.gatherings import Gathering, published
from demo.neighbourhood import Neighbourhood
from demo.notices import PlannedNotice, half_years, papers, water_off

YEARS_OF_BOOKS = 2


class Announce(NamedTuple):
    vote: PlannedVote


class Open(NamedTuple):
    vote: PlannedVote


class Cast(NamedTuple):
    """The ballots cast before `until`."""

    vote: PlannedVote
    until: datetime


class Close(NamedTuple):
    vote: PlannedVote


class Publish(NamedTuple):
    event: Gathering


class SignUp(NamedTuple):
    """The households that signed up before `until`."""

    event: Gathering
    until: datetime


class Hang(NamedTuple):
    notice: PlannedNotice


class Enter(NamedTuple):
    lines: tuple[Line, ...]


class Undo(NamedTuple):
    line: Line


class PlannedAction(NamedTuple):
    at: datetime
    what: Announce | Open | Cast | Close | Publish | SignUp | Hang | Enter | Undo


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the database holds of a neighbourhood, as far as going on depends on it."""

    statutory_open: bool
    survey_open: bool
    event_coming: bool
    votes: Mapping[str, date] = field(default_factory=dict)
    """Titles, with the day on which each closes."""
    recent_events: frozenset[str] = frozenset()
    """The titles of those of the last ten months."""
    booked: date | None = None
    """The day of the last entry taken in here."""

    @property
    def complete(self) -> bool:
        return self.statutory_open and self.survey_open and self.event_coming


def first_story(neighbourhood: Neighbourhood, today: date) -> list[PlannedAction]:
    """Everything before today began, oldest first."""
    votes = history(neighbourhood.agenda, neighbourhood.site.committee, today)
    events = [*neighbourhood.past(today), *neighbourhood.festivals(today), *neighbourhood.coming(today, ())]
    events = published(events, midnight(today))
    book = _whole_book(neighbourhood, today, votes, events)
    notices = [
        *papers(today, neighbourhood.papers),
        water_off(today, neighbourhood.water_off),
        *half_years(neighbourhood.site, book, today),
    ]
    return _in_order(today, votes, events, notices, book)


def next_story(neighbourhood: Neighbourhood, today: date, loaded: Loaded) -> list[PlannedAction]:
    """What is missing: open votes, coming events, and with them the pages of the book since."""
    if loaded.complete:
        return []
    votes: list[PlannedVote] = []
    if not loaded.statutory_open:
        votes += statutory_round(neighbourhood.agenda, neighbourhood.site.committee, today, loaded.votes)
    if not loaded.survey_open:
        votes.append(survey_round(neighbourhood.agenda, today, loaded.votes))
    events: list[Gathering] = []
    if not loaded.event_coming:
        festivals = (event for event in neighbourhood.festivals(today) if event.starts_at >= midnight(today))
        events = published([*neighbourhood.coming(today, loaded.recent_events), *festivals], midnight(today))
    book = _pages_since(neighbourhood, today, loaded)
    return _in_order(today, votes, events, [water_off(today, neighbourhood.water_off)], book)


def _in_order(
    today: date,
    votes: Iterable[PlannedVote],
    events: Iterable[Gathering],
    notices: Iterable[PlannedNotice],
    book: Iterable[Line],
) -> list[PlannedAction]:
    until = midnight(today)
    actions = [action for vote in votes for action in _vote_actions(vote, until)]
    actions += [action for event in events for action in _event_actions(event, until)]
    actions += [PlannedAction(notice.published_at, Hang(notice)) for notice in notices]
    actions += _book_actions(book, today)
    return sorted((action for action in actions if action.at < until), key=lambda action: action.at)


def _vote_actions(vote: PlannedVote, until: datetime) -> Iterator[PlannedAction]:
    yield PlannedAction(vote.announced_at, Announce(vote))
    yield PlannedAction(vote.opens_at, Open(vote))
    yield PlannedAction(min(vote.closes_at, until) - timedelta(seconds=1), Cast(vote, until))
    yield PlannedAction(counted_from(vote.closes_at), Close(vote))


def _event_actions(event: Gathering, until: datetime) -> Iterator[PlannedAction]:
    yield PlannedAction(event.published_at, Publish(event))
    yield PlannedAction(min(event.sign_up_closes_at, until) - timedelta(seconds=1), SignUp(event, until))


def _book_actions(book: Iterable[Line], today: date) -> Iterator[PlannedAction]:
    """The book is written up at the end of the month, and on the day on which a mistake is found."""
    lines = list(book)
    found = {line.undone: line for line in lines if line.undone is not None and line.undone < today}

    def written(line: Line) -> date:
        last = min(Month.of(line.day).day(31), today - timedelta(days=1))
        return min([day for day in found if Month.of(day) == Month.of(line.day) and day > line.day] + [last])

    for day, entries in groupby(lines, written):
        yield PlannedAction(at(day, "17:20"), Enter(tuple(entries)))
    for day, line in found.items():
        yield PlannedAction(at(day, "17:40"), Undo(line))


def _whole_book(
    neighbourhood: Neighbourhood, today: date, votes: Iterable[PlannedVote], events: Iterable[Gathering]
) -> list[Line]:
    this = Month.of(today)
    first = this.plus(-12 * YEARS_OF_BOOKS)
    lines = [
        Line(
            first.day(1),
            Category.OTHER,
            "建账：以前年度结余转入",
            neighbourhood.accounts.carried,
            "共有收入专户",
            clause="上一年度审计报告",
        )
    ]
    for month in months(first, this):
        lines += month_lines(neighbourhood.site.slug, neighbourhood.accounts, month)
    lines += mistake(neighbourhood.accounts, this.plus(-3))
    for vote in votes:
        lines += _instalments(vote)
    lines += [_cost(event, neighbourhood.accounts.caterer) for event in events if event.cost]
    closes = {vote.title: local_day(vote.closes_at) for vote in votes}
    return entered(
        _between(lines, first.day(1), today), neighbourhood.accounts, _allowed(neighbourhood, closes)
    )


def _pages_since(neighbourhood: Neighbourhood, today: date, loaded: Loaded) -> list[Line]:
    if loaded.booked is None:
        return []
    lines: list[Line] = []
    for month in months(Month.of(loaded.booked), Month.of(today)):
        lines += month_lines(neighbourhood.site.slug, neighbourhood.accounts, month)
    since = loaded.booked + timedelta(days=1)
    return entered(
        _between(lines, since, today), neighbourhood.accounts, _allowed(neighbourhood, loaded.votes)
    )


def _allowed(neighbourhood: Neighbourhood, closes: Mapping[str, date]) -> dict[Category, Allowed]:
    """Which votes allow income, by the days on which they closed."""
    motions = [held.motion for held in neighbourhood.agenda.history if held.motion.title in closes]
    return {motion.allows: Allowed(motion.title, closes[motion.title]) for motion in motions if motion.allows}


def _between(lines: Iterable[Line], since: date, until: date) -> list[Line]:
    return [line for line in lines if since <= line.day < until]


def _instalments(vote: PlannedVote) -> Iterator[Line]:
    """What an adopted contract is paid by: a deposit, the rest on acceptance, and 3 % a year later."""
    contract = vote.motion.contract
    if contract is None:
        return
    closed = local_day(vote.closes_at)
    for days, percent, what in ((10, 40, "首付款"), (45, 57, "验收款"), (410, 3, "质保金")):
        yield Line(
            closed + timedelta(days=days),
            Category.REPAIR_UPGRADE,
            f"{contract.work}：{what}（{percent}%）",
            contract.price * percent // 100,
            contract.company,
            vote=vote.title,
        )


def _cost(event: Gathering, caterer: str) -> Line:
    day = event.day + timedelta(days=2)
    return Line(day, Category.COMMUNITY_EVENT, f"{event.title}：物料和餐饮", event.cost, caterer)
