"""A vote is announced, opened, voted in and counted here; nothing else writes its tables."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from community.database import due
from community.database.commands import Command
from community.database.ids import new_id
from community.database.journal import lock_number
from community.database.sql import lock_exclusive, lock_shared
from community.database.steps import LONGEST_REASON, take_step
from community.database.work import UnitOfWork, requires
from community.errors import InvalidInput, NotFound, TryAgain
from community.members.models import OwnerParty
from community.members.reads import PartySeat, seats_of
from community.members.rules import PartyKind, check_representative
from community.permissions import Permission
from community.places.models import Building, Community, Organization, Unit
from community.places.reads import profiles_of, scope_of
from community.steps import StepRefused
from community.text import single_line, single_line_if_any
from community.votes.announcements import (
    LONGEST_EVIDENCE,
    check_announcement,
    check_question,
    choices_of,
    cleaned_choices,
    cleaned_description,
    cleaned_question,
    cleaned_title,
    contests_of,
)
from community.votes.casting import (
    AlreadyCast,
    Answered,
    Channel,
    NotOnRoll,
    PartyRequired,
    QuestionKind,
    Validity,
    VoteForm,
    check_answers,
    cleaned_answers,
    meaning_of,
)
from community.votes.facts import BALLOT_CAST, VOTE_ANNOUNCED, VOTE_CLOSED, VOTE_OPENED, VOTE_RECOUNTED
from community.votes.lifecycle import (
    LIFE,
    VoteNotOpen,
    VoteStep,
    check_open,
    counted_from,
)
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Choice,
    Contest,
    Count,
    CountedBallot,
    CountResult,
    Question,
    Roll,
    RollEntry,
    RollUnit,
    Vote,
    VoteScopePart,
    VoteScopeRecord,
    VoteStepRecord,
)
from community.votes.progress import Register, developer_of, progress_of, read_register, scopes
from community.votes.reads import (
    BallotBox,
    Entries,
    RollQuestion,
    VoteRow,
    ballot_box,
    counted_ballots,
    newest_of,
    newest_sequence,
    on_roll,
    questions_of,
    questions_on_roll,
    scope_of_vote,
    scopes_by_id,
    vote_row,
)
from community.votes.results import result_of
from community.votes.roll import electorate, form_roll
from community.votes.rules import FollowMajority, Matter, Silence
from community.votes.scope import WHOLE, VoteScope

OPEN = "open_vote"
CLOSE = "close_vote"


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """`choices` (code and label) are the options of a survey; a resolution has its own.

    `scope`: None for that of the vote.
    """

    title: str
    description: str
    kind: QuestionKind
    matter: Matter
    choices: Sequence[tuple[str, str]] = ()
    scope: VoteScope | None = None
    min_choices: int = 1
    max_choices: int = 1
    accepts_text: bool = False


@requires(Permission.ANNOUNCE_VOTE, within=scope_of)
async def announce_vote(
    work: UnitOfWork,
    community: int,
    *,
    convener: int,
    title: str,
    description: str,
    form: VoteForm,
    opens_at: datetime,
    closes_at: datetime,
    questions: Sequence[NewQuestion],
    scope: VoteScope = WHOLE,
    parking_counts: bool = False,
    follow_majority: FollowMajority | None = None,
    silence: Silence = Silence.ABSENT,
    revisable: bool = False,
) -> int:
    """The new vote's id.

    Raises InvalidInput where notice or window are unlawful (杭州市物业管理条例 19, 20), or a question is.
    """
    version = (await Community.get(id=community).values("profile_version"))["profile_version"]
    profile = (await profiles_of([community]))[community, version]
    check_announcement(profile, form, work.now, opens_at, closes_at, [q.matter for q in questions], silence)
    if not await Organization.exists(id=convener, community_id=community):
        raise NotFound
    records = await _record_scopes(community, scope, [question.scope or scope for question in questions])
    vote = new_id()
    await Vote.create(
        id=vote,
        community_id=community,
        convener_id=convener,
        title=cleaned_title(title),
        description=cleaned_description(description, "description"),
        form=form,
        scope_id=records[scope],
        profile_version=version,
        parking_counts=parking_counts,
        follow_majority=follow_majority,
        silence=silence,
        revisable=revisable,
        announced_at=work.now,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    await _take(work, vote, VoteStep.ANNOUNCED)
    contests = await _record_contests(vote, [question.matter for question in questions])
    for position, question in enumerate(questions):
        part = Part(vote, position, contests[position], records[question.scope or scope])
        await _ask(part, question, follow=follow_majority is not None)
    await due.plan(OPEN, vote, opens_at)
    await due.plan(CLOSE, vote, counted_from(closes_at))
    work.record(VOTE_ANNOUNCED, vote)
    return vote


async def _record_scopes(
    community: int, scope: VoteScope, asked: Sequence[VoteScope]
) -> dict[VoteScope, int]:
    """By scope, its record. Raises NotFound, InvalidInput where a question asks whom the vote does not."""
    scopes = dict.fromkeys([scope, *asked])
    buildings = frozenset[Hashable]().union(*(one.buildings for one in scopes))
    units = frozenset[Hashable]().union(*(one.units for one in scopes))
    housed: dict[Hashable, Hashable] = {
        row["id"]: row["building_id"]
        for row in await Unit.filter(id__in=units, community_id=community).values("id", "building_id")
    }
    known = await Building.filter(id__in=buildings, community_id=community).count()
    if known < len(buildings) or len(housed) < len(units):
        raise NotFound
    if not all(one.within(scope, housed) for one in scopes):
        raise InvalidInput(
            problem_zh="议题不能问表决范围以外的业主",
            problem_en="a question asks nobody whom the vote does not ask",
        )
    return {one: await _record_scope(community, one) for one in scopes}


async def _record_scope(community: int, scope: VoteScope) -> int:
    record = new_id()
    await VoteScopeRecord.create(id=record, community_id=community)
    parts = [
        *({"building_id": building} for building in scope.buildings),
        *({"unit_id": unit} for unit in scope.units),
    ]
    await VoteScopePart.bulk_create(
        (VoteScopePart(scope_id=record, **part) for part in parts or [{"community_id": community}]),
        batch_size=1000,
    )
    return record


async def _record_contests(vote: int, matters: Sequence[Matter]) -> list[int]:
    """For each question, the contest that it belongs to."""
    first = contests_of(matters)
    contests = {position: new_id() for position in dict.fromkeys(first)}
    await Contest.bulk_create(
        Contest(id=contest, vote_id=vote, position=position) for position, contest in contests.items()
    )
    return [contests[position] for position in first]


class Part(NamedTuple):
    """Where a question stands in its vote."""

    vote: int
    position: int
    contest: int
    scope: int


async def _ask(part: Part, new: NewQuestion, *, follow: bool) -> None:
    field = f"questions.{part.position}"
    offered = cleaned_choices(choices_of(new.kind, new.choices, follow=follow), field)
    check_question(new.kind, new.matter, offered, new.min_choices, new.max_choices)
    question = new_id()
    await Question.create(
        id=question,
        vote_id=part.vote,
        contest_id=part.contest,
        scope_id=part.scope,
        position=part.position,
        title=cleaned_question(new.title, field),
        description=cleaned_description(new.description, f"{field}.description"),
        kind=new.kind,
        matter=new.matter,
        min_choices=new.min_choices,
        max_choices=new.max_choices,
        accepts_text=new.accepts_text,
    )
    await Choice.bulk_create(
        Choice(question_id=question, position=index, code=code, label=label)
        for index, (code, label) in enumerate(offered)
    )


async def _take(work: UnitOfWork, vote: int, step: VoteStep, reason: str | None = None) -> None:
    """Raises StepRefused."""
    await take_step(VoteStepRecord, LIFE, vote, step, at=work.now, actor=work.recorder, reason=reason)


@requires(Permission.OPERATE, within=scope_of_vote)
async def open_vote(work: UnitOfWork, vote: int) -> None:
    """Freezes the roll and opens the ballot box, once, however late.

    Raises VoteNotOpen before its time, TryAgain while time is in doubt.
    """
    await lock_exclusive("vote", vote)
    row = await vote_row(vote)
    if work.now < row.opens_at:
        raise VoteNotOpen
    await _open(work, row)


async def _open(work: UnitOfWork, vote: VoteRow) -> None:
    if vote.opened or not await due.claim(OPEN, vote.id, work.now):
        return
    if vote.last_step is not VoteStep.ANNOUNCED:
        return  # withdrawn or annulled
    questions = (await questions_of([vote.id]))[vote.id]
    # Who owns what is read as of the opening, so that a late timer changes nobody's vote.
    developer = await developer_of(vote.community_id)
    if developer is None:
        developer = (await OwnerParty.create(community_id=vote.community_id, kind=PartyKind.DEVELOPER)).id
    register = await read_register(vote.community_id, vote.opens_at, developer)
    for scope, extent in (await scopes_by_id(scopes(vote, questions))).items():
        roll = await _freeze(work, vote, register, scope, extent)
        await Question.filter(vote_id=vote.id, scope_id=scope).update(roll_id=roll)
        if scope == vote.scope_id:
            await Vote.filter(id=vote.id).update(roll_id=roll)
    await _take(work, vote.id, VoteStep.OPENED)
    work.record(VOTE_OPENED, vote.id)


async def _freeze(work: UnitOfWork, vote: VoteRow, register: Register, scope: int, extent: VoteScope) -> int:
    entries = form_roll(register.units, register.developer, scope=extent, parking_counts=vote.parking_counts)
    total = electorate(entries.values())
    roll = new_id()
    await Roll.create(
        id=roll,
        vote=vote.id,
        scope_id=scope,
        heads=total.heads,
        area=total.area,
        frozen_at=work.now,
    )
    await RollEntry.bulk_create(
        (
            RollEntry(roll_id=roll, party_id=party, heads=entry.weight.heads, area=entry.weight.area)
            for party, entry in entries.items()
        ),
        batch_size=1000,
    )
    await RollUnit.bulk_create(
        (
            RollUnit(roll_id=roll, unit_id=unit.unit, party_id=party, area=unit.area)
            for party, entry in entries.items()
            for unit in entry.units
        ),
        batch_size=1000,
    )
    return roll


@requires(Permission.CAST_BALLOT, within=scope_of_vote, known_by=Permission.READ_BULLETIN)
async def cast_ballot(
    work: UnitOfWork,
    vote: int,
    *,
    answers: Sequence[Answered],
    party: int | None = None,
    key: str | None = None,
) -> int:
    """The ballot's id; the same `key` with the same answers returns the first one's, while that one counts.

    Raises VoteNotOpen, VoteClosed, NotOnRoll, PartyRequired, NotRepresentative, AlreadyCast, KeyReused,
    and what `check_answers` refuses. A ballot counts if opens_at ≤ now < closes_at.
    """
    answers = cleaned_answers(answers)
    command = await work.command("castBallot", key, vote=vote, answers=meaning_of(answers))
    if command.result is not None:
        return await _first_receipt(command, command.result, vote, party)
    box = await _open_box(work, vote)
    questions = await questions_on_roll(vote)
    seats = {seat.party: seat for seat in await seats_of(work.account, box.community, work.now)}
    entries = await on_roll({box.roll, *(question.roll for question in questions.values())}, list(seats))
    seat = _seat(box, seats, entries, party)
    _check_answers(questions, entries, seat.party, answers)
    check_representative(seat.named, work.account)
    ballot = await _record(work, box, RecordedBallot(seat.party, work.now, answers))
    await command.store(ballot)
    work.record(BALLOT_CAST, vote)
    return ballot


async def _first_receipt(command: Command, first: int, vote: int, party: int | None) -> int:
    """No party named is the first ballot's, whoever the viewer acts for by now. Raises KeyReused."""
    ballot = await Ballot.get(id=first).values("vote_id", "party_id")
    own = ballot["party_id"]
    stands = (await counted_ballots(vote, [own])).get(own) == first
    return command.again(
        same=(ballot["vote_id"], own) == (vote, own if party is None else party), stands=stands
    )


def check_opened(*, opened: bool) -> None:
    """Whoever casts first opens a vote whose timer is late. Raises TryAgain while time is in doubt."""
    if not opened and due.in_doubt():
        raise TryAgain


async def _open_box(work: UnitOfWork, vote: int) -> BallotBox:
    """The box of an open vote, held so that no closing count passes by; opened now if its timer is late."""
    box = await ballot_box(vote)
    check_open(box.status(work.now))
    if box.roll is None:
        await lock_exclusive("vote", vote)
        await _open(work, await vote_row(vote))
        box = await ballot_box(vote)
    elif await lock_shared("vote", vote):
        box = await ballot_box(vote)
    check_open(box.status(work.now))  # a clock that runs behind must not slip a ballot in after the count
    return box


def _seat(box: BallotBox, seats: Mapping[int, PartySeat], entries: Entries, party: int | None) -> PartySeat:
    """The one owner party for which this account casts."""
    able = [own for own in seats if (box.roll, own) in entries]
    if not able:
        raise NotOnRoll
    if party is not None and party not in able:
        raise NotOnRoll(field="party")
    if party is None and len(able) > 1:
        raise PartyRequired(field="party")
    return seats[able[0] if party is None else party]


def _check_answers(
    questions: Mapping[int, RollQuestion], entries: Entries, party: int, answers: Sequence[Answered]
) -> None:
    own = {key: question.terms for key, question in questions.items() if (question.roll, party) in entries}
    for index, answer in enumerate(answers):
        if answer.question in questions and answer.question not in own:
            raise NotOnRoll(field=f"answers.{index}.questionId", question=answer.question)
    if not own:
        raise NotOnRoll  # of a vote that asks other buildings only
    check_answers(own, answers)


@dataclass(frozen=True, slots=True)
class RecordedBallot:
    """A ballot as somebody wrote it down; `evidence` refers to the paper or the recording."""

    party: int
    cast_at: datetime
    answers: Sequence[Answered]
    channel: Channel = Channel.ONLINE
    evidence: str | None = None


def _cleaned(ballot: RecordedBallot) -> RecordedBallot:
    evidence = single_line_if_any(ballot.evidence, LONGEST_EVIDENCE, "凭据", "the evidence", field="evidence")
    return replace(ballot, answers=cleaned_answers(ballot.answers), evidence=evidence)


async def _record(work: UnitOfWork, box: BallotBox, new: RecordedBallot) -> int:
    """Adds the ballot and moves the pointer, under the lock that gives numbers. Raises AlreadyCast."""
    await lock_number()
    newest, counted = await newest_of(box.vote, new.party)
    if counted is not None and not box.revisable:
        raise AlreadyCast
    (ballot,) = await _write_ballots(work, box.vote, newest, [new])
    if counted is not None:
        await CountedBallot.filter(vote_id=box.vote, party_id=new.party).update(ballot_id=ballot)
    else:
        await CountedBallot.create(vote_id=box.vote, party_id=new.party, ballot_id=ballot)
    return ballot


async def _write_answers(answers: dict[int, Sequence[Answered]]) -> None:
    given = [(ballot, answer) for ballot, all_answers in answers.items() for answer in all_answers]
    await BallotChoice.bulk_create(
        (
            BallotChoice(ballot_id=ballot, question_id=answer.question, choice=choice)
            for ballot, answer in given
            for choice in answer.choices
        ),
        batch_size=1000,
    )
    await BallotText.bulk_create(
        BallotText(ballot_id=ballot, question_id=answer.question, text=answer.text)
        for ballot, answer in given
        if answer.text
    )


@requires(Permission.OPERATE, within=scope_of_vote)
async def record_ballots(work: UnitOfWork, vote: int, ballots: Sequence[RecordedBallot]) -> None:
    """Takes over many ballots of parties that have not cast yet, all or none, in the order given.

    Raises AlreadyCast, NotOnRoll, VoteNotOpen and VoteClosed by each ballot's own instant, and what
    `check_answers` refuses.
    """
    await lock_shared("vote", vote)
    box = await ballot_box(vote)
    ballots = [_cleaned(ballot) for ballot in ballots]
    questions = await questions_on_roll(vote)
    parties = [ballot.party for ballot in ballots]
    entries = await on_roll({box.roll, *(question.roll for question in questions.values())}, parties)
    for ballot in ballots:
        check_open(box.status(ballot.cast_at))
        if (box.roll, ballot.party) not in entries:
            raise NotOnRoll
        _check_answers(questions, entries, ballot.party, ballot.answers)
    await lock_number()
    if len(set(parties)) < len(parties) or await counted_ballots(vote, parties):
        raise AlreadyCast
    ids = await _write_ballots(work, vote, await newest_sequence(vote), ballots)
    await CountedBallot.bulk_create(
        (
            CountedBallot(vote_id=vote, party_id=party, ballot_id=ballot)
            for ballot, party in zip(ids, parties, strict=True)
        ),
        batch_size=1000,
    )
    work.record(BALLOT_CAST, vote)


async def _write_ballots(
    work: UnitOfWork, vote: int, newest: int, ballots: Sequence[RecordedBallot]
) -> list[int]:
    """The new rows' ids, numbered on from `newest`; which ballots count is the caller's to say."""
    ids = [new_id() for _ in ballots]
    await Ballot.bulk_create(
        (
            Ballot(
                id=ballot,
                vote_id=vote,
                party_id=new.party,
                sequence=sequence,
                channel=new.channel,
                evidence=new.evidence,
                recorded_by_id=work.recorder,
                cast_at=new.cast_at,
                validity=Validity.VALID,
            )
            for sequence, (ballot, new) in enumerate(zip(ids, ballots, strict=True), start=newest + 1)
        ),
        batch_size=1000,
    )
    await _write_answers({ballot: new.answers for ballot, new in zip(ids, ballots, strict=True)})
    return ids


@requires(Permission.OPERATE, within=scope_of_vote)
async def close_vote(work: UnitOfWork, vote: int) -> None:
    """Closes the vote and counts it, once; after it no ballot is taken whatever a clock says.

    Does nothing before its time, which lies behind the close: until then the vote is closed and pending.
    """
    await lock_exclusive("vote", vote)
    row = await vote_row(vote)
    if work.now < (begins := counted_from(row.closes_at)):
        await due.reschedule(CLOSE, vote, begins)  # planned for the close itself, as was done once
        return
    if not await due.claim(CLOSE, vote, work.now):
        return
    if row.last_step is VoteStep.ANNOUNCED:
        await _open(work, row)
    elif row.last_step is None or VoteStep.CLOSED not in LIFE.stages[row.last_step].then:
        return  # withdrawn or annulled
    await _take(work, vote, VoteStep.CLOSED)
    await _count(work, row, reason=None)
    work.record(VOTE_CLOSED, vote)


@requires(Permission.ANNOUNCE_VOTE, within=scope_of_vote, known_by=Permission.READ_BULLETIN)
async def recount_vote(work: UnitOfWork, vote: int, *, reason: str, key: str | None = None) -> int:
    """Counts all ballots once more, as after an objection; the number of the count, which holds from now on.

    No law says how to count again: each count stays, and the newest is the one that is shown. Raises
    StepRefused before the closing count and where the result is certified or the vote was undone.
    """
    reason = single_line(reason, LONGEST_REASON, "理由", "the reason", field="reason")
    command = await work.command("recountVote", key, vote=vote, reason=reason)
    if command.result is not None:
        return command.again(same=True)
    await lock_exclusive("vote", vote)
    row = await vote_row(vote)
    if not await Count.exists(vote_id=vote):
        raise StepRefused
    number = await _count(work, row, reason)
    await command.store(number)
    work.record(VOTE_RECOUNTED, vote)
    return number


async def _count(work: UnitOfWork, vote: VoteRow, reason: str | None) -> int:
    """Writes the next count of a closed vote; its number. Raises StepRefused."""
    await _take(work, vote.id, VoteStep.COUNTED, reason)
    count, number = new_id(), await Count.filter(vote_id=vote.id).count() + 1
    sequence = await newest_sequence(vote.id)
    await Count.create(id=count, vote_id=vote.id, number=number, sequence=sequence, at=work.now)
    progress = await progress_of(vote.id)
    await CountResult.bulk_create(
        CountResult(count_id=count, question_id=question.question, **result_of(question.tally))
        for question in progress.questions
    )
    return number
