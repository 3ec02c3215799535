"""Votes: what is asked, how it stands, and the ballot."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry

from community.places.reads import buildings_by_id
from community.votes import actions
from community.votes.casting import Answered, QuestionKind, VoteForm, VoteStatus, receipt_code
from community.votes.known import tallies_of
from community.votes.progress import Progress as ProgressValue
from community.votes.progress import QuestionProgress
from community.votes.reads import (
    BallotRow,
    QuestionRow,
    VoteRow,
    ballot_row,
    place_of_vote,
    questions_of,
)
from community.votes.reads import OwnEntry as OwnEntryRow
from community.votes.rules import (
    Condition as ConditionValue,
)
from community.votes.rules import (
    FollowMajority,
    Gate,
    Matter,
    Measure,
    Outcome,
    Silence,
)
from community.votes.rules import (
    Weight as WeightValue,
)
from schema.audience import BY_RIGHTS, BY_VIEWER
from schema.context import Context, Info
from schema.mutations import Key, mutation
from schema.nodes import Node, fetched_by, key_of, to_id
from schema.places import Building, Community, Organization, community_of, organization
from schema.scalars import Hundredths
from schema.watch import watch


@strawberry.type(description="Heads and exclusive area, side by side: both must reach every threshold.")
class Weight:
    heads: int = strawberry.field(description="Owner parties; one head each, however many units.")
    area: Hundredths = strawberry.field(description="Exclusive area in m².")

    @classmethod
    def of(cls, value: WeightValue) -> "Weight":
        return cls(heads=value.heads, area=Hundredths(value.area))


@strawberry.type(description="One of the answers that a question offers.")
class Choice:
    code: str = strawberry.field(description="FOR, AGAINST, ABSTAIN, FOLLOW, or a survey's own.")
    label: str = strawberry.field(description="In the words of the ballot paper.")


@strawberry.type(description="What is asked.")
class Question:
    row: strawberry.Private[QuestionRow]
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    title: str = strawberry.field(description="The question in one line.")
    description: str = strawberry.field(description="What an owner should know before answering.")
    kind: QuestionKind = strawberry.field(description="How it is answered.")
    matter: Matter = strawberry.field(description="What it decides, which fixes its thresholds.")
    choices: list[Choice] = strawberry.field(description="The answers offered, in order.")
    min_choices: int = strawberry.field(description="At least so many; 0: it may be left out.")
    max_choices: int = strawberry.field(description="At most so many.")
    accepts_text: bool = strawberry.field(description="A text of up to 1,000 characters is welcome.")

    @classmethod
    def of(cls, row: QuestionRow) -> "Question":
        return cls(
            row=row,
            id=to_id("Question", row.id),
            title=row.title,
            description=row.description,
            kind=row.kind,
            matter=row.matter,
            choices=[Choice(code=choice.code, label=choice.label) for choice in row.choices],
            min_choices=row.min_choices,
            max_choices=row.max_choices,
            accepts_text=row.accepts_text,
        )

    @strawberry.field(description="Only the owners of this building decide it; null: all who vote.")
    async def scope(self, info: Info) -> Building | None:
        return await _building(info.context, self.row.building_id)


async def _building(context: Context, key: int | None) -> Building | None:
    row = None if key is None else await context.loaders.of(buildings_by_id).load(key)
    return Building.of(row) if row else None


@strawberry.type(description="What was marked, before anything joined anything.")
class ChoiceTally:
    choice: str = strawberry.field(description="The code of the choice.")
    weight: Weight = strawberry.field(description="Who marked it.")


@strawberry.type(description="One of the tests that must all be met (民法典 278).")
class Condition:
    gate: Gate = strawberry.field(description="Whether enough took part, or enough agree.")
    measure: Measure = strawberry.field(description="By heads or by area.")
    need: str = strawberry.field(description="2/3, 1/2 (to be exceeded) or 3/4.")
    clause: str = strawberry.field(description="The article that says so.")
    have: Hundredths = strawberry.field(description="Reached so far, in heads or m².")
    of: Hundredths = strawberry.field(description="Of how much: all, or for agreement those who took part.")
    missing: Hundredths = strawberry.field(
        description="The least further amount if every newcomer votes FOR and nothing else changes."
    )
    met: bool = strawberry.field(description="Met now; agreement may be lost again, participation may not.")

    @classmethod
    def from_value(cls, value: ConditionValue) -> "Condition":
        scale = 100 if value.measure is Measure.HEADS else 1
        return cls(
            gate=value.gate,
            measure=value.measure,
            need=value.need,
            clause=value.clause,
            have=Hundredths(value.have * scale),
            of=Hundredths(value.of * scale),
            missing=Hundredths(value.missing * scale),
            met=value.met,
        )


@strawberry.type(description="How one question stands, with its own denominator.")
class QuestionTally:
    question_id: strawberry.ID = strawberry.field(description="The question.")
    moment: int = strawberry.field(description="The number of the ballot at which these sums stand.")
    eligible: Weight = strawberry.field(description="All who may answer it.")
    participating: Weight = strawberry.field(description="Those who did.")
    agreeing: Weight | None = strawberry.field(description="FOR and what joined it; null in a survey.")
    choices: list[ChoiceTally] | None = strawberry.field(description="Null while they are not published.")
    leader: str | None = strawberry.field(
        description="The choice that FOLLOW joins: the one that alone leads in heads and in area."
    )
    conditions: list[Condition] = strawberry.field(description="Empty for a consultation.")
    outcome: Outcome | None = strawberry.field(
        description="Null for a consultation, which cannot pass or fail."
    )

    @classmethod
    def of(cls, value: QuestionProgress) -> "QuestionTally":
        tally = value.tally
        survey = value.kind is QuestionKind.SURVEY
        return cls(
            question_id=to_id("Question", value.question),
            moment=value.moment,
            eligible=Weight.of(tally.eligible),
            participating=Weight.of(tally.participating),
            agreeing=None if survey else Weight.of(tally.agreeing),
            choices=[
                ChoiceTally(choice=code, weight=Weight.of(weight)) for code, weight in tally.choices.items()
            ],
            leader=None if survey else tally.leader,
            conditions=[Condition.from_value(condition) for condition in tally.conditions],
            outcome=tally.outcome,
        )


@strawberry.type(description="How a vote stands.")
class VoteProgress:
    vote_id: strawberry.ID = strawberry.field(description="The vote.")
    version: int = strawberry.field(description="Grows with every change; a greater one is newer.")
    eligible: Weight = strawberry.field(description="All on the roll of the vote.")
    participating: Weight = strawberry.field(description="Those whose ballot counts.")
    last_ballot_at: datetime | None = strawberry.field(description="When the newest ballot came.")
    questions: list[QuestionTally] = strawberry.field(description="Each question, in order.")

    @classmethod
    def of(cls, value: ProgressValue) -> "VoteProgress":
        return cls(
            vote_id=to_id("Vote", value.vote),
            version=value.version,
            eligible=Weight.of(value.eligible),
            participating=Weight.of(value.participating),
            last_ballot_at=value.last_ballot_at,
            questions=[QuestionTally.of(question) for question in value.questions],
        )


@strawberry.type(description="What the law leaves to the rules of procedure, as settled for a vote.")
class VoteRules:
    parking_counts: bool = strawberry.field(description="Parking spaces are counted as units.")
    follow_majority: FollowMajority | None = strawberry.field(
        description="What FOLLOW counts as; null: it is not offered."
    )
    silence: Silence = strawberry.field(description="What parties are that cast nothing.")


@strawberry.type(description="What the voter marked for one question.")
class Answer:
    question_id: strawberry.ID = strawberry.field(description="The question.")
    choices: list[str] = strawberry.field(description="Codes of the choices.")
    text: str | None = strawberry.field(description="The text, if one was given.")


@strawberry.type(
    description="Says that a ballot is in the box. Only those see it for whom it was cast; how it was marked,"
    " only whoever cast it."
)
class BallotReceipt:
    row: strawberry.Private[BallotRow]
    id: strawberry.ID = strawberry.field(description="Opaque and stable.")
    vote_id: strawberry.ID = strawberry.field(description="The vote.")
    cast_at: datetime = strawberry.field(description="When it was taken.")
    code: str | None = strawberry.field(
        description="To read out or write down, such as 7F3K-92QD-M4; null for all but whoever cast it."
    )

    @classmethod
    def of(cls, row: BallotRow) -> "BallotReceipt":
        return cls(
            row=row,
            id=to_id("Ballot", row.id),
            vote_id=to_id("Vote", row.vote_id),
            cast_at=row.cast_at,
            code=None if row.answers is None else receipt_code(row.id),
        )

    @strawberry.field(
        description="What was marked; null for all but whoever cast it, such as another co-owner."
    )
    def answers(self) -> list[Answer] | None:
        if self.row.answers is None:
            return None
        return [
            Answer(
                question_id=to_id("Question", answer.question_id),
                choices=list(answer.choices),
                text=answer.text,
            )
            for answer in self.row.answers
        ]


@strawberry.type(
    description="An owner party of the viewer on the roll of a vote: one head, its area, its units."
)
class RollEntry:
    row: strawberry.Private[OwnEntryRow]
    party: strawberry.ID = strawberry.field(description="For `castBallot`, where there are several.")
    units: list[str] = strawberry.field(description="The units with which it stands on the roll.")
    weight: Weight = strawberry.field(description="One head and the area of these units.")
    may_cast: bool = strawberry.field(description="The viewer is the one who casts for it.")

    @classmethod
    def of(cls, row: OwnEntryRow) -> "RollEntry":
        return cls(
            row=row,
            party=to_id("OwnerParty", row.party),
            units=list(row.units),
            weight=Weight.of(row.weight),
            may_cast=row.may_cast,
        )

    @strawberry.field(
        description="Depends on the viewer: its ballot that counts; null where none was cast.",
        metadata=BY_VIEWER,
    )
    async def ballot(self, info: Info) -> BallotReceipt | None:
        key = self.row.ballot
        row = None if key is None else await info.context.loaders.ballots.load(key)
        return BallotReceipt.of(row) if row else None


@strawberry.type(description="A vote of the owners (表决).")
class Vote(Node):
    row: strawberry.Private[VoteRow]

    @classmethod
    def of(cls, row: VoteRow) -> "Vote":
        return cls(id=to_id("Vote", row.id), row=row)

    @strawberry.field(description="Where it is held.", metadata=BY_RIGHTS)
    async def community(self, info: Info) -> Community:
        return await community_of(info.context, self.row.community_id)

    @strawberry.field(
        description="Its number among the votes of its community, from 1 in the order in which they were"
        " published; never given again, so that it fits in an address on paper."
    )
    def number(self) -> int:
        return self.row.number

    @strawberry.field(description="What it is about in one line.")
    def title(self) -> str:
        return self.row.title

    @strawberry.field(description="What it is about, in plain text with line breaks.")
    def description(self) -> str:
        return self.row.description

    @strawberry.field(description="What it is worth.")
    def form(self) -> VoteForm:
        return self.row.form

    @strawberry.field(description="Where it stands in its life.")
    def status(self, info: Info) -> VoteStatus:
        return self.row.status(info.context.now)

    @strawberry.field(description="Who opened it.")
    async def convener(self, info: Info) -> Organization:
        return await organization(info.context, self.row.convener_id)

    @strawberry.field(description="When it was put on notice.")
    def announced_at(self) -> datetime:
        return self.row.announced_at

    @strawberry.field(description="A ballot counts from this moment on.")
    def opens_at(self) -> datetime:
        return self.row.opens_at

    @strawberry.field(description="A ballot counts before this moment.")
    def closes_at(self) -> datetime:
        return self.row.closes_at

    @strawberry.field(description="A ballot may be changed until the vote closes.")
    def revisable(self) -> bool:
        return self.row.revisable

    @strawberry.field(description="The settings by which it is counted.")
    def rules(self) -> VoteRules:
        return VoteRules(
            parking_counts=self.row.parking_counts,
            follow_majority=self.row.follow_majority,
            silence=self.row.silence,
        )

    @strawberry.field(description="Only the owners of this building vote; null: the whole community.")
    async def scope(self, info: Info) -> Building | None:
        return await _building(info.context, self.row.building_id)

    @strawberry.field(description="What is asked, in order.")
    async def questions(self, info: Info) -> list[Question]:
        rows = await info.context.loaders.of(questions_of).get(self.row.id)
        return [Question.of(row) for row in rows]

    @strawberry.field(description="How it stands now.")
    async def tally(self, info: Info) -> VoteProgress:
        return VoteProgress.of(await info.context.loaders.of(tallies_of).get(self.row.id))

    @strawberry.field(
        description="Depends on the viewer: the viewer's own entries in the roll; empty for everybody else,"
        " and for a token narrowed to neither CAST_BALLOT nor READ_OWN.",
        metadata=BY_VIEWER,
    )
    async def viewer_entries(self, info: Info) -> list[RollEntry]:
        rows = await info.context.loaders.own_entries.load(self.row)
        return [RollEntry.of(row) for row in rows or []]


@fetched_by("Vote")
async def _vote(context: Context, key: int) -> Vote | None:
    row = await context.loaders.votes.load(key)
    return Vote.of(row) if row else None


@strawberry.type
class VotesQuery:
    @strawberry.field(description="One vote; null where it is unknown or hidden.")
    async def vote(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Of the vote.")]
    ) -> Vote | None:
        return await _vote(info.context, key_of(id, "Vote"))


@strawberry.input(description="The answer to one question.")
class AnswerInput:
    question_id: strawberry.ID = strawberry.field(description="The question.")
    choices: list[str] = strawberry.field(default_factory=list, description="Codes of the choices.")
    text: str | None = strawberry.field(default=None, description="Where the question takes one.")

    def value(self, place: int) -> Answered:
        question = key_of(self.question_id, "Question", f"answers.{place}.questionId")
        return Answered(question, tuple(self.choices), self.text)


@strawberry.type
class VotesMutation:
    @mutation("voteId", "Casts a ballot. When this answers, the ballot is in the box for good.")
    async def cast_ballot(
        self,
        info: Info,
        vote_id: Annotated[strawberry.ID, strawberry.argument(description="The vote.")],
        answers: Annotated[list[AnswerInput], strawberry.argument(description="One for each question.")],
        party: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="The owner party, where the viewer acts for several."),
        ] = None,
        key: Key = None,
    ) -> BallotReceipt | None:
        ballot = await actions.cast_ballot(
            info.context.viewer,
            info.context.now,
            key_of(vote_id, "Vote", "voteId"),
            answers=[answer.value(place) for place, answer in enumerate(answers)],
            party=None if party is None else key_of(party, "OwnerParty", "party"),
            key=key,
        )
        return BallotReceipt.of(await ballot_row(info.context.viewer.account, ballot))


@strawberry.type
class VotesSubscription:
    @strawberry.subscription(description="State: how the vote stands now, and again after each change.")
    async def vote_progress(
        self, info: Info, vote_id: Annotated[strawberry.ID, strawberry.argument(description="The vote.")]
    ) -> AsyncGenerator[VoteProgress, None]:
        vote = key_of(vote_id, "Vote", "voteId")

        watched = info.context.watching.tally.watch(vote)
        async with aclosing(watch(info.context, lambda: place_of_vote(vote), watched)) as states:
            async for progress in states:
                yield VoteProgress.of(progress)
