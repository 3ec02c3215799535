"""Runs the actions of a story, each at its time in the past, through the actions of the topics."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from community.bulletin.actions import publish_notice
from community.events.actions import RecordedSignUp, publish_event, record_sign_ups
from community.ledger.actions import NewEntry, record_entries, reverse_entry
from community.members.reads import person_of
from community.permissions import SYSTEM, Person
from community.votes.actions import (
    NewQuestion,
    RecordedBallot,
    announce_vote,
    close_vote,
    keep_from_timers,
    open_vote,
    record_ballots,
)
from community.votes.casting import Answered
from community.votes.reads import questions_of
from community.votes.scope import WHOLE, VoteScope, of_buildings
from demo.agendas import PlannedVote
from demo.ballots import PlannedBallot, ballots
from demo.books import Line
from demo.estates import Estate
from demo.gatherings import Gathering, sign_ups
from demo.matters import Ask
from demo.notices import PlannedNotice
from demo.reads import Names, entry_with, vote_titled
from demo.story import (
    Announce,
    Cast,
    Close,
    Enter,
    Hang,
    Open,
    PlannedAction,
    Publish,
    SignUp,
    Undo,
)

_AN_HOUR = timedelta(hours=1)


class Telling:
    """Runs the actions of one neighbourhood; it remembers the ids of what it made."""

    def __init__(self, estate: Estate, names: Names, now: datetime) -> None:
        self._estate = estate
        self._names = names
        self._now = now
        self._votes: dict[str, int] = {}
        self._events: dict[Gathering, int] = {}

    async def do(self, action: PlannedAction) -> None:
        match action.what:
            case Announce(vote):
                await self._announce(action.at, vote)
            case Open(vote):
                await open_vote(SYSTEM, action.at, self._votes[vote.title])
            case Cast(vote, until):
                await self._cast(action.at, vote, until)
            case Close(vote):
                await close_vote(SYSTEM, action.at, self._votes[vote.title])
            case Publish(event):
                await self._publish(action.at, event)
            case SignUp(event, until):
                await self._sign_up(action.at, event, until)
            case Hang(notice):
                await self._hang(action.at, notice)
            case Enter(lines):
                await self._enter(action.at, lines)
            case Undo(line):
                entry = await entry_with(self._names.community, line.voucher)
                reason = f"{line.voucher} 金额多录了一位，已按更正后的金额重新入账"
                await reverse_entry(await self._committee(action.at), action.at, entry, reason=reason)

    async def _committee(self, now: datetime) -> Person:
        account = self._names.accounts["committee"]
        return await person_of(account, now)

    async def _announce(self, now: datetime, vote: PlannedVote) -> None:
        motion = vote.motion
        made = await announce_vote(
            SYSTEM,
            now,
            self._names.community,
            convener=self._names.organizations[vote.convener],
            title=vote.title,
            description=motion.description,
            form=motion.form,
            opens_at=vote.opens_at,
            closes_at=vote.closes_at,
            questions=[self._question(ask) for ask in motion.asks],
            scope=self._scope(motion.building) or WHOLE,
            follow_majority=motion.follow,
            revisable=motion.revisable,
        )
        self._votes[vote.title] = made
        await keep_from_timers(SYSTEM, self._now, made, self._now + _AN_HOUR)

    def _question(self, ask: Ask) -> NewQuestion:
        return NewQuestion(
            ask.title,
            ask.description,
            ask.kind,
            ask.matter,
            choices=ask.choices,
            scope=self._scope(ask.building),
            max_choices=ask.most,
            accepts_text=bool(ask.remarks),
        )

    def _scope(self, building: str | None) -> VoteScope | None:
        return None if building is None else of_buildings(self._names.buildings[building])

    async def _cast(self, now: datetime, vote: PlannedVote, until: datetime) -> None:
        made = self._votes[vote.title]
        questions = [question.id for question in (await questions_of([made]))[made]]
        cast = [self._recorded(ballot, questions) for ballot in ballots(self._estate, vote, until)]
        await record_ballots(SYSTEM, now, made, cast)

    def _recorded(self, ballot: PlannedBallot, questions: Sequence[int]) -> RecordedBallot:
        answers = [
            Answered(questions[answer.question], answer.choices, answer.text) for answer in ballot.answers
        ]
        party = self._names.parties[ballot.party]
        return RecordedBallot(party, ballot.cast_at, answers, ballot.channel, ballot.evidence)

    async def _publish(self, now: datetime, event: Gathering) -> None:
        self._events[event] = await publish_event(
            SYSTEM,
            now,
            self._names.community,
            title=event.title,
            description=event.description,
            place=event.place,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            sign_up_closes_at=event.sign_up_closes_at,
            capacity=event.capacity,
            max_party_size=event.most,
            potluck=event.potluck,
            organizers=[self._names.organizations[kind] for kind in event.organizers],
        )

    async def _sign_up(self, now: datetime, event: Gathering, until: datetime) -> None:
        accounts = self._names.accounts
        households = [
            RecordedSignUp(accounts[plan.account], plan.party_size, plan.dish, plan.at)
            for plan in sign_ups(self._estate, event, until)
        ]
        await record_sign_ups(SYSTEM, now, self._events[event], households)

    async def _hang(self, now: datetime, notice: PlannedNotice) -> None:
        await publish_notice(
            SYSTEM,
            now,
            self._names.community,
            kind=notice.kind,
            title=notice.title,
            body=notice.body,
            effective_from=notice.effective_from,
            effective_until=notice.effective_until,
            organization=self._names.organizations[notice.by],
        )

    async def _enter(self, now: datetime, lines: Sequence[Line]) -> None:
        entries = [await self._entry(line) for line in lines]
        await record_entries(SYSTEM, now, self._names.community, entries, posted=True)

    async def _entry(self, line: Line) -> NewEntry:
        return NewEntry(
            line.day,
            line.direction,
            line.category,
            line.item,
            line.amount,
            line.counterparty,
            line.voucher,
            None if line.vote is None else await self._vote(line.vote),
            line.clause,
            self._names.accounts["committee" if line.of_the_committee else "manager"],
        )

    async def _vote(self, title: str) -> int:
        """Of this story, or of one told before."""
        if title not in self._votes:
            self._votes[title] = await vote_titled(self._names.community, title)
        return self._votes[title]
