"""A vote is announced, opened, voted in, ruled on and counted here; nothing else writes its tables."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from community.database import due
from community.database.commands import Command
from community.database.ids import new_id
from community.database.sql import lock_exclusive, placeholders, select
from community.database.steps import LONGEST_REASON, take_step
from community.database.work import UnitOfWork, requires
from community.errors import InvalidInput, NotFound, TryAgain
from community.members.reads import PartySeat, seats_of
from community.members.rules import check_representative
from community.permissions import Permission, account_of
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
    check_anonymous,
    check_answers,
    check_ruling,
    cleaned_answers,
    meaning_of,
)
from community.votes.counting import counted_ballots, newest_of, newest_sequence
from community.votes.facts import (
    BALLOT_CAST,
    BALLOT_RULED,
    BALLOTS_SERVED,
    TOTALS_MENDED,
    VOTE_ANNOUNCED,
    VOTE_CLOSED,
    VOTE_OPENED,
    VOTE_RECOUNTED,
)
from community.votes.lifecycle import (
    LIFE,
    VoteNotOpen,
    VoteStep,
    check_countable,
    check_open,
    check_uncounted,
    counted_from,
)
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Choice,
    Contest,
    Count,
    Counting,
    CountResult,
    Question,
    Roll,
    RollEntry,
    RollUnit,
    Ruling,
    Served,
    Total,
    Vote,
    VoteScopePart,
    VoteScopeRecord,
    VoteStepRecord,
)
from community.votes.progress import Register, progress_of, read_register, scopes
from community.votes.reads import (
    BallotBox,
    Entries,
    RollQuestion,
    VoteRow,
    ballot_box,
    on_roll,
    questions_of,
    questions_on_roll,
    scope_of_ballot,
    scope_of_vote,
    scopes_by_id,
    vote_row,
)
from community.votes.results import result_of
from community.votes.roll import electorate, form_roll
from community.votes.rules import FollowMajority, Matter, Silence
from community.votes.scope import WHOLE, VoteScope
from community.votes.totals import Totals, changes_by, differences_of, silent_among

log = logging.getLogger(__name__)

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
    # Who owns what, and what it is, is read as of the opening, so that a late timer changes nobody's vote.
    register = await read_register(vote.community_id, vote.opens_at)
    for scope, extent in (await scopes_by_id(scopes(vote, questions))).items():
        roll = await _freeze(work, vote, register, scope, extent)
        await Question.filter(vote_id=vote.id, scope_id=scope).update(roll_id=roll)
        if scope == vote.scope_id:
            await Vote.filter(id=vote.id).update(roll_id=roll)
    await _add_to_totals(vote.id, await silent_among(vote.id))
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
    box = await _held_box(vote)
    command = await work.command("castBallot", key, vote=vote, answers=meaning_of(answers))
    if command.result is not None:
        return await _first_receipt(command, command.result, vote, party)
    box = await _open_box(work, box)
    questions = await questions_on_roll(vote)
    account = account_of(work.viewer)
    own = [] if account is None else await seats_of(account, box.community, work.now)
    seats = {seat.party: seat for seat in own}
    entries = await on_roll({box.roll, *(question.roll for question in questions.values())}, list(seats))
    seat = _seat(box, seats, entries, party)
    _check_answers(questions, entries, seat.party, answers)
    check_representative(seat.named, work.account)
    ballot = await _record(work, box, seat.party, answers)
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


async def _held_box(vote: int) -> BallotBox:
    """The box, locked: nobody else gives its numbers or makes its count until this transaction ends."""
    await lock_exclusive("vote", vote)
    return await ballot_box(vote)


async def _open_box(work: UnitOfWork, box: BallotBox) -> BallotBox:
    """The held box of an open vote; opened now if its timer is late."""
    check_open(box.status(work.now))
    if box.roll is None:
        await _open(work, await vote_row(box.vote))
        box = await ballot_box(box.vote)
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
    """A ballot as somebody wrote it down; `evidence` refers to the paper or the recording.

    `party`: None for an anonymous one.
    """

    party: int | None
    cast_at: datetime
    answers: Sequence[Answered]
    channel: Channel = Channel.ONLINE
    evidence: str | None = None


def _cleaned(ballot: RecordedBallot) -> RecordedBallot:
    evidence = single_line_if_any(ballot.evidence, LONGEST_EVIDENCE, "凭据", "the evidence", field="evidence")
    return replace(ballot, answers=cleaned_answers(ballot.answers), evidence=evidence)


async def _record(work: UnitOfWork, box: BallotBox, party: int, answers: Sequence[Answered]) -> int:
    """Adds the ballot to the held box; it counts from now on. Raises AlreadyCast."""
    newest, counted = await newest_of(box.vote, party)
    if counted is not None and not box.revisable:
        raise AlreadyCast
    (ballot,) = await _write_ballots(work, box.vote, newest, [RecordedBallot(party, work.now, answers)])
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
async def record_ballots(
    work: UnitOfWork, vote: int, ballots: Sequence[RecordedBallot], *, key: str | None = None
) -> int:
    """Takes over many ballots of parties for which nothing counts yet, all or none, in the order given.

    Returns a receipt, by which no ballot can be found; the same `key` with the same ballots returns the first
    one's. Raises AlreadyCast, ByName, NotOnRoll, VoteNotOpen and VoteClosed by each ballot's own instant, and
    what `check_answers` refuses.
    """
    box = await _held_box(vote)
    ballots = [_cleaned(ballot) for ballot in ballots]
    written = [[b.party, b.cast_at, meaning_of(b.answers), b.channel, b.evidence] for b in ballots]
    command = await work.command("recordBallots", key, vote=vote, ballots=written)
    if command.result is not None:
        return command.again(same=True)
    check_uncounted(box.last_step)
    parties = [ballot.party for ballot in ballots if ballot.party is not None]
    await _check_recorded(box, ballots, parties)
    if len(set(parties)) < len(parties) or await counted_ballots(vote, parties):
        raise AlreadyCast
    await _write_ballots(work, vote, await newest_sequence(vote), ballots)
    receipt = new_id()
    await command.store(receipt)
    work.record(BALLOT_CAST, vote)
    return receipt


async def _check_recorded(box: BallotBox, ballots: Sequence[RecordedBallot], parties: Sequence[int]) -> None:
    questions = await questions_on_roll(box.vote)
    entries = await on_roll({box.roll, *(question.roll for question in questions.values())}, parties)
    for ballot in ballots:
        check_open(box.status_then(ballot.cast_at))
        if ballot.party is None:
            check_anonymous(box.form)
            check_answers({key: question.terms for key, question in questions.items()}, ballot.answers)
        elif (box.roll, ballot.party) in entries:
            _check_answers(questions, entries, ballot.party, ballot.answers)
        else:
            raise NotOnRoll


async def _write_ballots(
    work: UnitOfWork, vote: int, newest: int, ballots: Sequence[RecordedBallot]
) -> list[int]:
    """The new rows' ids, numbered on from `newest`; each counts from now on, and the totals with it."""
    ids = [new_id() for _ in ballots]
    numbered = [(newest + place, *pair) for place, pair in enumerate(zip(ids, ballots, strict=True), start=1)]
    await Ballot.bulk_create(
        (
            Ballot(
                id=ballot,
                vote_id=vote,
                party_id=new.party,
                sequence=sequence,
                channel=new.channel,
                evidence=new.evidence,
                recorded_by_id=None if new.party is None else work.recorder,
                cast_at=new.cast_at,
                validity=Validity.VALID,
            )
            for sequence, ballot, new in numbered
        ),
        batch_size=1000,
    )
    await _write_answers({ballot: new.answers for _, ballot, new in numbered})
    await _put_in_box(
        vote,
        [
            Counting(vote_id=vote, sequence=sequence, party_id=new.party, ballot_id=ballot)
            for sequence, ballot, new in numbered
        ],
    )
    return ids


async def _put_in_box(vote: int, rows: Sequence[Counting]) -> None:
    """Adds rows of what counts, in order, and what they change to the totals."""
    await Counting.bulk_create(rows, batch_size=1000)
    for start in range(0, len(rows), 1000):
        await _add_to_totals(vote, await changes_by([row.id for row in rows[start : start + 1000]]))


_ADD = """
INSERT INTO total (id, vote_id, part, key, label, heads, area) VALUES {rows}
ON CONFLICT (vote_id, part, key, label)
   DO UPDATE SET heads = total.heads + excluded.heads, area = total.area + excluded.area
"""


async def _add_to_totals(vote: int, changes: Totals) -> None:
    """In one statement for all, or for a few hundred at a time, under the lock of the vote."""
    rows = [[new_id(), vote, *key, weight.heads, weight.area] for key, weight in sorted(changes.items())]
    for start in range(0, len(rows), 500):
        some = rows[start : start + 500]
        marks = ", ".join([f"({placeholders(some[0])})"] * len(some))
        await select(_ADD.format(rows=marks), [value for row in some for value in row])


@requires(Permission.ANNOUNCE_VOTE, within=scope_of_ballot)
async def void_ballot(work: UnitOfWork, ballot: int, *, reason: str) -> None:
    """Rules that a ballot does not count: nothing does for its party, until it casts another one or one is
    ruled to count.

    After a count it holds from the next one on (`recount_vote`). Raises InvalidInput, also where it does not
    count as it is, and StepRefused where no count may follow any more.
    """
    await _rule(work, ballot, reason, counts=False)


@requires(Permission.ANNOUNCE_VOTE, within=scope_of_ballot)
async def rule_ballot(work: UnitOfWork, ballot: int, *, reason: str) -> None:
    """Rules that a ballot counts for its party, in the place of whatever did; also one recorded as invalid.

    After a count it holds from the next one on (`recount_vote`). Raises InvalidInput, also where it counts
    already, and StepRefused where no count may follow any more.
    """
    await _rule(work, ballot, reason, counts=True)


async def _rule(work: UnitOfWork, ballot: int, reason: str, *, counts: bool) -> None:
    reason = single_line(reason, LONGEST_REASON, "理由", "the reason", field="reason")
    row = await Ballot.get(id=ballot).values("vote_id", "party_id")
    vote, party = row["vote_id"], row["party_id"]
    check_countable((await _held_box(vote)).last_step)
    newest, stands = await newest_of(vote, party)
    check_ruling(party, stands=stands == ballot, counts=counts)
    await Ruling.create(
        vote_id=vote,
        sequence=newest + 1,
        ballot_id=ballot,
        counts=counts,
        reason=reason,
        ruled_by_id=work.recorder,
        ruled_at=work.now,
    )
    counted = ballot if counts else None
    await _put_in_box(vote, [Counting(vote_id=vote, sequence=newest + 1, party_id=party, ballot_id=counted)])
    work.record(BALLOT_RULED, vote)


@dataclass(frozen=True, slots=True)
class Service:
    """Proof that its ballot reached a party."""

    party: int
    evidence: str
    served_at: datetime


@requires(Permission.OPERATE, within=scope_of_vote)
async def record_service(work: UnitOfWork, vote: int, services: Sequence[Service]) -> None:
    """Keeps whom the ballot reached, before the opening or after it, once for each party.

    Raises InvalidInput, also where a party was served already, and VoteClosed after the closing count.
    """
    box = await _held_box(vote)
    check_uncounted(box.last_step)
    parties = [service.party for service in services]
    if len(set(parties)) < len(parties) or await Served.exists(vote_id=vote, party_id__in=parties):
        raise InvalidInput(problem_zh="有业主已经送达过了", problem_en="a party was served already")
    await Served.bulk_create(
        (
            Served(
                vote_id=vote,
                party_id=service.party,
                evidence=single_line(
                    service.evidence, LONGEST_EVIDENCE, "凭据", "the evidence", field="evidence"
                ),
                served_at=service.served_at,
            )
            for service in services
        ),
        batch_size=1000,
    )
    if box.roll is not None:
        await _add_to_totals(vote, await silent_among(vote, parties))
    work.record(BALLOTS_SERVED, vote)


@requires(Permission.OPERATE, within=scope_of_vote)
async def keep_from_timers(work: UnitOfWork, vote: int, until: datetime) -> None:
    """Of a vote of the past: a server that runs beside opens and closes it only once its ballots are in."""
    await due.keep(vote, until)


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
    if row.last_step is VoteStep.SUSPENDED:
        await due.reschedule(CLOSE, vote, work.now + due.LONGEST_PAUSE)  # it closes once it has gone on
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
    """Counts all ballots once more, as after an objection or a ruling; the number of the count, which holds
    from now on.

    No law says how to count again: each count stays, and the newest is the one that is shown. Raises
    StepRefused before the closing count and where the result is certified or the vote was undone.
    """
    reason = single_line(reason, LONGEST_REASON, "理由", "the reason", field="reason")
    await lock_exclusive("vote", vote)
    command = await work.command("recountVote", key, vote=vote, reason=reason)
    if command.result is not None:
        return command.again(same=True)
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
    await _mend(vote.id)
    count, number = new_id(), await Count.filter(vote_id=vote.id).count() + 1
    sequence = await newest_sequence(vote.id)
    await Count.create(id=count, vote_id=vote.id, number=number, sequence=sequence, at=work.now)
    progress = await progress_of(vote.id)
    await CountResult.bulk_create(
        CountResult(count_id=count, question_id=question.question, **result_of(question.tally))
        for question in progress.questions
    )
    return number


@requires(Permission.OPERATE, within=scope_of_vote)
async def mend_totals(work: UnitOfWork, vote: int) -> list[str]:
    """What the kept totals differed in from the rows that count; they do not any more."""
    await lock_exclusive("vote", vote)
    differences = await _mend(vote)
    if differences:
        work.record(TOTALS_MENDED, vote)
    return differences


async def _mend(vote: int) -> list[str]:
    """Sums the rows; where the kept totals say something else, that is logged, and the rows win."""
    differences, sums = await differences_of(vote)
    if differences:
        log.warning("the kept totals of vote %s differ and are mended: %s", vote, "; ".join(differences))
        await Total.filter(vote_id=vote).delete()
        await _add_to_totals(vote, sums)
    return differences
