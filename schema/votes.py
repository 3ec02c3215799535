"""Votes: what is asked, how it stands, and the ballot."""

from datetime import date, datetime
from typing import Annotated, cast

import strawberry
from strawberry import Parent

from community.database.cursors import ListCursors
from community.database.paging import Page, check_first
from community.errors import NotFound
from community.permissions import Permission, require
from community.places.reads import CommunityRow, buildings_by_id, organizations_by_id
from community.votes import actions
from community.votes.actions import check_opened
from community.votes.casting import (
    Answered,
    QuestionKind,
    Seat,
    VoteForm,
    check_seats,
    is_code,
    receipt_code,
)
from community.votes.facts import BALLOT, QUESTION, TALLY, VOTE
from community.votes.known import tallies_of
from community.votes.lifecycle import VoteStatus, check_open
from community.votes.progress import DayTurnout as DayTurnoutValue
from community.votes.progress import Progress as ProgressValue
from community.votes.progress import QuestionProgress
from community.votes.reads import (
    MOST_OWN,
    BallotRow,
    QuestionRow,
    VoteRow,
    ballot_row,
    questions_of,
    votes_by_number,
    votes_pages,
)
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
from schema.connections import After, Connection, First, connect
from schema.context import Info
from schema.cost import Price, Prices
from schema.eligibility import Eligibility
from schema.fields import brought, in_context
from schema.live import WatchedId, live
from schema.marks import BY_RIGHTS, BY_VIEWER
from schema.mutations import Key, mutation
from schema.nodes import Node, key_of, key_or_unknown, to_id
from schema.places import (
    NOTHING,
    Building,
    Numbered,
    Organization,
    community_by,
    community_row,
    numbered,
    shows_bulletin,
)
from schema.refs import CommunityRef
from schema.scalars import Hundredths


@strawberry.type(
    description="Heads and exclusive area side by side: by law both must reach a threshold, and they"
    " are never averaged (民法典 278)."
    " 人数和专有面积，两样都要达到，不能互抵。"
)
class Weight:
    heads: int = strawberry.field(
        description="Owner parties: one head each, however many units and co-owners it has."
        " 业主人数，一户业主算一人，不管有几套房。"
    )
    area: Hundredths = strawberry.field(
        description="Exclusive area (专有部分面积) in m², exact to 0.01. 专有面积，单位平方米，精确到 0.01。"
    )

    @classmethod
    def of(cls, value: WeightValue) -> "Weight":
        return cls(heads=value.heads, area=Hundredths(value.area))


@strawberry.type(description="One of the answers that a question offers. 议题的一个选项。")
class Choice:
    code: str = strawberry.field(
        description="What `castBallot` takes and tallies name: FOR 赞同, AGAINST 反对, ABSTAIN 弃权,"
        " FOLLOW 随多数, or a survey's own word."
        " 选项代码，投票和计票都用它。"
    )
    label: str = strawberry.field(description="The words beside the box on the ballot paper. 票面上的文字。")


@strawberry.type(
    description="Something to be decided or asked, with a denominator and thresholds of its own;"
    " seen by whoever sees its vote."
    " 一个议题，有自己的分母和门槛。"
)
class Question(Node, subject=QUESTION, row=QuestionRow):
    title: str = strawberry.field(
        description="What is put to the owners, in one line of up to 200 characters."
        " 议题，一行话，最多 200 字。"
    )
    description: str = strawberry.field(
        description="Costs, plans and reasons that an owner should know before answering; may be"
        " empty."
        " 投票前应该知道的情况，可能为空。"
    )
    kind: QuestionKind = strawberry.field(
        description="Whether it is decided by FOR and AGAINST, or only asked with options of its"
        " own."
        " 是作决定还是征求意见。"
    )
    matter: Matter = strawberry.field(
        description="What it is about by law, which alone fixes its thresholds. 事项，门槛由它决定。"
    )
    choices: list[Choice] = strawberry.field(
        description="The options offered, in the order of the ballot paper. 选项，按票面顺序。"
    )
    min_choices: int = strawberry.field(
        description="The fewest options to be marked; 0 where the question may be left out."
        " 至少选几个，0 表示可以不答。"
    )
    max_choices: int = strawberry.field(
        description="The most options that may be marked at once. 最多选几个。"
    )
    accepts_text: bool = strawberry.field(
        description="True where a text of up to 1,000 characters may be added; it is never shown to"
        " neighbours."
        " 能不能写文字，最多 1000 字，邻居看不到。"
    )

    scope: Building | None = brought(
        lambda loaders: loaders.of(buildings_by_id),
        "building_id",
        optional=True,
        description="The building whose owners alone answer it, as with its share of the 维修资金;"
        " null where all who vote do, or not one building alone."
        " 只由某幢业主表决的，是哪一幢；全体参与或不止一幢的为 null。",
    )


@strawberry.type(
    description="Who marked one option, as marked: before FOLLOW or silence joined anything."
    " 某个选项有多少人选，随多数归入之前。"
)
class ChoiceTally:
    choice: str = strawberry.field(description="The `code` of the option. 选项代码。")
    weight: Weight = strawberry.field(
        description="Heads and area of those who marked it; in a survey with several marks these add"
        " up to more than all."
        " 选它的人数和面积。"
    )


@strawberry.type(
    description="One of the four tests that must all be met for a resolution: participation and"
    " agreement, each by heads and by area (民法典 278, 杭州市物业管理条例 16)."
    " 通过所需的一个条件，四个都达到才算通过。"
)
class Condition:
    gate: Gate = strawberry.field(
        description="Which of the two gates it guards: enough took part, or enough agree."
        " 是参与的门槛还是同意的门槛。"
    )
    measure: Measure = strawberry.field(
        description="Whether heads or area are counted here. 按人数还是按面积。"
    )
    need: str = strawberry.field(
        description="The share as a fraction: 2/3 and 3/4 are to be reached, 1/2 is to be exceeded."
        " 要求的比例，2/3、3/4 含本数，1/2 要超过。"
    )
    clause: str = strawberry.field(
        description="The article of law it comes from, such as 杭州市物业管理条例 16. 依据的法条。"
    )
    have: Hundredths = strawberry.field(
        description="Reached so far, in heads or m²: who takes part, or who agrees."
        " 已经达到多少，单位人或平方米。"
    )
    of: Hundredths = strawberry.field(
        description="The denominator, in heads or m²: all on the roll for participation, those who"
        " took part for agreement."
        " 分母，参与看全体，同意看参与的人。"
    )
    missing: Hundredths = strawberry.field(
        description="The least further amount, in whole heads or 0.01 m², if every newcomer votes"
        " FOR and nothing else changes; 0 where it is met."
        " 至少还差多少，假设新来的都投赞同。"
    )
    met: bool = strawberry.field(
        description="True where the share is reached as of now; agreement may be lost again,"
        " participation cannot."
        " 现在达到没有；同意可能再失去，参与不会。"
    )

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


@strawberry.type(
    description="How one question stands, exact at one ballot, with a denominator of its own."
    " 一个议题现在的结果，有自己的分母。"
)
class QuestionTally:
    question_id: strawberry.ID = strawberry.field(
        description="Of the Question that these sums are about. 所说议题的编号。"
    )
    sequence: int = strawberry.field(
        name="moment",
        description="The number of the newest ballot within these sums; all of them stand at that"
        " one."
        " 统计到第几张票。",
    )
    eligible: Weight = strawberry.field(
        description="All who may answer it: the roll, or one building of it. 有权表决的人数和面积。"
    )
    participating: Weight = strawberry.field(
        description="Those whose ballot counts for it, abstentions among them."
        " 参与表决的人数和面积，弃权也算参与。"
    )
    agreeing: Weight | None = strawberry.field(
        description="Those who marked FOR, and what FOLLOW or silence added to it; null in a survey."
        " 同意的人数和面积，征求意见的为 null。"
    )
    choices: list[ChoiceTally] | None = strawberry.field(
        description="What was marked for each option; null while the vote keeps that back."
        " 各选项的票数，不公布时为 null。"
    )
    leader: str | None = strawberry.field(
        description="The option that FOLLOW joins: the one that alone leads both in heads and in"
        " area; null where none does."
        " 随多数跟随的选项，人数和面积都领先才有。"
    )
    conditions: list[Condition] = strawberry.field(
        description="The four tests of a resolution with what is still missing; an empty list in a"
        " consultation."
        " 通过所需的各个条件，征求意见为空。"
    )
    outcome: Outcome | None = strawberry.field(
        description="What came of it, PENDING until the closing count; null in a consultation, which"
        " cannot pass or fail."
        " 结果，截止计票前为 PENDING，征求意见为 null。"
    )

    @classmethod
    def of(cls, value: QuestionProgress) -> "QuestionTally":
        tally = value.tally
        survey = value.kind is QuestionKind.SURVEY
        return cls(
            question_id=to_id("Question", value.question),
            sequence=value.sequence,
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


@strawberry.type(
    description="How many came to vote on one day. Heads alone, for the area of a quiet day would"
    " name the flat."
    " 一天里来投票的人数，不给面积，免得认出是哪家。"
)
class DayTurnout:
    day: date = strawberry.field(
        description="A calendar day of Asia/Shanghai, from 0:00 to 24:00; one on which nobody came"
        " is left out."
        " 北京时间的一天，没人来的不列。"
    )
    heads: int = strawberry.field(
        description="Owner parties whose first ballot came then; who changes a ballot later is not"
        " moved."
        " 头一回投票在这天的业主人数。"
    )

    @classmethod
    def of(cls, value: DayTurnoutValue) -> "DayTurnout":
        return cls(day=value.day, heads=value.heads)


@strawberry.type(
    description="How a vote stands, in one consistent state; the same for everybody who may see the"
    " vote."
    " 表决的进度，人人看到的一样。"
)
class VoteProgress:
    value: strawberry.Private[ProgressValue]
    vote_id: strawberry.ID = strawberry.field(
        description="Whose sums these are; goes into `vote` or `node`. 所说表决的编号。"
    )
    version: int = strawberry.field(
        description="Grows with every ballot and every stage of the vote; of two states the greater"
        " one is newer, the other may be thrown away."
        " 版本号，每来一票都增大，大的更新。"
    )
    eligible: Weight = strawberry.field(
        description="All on the roll of the vote, frozen at its opening. 名册上的全部人数和面积，开始时冻结。"
    )
    participating: Weight = strawberry.field(
        description="Turnout of the ballot as a whole: those whose ballot counts. 整张票的参与人数和面积。"
    )
    last_ballot_at: datetime | None = strawberry.field(
        description="The moment of the newest ballot within these sums; null before the first."
        " 最近一票的时间，还没有票为 null。"
    )
    turnout_by_day: list[DayTurnout] = strawberry.field(
        description="Day by day who came to vote, in order; together they are the heads of"
        " `participating`."
        " 每天来投票的人数，加起来就是参与表决的人数。"
    )
    questions: list[QuestionTally] = strawberry.field(
        description="The tally of each question, in the order of the ballot paper. 各议题的结果，按票面顺序。"
    )

    @classmethod
    def of(cls, value: ProgressValue) -> "VoteProgress":
        return cls(
            value=value,
            vote_id=to_id("Vote", value.vote),
            version=value.version,
            eligible=Weight.of(value.eligible),
            participating=Weight.of(value.participating),
            last_ballot_at=value.last_ballot_at,
            turnout_by_day=[DayTurnout.of(day) for day in value.days],
            questions=[QuestionTally.of(question) for question in value.questions],
        )

    @strawberry.field(
        description="The vote itself, so that a client's store finds by its id what to renew; its"
        " `tally` is this very one."
        " 表决本身，客户端凭它的编号更新缓存；进度与这里相同。",
        metadata=BY_RIGHTS,
    )
    async def vote(self, info: Info) -> "Vote":
        info.context.loaders.of(tallies_of).know(self.value.vote, self.value)
        row = await info.context.loaders.votes.load(self.value.vote)
        if row is None:
            raise NotFound
        return Vote.of(row)


@strawberry.type(
    description="What the law leaves to the rules of procedure (议事规则), as settled for this vote"
    " at its announcement and unchangeable since."
    " 法律留给议事规则的几项，公告时定下，不再改变。"
)
class VoteRules:
    parking_counts: bool = strawberry.field(
        description="True where parking spaces count as exclusive units of their own; by default"
        " they do not."
        " 车位算不算专有部分，默认不算。"
    )
    follow_majority: FollowMajority | None = strawberry.field(
        description="How FOLLOW (随多数) is counted; null where it is not offered."
        " 随多数怎么算，没有这个选项为 null。"
    )
    silence: Silence = strawberry.field(
        description="How those count who were served and cast nothing. 送达了却没投票的怎么算。"
    )


@strawberry.type(
    description="What the voter marked for one question; shown only to whoever cast the ballot."
    " 本人对一个议题的选择，只有投票的人看得到。"
)
class Answer:
    question_id: strawberry.ID = in_context(
        lambda row, context: to_id("Question", row.question_id),
        description="The id under which `vote.questions` lists what was answered."
        " 所答议题的编号，与 vote.questions 里的相同。",
    )
    choices: list[str] = strawberry.field(
        description="The `code` of each option that was marked. 所选选项的代码。"
    )
    text: str | None = strawberry.field(
        description="The words that were added; null where there are none. 写下的文字，没有的为 null。"
    )


@strawberry.type(
    description="Proof that a ballot is in the box. Its own party sees that it counts; how it was"
    " marked, only whoever cast it."
    " 投票回执；同一户的共有人看得到已投，怎么投的只有本人看得到。"
)
class BallotReceipt(Node, subject=BALLOT, row=BallotRow):
    vote_id: strawberry.ID = in_context(
        lambda row, context: to_id("Vote", row.vote_id),
        description="Where the ballot lies; goes into `vote` or `node`. 所投表决的编号。",
    )
    vote: "Vote | None" = brought(
        lambda loaders: loaders.votes,
        "vote_id",
        optional=True,
        description="The vote that took it; below what `castBallot` gives, with this ballot counted."
        " Null for whoever may no longer read there."
        " 所投的表决；投票之后从这里读到新的进度，不再开放的为 null。",
        metadata=BY_RIGHTS,
    )
    cast_at: datetime = strawberry.field(
        description="The moment at which it was taken, by which it counts. 收到的时间。"
    )
    code: str | None = in_context(
        lambda row, context: None if row.answers is None else receipt_code(row.id),
        description="Short, to read out or write down, such as 7F3K-92QD-M4; it says nothing of the"
        " marks. Null for all but whoever cast it."
        " 回执号，可以念、可以抄，不透露怎么投的；别人看为 null。",
    )

    replaced_at: datetime | None = strawberry.field(
        description="When a later ballot of the same party took its place: this one counts no more,"
        " and its slip of paper is void. Null while it counts."
        " 被后来的票替换的时间，旧回执作废；有效的为 null。"
    )
    replaced_codes: list[str] = in_context(
        lambda row, context: [receipt_code(ballot) for ballot in row.replaced],
        description="The codes of the viewer's own receipts that this ballot, or one before it, made"
        " void, the newest first, ten at most; empty where nothing was changed."
        " 因改票而作废的原回执号，最多十个。",
    )

    answers: list[Answer] | None = strawberry.field(
        description="The marks, question by question; null for all but whoever cast it, so also for"
        " another co-owner."
        " 各议题的选择，只有投票的人看得到，别人为 null。",
    )


@strawberry.type(
    description="An owner party of the viewer on the roll of a vote, as it is frozen at the"
    " opening: one head, its area, its units."
    " 您在这次表决名册上的一户，开始时冻结。"
)
class RollEntry:
    """Its value is an `OwnEntry`."""

    party: strawberry.ID = in_context(
        lambda row, context: to_id("OwnerParty", row.party),
        description="To be given to `castBallot` where the viewer acts for several; the id of an"
        " OwnerParty."
        " 哪一户，代表几户时投票要指明。",
    )
    units: list[str] = strawberry.field(
        description="Names of the units with which it stands on the roll. 名册上的专有部分。"
    )
    weight: Weight = strawberry.field(
        description="One head, and the area of these units. 算一人，以及这些房屋的面积。"
    )
    may_cast: bool = strawberry.field(
        description="True where the viewer may cast for it: nobody else was named by the co-owners."
        " 您能不能为这一户投票，共有人推选了别人就不能。"
    )

    ballot: BallotReceipt | None = brought(
        lambda loaders: loaders.ballots,
        "ballot",
        optional=True,
        description="Of this party, the one that counts now; null where none was cast. Depends on"
        " the viewer."
        " 这一户现在有效的票，没投为 null。",
        metadata=BY_VIEWER,
    )


@strawberry.type(
    description="A vote of the owners (表决): questions put to a frozen roll between two moments,"
    " counted as 民法典 278 and 杭州市物业管理条例 16, 17 say."
    " 业主表决，按民法典和杭州市物业管理条例计票。"
)
class Vote(Node, subject=VOTE, row=VoteRow):
    community: CommunityRef = community_by(
        "community_id", description="The estate whose owners vote. 哪个小区的表决。"
    )

    number: int = strawberry.field(
        description="Counted among the votes of its community, from 1 in the order of publishing,"
        " and never given again: short enough for an address on paper."
        " 在本小区表决中的编号，从 1 起，不会重用。"
    )

    title: str = strawberry.field(
        description="The occasion in one line of up to 120 characters. 表决的名称，一行，最多 120 字。"
    )

    description: str = strawberry.field(
        description="What it is about: plain text of up to 10,000 characters with line breaks; may"
        " be empty."
        " 表决说明，纯文本，可换行。"
    )

    form: VoteForm = strawberry.field(
        description="What its result is worth: a decision by law, or an opinion. 结果有没有法律效力。"
    )

    status: VoteStatus = in_context(
        lambda row, context: row.status(context.loaders.now_until(row.opens_at, row.closes_at)),
        description="How far it has come, by its times and the clock of the server. 表决进行到哪一步。",
    )

    convener: Organization = brought(
        lambda loaders: loaders.of(organizations_by_id),
        "convener_id",
        description="The party that called it (召集人), by law the owners' committee or 物管委."
        " 召集表决的一方。",
    )

    announced_at: datetime = strawberry.field(
        description="When it was put on notice; by law at least 15 days before a regular vote opens"
        " (杭州市物业管理条例 19)."
        " 公告的时间，按条例至少提前 15 天。"
    )

    opens_at: datetime = strawberry.field(
        description="The first moment at which a ballot counts; the roll is frozen then."
        " 开始时间，从这一刻起投票有效，名册冻结。"
    )

    closes_at: datetime = strawberry.field(
        description="A ballot counts before this moment, by when its request was complete."
        " 截止时间，此前收到的票有效。"
    )

    revisable: bool = strawberry.field(
        description="True where a ballot may be changed until the vote closes, as in surveys; else"
        " the first one is final."
        " 截止前能不能改票。"
    )

    rules: VoteRules = in_context(
        lambda row, context: row,
        description="The settings by which it is counted, frozen with its announcement."
        " 计票规则，公告时定下。",
    )

    scope: Building | None = brought(
        lambda loaders: loaders.of(buildings_by_id),
        "building_id",
        optional=True,
        description="The building whose owners alone vote; null where the whole community does, or not one"
        " building alone."
        " 只由某幢业主表决的，是哪一幢；全体的或不止一幢的为 null。",
    )

    questions: list[Question] = brought(
        lambda loaders: loaders.of(questions_of, loaders.columns(QuestionRow)),
        "id",
        description="What is put to the owners, in the order of the ballot paper. 各个议题，按票面顺序。",
    )

    @strawberry.field(
        description="The sums as of now; the subscription `voteProgress` goes on from there."
        " 现在的进度，可接着订阅。"
    )
    @staticmethod
    async def tally(row: Parent[VoteRow], info: Info) -> VoteProgress:
        return VoteProgress.of(await info.context.loaders.of(tallies_of).get(row.id))

    @strawberry.field(
        description="The viewer's own entries in the roll; empty for everybody else, and for a token"
        " narrowed to neither CAST_BALLOT nor READ_OWN. Depends on the viewer, so that a"
        " subscription with it is not shared."
        " 您在名册上的各户，不是业主的为空。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def viewer_entries(row: Parent[VoteRow], info: Info) -> list[RollEntry]:
        return cast("list[RollEntry]", await info.context.loaders.own_entries.load(row) or [])

    @strawberry.field(
        description="The ballot that the viewer cast and whose receipt bears this code, also where a"
        " later one took its place (`replacedAt`), among the newest 1,000 of one's own; null for any"
        " other code. Depends on the viewer."
        " 按回执号找本人投的票，改过的旧票也能找到，别的为 null。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def receipt(
        row: Parent[VoteRow],
        info: Info,
        code: Annotated[
            str | None,
            strawberry.argument(
                description="As on the slip, in capitals or not, with its hyphens or not; null for"
                " the newest."
                " 回执号，大小写和短横都不拘，不填为最新的。"
            ),
        ] = None,
    ) -> BallotReceipt | None:
        most = 1 if code is None else MOST_OWN
        own = await info.context.loaders.own_ballots_in(most).load(row) or []
        meant = [ballot for ballot in own if code is None or is_code(code, receipt_code(ballot))]
        return BallotReceipt.of(await info.context.loaders.ballots.load(meant[0])) if meant else None

    @strawberry.field(
        description="Whether `castBallot` would be taken now for one of the viewer's owner parties,"
        " and if not, what would be answered. Depends on the viewer; the deed itself is"
        " checked again."
        " 现在能不能投票，不能的话是什么原因。",
        metadata=BY_VIEWER,
    )
    @staticmethod
    async def viewer_may_cast(row: Parent[VoteRow], info: Info) -> Eligibility:
        viewer = info.context.viewer
        community = await community_row(info.context, row.community_id)
        entries = await info.context.loaders.own_entries.load(row)
        seats = [Seat(entry.may_cast, entry.ballot is not None) for entry in entries or [] if entry.asked]
        return Eligibility.after(
            lambda: require(viewer, Permission.CAST_BALLOT, community.scope, Permission.READ_BULLETIN),
            lambda: check_open(row.status(info.context.now)),
            lambda: check_opened(opened=row.opened),
            lambda: check_seats(seats, revisable=row.revisable),
        )


@strawberry.type
class VotesOfCommunity:
    @strawberry.field(
        description="Votes of this estate that the viewer may see, the one that opens last first;"
        " empty for whoever may not read the bulletin."
        " 本小区的表决，开始最晚的在前。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def votes(
        row: Parent[CommunityRow],
        info: Info,
        first: First = 20,
        after: After = None,
        status: Annotated[
            list[VoteStatus] | None,
            strawberry.argument(
                description="Only votes in one of these states; null takes all, an empty list none."
                " 只要处于这些状态的，不填为全部。"
            ),
        ] = None,
    ) -> Connection[Vote]:
        size = check_first(first)
        statuses = None if status is None else tuple(sorted(set(status)))
        cursors = ListCursors("votes", row.id, {"status": statuses})
        key = cast("tuple[datetime, int] | None", cursors.key(after, datetime, int))
        page: Page[VoteRow] = NOTHING
        if shows_bulletin(info.context, row):
            loaders = info.context.loaders
            now = loaders.now_until() if statuses is None else loaders.now_briefly()
            loader = loaders.of(votes_pages, now, size, key, statuses, loaders.columns(VoteRow))
            page = await loader.get(row.id)
        return connect(page, lambda row: cursors.cursor(row.opens_at, row.id), later=key is not None)

    @strawberry.field(
        description="The vote with this number in this estate; null where there is none, or where"
        " the viewer may not see it."
        " 按编号找本小区的一次表决，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def vote(row: Parent[CommunityRow], info: Info, number: Numbered) -> Vote | None:
        return Vote.of(await numbered(info.context, row, votes_by_number, number))


@strawberry.type
class VotesQuery:
    @strawberry.field(
        description="The vote behind an id; null where it is unknown or hidden, or where the id is"
        " of something else."
        " 按 id 找一次表决，不存在或不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    async def vote(
        self,
        info: Info,
        id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="As it was given by any Vote; one that is not well formed is INVALID_ID."
                " 要找的表决的 id。"
            ),
        ],
    ) -> Vote | None:
        return await Vote.named(info.context, id)


@strawberry.input(description="What is marked for one question of a ballot. 对一个议题的选择。")
class AnswerInput:
    question_id: strawberry.ID = strawberry.field(
        description="Of a Question of this vote; another is UNKNOWN_QUESTION. 所答议题的 id，须属于这次表决。"
    )
    choices: list[str] = strawberry.field(
        default_factory=list,
        description="The `code` of each option to be marked, as many as the question takes. 所选选项的代码。",
    )
    text: str | None = strawberry.field(
        default=None,
        description="Up to 1,000 characters where the question accepts text; INVALID_INPUT"
        " elsewhere."
        " 附上的文字，最多 1000 字，须议题允许。",
    )

    def value(self, index: int) -> Answered:
        question = key_or_unknown(self.question_id, "Question", f"answers.{index}.questionId")
        return Answered(question, tuple(self.choices), self.text)


@strawberry.type
class VotesMutation:
    @mutation(
        "voteId",
        "Casts a ballot for one owner party. When this answers, the ballot is in the box"
        " for good, or until its owner changes it where the vote is `revisable`."
        " Refusals: NOT_ON_ROLL, VOTE_NOT_OPEN, VOTE_CLOSED, ALREADY_CAST,"
        " NOT_REPRESENTATIVE."
        " 投票；有回执就是已经投进票箱。",
    )
    async def cast_ballot(
        self,
        info: Info,
        vote_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The vote that takes it: of it one stands on the roll, and it is OPEN"
                " now."
                " 要投的表决。"
            ),
        ],
        answers: Annotated[
            list[AnswerInput],
            strawberry.argument(
                description="One for each question of which the party is on the roll; which one is"
                " wrong is told as `answers.0.choices.1`."
                " 各议题的选择。"
            ),
        ],
        party: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="The owner party, as `viewerEntries` names it; needed where the viewer"
                " acts for several, else PARTY_REQUIRED."
                " 代表哪一户，代表几户时必填。"
            ),
        ] = None,
        key: Key = None,
    ) -> BallotReceipt | None:
        ballot = await actions.cast_ballot(
            info.context.person,
            info.context.now,
            key_of(vote_id, "Vote", "voteId"),
            answers=[answer.value(index) for index, answer in enumerate(answers)],
            party=None if party is None else key_or_unknown(party, "OwnerParty", "party"),
            key=key,
        )
        return BallotReceipt.of(await ballot_row(info.context.person.account, ballot))


@strawberry.type
class VotesSubscription:
    vote_progress: VoteProgress = live(
        TALLY,
        WatchedId("Vote", "The vote to be watched; NOT_FOUND where it is hidden. 要关注的表决。"),
        VoteProgress.of,
        description="State: how the vote stands now, then again after each change. The newest wins;"
        " a slow reader skips steps, never the end."
        " 表决进度：先给现状，每有变化再给一次，只保证最新。",
    )


PRICES: Prices = {
    "Query.vote": Price(statements=1),
    "Community.votes": Price(statements=1, item=30),
    "Community.vote": Price(statements=1, item=15),
    "Vote.community": Price(statements=1, item=10),
    "Vote.convener": Price(statements=1, item=10),
    "Vote.scope": Price(statements=1, item=10),
    "Vote.questions": Price(statements=1, item=20, size=2),
    "Vote.tally": Price(statements=5, item=900),
    "Vote.viewerEntries": Price(statements=3, item=50),
    "Vote.receipt": Price(statements=3, item=50),
    "Vote.viewerMayCast": Price(statements=4, item=70),
    "RollEntry.ballot": Price(statements=1, item=30),
    "VoteProgress.vote": Price(statements=1, item=20),
    "BallotReceipt.vote": Price(statements=1, item=10),
    "BallotReceipt.replacedCodes": Price(size=2),
    "RollEntry.units": Price(size=3),
    "Answer.choices": Price(size=2),
    "BallotReceipt.answers": Price(size=3),
    "Question.choices": Price(size=4),
    "Question.scope": Price(statements=1, item=10),
    "VoteProgress.turnoutByDay": Price(size=14),
    "VoteProgress.questions": Price(size=2),
    "QuestionTally.choices": Price(size=4),
    "QuestionTally.conditions": Price(size=4),
}
