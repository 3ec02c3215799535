"""A vote is announced, opened, voted in, ruled on and counted here; nothing else writes its tables."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from community.database import due
from community.database.commands import Command
from community.database.ids import new_id
from community.database.sql import lock_exclusive, placeholders, select
from community.database.work import UnitOfWork, requires
from community.errors import InvalidInput, NotFound, TryAgain
from community.members.reads import PartySeat, seats_of
from community.members.rules import check_representative
from community.permissions import Permission, account_of
from community.places.models import Building, Community, Organization
from community.places.reads import profiles_of, scope_of
from community.text import single_line, single_line_if_any
from community.votes.casting import (
    AlreadyCast,
    Answered,
    Channel,
    NotOnRoll,
    PartyRequired,
    QuestionKind,
    Validity,
    VoteClosed,
    VoteForm,
    VoteNotOpen,
    check_anonymous,
    check_answers,
    check_open,
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
)
from community.votes.lifecycle import (
    LONGEST_EVIDENCE,
    LONGEST_REASON,
    check_announcement,
    check_question,
    choices_of,
    cleaned_choices,
    cleaned_description,
    cleaned_question,
    cleaned_title,
    counted_from,
)
from community.votes.models import (
    Ballot,
    BallotChoice,
    BallotText,
    Choice,
    Counting,
    Question,
    QuestionResult,
    Roll,
    RollEntry,
    RollUnit,
    Ruling,
    Served,
    Total,
    Vote,
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
    vote_row,
)
from community.votes.results import result_of
from community.votes.roll import electorate, form_roll
from community.votes.rules import FollowMajority, Matter, Silence
from community.votes.totals import Totals, changes_by, differences_of, silent_among

log = logging.getLogger(__name__)

OPEN = "open_vote"
CLOSE = "close_vote"


@dataclass(frozen=True, slots=True)
class NewQuestion:
    """`choices` (code and label) are the options of a survey; a resolution has its own."""

    title: str
    description: str
    kind: QuestionKind
    matter: Matter
    choices: Sequence[tuple[str, str]] = ()
    building: int | None = None
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
    building: int | None = None,
    parking_counts: bool = False,
    follow_majority: FollowMajority | None = None,
    silence: Silence = Silence.ABSENT,
    revisable: bool = False,
) -> int:
    """The new vote's id.

    Raises InvalidInput where notice or window are unlawful (杭州市物业管理条例 19, 20), or a question is.
    """
    if any(question.building not in (None, building or question.building) for question in questions):
        raise InvalidInput(
            problem_zh="只问一幢楼的表决不能有别的楼的议题",
            problem_en="a vote of one building asks nothing of another",
        )
    version = (await Community.get(id=community).values("profile_version"))["profile_version"]
    profile = (await profiles_of([community]))[community, version]
    check_announcement(profile, form, work.now, opens_at, closes_at, [q.matter for q in questions], silence)
    if not await Organization.exists(id=convener, community_id=community):
        raise NotFound
    for scope in {building, *(question.building for question in questions)} - {None}:
        if not await Building.exists(id=scope, community_id=community):
            raise NotFound
    vote = new_id()
    await Vote.create(
        id=vote,
        community_id=community,
        convener_id=convener,
        title=cleaned_title(title),
        description=cleaned_description(description, "description"),
        form=form,
        building_id=building,
        profile_version=version,
        parking_counts=parking_counts,
        follow_majority=follow_majority,
        silence=silence,
        revisable=revisable,
        announced_at=work.now,
        opens_at=opens_at,
        closes_at=closes_at,
    )
    for position, question in enumerate(questions):
        await _ask(vote, position, question, building, follow=follow_majority is not None)
    await due.plan(OPEN, vote, opens_at)
    await due.plan(CLOSE, vote, counted_from(closes_at))
    work.record(VOTE_ANNOUNCED, vote)
    return vote


async def _ask(vote: int, position: int, new: NewQuestion, building: int | None, *, follow: bool) -> None:
    field = f"questions.{position}"
    offered = cleaned_choices(choices_of(new.kind, new.choices, follow=follow), field)
    check_question(new.kind, new.matter, offered, new.min_choices, new.max_choices)
    question = new_id()
    await Question.create(
        id=question,
        vote_id=vote,
        position=position,
        title=cleaned_question(new.title, field),
        description=cleaned_description(new.description, f"{field}.description"),
        kind=new.kind,
        matter=new.matter,
        building_id=new.building or building,
        min_choices=new.min_choices,
        max_choices=new.max_choices,
        accepts_text=new.accepts_text,
    )
    await Choice.bulk_create(
        Choice(question_id=question, position=index, code=code, label=label)
        for index, (code, label) in enumerate(offered)
    )


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
    if vote.opened_at is not None or not await due.claim(OPEN, vote.id, work.now):
        return
    questions = (await questions_of([vote.id]))[vote.id]
    # Who owns what, and what it is, is read as of the opening, so that a late timer changes nobody's vote.
    register = await read_register(vote.community_id, vote.opens_at)
    for building in scopes(vote, questions):
        roll = await _freeze(work, vote, register, building)
        await Question.filter(vote_id=vote.id, building_id=building).update(roll_id=roll)
        if building == vote.building_id:
            await Vote.filter(id=vote.id).update(roll_id=roll, opened_at=work.now)
    await _add_to_totals(vote.id, await silent_among(vote.id))
    work.record(VOTE_OPENED, vote.id)


async def _freeze(work: UnitOfWork, vote: VoteRow, register: Register, building: int | None) -> int:
    entries = form_roll(
        register.units, register.developer, building=building, parking_counts=vote.parking_counts
    )
    total = electorate(entries.values())
    roll = new_id()
    await Roll.create(
        id=roll,
        vote=vote.id,
        building_id=building,
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


def check_opened(opened_at: datetime | None) -> None:
    """Whoever casts first opens a vote whose timer is late. Raises TryAgain while time is in doubt."""
    if opened_at is None and due.in_doubt():
        raise TryAgain


async def _held_box(vote: int) -> BallotBox:
    """The box, locked: nobody else gives its numbers or makes its count until this transaction ends."""
    await lock_exclusive("vote", vote)
    return await ballot_box(vote)


def _check_uncounted(box: BallotBox) -> None:
    """Raises VoteClosed: a clock that runs behind must not slip anything in after the count."""
    if box.counted_at is not None or box.annulled_at is not None:
        raise VoteClosed


async def _open_box(work: UnitOfWork, box: BallotBox) -> BallotBox:
    """The held box of an open vote; opened now if its timer is late."""
    check_open(box.status(work.now))
    if box.opened_at is None:
        await _open(work, await vote_row(box.vote))
        box = await ballot_box(box.vote)
    _check_uncounted(box)
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
    _check_uncounted(box)
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
        check_open(box.status(ballot.cast_at))
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
    await _count(
        vote,
        [
            Counting(vote_id=vote, sequence=sequence, party_id=new.party, ballot_id=ballot)
            for sequence, ballot, new in numbered
        ],
    )
    return ids


async def _count(vote: int, rows: Sequence[Counting]) -> None:
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

    Raises InvalidInput, also where it does not count as it is, and VoteClosed after the closing count.
    """
    await _rule(work, ballot, reason, counts=False)


@requires(Permission.ANNOUNCE_VOTE, within=scope_of_ballot)
async def rule_ballot(work: UnitOfWork, ballot: int, *, reason: str) -> None:
    """Rules that a ballot counts for its party, in the place of whatever did; also one recorded as invalid.

    Raises InvalidInput, also where it counts already, and VoteClosed after the closing count.
    """
    await _rule(work, ballot, reason, counts=True)


async def _rule(work: UnitOfWork, ballot: int, reason: str, *, counts: bool) -> None:
    reason = single_line(reason, LONGEST_REASON, "理由", "the reason", field="reason")
    row = await Ballot.get(id=ballot).values("vote_id", "party_id")
    vote, party = row["vote_id"], row["party_id"]
    _check_uncounted(await _held_box(vote))
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
    await _count(vote, [Counting(vote_id=vote, sequence=newest + 1, party_id=party, ballot_id=counted)])
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
    _check_uncounted(box)
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
    if box.opened_at is not None:
        await _add_to_totals(vote, await silent_among(vote, parties))
    work.record(BALLOTS_SERVED, vote)


@requires(Permission.OPERATE, within=scope_of_vote)
async def keep_from_timers(work: UnitOfWork, vote: int, until: datetime) -> None:
    """Of a vote of the past: a server that runs beside opens and closes it only once its ballots are in."""
    await due.keep(vote, until)


@requires(Permission.OPERATE, within=scope_of_vote)
async def close_vote(work: UnitOfWork, vote: int) -> None:
    """The closing count, once; after it no ballot is taken whatever a clock says.

    Does nothing before its time, which lies behind the close: until then the vote is closed and pending.
    """
    await lock_exclusive("vote", vote)
    row = await vote_row(vote)
    if work.now < (begins := counted_from(row.closes_at)):
        await due.reschedule(CLOSE, vote, begins)  # planned for the close itself, as was done once
        return
    if row.counted_at is not None or not await due.claim(CLOSE, vote, work.now):
        return
    if row.opened_at is None:
        await _open(work, row)
    await Vote.filter(id=vote).update(counted_at=work.now)
    await _mend(vote)
    progress = await progress_of(vote)
    await QuestionResult.bulk_create(
        QuestionResult(
            question_id=question.question,
            counted_at=work.now,
            **result_of(question.tally, question.sequence),
        )
        for question in progress.questions
    )
    work.record(VOTE_CLOSED, vote)


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
