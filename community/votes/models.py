"""Tables of a vote: its questions, the frozen roll, the ballots, which of them count, and their sums."""

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Code, Instant, Key, OnlyOne, To, Words
from community.votes.casting import LONGEST_TEXT, Channel, QuestionKind, Validity, VoteForm
from community.votes.lifecycle import (
    LONGEST_CODE,
    LONGEST_EVIDENCE,
    LONGEST_LABEL,
    LONGEST_QUESTION,
    LONGEST_REASON,
    LONGEST_TITLE,
)
from community.votes.rules import FollowMajority, Matter, Part, Silence


class Vote(Model):
    """`opened_at`: the roll is frozen; `counted_at`: the closing count is done; the status is derived.

    `number` counts the votes of the community from 1; a trigger gives it, and it stays.
    """

    id = Key()
    community = To("Community")
    number = fields.IntField(db_default=0)
    convener = To("Organization")
    title = Words(LONGEST_TITLE)
    description = fields.TextField()
    form = Code(VoteForm)
    building = To("Building", null=True)
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
    opened_at = Instant(null=True)
    counted_at = Instant(null=True)
    annulled_at = Instant(null=True)
    roll = To("Roll", null=True)

    class Meta:
        table = "vote"
        indexes = (("community_id", "opens_at"),)


class Question(Model):
    """`roll` has its own denominator where only one building decides."""

    id = Key()
    vote = To("Vote")
    position = fields.IntField()
    title = Words(LONGEST_QUESTION)
    description = fields.TextField()
    kind = Code(QuestionKind)
    matter = Code(Matter)
    building = To("Building", null=True)
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
    """A frozen electorate of a vote, the whole community or one building, and its whole weight."""

    id = Key()
    vote = fields.BigIntField(db_index=True)  # a plain number: vote and roll would point at each other
    building = To("Building", null=True)
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


class QuestionResult(Model):
    """The closing count of a question; never altered. `sequence`: the last ballot it holds."""

    id = Key()
    question = OnlyOne("Question")
    sequence = fields.IntField()
    outcome = Words(16, null=True)
    participating_heads = fields.IntField()
    participating_area = fields.BigIntField()
    agreeing_heads = fields.IntField(null=True)
    agreeing_area = fields.BigIntField(null=True)
    choices = fields.TextField()
    counted_at = Instant()

    class Meta:
        table = "question_result"
