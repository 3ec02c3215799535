"""When an estate votes on what: two years of history, and the rounds that follow."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import count
from typing import NamedTuple

from community.places.rules import OrganizationKind
from demo.days import at
from demo.matters import Motion
from demo.numerals import numeral
from demo.surveys import survey, survey_titles


@dataclass(frozen=True, slots=True)
class Held:
    """A motion with its time: it opens so many days from today and stays open for `days`.

    `turnout`: the share of the parties that has cast by the close, or by now while it is open.
    """

    motion: Motion
    opens: int
    days: int
    turnout: float = 0.0
    notice: int = 17


class Agenda(NamedTuple):
    """The votes of an estate. `answering`: the share of its parties that answers a survey."""

    history: tuple[Held, ...]
    open: Held
    announced: Held
    rota: tuple[Motion, ...]
    answering: float


@dataclass(frozen=True, slots=True)
class PlannedVote:
    motion: Motion
    convener: OrganizationKind
    announced_at: datetime
    opens_at: datetime
    closes_at: datetime
    turnout: float = 0.0

    @property
    def title(self) -> str:
        return self.motion.title


_LAST_SURVEY, _THIS_SURVEY, _SURVEY_DAYS = -101, -9, 21


def history(agenda: Agenda, committee: OrganizationKind, today: date) -> list[PlannedVote]:
    """Two years of votes, up to the two that are open now and the one announced."""
    past = (_plan(held, held.motion, committee, today) for held in agenda.history)
    last_quarter = _survey(agenda, today + timedelta(days=_LAST_SURVEY), ())
    return [
        *past,
        last_quarter,
        *statutory_round(agenda, committee, today, ()),
        survey_round(agenda, today, ()),
    ]


def statutory_round(
    agenda: Agenda, committee: OrganizationKind, today: date, taken: Container[str]
) -> list[PlannedVote]:
    """A vote that is open now and one announced, under titles that are not `taken` yet."""
    fresh = (motion for motion in _proposals(agenda) if motion.title not in taken)
    return [_plan(held, next(fresh), committee, today) for held in (agenda.open, agenda.announced)]


def survey_round(agenda: Agenda, today: date, taken: Container[str]) -> PlannedVote:
    """The survey of this quarter, open now."""
    return _survey(agenda, today + timedelta(days=_THIS_SURVEY), taken)


def _proposals(agenda: Agenda) -> Iterator[Motion]:
    """What is put to the vote one after the other; when the rota is through, its second phase (二期)."""
    yield from (agenda.open.motion, agenda.announced.motion, *agenda.rota)
    for phase in count(2):
        yield from (replace(motion, title=f"{motion.title}（{numeral(phase)}期）") for motion in agenda.rota)


def _plan(held: Held, motion: Motion, convener: OrganizationKind, today: date) -> PlannedVote:
    """Opens at nine in the morning and closes in the evening, as notices of assemblies have it."""
    opens = today + timedelta(days=held.opens)
    return PlannedVote(
        motion,
        convener,
        announced_at=at(opens - timedelta(days=held.notice), "08:30"),
        opens_at=at(opens, "09:00"),
        closes_at=at(opens + timedelta(days=held.days), "20:00"),
        turnout=held.turnout,
    )


def _survey(agenda: Agenda, opens: date, taken: Container[str]) -> PlannedVote:
    title = next(title for title in survey_titles(opens) if title not in taken)
    held = Held(survey(title), opens=0, days=_SURVEY_DAYS, turnout=agenda.answering, notice=3)
    return _plan(held, held.motion, OrganizationKind.RESIDENTS_COMMITTEE, opens)
