"""Votes: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.database.steps import take_step
from community.members.models import Ownership
from community.permissions import SYSTEM, Permission, Role
from community.votes.actions import (
    NewQuestion,
    RecordedBallot,
    Service,
    announce_vote,
    cast_ballot,
    open_vote,
    record_ballots,
    record_service,
    recount_vote,
    void_ballot,
)
from community.votes.casting import Answered, Channel, QuestionKind, Validity, VoteForm, receipt_code
from community.votes.lifecycle import LIFE, VoteStep
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
from community.votes.reads import questions_of
from community.votes.rules import Matter, Part, Silence
from schema.nodes import to_id
from tests.community.database.breaking import Other, Own, insert, update
from tests.examples import Examples, Ground, ListExample, MutationExample, Plenty, Read, Variables
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, CURSORS, VOTES, aliases, pages
from tests.world.polls import Poll

DAY = timedelta(days=1)


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    community, later = estate.community, now + timedelta(days=7)
    party = (await Ownership.get(unit_id=estate.unit)).party_id  # type: ignore[attr-defined]
    scope = await VoteScopeRecord.create(community_id=community)
    await VoteScopePart.create(scope_id=scope.id, community_id=community)
    vote = await Vote.create(
        community_id=community, convener_id=estate.committee, title="物业选聘", description="",
        form=VoteForm.STATUTORY_LOCAL, profile_version=1, silence=Silence.ABSENT, announced_at=now,
        opens_at=now, closes_at=later, scope_id=scope.id,
    )  # fmt: skip
    for step in (VoteStep.ANNOUNCED, VoteStep.OPENED):
        await take_step(VoteStepRecord, LIFE, vote.id, step, at=now)
    contest = await Contest.create(vote_id=vote.id, position=1)
    question = await Question.create(
        vote_id=vote.id, position=1, title="续聘", description="", kind=QuestionKind.RESOLUTION,
        matter=Matter.ENGAGE_PROVIDER, scope_id=scope.id, contest_id=contest.id,
    )  # fmt: skip
    await Choice.create(question_id=question.id, position=1, code="FOR", label="")
    roll = await Roll.create(vote=vote.id, scope_id=scope.id, heads=1, area=9_000, frozen_at=now)
    await Vote.filter(id=vote.id).update(roll_id=roll.id)
    await RollEntry.create(roll_id=roll.id, party_id=party, area=9_000)
    await RollUnit.create(roll_id=roll.id, unit_id=estate.unit, party_id=party, area=9_000)
    await Served.create(vote_id=vote.id, party_id=party, evidence="回执", served_at=now)
    ballots = [
        await Ballot.create(
            vote_id=vote.id, party_id=party, sequence=sequence, channel=Channel.ONLINE, cast_at=now,
            validity=validity,
        )
        for sequence, validity in ((1, Validity.VALID), (2, Validity.VALID), (3, Validity.INVALID))
    ]  # fmt: skip
    await BallotChoice.create(ballot_id=ballots[1].id, question_id=question.id, choice="FOR")
    await BallotText.create(ballot_id=ballots[1].id, question_id=question.id, text="好")
    await Counting.bulk_create(
        Counting(vote_id=vote.id, sequence=ballot.sequence, party_id=party, ballot_id=ballot.id)
        for ballot in ballots[:2]
    )
    await Ruling.create(
        vote_id=vote.id, sequence=4, ballot_id=ballots[2].id, counts=True, reason="签名可认", ruled_at=now
    )
    await Total.create(
        vote_id=vote.id, part=Part.CHOICE, key=question.id, label="FOR", heads=1, area=9_000
    )  # fmt: skip
    counted = await Count.create(vote_id=vote.id, number=1, sequence=4, at=now)
    await CountResult.create(
        count_id=counted.id, question_id=question.id, participating_heads=1, participating_area=9_000,
        choices='{"FOR": [1, 9000]}',
    )  # fmt: skip


RULED = {"sequence": 4, "ballot_id": Other("invalid_ballot")}
"""What the ruling says of what counts."""

VIOLATIONS = [
    ("vote_window", insert("vote", closes_at=Own("opens_at"))),
    ("vote_window", update("vote", opens_at=Own("closes_at"))),
    ("question_choices", insert("question", min_choices=-1)),
    ("question_choices", update("question", min_choices=2)),
    ("roll_entry_one_head", insert("roll_entry", heads=2)),
    ("roll_entry_one_head", insert("roll_entry", heads=0)),
    ("roll_entry_one_head", insert("roll_entry", area=0)),
    ("roll_unit_area_positive", insert("roll_unit", area=0)),
    ("ballot_sequence_positive", insert("ballot", sequence=0)),
    ("ballot_on_roll", insert("ballot", sequence=4, party_id=Other("party"))),
    ("ballot_choice_offered", insert("ballot_choice", choice="FOLLOW")),
    ("ballot_on_roll", insert("ballot", sequence=5, party_id=None)),
    ("ruling_on_earlier", insert("ruling", sequence=0)),
    ("ruling_on_earlier", insert("ruling", sequence=3)),
    ("ruling_on_earlier", insert("ruling", sequence=5, vote_id=Other("vote"))),
    ("counting_follows", insert("counting", **RULED | {"party_id": Other("party")})),
    ("counting_follows", insert("counting", **RULED | {"party_id": None})),
    ("counting_follows", insert("counting", **RULED | {"vote_id": Other("vote")})),
    ("counting_follows", insert("counting", **RULED | {"ballot_id": Other("first_ballot")})),
    ("counting_follows", insert("counting", **RULED | {"ballot_id": None})),
    ("counting_follows", insert("counting", **RULED | {"sequence": 5})),
    ("counting_follows", insert("counting", sequence=3, ballot_id=Other("invalid_ballot"))),
    ("counting_in_order", insert("counting", sequence=1, ballot_id=Other("first_ballot"))),
    ("counting_in_order", insert("counting")),
    ("vote_scope_part_one", insert("vote_scope_part", building_id=Other("building"))),
    ("vote_scope_part_one", insert("vote_scope_part", community_id=None)),
    ("count_numbered", insert("count", number=1, sequence=Other("newest"))),
    ("count_numbered", insert("count", number=3, sequence=Other("newest"))),
    ("count_of_all", insert("count", number=2, sequence=1)),
    ("count_of_all", insert("count", number=2, sequence=9)),
    ("vote_step_numbered", insert("vote_step", number=9)),
    ("vote_step_numbered", insert("vote_step", number=1)),
    ("vote_without_steps", insert("vote", steps=1)),
    ("vote_without_steps", insert("vote", last_step="ANNOUNCED")),
    ("vote_follows_steps", update("vote", steps=7)),
    ("vote_follows_steps", update("vote", last_step="COUNTED")),
]


# Texts


async def choice(poll: Poll, code: str = "A", label: str = "好") -> None:
    """Announced, and marked by somebody."""
    home = await poll.household()
    vote = await poll.opened(poll.survey(choices=[(code, label), ("另一个", "另一个")]))
    await poll.cast(home.viewer, vote, code)


async def evidence(poll: Poll, evidence: str) -> None:
    home = await poll.household()
    vote = await poll.opened()
    paper = RecordedBallot(home.party, poll.during, await poll.answers(vote, "FOR"), Channel.PAPER, evidence)
    await record_ballots(SYSTEM, poll.during, vote, [paper])


async def service(poll: Poll, evidence: str) -> None:
    home, vote = await poll.household(), await poll.opened()
    await record_service(SYSTEM, poll.during, vote, [Service(home.party, evidence, poll.during)])


async def ruling(poll: Poll, reason: str) -> None:
    home, vote = await poll.household(), await poll.opened()
    ballot = await poll.cast(home.viewer, vote)
    await void_ballot(poll.estate.chair, poll.during, ballot, reason=reason)


async def answer_text(poll: Poll, text: str) -> None:
    home = await poll.household()
    vote = await poll.opened(poll.survey(accepts_text=True))
    (one,) = await poll.questions(vote)
    await poll.cast(home.viewer, vote, answers=[poll.answer(one, "A", text=text)])


async def counted_again(poll: Poll, reason: str) -> None:
    vote = await poll.opened()
    await poll.closed(vote)
    await recount_vote(poll.estate.chair, poll.counted_at, vote, reason=reason)


# The town


async def participate(house: Any) -> None:
    town, resident = house.town, await house.viewer("spring/resident-1")
    answers = [Answered(town.key("Question", "open/0"), ("FOR",))]
    await cast_ballot(resident, house.now, town.key("Vote", "open"), answers=answers)


async def enrich(plenty: Plenty) -> None:
    now = plenty.now
    asked = [
        NewQuestion("换水泵", "", QuestionKind.RESOLUTION, Matter.USE_FUND),
        NewQuestion("修电梯", "", QuestionKind.RESOLUTION, Matter.USE_FUND),
    ]
    votes = [
        await announce_vote(
            SYSTEM, opens - 20 * DAY, plenty.community, convener=plenty.committee, title="表决",
            description="", form=VoteForm.STATUTORY_LOCAL, opens_at=opens, closes_at=opens + 10 * DAY,
            questions=asked,
        )
        for opens in (now - DAY, now + 5 * DAY)
    ]  # fmt: skip
    await open_vote(SYSTEM, now - DAY, votes[0])
    answers = [Answered(row.id, ("FOR",)) for row in (await questions_of(votes))[votes[0]]]
    await cast_ballot(plenty.resident, now, votes[0], answers=answers)


NAMES = {"spring": "open", "quiet": "quiet"}
"""Of an open vote of each community."""


async def ids(ground: Ground) -> Mapping[str, str]:
    town, name = ground.house.town, NAMES[ground.slug]
    vote, question = town.key("Vote", name), town.key("Question", f"{name}/0")
    ballot = await cast_ballot(
        ground.owner, ground.house.now, vote, answers=[Answered(question, ("FOR",))]
    )  # fmt: skip
    return {
        "vote": to_id("Vote", vote),
        "question": to_id("Question", question),
        "ballot": to_id("Ballot", ballot),
        "code": receipt_code(ballot),
    }


# The schema


async def cast_ballot_example(house: Any) -> MutationExample:
    vote = house.town.id("Vote", "survey")
    (question,) = (await house.ask("query($id: ID!) { vote(id: $id) { questions { id } } }", id=vote))[
        "vote"
    ]["questions"]
    party = house.town.id("OwnerParty", "spring/resident-1")

    def answers(*choices: str, text: str | None = None, of: str = question["id"]) -> Variables:
        return {"answers": [{"questionId": of, "choices": list(choices), "text": text}]}

    return MutationExample(
        "mutation($vote: ID!, $answers: [AnswerInput!]!, $party: ID, $key: String)"
        " { castBallot(voteId: $vote, answers: $answers, party: $party, key: $key) { id } }",
        "spring/resident-1",
        {"vote": vote, **answers("PARK", "GYM", text="再种\n几棵树")},
        [answers("GYM", "PARK", text=" 再种\r\n几棵树 "), {"party": party}, {"party": None}],
        [
            answers("PARK", text="再种\n几棵树"), answers("PARK", "POOL", text="再种\n几棵树"),
            answers("PARK", "GYM"), answers("PARK", "GYM", text="再种几棵树"), {"answers": []},
            {"party": house.town.id("OwnerParty", "spring/resident-2")}, {"party": vote},
            answers("PARK", "GYM", text="再种\n几棵树", of=vote),
        ],
    )  # fmt: skip


READS = {
    "Community.votes": Read(A_COMMUNITY % "votes {{ edges {{ node {{ id }} }} }}", "votes.edges"),
    "Community.vote": Read(A_COMMUNITY % "vote(number: 1) {{ id }}", "vote"),
    "vote": Read('vote(id: "{vote}") {{ title tally {{ version }} }}'),
    "VoteProgress.vote": Read('vote(id: "{vote}") {{ tally {{ vote {{ title }} }} }}', "tally.vote"),
    "Vote.community": Read('vote(id: "{vote}") {{ community {{ slug }} }}', "community"),
    "Vote.viewerMayCast": Read(
        'vote(id: "{vote}") {{ viewerMayCast {{ code }} }}', "viewerMayCast", eligibility=True
    ),
    "Vote.viewerEntries": Read(
        'vote(id: "{vote}") {{ viewerEntries {{ units weight {{ heads }} }} }}', "viewerEntries"
    ),
    "RollEntry.ballot": Read(
        'vote(id: "{vote}") {{ viewerEntries {{ ballot {{ code answers {{ choices }} }} }} }}',
        "viewerEntries.ballot.answers",
    ),
    "Vote.receipt": Read(
        'vote(id: "{vote}") {{ receipt(code: "{code}") {{ answers {{ choices }} }} }}', "receipt.answers"
    ),
    "BallotReceipt.vote": Read(
        'node(id: "{ballot}") {{ ... on BallotReceipt {{ vote {{ title }} }} }}', "vote"
    ),
    "node(Vote)": Read('node(id: "{vote}") {{ id }}'),
    "node(Question)": Read('node(id: "{question}") {{ ... on Question {{ title choices {{ code }} }} }}'),
    "node(Ballot)": Read('node(id: "{ballot}") {{ ... on BallotReceipt {{ code }} }}'),
}

DEAREST = {
    "thirty tallies": COMMUNITIES % (VOTES % aliases("tally { version }", 30)),
    "votes of the community of the votes": "{ communities { edges { node { "
    + "votes { edges { node { community { " * 2
    + "votes { edges { node { tally { version } } } }"
    + " } } } }" * 2
    + " } } } }",
    "votes of many lengths": COMMUNITIES
    % pages("votes", "edges { node { tally { version } viewerEntries { ballot { code } } } }"),
}

EXAMPLES = Examples(
    permissions={
        Permission.CAST_BALLOT: frozenset(Role),
        Permission.ANNOUNCE_VOTE: {Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE, Role.GRID_WORKER},
    },
    furnish=furnish,
    violations=VIOLATIONS,
    others={
        "party": "SELECT id FROM owner_party WHERE id NOT IN (SELECT party_id FROM roll_entry)",
        "first_ballot": "SELECT id FROM ballot WHERE sequence = 1",
        "invalid_ballot": "SELECT id FROM ballot WHERE validity = 'INVALID'",
        "newest": (
            "SELECT MAX(n) AS id FROM (SELECT sequence n FROM ballot UNION SELECT sequence FROM ruling) s"
        ),
    },
    fresh={"vote": {"number": 0, "steps": 0, "last_step": None}},
    lives={"vote": "vote_step"},
    unindexed={
        *("question.contest_id", "question.scope_id", "roll.scope_id", "vote.scope_id"),
        "vote_scope.community_id",
        *("vote_scope_part.building_id", "vote_scope_part.community_id", "vote_scope_part.unit_id"),
        "vote_step.actor_id",
    },
    texts={
        "ballot.evidence": evidence,
        "ballot_choice.choice": lambda poll, text: choice(poll, code=text),
        "ballot_text.text": answer_text,
        "choice.code": lambda poll, text: choice(poll, code=text),
        "choice.label": lambda poll, text: choice(poll, label=text),
        "question.description": lambda poll, text: poll.announced(poll.resolution(description=text)),
        "question.title": lambda poll, text: poll.announced(poll.resolution(title=text)),
        "ruling.reason": ruling,
        "served.evidence": service,
        "vote.description": lambda poll, text: poll.announced(description=text),
        "vote.title": lambda poll, text: poll.announced(title=text),
        "vote_step.reason": counted_again,
    },
    longest={"vote.description": 10_000, "question.description": 10_000},
    ours={
        "count_result.choices": "sums of choices, in JSON",
        "count_result.outcome": "a word of Outcome",
        "total.label": "a choice's code, or a day",
        "vote.silence_clause": "no vote may count silence yet",
    },
    participate=participate,
    enrich=enrich,
    nodes={"Vote": ("open", "quiet"), "Question": ("open/0", "quiet/0")},
    own_nodes={"Ballot"},
    mutations={"castBallot": cast_ballot_example},
    ids=ids,
    reads=READS,
    doors={"castBallot": 'castBallot(voteId: "{vote}", answers: []) {{ id }}'},
    watches={"voteProgress": 'voteProgress(voteId: "{vote}") {{ version }}'},
    live={"tally"},
    by_viewer={"Vote.viewerEntries", "Vote.receipt", "Vote.viewerMayCast", "RollEntry.ballot"},
    ways={
        "Vote": VOTES,
        "VoteProgress": VOTES % "tally { %s }",
        "Question": VOTES % "questions { %s }",
        "RollEntry": VOTES % "viewerEntries { %s }",
        "BallotReceipt": VOTES % "viewerEntries { ballot { %s } }",
        "Answer": VOTES % "viewerEntries { ballot { answers { %s } } }",
    },
    arguments={
        "Query.vote": lambda town: f'(id: "{town.id("Vote", "open")}")',
        "Community.vote": lambda _: "(number: 1)",
    },
    by_key={
        "vote": lambda town: [
            f'id: "{town.id("Vote", name)}"' for name in ("open", "closed", "survey", "quiet")
        ]
    },
    pages={"votes": ("%s", CURSORS)},
    lists={
        "votes": ListExample("votes"),
        "votes that are open": ListExample("votes", "status: [OPEN]"),
        "votes that are closed": ListExample("votes", "status: [CLOSED]"),
        "votes of another": ListExample("votes", slug="quiet"),
    },
    dearest=DEAREST,
)
