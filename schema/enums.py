"""The words of the schema that are enums, each with what it means; importing this makes them so."""

from collections.abc import Mapping
from enum import Enum

import strawberry

from community.bulletin.rules import BulletinKind, NoticeKind
from community.errors import ErrorCode
from community.ledger.rules import AuthorityFault, Category, Direction
from community.permissions import GRANTS, Permission
from community.places.rules import OrganizationKind
from community.votes.casting import QuestionKind, VoteForm, VoteStatus
from community.votes.rules import FollowMajority, Gate, Matter, Measure, Outcome, Silence


def _describe(
    enum: type[Enum], description: str, meanings: Mapping[Enum, str], *, name: str | None = None
) -> None:
    made = strawberry.enum(enum, name=name, description=description)
    for value in made.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = meanings.get(enum[value.name])


_describe(
    BulletinKind,
    "What happened, as an item of the bulletin.",
    {
        BulletinKind.VOTE_ANNOUNCED: "A vote will open; its subject is the Vote.",
        BulletinKind.VOTE_OPENED: "Ballots are taken; its subject is the Vote.",
        BulletinKind.VOTE_CLOSED: "The closing count is done; its subject is the Vote.",
        BulletinKind.EVENT_PUBLISHED: "Neighbours are invited; its subject is the Event.",
        BulletinKind.NOTICE_PUBLISHED: "A notice was put up; its subject is the Notice.",
        BulletinKind.LEDGER_PUBLISHED: (
            "The ledger has new entries, however many; its subject is the Community. Posted for the first"
            " entry of a day by the community's clock, and not again that day: whoever wants each one reads"
            " `ledger.entries`. 每天第一笔入账时贴一条，当天再记多少笔都不再贴。"
        ),
    },
)
_describe(
    NoticeKind,
    "What a notice asks of its readers.",
    {
        NoticeKind.NOTICE: "公告: to be known.",
        NoticeKind.DISPLAY: "公示: on display, objections are welcome.",
    },
)
_describe(
    OrganizationKind,
    "The parties that run an estate together.",
    {
        OrganizationKind.RESIDENTS_COMMITTEE: "社区居委会, with its grid worker.",
        OrganizationKind.PARTY_BRANCH: "小区党支部.",
        OrganizationKind.OWNERS_COMMITTEE: "业主委员会, elected by the owners.",
        OrganizationKind.MANAGEMENT_COMMITTEE: "物业管理委员会, where there is no owners' committee.",
        OrganizationKind.PROPERTY_SERVICE: "物业服务人.",
    },
)
_describe(
    VoteStatus,
    "Where a vote stands in its life.",
    {
        VoteStatus.DRAFT: "Not yet announced.",
        VoteStatus.ANNOUNCED: "On notice; no ballots yet.",
        VoteStatus.OPEN: "Ballots are taken.",
        VoteStatus.CLOSED: "No more ballots are taken.",
        VoteStatus.ON_DISPLAY: "The result is on public display.",
        VoteStatus.CERTIFIED: "The result is certified.",
        VoteStatus.PUBLISHED: "The result is published for good.",
        VoteStatus.ANNULLED: "Annulled; it has no effect.",
    },
)
_describe(
    VoteForm,
    "What a vote is worth.",
    {
        VoteForm.STATUTORY_LOCAL: "A decision of the owners by law, voted here.",
        VoteForm.STATUTORY_IMPORTED: "A decision by law, taken over from the official system.",
        VoteForm.CONSULTATION: "Asks for opinions; it cannot pass or fail.",
    },
)
_describe(
    QuestionKind,
    "How a question is answered.",
    {
        QuestionKind.RESOLUTION: "FOR, AGAINST, ABSTAIN, and FOLLOW where the vote's rules offer it.",
        QuestionKind.SURVEY: "Options of its own.",
    },
)
_describe(
    Matter,
    "What is decided; it alone fixes the thresholds (民法典 278, 杭州市物业管理条例 16).",
    {
        Matter.RULES_OF_PROCEDURE: "业主大会议事规则.",
        Matter.COVENANT: "管理规约.",
        Matter.ELECT_COMMITTEE: "选举业委会 or replacing members; one question a candidate.",
        Matter.ENGAGE_PROVIDER: "选聘、解聘物业服务人.",
        Matter.USE_FUND: "使用维修资金.",
        Matter.RAISE_FUND: "筹集维修资金; three quarters agree.",
        Matter.REBUILD: "改建、重建; three quarters agree.",
        Matter.CHANGE_COMMON_PARTS: "改变共有部分用途 or using it for business; three quarters agree.",
        Matter.SPEND_INCOME: "使用共有收入.",
        Matter.OTHER_MATTER: "Other major matters.",
        Matter.CONSULTATION: "Nothing is decided.",
    },
)
_describe(
    FollowMajority,
    "What a FOLLOW ballot (随多数) counts as.",
    {
        FollowMajority.RESOLVE: "It joins the leader, and abstains where nobody leads.",
        FollowMajority.ABSTAIN: "It always counts as abstaining.",
    },
)
_describe(
    Silence,
    "What parties are that were served and cast nothing.",
    {
        Silence.ABSENT: "They take no part.",
        Silence.FOLLOW_MAJORITY: "They take part and join the leader, as an adopted clause says.",
    },
)
_describe(
    Gate,
    "The two gates of a decision.",
    {
        Gate.PARTICIPATION: "Enough of all owners took part.",
        Gate.AGREEMENT: "Enough of those who took part agree.",
    },
)
_describe(
    Measure,
    "What is measured; both must pass.",
    {Measure.HEADS: "Owner parties, one head each.", Measure.AREA: "Exclusive area in m²."},
)
_describe(
    Outcome,
    "What came of a question.",
    {
        Outcome.PENDING: "The closing count has not been made.",
        Outcome.ADOPTED: "All four conditions are met.",
        Outcome.NOT_ADOPTED: "Enough took part, not enough agreed; the opposite is not decided by that.",
        Outcome.NO_QUORUM: "Not enough took part.",
    },
)
_describe(
    Direction,
    "The side of the book.",
    {Direction.INCOME: "What common parts earned.", Direction.EXPENSE: "What was spent."},
    name="EntryDirection",
)
_describe(
    Category,
    "What an entry is for (杭州市物业管理条例 60).",
    {
        Category.PARKING_COMMON: "车位 on common ground.",
        Category.ADVERTISING: "广告 in lifts, at gates and walls.",
        Category.PREMISES_RENT: "经营用房 rent.",
        Category.SITE_RENT: "场地 rent of stalls and promotions.",
        Category.PARCEL_LOCKER: "快递柜.",
        Category.TELECOM_SITE: "通信基站.",
        Category.CHARGING: "充电桩.",
        Category.COMPENSATION: "赔偿 for damaged common facilities.",
        Category.INTEREST: "利息.",
        Category.OTHER: "Other income.",
        Category.FUND_TOP_UP: "补充维修资金.",
        Category.REPAIR_UPGRADE: "维修改造.",
        Category.OPERATING_COST: "合理成本.",
        Category.COMMITTEE_COST: "业委会（物管委）经费.",
        Category.ALLOWANCE: "补贴.",
        Category.AUDIT: "审计.",
        Category.COMMUNITY_EVENT: "社区活动.",
        Category.OTHER_RESOLVED: "Other spending that the owners resolved.",
    },
    name="EntryCategory",
)
_describe(
    AuthorityFault,
    "Why a vote that an entry names does not allow it (杭州市物业管理条例 16(10), 民法典 278(8)); such an"
    " entry was recorded before this was checked, or its vote was annulled since."
    " 所依据的表决为什么不能作数。",
    {
        AuthorityFault.NOT_COUNTED: "It is not open yet, still open, or closed and not counted. 还没有计票。",
        AuthorityFault.NOT_ADOPTED: "Counted, and not enough agreed. 没有通过。",
        AuthorityFault.NO_QUORUM: "Counted, and too few took part. 参加的人数或面积不够。",
        AuthorityFault.ANNULLED: "Annulled after it was counted. 已被撤销。",
        AuthorityFault.CONSULTATION: "A survey, which decides nothing. 只是征求意见。",
        AuthorityFault.OTHER_MATTER: (
            "It decides something else, or for one building only: an expense needs SPEND_INCOME, an income"
            " CHANGE_COMMON_PARTS, asked of all owners. 决定的不是这件事，或者不是全体业主决定的。"
        ),
    },
)
_describe(
    Permission,
    "What somebody may do in a community.",
    {permission: grant.en for permission, grant in GRANTS.items()},
)
_describe(
    ErrorCode,
    "Stable codes, in `extensions.code` of every error, beside `zh` and `en` sentences.",
    {
        ErrorCode.ALREADY_CAST: "This owner party has cast its ballot, which cannot be changed.",
        ErrorCode.ALREADY_SIGNED_UP: "This account stands on the list already.",
        ErrorCode.AUTHORITY_INVALID: (
            "The vote cited is no adopted resolution of all owners on a matter that allows the entry."
        ),
        ErrorCode.CURSOR_INVALID: "The cursor is not one of ours, ahead of the journal, or too old.",
        ErrorCode.ENTRY_REVERSED: "The entry was reversed already, or is itself a reversal.",
        ErrorCode.EVENT_FULL: "Not enough places are left.",
        ErrorCode.EVENT_OVER: "Signing up has ended.",
        ErrorCode.FORBIDDEN: "The viewer has not got this permission.",
        ErrorCode.INTERNAL: "Our fault; report the `requestId`.",
        ErrorCode.INVALID_ID: "The id is not well formed.",
        ErrorCode.INVALID_INPUT: "The request or one of its values is not acceptable.",
        ErrorCode.KEY_REUSED: "The key was used for something else.",
        ErrorCode.LIMIT_REACHED: "More at once than one socket may watch.",
        ErrorCode.NOT_FOUND: "There is no such thing, or the viewer may not see it.",
        ErrorCode.NOT_ON_ROLL: "No owner party of this account stands on the roll.",
        ErrorCode.NOT_REPRESENTATIVE: "The co-owners named somebody else to vote.",
        ErrorCode.OUTCOME_UNKNOWN: "Perhaps it was done: look, or ask again with the same `key`.",
        ErrorCode.PARTY_REQUIRED: "The account acts for several owner parties; name one.",
        ErrorCode.TOO_COSTLY: "The request would keep the server too long; ask for less at once.",
        ErrorCode.TOO_FEW_CHOICES: "A question is not answered, or with too few choices.",
        ErrorCode.TOO_MANY_CHOICES: "More choices than the question takes.",
        ErrorCode.TRY_AGAIN: "Not now; ask again, with the same `key`.",
        ErrorCode.UNAUTHENTICATED: "Sign in first.",
        ErrorCode.UNKNOWN_CHOICE: "The question has no such choice.",
        ErrorCode.UNKNOWN_QUESTION: "The vote has no such question.",
        ErrorCode.VOTE_CLOSED: "The vote takes no more ballots.",
        ErrorCode.VOTE_NOT_OPEN: "The vote has not opened yet.",
    },
)
