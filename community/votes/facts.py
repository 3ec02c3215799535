"""Votes, their questions and ballots: what happens to them, and what can be watched."""

from community.bulletin.facts import BULLETIN
from community.catalogue import Fact, Subject, timeless
from community.live import State
from community.permissions import Permission
from community.places.facts import BOARD
from community.votes.progress import progress_of
from community.votes.reads import (
    BallotRow,
    QuestionRow,
    VoteRow,
    own_ballots_by_id,
    questions_seen_by_id,
    scope_of_ballot,
    scope_of_question,
    scope_of_vote,
    votes_by_id,
)

VOTE = Subject[VoteRow](
    kind="Vote", scope_of=scope_of_vote, rows=timeless(votes_by_id), seen_by=(Permission.READ_BULLETIN,)
)
QUESTION = Subject[QuestionRow](
    kind="Question",
    scope_of=scope_of_question,
    rows=timeless(questions_seen_by_id),
    seen_by=(Permission.READ_BULLETIN,),
)
BALLOT = Subject[BallotRow](
    kind="Ballot",
    scope_of=scope_of_ballot,
    rows=own_ballots_by_id,
    seen_by=(Permission.READ_OWN, Permission.CAST_BALLOT),
)

TALLY = State(topic="tally", subject=VOTE, permission=Permission.READ_BULLETIN, read=progress_of)

VOTE_ANNOUNCED = Fact(
    name="VOTE_ANNOUNCED",
    subject=VOTE,
    touches=(BULLETIN, BOARD),
    meaning="A vote was put on notice and will open; its subject is the Vote. 表决已公告，还没开始。",
)
VOTE_OPENED = Fact(
    name="VOTE_OPENED",
    subject=VOTE,
    touches=(TALLY, BULLETIN, BOARD),
    meaning="Ballots are taken from now on; its subject is the Vote. 表决开始投票。",
)
BALLOT_CAST = Fact(
    name="BALLOT_CAST",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="The box holds another ballot, or many that were taken over. 收到一张或多张表决票。",
)
BALLOT_RULED = Fact(
    name="BALLOT_RULED",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="A ballot was ruled void, or another one ruled to count for its party. 裁定了一张票计入或作废。",
)
BALLOTS_SERVED = Fact(
    name="BALLOTS_SERVED",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="It was recorded which parties the ballot reached. 登记了表决票送达的业主。",
)
TOTALS_MENDED = Fact(
    name="TOTALS_MENDED",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="Kept totals that differed from the ballots were set to what these say. 累计数已按票改正。",
)
VOTE_CLOSED = Fact(
    name="VOTE_CLOSED",
    subject=VOTE,
    touches=(TALLY, BULLETIN, BOARD),
    meaning="The closing count is done and the outcome known; its subject is the Vote. 表决截止，计票完成。",
)
VOTE_RECOUNTED = Fact(
    name="VOTE_RECOUNTED",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="All ballots were counted once more, and the newest count holds. 重新计票，以最近一次为准。",
)
TALLY_CHANGED = Fact(
    name="TALLY_CHANGED",
    subject=VOTE,
    touches=(TALLY, BOARD),
    meaning="A ballot came, or the vote opened or closed; only older rows say no more. 计票有变。",
)
