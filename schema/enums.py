"""The words of the schema that are enums, each with what it means; importing this makes them so."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

import strawberry

from community.bulletin.rules import BULLETIN_TOPIC, NoticeKind, NoticeStatus
from community.catalogue import catalogue
from community.errors import ErrorCode
from community.ledger.rules import AuthorityFault, Category, Direction
from community.permissions import GRANTS, Permission
from community.places.facts import BOARD
from community.places.rules import OrganizationKind
from community.votes.casting import QuestionKind, VoteForm
from community.votes.lifecycle import VoteStatus
from community.votes.rules import FollowMajority, Gate, Matter, Measure, Outcome, Silence


def _describe(
    enum: type[Enum], description: str, meanings: Mapping[Enum, str], *, name: str | None = None
) -> None:
    made = strawberry.enum(enum, name=name, description=description)
    for value in made.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = meanings.get(enum[value.name])


if TYPE_CHECKING:

    class BulletinKind(StrEnum):
        pass

    class BoardFact(StrEnum):
        pass

else:

    def _facts(name: str, topic: str, description: str) -> type[StrEnum]:
        facts = catalogue().touching(topic)
        enum = StrEnum(name, {fact.name: fact.name for fact in facts})
        _describe(enum, description, {enum[fact.name]: fact.meaning for fact in facts})
        return enum

    BulletinKind = _facts(
        "BulletinKind", BULLETIN_TOPIC, "What happened, as a line on the bulletin. 公告栏动态的种类。"
    )
    BoardFact = _facts(
        "BoardFact",
        BOARD.topic,
        "What happened in a community, whether it is on the bulletin or not. 小区里发生的事。",
    )
_describe(
    NoticeKind,
    "What a sheet on the board asks of its readers. 公告栏纸张的种类。",
    {
        NoticeKind.NOTICE: "An announcement, to be known (公告). 公告，告知大家。",
        NoticeKind.DISPLAY: (
            "A public display, to which objections are welcome (公示); the law wants 15 days for many."
            " 公示，欢迎提出异议。"
        ),
    },
)
_describe(
    NoticeStatus,
    "Whether a sheet still holds; it can be read either way. 公告还有没有效，都能看。",
    {
        NoticeStatus.PUBLISHED: "It hangs and holds, corrected or not. 张贴着，有效。",
        NoticeStatus.WITHDRAWN: "Who signed it withdrew it, with a reason; nothing follows. 署名单位撤下了。",
    },
)
_describe(
    OrganizationKind,
    "The parties that run an estate together. 共同治理小区的各方。",
    {
        OrganizationKind.RESIDENTS_COMMITTEE: (
            "The residents' committee of the neighbourhood, with its grid worker. 社区居委会，有网格员。"
        ),
        OrganizationKind.PARTY_BRANCH: (
            "The local group of Communist Party members, one of the four parties at the table. 小区党支部。"
        ),
        OrganizationKind.OWNERS_COMMITTEE: (
            "The committee that the owners elected (杭州市物业管理条例 27). 业主委员会，由业主选举产生。"
        ),
        OrganizationKind.MANAGEMENT_COMMITTEE: (
            "Stands in where there is no owners' committee; the sub-district forms it (杭州市物业管理条例"
            " 38 to 42)."
            " 物业管理委员会，没有业委会时由街道组建。"
        ),
        OrganizationKind.PROPERTY_SERVICE: (
            "The firm that looks after the common parts. 物业服务人，即物业公司。"
        ),
    },
)
_describe(
    VoteStatus,
    "How far a vote has come. 表决进行到哪一步。",
    {
        VoteStatus.DRAFT: "Written, but not yet put on notice; nobody else sees it. 起草中，还没公告。",
        VoteStatus.ANNOUNCED: "On notice, before `opensAt`; no ballot is taken yet. 已公告，还没开始投票。",
        VoteStatus.OPEN: "Between `opensAt` and `closesAt`; ballots are taken. 正在投票。",
        VoteStatus.SUSPENDED: (
            "Stopped for a while, as after a technical failure; no ballot is taken until it goes on."
            " 暂停，恢复前不能投票。"
        ),
        VoteStatus.CLOSED: (
            "Past `closesAt`; no more ballots are taken, and the closing count follows within seconds."
            " 投票已截止。"
        ),
        VoteStatus.ON_DISPLAY: (
            "Counted, and its result on public display for objections (公示). 结果公示中。"
        ),
        VoteStatus.CERTIFIED: "Its result was confirmed after the display. 结果已确认。",
        VoteStatus.PUBLISHED: "Its result is published for good (杭州市物业管理条例 19). 结果已正式公布。",
        VoteStatus.WITHDRAWN: (
            "Taken back by its convener before anybody had voted. 召集人在有人投票前撤回了。"
        ),
        VoteStatus.ANNULLED: (
            "A court or the sub-district undid it; it has no effect (民法典 280). 已被撤销，没有效力。"
        ),
    },
)
_describe(
    VoteForm,
    "What the result of a vote is worth by law. 表决的效力。",
    {
        VoteForm.STATUTORY_LOCAL: (
            "A decision of the owners by law, with ballots taken here. 法定表决，在本系统投票。"
        ),
        VoteForm.STATUTORY_IMPORTED: (
            "A decision of the owners by law, its result taken over from the city's system."
            " 法定表决，结果从官方系统导入。"
        ),
        VoteForm.CONSULTATION: (
            "Asks for opinions, such as a satisfaction survey; it cannot pass or fail."
            " 征求意见，没有通过不通过。"
        ),
    },
)
_describe(
    QuestionKind,
    "Whether owners decide, by fixed options, or are asked, by options of its own."
    " 议题怎么回答，是表态还是问卷。",
    {
        QuestionKind.RESOLUTION: (
            "By one of FOR, AGAINST, ABSTAIN, and FOLLOW where the vote's rules offer it."
            " 表态：赞同、反对、弃权，或随多数。"
        ),
        QuestionKind.SURVEY: "By options of its own, one or several. 问卷：从自设的选项里选。",
    },
)
_describe(
    Matter,
    "What is decided; it alone fixes the thresholds (民法典 278, 杭州市物业管理条例 16)."
    " Two thirds of heads and area must take part; then more than half of these must"
    " agree, or three quarters where it says so."
    " 共同决定事项，决定需要多少人参与和同意。",
    {
        Matter.RULES_OF_PROCEDURE: (
            "To adopt or amend the rules of procedure of the owners' assembly; more than half agree."
            " 制定、修改业主大会议事规则。"
        ),
        Matter.COVENANT: (
            "To adopt or amend the covenant of the estate; more than half agree. 制定、修改管理规约。"
        ),
        Matter.ELECT_COMMITTEE: (
            "To elect the owners' committee or replace members, one question a candidate; more than half"
            " agree."
            " 选举业委会或更换成员。"
        ),
        Matter.ENGAGE_PROVIDER: (
            "To engage or dismiss the property service; more than half agree. 选聘、解聘物业服务人。"
        ),
        Matter.USE_FUND: "To spend of the maintenance fund; more than half agree. 使用维修资金。",
        Matter.RAISE_FUND: (
            "To raise money for the maintenance fund; three quarters agree. 筹集维修资金，要四分之三同意。"
        ),
        Matter.REBUILD: (
            "To rebuild or alter buildings and facilities; three quarters agree. 改建、重建，要四分之三同意。"
        ),
        Matter.CHANGE_COMMON_PARTS: (
            "To change what common parts are used for, or to do business with them; three quarters agree."
            " 改变共有部分用途或用来经营，要四分之三同意。"
        ),
        Matter.SPEND_INCOME: (
            "To spend what common parts earned, beyond the limits of the 议事规则 (杭州市物业管理条例"
            " 16(10)); more than half agree."
            " 使用共有收入。"
        ),
        Matter.OTHER_MATTER: (
            "Another major matter of the owners, such as a new fee; more than half agree. 其他重大事项。"
        ),
        Matter.CONSULTATION: (
            "Nothing is decided, so that there are no thresholds. 只征求意见，不作决定，没有门槛。"
        ),
    },
)
_describe(
    FollowMajority,
    "What a ballot marked FOLLOW (随多数) counts as; it always takes part. 随多数的票怎么算。",
    {
        FollowMajority.RESOLVE: (
            "It joins the option that alone leads in heads and in area, and abstains where none does."
            " 归入人数和面积都领先的选项，没有就算弃权。"
        ),
        FollowMajority.ABSTAIN: "It always counts as abstaining, whoever leads. 一律算弃权。",
    },
)
_describe(
    Silence,
    "What those count as that were served a ballot and cast nothing; the law leaves it"
    " to the rules."
    " 送达后没投票的怎么算。",
    {
        Silence.ABSENT: "They take no part: the cautious default. 不算参与，这是默认。",
        Silence.FOLLOW_MAJORITY: (
            "They take part and join the leader, where an adopted clause says so and they were warned."
            " 算参与并归入多数，须有条款并已告知。"
        ),
    },
)
_describe(
    Gate,
    "The two gates of a decision; each is counted by heads and by area. 表决的两道门槛。",
    {
        Gate.PARTICIPATION: "Enough of all owners took part: two thirds. 参与，要达到三分之二。",
        Gate.AGREEMENT: (
            "Enough of those who took part agree: more than half, or three quarters."
            " 同意，要过半或达到四分之三。"
        ),
    },
)
_describe(
    Measure,
    "What is counted at a gate; both must pass. 按什么计算，两样都要达到。",
    {
        Measure.HEADS: "Owner parties, one each, whole numbers. 按业主人数。",
        Measure.AREA: "Exclusive area in m², exact to 0.01. 按专有面积，单位平方米。",
    },
)
_describe(
    Outcome,
    "What came of a question by law. 议题的结果。",
    {
        Outcome.PENDING: (
            "The closing count has not been made, or a ballot was ruled on after it and the next count is to"
            " come; anything may still change. 还没有最后计票，或者计票后又裁定了某张票，等待重新计票。"
        ),
        Outcome.ADOPTED: "All four conditions are met: it is decided. 通过，四个条件都达到。",
        Outcome.NOT_ADOPTED: (
            "Enough took part, not enough agreed; the opposite is not decided by that."
            " 没有通过，但不等于决定了相反的事。"
        ),
        Outcome.NO_QUORUM: "Too few took part, so that nothing is decided. 参与不足，不能作出决定。",
    },
)
_describe(
    Direction,
    "The side of the book on which an entry stands. 收入还是支出。",
    {
        Direction.INCOME: "What common parts earned; it adds to the balance. 收入，增加余额。",
        Direction.EXPENSE: "What was spent of it; it lessens the balance. 支出，减少余额。",
    },
    name="EntryDirection",
)
_describe(
    Category,
    "What an entry is for, ten kinds of income and eight of spending (杭州市物业管理条例"
    " 30, 60)."
    " 收支类别，十类收入、八类支出。",
    {
        Category.PARKING_COMMON: "Income: fees for parking on common ground and roads. 公共区域停车费。",
        Category.ADVERTISING: (
            "Income: advertisements in lifts, at gates and on walls. 电梯、门口、墙面的广告费。"
        ),
        Category.PREMISES_RENT: (
            "Income: rent of premises that belong to all owners (经营用房). 经营用房的租金。"
        ),
        Category.SITE_RENT: "Income: rent of open ground for stalls and promotions. 摆摊、促销等的场地费。",
        Category.PARCEL_LOCKER: "Income: fees of the firms that put up parcel lockers. 快递柜进场费。",
        Category.TELECOM_SITE: (
            "Income: rent of places for base stations and their equipment. 通信基站占地费。"
        ),
        Category.CHARGING: "Income: shares of charging points for cars and bicycles. 充电桩分成。",
        Category.COMPENSATION: (
            "Income: damages paid for common facilities that were broken. 损坏公共设施的赔偿。"
        ),
        Category.INTEREST: "Income: what the bank pays on the account. 账户利息。",
        Category.OTHER: (
            "Income that fits no other kind, such as recycling or vending machines."
            " 其他收入，例如废品、售货机。"
        ),
        Category.FUND_TOP_UP: (
            "Spending: transfers into the maintenance fund, its main purpose by law."
            " 补充维修资金，法定的主要用途。"
        ),
        Category.REPAIR_UPGRADE: "Spending: repairs and upgrades of common parts. 公共部位的维修和改造。",
        Category.OPERATING_COST: (
            "Spending: what earning it reasonably cost, such as power, tax and the manager's share."
            " 经营的合理成本，例如电费、税费。"
        ),
        Category.COMMITTEE_COST: (
            "Spending: running costs of the owners' committee or 物管委 (杭州市物业管理条例 35)."
            " 业委会（物管委）的工作经费。"
        ),
        Category.ALLOWANCE: (
            "Spending: allowances that the owners granted to committee members. 委员的补贴，由业主决定。"
        ),
        Category.AUDIT: (
            "Spending: audits of the book, as at the end of a term (杭州市物业管理条例 37)."
            " 审计费，例如换届审计。"
        ),
        Category.COMMUNITY_EVENT: "Spending: gatherings of neighbours and holidays. 社区活动的费用。",
        Category.OTHER_RESOLVED: "Spending of another kind that the owners resolved. 业主决定的其他支出。",
    },
    name="EntryCategory",
)
_describe(
    AuthorityFault,
    "Why a vote that an entry cites does not allow it (杭州市物业管理条例 16(10), 民法典"
    " 278(8)): it was recorded before this was checked, or its vote was annulled since."
    " 所依据的表决为什么不能作数。",
    {
        AuthorityFault.NOT_COUNTED: (
            "It is not open yet, still open, or closed and not counted. 还没有计票。"
        ),
        AuthorityFault.NOT_ADOPTED: (
            "Counted, and not enough agreed to every question that bears on it."
            " 计了票，有关的议题没有都通过。"
        ),
        AuthorityFault.NO_QUORUM: "Counted, and too few took part. 计了票，参加的人数或面积不够。",
        AuthorityFault.ANNULLED: "Annulled after it was counted. 计票后被撤销。",
        AuthorityFault.CONSULTATION: "A survey, which decides nothing. 只是征求意见，不作决定。",
        AuthorityFault.OTHER_MATTER: (
            "It decides something else, or for one building only: an expense needs SPEND_INCOME, an income"
            " CHANGE_COMMON_PARTS, asked of all owners. 决定的不是这件事，或者不是全体业主决定的。"
        ),
    },
)
_describe(
    Permission,
    "What somebody may do in a community, by role; a token may be narrowed to some of"
    " them with `--scope`."
    " 能办的事，由身份决定，令牌可以只给其中几项。",
    {permission: f"{grant.en} {grant.zh}" for permission, grant in GRANTS.items()},
)
_describe(
    ErrorCode,
    "Stable words in `extensions.code` of every error, beside a sentence in `zh` and in"
    " `en`; branch on these, not on the sentences."
    " 错误代码，程序按它判断，不要按句子判断。",
    {
        ErrorCode.ALREADY_CAST: (
            "This owner party has cast its ballot, and the vote is not `revisable`."
            " 这一户已经投过票，不能再改。"
        ),
        ErrorCode.ALREADY_SIGNED_UP: (
            "This household, or this account, stands on the list of the event already. 本户已经报过名了。"
        ),
        ErrorCode.AUTHORITY_INVALID: (
            "The vote cited is no adopted resolution of all owners on a matter that allows the entry."
            " 所依据的表决没有通过，或者决定的不是这件事。"
        ),
        ErrorCode.CURSOR_INVALID: (
            "The cursor is not one of this list, ahead of the journal, or too old; read from the start."
            " 游标不属于这个列表，或者超前、过旧，请从头读。"
        ),
        ErrorCode.DOCUMENT_UNKNOWN: (
            "There is no document with this `documentId` here; send its text. 没有这个编号的查询，请发原文。"
        ),
        ErrorCode.ENTRY_REVERSED: (
            "The entry was taken back already, or is itself a reversal. 这一笔已经冲正过，或者本身就是冲正。"
        ),
        ErrorCode.EVENT_FULL: "Fewer places are left than were asked for. 剩下的名额不够。",
        ErrorCode.EVENT_OVER: (
            "Signing up has ended, or the event has begun. 报名已经截止，或活动已经开始。"
        ),
        ErrorCode.FORBIDDEN: (
            "Known to the viewer, but not a permission of theirs, or not of this token. 没有这项权限。"
        ),
        ErrorCode.INTERNAL: "A fault of ours; report the `requestId`. 系统出了问题，请把编号告诉我们。",
        ErrorCode.INVALID_ID: "The text is not an id as this schema gives them. 编号的写法不对。",
        ErrorCode.INVALID_INPUT: (
            "The request cannot be run, or one of its values is not acceptable: `field` names which."
            " 请求或某一项填写有误。"
        ),
        ErrorCode.KEY_REUSED: (
            "The key stands for another deed, or for one whose result is gone; nothing was recorded."
            " 这个提交编号已经用过，没有记录。"
        ),
        ErrorCode.LIMIT_REACHED: (
            "More subscriptions at once than one socket or address may have. 同时订阅的太多。"
        ),
        ErrorCode.NOT_FOUND: (
            "There is no such thing, or the viewer may not know of it; which of the two is not told."
            " `expected` names the type of id that belongs there where that of another was given."
            " 没有找到，或者不对您开放。"
        ),
        ErrorCode.NOT_ON_ROLL: (
            "No owner party of this account stands on the roll of the vote, as for a tenant."
            " 不在这次表决的名册上。"
        ),
        ErrorCode.NOT_REPRESENTATIVE: (
            "The co-owners named somebody else to vote for them. 共有人推选了别人投票。"
        ),
        ErrorCode.OUTCOME_UNKNOWN: (
            "Perhaps it was done: look, or send it again with the same `key`."
            " 不能确定办成没有，用同一编号重试不会重复。"
        ),
        ErrorCode.PARTY_REQUIRED: (
            "The account acts for several owner parties; name one as `party`. 代表几户业主，请指明是哪一户。"
        ),
        ErrorCode.STEP_REFUSED: (
            "It has not come so far yet, or is past it: as to count again what was never counted."
            " 按目前的阶段不能这样做。"
        ),
        ErrorCode.TOO_COSTLY: (
            "The request would keep the server too long, and was not run; ask for less at once."
            " 请求太大，请少要一些。"
        ),
        ErrorCode.TOO_FEW_CHOICES: (
            "A question is not answered, or with fewer options than it needs. 有议题没有答，或者选得不够。"
        ),
        ErrorCode.TOO_MANY_CHOICES: "More options are marked than the question takes. 选得太多了。",
        ErrorCode.TRY_AGAIN: (
            "Nothing was recorded; send it again after `retryAfter` seconds, with the same `key`."
            " 系统正忙，没有记录，请稍后再试。"
        ),
        ErrorCode.UNAUTHENTICATED: (
            "Nobody is signed in, or the token is unknown, expired or written without Bearer."
            " 没有登录，或者令牌无效。"
        ),
        ErrorCode.UNKNOWN_CHOICE: "The question has no option with this code. 议题没有这个选项。",
        ErrorCode.UNKNOWN_QUESTION: "The vote has no question with this id. 这次表决没有这个议题。",
        ErrorCode.VOTE_CLOSED: "The vote is past its end and takes no more ballots. 表决已经截止。",
        ErrorCode.VOTE_NOT_OPEN: "The vote has not begun to take ballots. 表决还没有开始。",
    },
)
