"""Tables of a vote: its steps, whom it asks what, the frozen rolls, the ballots, which of them count, their
sums, and the counts.
"""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Code, Instant, Key, To, Words
from community.database.steps import LONGEST_REASON, StepRecord
from community.votes.announcements import (
    LONGEST_CODE,
    LONGEST_EVIDENCE,
    LONGEST_LABEL,
    LONGEST_QUESTION,
    LONGEST_TITLE,
)
from community.votes.casting import (
    LONGEST_TEXT,
    Channel,
    QuestionKind,
    Validity,
    VoteForm,
)
from community.votes.lifecycle import VoteStep
from community.votes.rules import FollowMajority, Matter, Part, Silence


class VoteScopeRecord(Model):
    """Whom a vote or a question asks; its parts say it."""

    id = Key()
    community = To("Community", index=False)

    class Meta:
        table = "vote_scope"


class VoteScopePart(Model):
    """The whole community, a building or a chosen unit: exactly one of the three."""

    id = Key()
    scope = To("VoteScopeRecord")
    community = To("Community", null=True, index=False)
    building = To("Building", null=True, index=False)
    unit = To("Unit", null=True, index=False)

    class Meta:
        table = "vote_scope_part"


class Vote(Model):
    """Once `roll` is there, it is frozen. `last_step` and `steps`, how many there are, follow its steps by a
    trigger; the status is derived from them and the clock.

    `number` counts the votes of the community from 1; a trigger gives it, and it stays.
    """

    id = Key()
    community = To("Community")
    number = fields.IntField(db_default=0)
    convener = To("Organization")
    title = Words(LONGEST_TITLE)
    description = fields.TextField()
    form = Code(VoteForm)
    scope = To("VoteScopeRecord", null=True, index=False)
    profile_version = fields.IntField()
    parking_counts = fields.BooleanField(default=False)
    follow_majority = Code(FollowMajority, null=True)
    silence = Code(Silence)
    silence_floor = fields.BooleanField(default=False)
    silence_clause = Words(64, null=True)
    revisable = fields.BooleanField(default=False)
    announced_at = Instant()
    opens_at = Instant()
    closes_at = Instant()
    last_step = Code(VoteStep, null=True)
    steps = fields.IntField(db_default=0)
    roll = To("Roll", null=True)

    class Meta:
        table = "vote"
        indexes = (("community_id", "opens_at"),)


class VoteStepRecord(StepRecord):
    subject = To("Vote", index=False)
    step = Code(VoteStep)

    class Meta:
        table = "vote_step"
        unique_together = (("subject_id", "number"),)


class Contest(Model):
    """Questions that are decided together: the candidates of an election, or one question by itself.

    `position`: that of its first question.
    """

    id = Key()
    vote = To("Vote", index=False)
    position = fields.IntField()

    class Meta:
        table = "contest"
        unique_together = (("vote_id", "position"),)


class Question(Model):
    """`roll` is that of `scope`: a question put to one building has its own denominator."""

    id = Key()
    vote = To("Vote")
    contest = To("Contest", null=True, index=False)
    position = fields.IntField()
    title = Words(LONGEST_QUESTION)
    description = fields.TextField()
    kind = Code(QuestionKind)
    matter = Code(Matter)
    scope = To("VoteScopeRecord", null=True, index=False)
    min_choices = fields.IntField(default=1)
    max_choices = fields.IntField(default=1)
    accepts_text = fields.BooleanField(default=False)
    roll = To("Roll", null=True)

    class Meta:
        table = "question"
        unique_together = (("vote_id", "position"),)


class Choice(Model):
    id = Key()
    question = To("Question")
    position = fields.IntField()
    code = Words(LONGEST_CODE)
    label = Words(LONGEST_LABEL)

    class Meta:
        table = "choice"
        unique_together = (("question_id", "code"),)


class Roll(Model):
    """A frozen electorate of a vote, that of one of its scopes, and its whole weight."""

    id = Key()
    vote = fields.BigIntField(db_index=True)  # a plain number: vote and roll would point at each other
    scope = To("VoteScopeRecord", null=True, index=False)
    heads = fields.IntField()
    area = fields.BigIntField()
    frozen_at = Instant()

    class Meta:
        table = "roll"


class RollEntry(Model):
    """One owner party in a roll: one head, its area in hundredths of m²."""

    id = Key()
    roll = To("Roll", index=False)
    party = To("OwnerParty")
    heads = fields.IntField(default=1)
    area = fields.BigIntField()

    class Meta:
        table = "roll_entry"
        unique_together = (("roll_id", "party_id"),)


class RollUnit(Model):
    id = Key()
    roll = To("Roll", index=False)
    unit = To("Unit")
    party = To("OwnerParty")
    area = fields.BigIntField()

    class Meta:
        table = "roll_unit"
        unique_together = (("roll_id", "unit_id"),)
        indexes = (("roll_id", "party_id"),)


class Served(Model):
    """Proof that the ballot reached a party; only these may be counted when silent (沪02民初16号)."""

    id = Key()
    vote = To("Vote", index=False)
    party = To("OwnerParty")
    evidence = Words(LONGEST_EVIDENCE)
    served_at = Instant()

    class Meta:
        table = "served"
        unique_together = (("vote_id", "party_id"),)


class Ballot(Model):
    """Append-only. `sequence` counts what happens to the box of a vote in commit order, its ballots and the
    rulings on them together, from 1, without gaps. `party`: null on an anonymous ballot of a consultation.
    """

    id = Key()
    vote = To("Vote", index=False)
    party = To("OwnerParty", null=True)
    sequence = fields.IntField()
    channel = Code(Channel)
    evidence = Words(LONGEST_EVIDENCE, null=True)
    recorded_by = To("Account", null=True)
    cast_at = Instant()
    validity = Code(Validity)

    class Meta:
        table = "ballot"
        unique_together = (("vote_id", "sequence"),)


class BallotChoice(Model):
    id = Key()
    ballot = To("Ballot", index=False)
    question = To("Question")
    choice = Words(LONGEST_CODE)

    class Meta:
        table = "ballot_choice"
        unique_together = (("ballot_id", "question_id", "choice"),)


class BallotText(Model):
    id = Key()
    ballot = To("Ballot", index=False)
    question = To("Question")
    text = Words(LONGEST_TEXT)

    class Meta:
        table = "ballot_text"
        unique_together = (("ballot_id", "question_id"),)


class Ruling(Model):
    """Append-only: somebody of the convener's ruled that a ballot counts for its party, or that it is void.

    `sequence`: its number among the ballots and rulings of the vote.
    """

    id = Key()
    vote = To("Vote", index=False)
    sequence = fields.IntField()
    ballot = To("Ballot")
    counts = fields.BooleanField()
    reason = Words(LONGEST_REASON)
    ruled_by = To("Account", null=True)
    ruled_at = Instant()

    class Meta:
        table = "ruling"
        unique_together = (("vote_id", "sequence"),)


class Counting(Model):
    """Append-only: from `sequence` on `ballot` counts for `party`, and nothing does where it is null.

    The box as of a number is each party's last row up to it. A ballot without a party counts for itself and
    is never replaced.
    """

    id = Key()
    vote = To("Vote", index=False)
    sequence = fields.IntField()
    party = To("OwnerParty", null=True)
    ballot = To("Ballot", null=True)

    class Meta:
        table = "counting"
        unique_together = (("vote_id", "sequence"),)
        indexes = (("vote_id", "party_id", "sequence"),)


class Total(Model):
    """A kept sum over what counts in a vote: heads, and area in hundredths of m².

    `key`: the question or building, else 0; `label`: the choice or day. It follows from the rows of
    `counting`, in the transaction that adds them (community/votes/totals.py).
    """

    id = Key()
    vote = To("Vote", index=False)
    part = Code(Part)
    key = fields.BigIntField()
    label = Words(LONGEST_CODE)
    heads = fields.IntField()
    area = fields.BigIntField()

    class Meta:
        table = "total"
        unique_together = (("vote_id", "part", "key", "label"),)


class Count(Model):
    """A count of what the box of a vote held as of `sequence`, its last ballot or ruling then; never altered.

    `number` counts the counts from 1; the newest holds, until a ruling leads to another one.
    """

    id = Key()
    vote = To("Vote", index=False)
    number = fields.IntField()
    sequence = fields.IntField()
    at = Instant()

    class Meta:
        table = "count"
        unique_together = (("vote_id", "number"),)


class CountResult(Model):
    """What a count made of a question."""

    id = Key()
    count = To("Count", index=False)
    question = To("Question")
    outcome = Words(16, null=True)
    participating_heads = fields.IntField()
    participating_area = fields.BigIntField()
    agreeing_heads = fields.IntField(null=True)
    agreeing_area = fields.BigIntField(null=True)
    choices = fields.TextField()

    class Meta:
        table = "count_result"
        unique_together = (("count_id", "question_id"),)
