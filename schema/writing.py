"""What may be written, and how much of it: the limits of the rules, for whoever draws a form."""

from datetime import date as Day  # noqa: N812 - so that it reads like the other topics
from typing import Any

import strawberry

from community.bulletin import rules as bulletin
from community.database.steps import LONGEST_REASON
from community.events import rules as events
from community.ledger import rules as ledger
from community.ledger.rules import Category
from community.votes.casting import LONGEST_TEXT
from schema.cost import Price, Prices
from schema.marks import FOR_ALL
from schema.scalars import Hundredths


def _limit(value: Any, description: str) -> Any:
    return strawberry.field(default=value, description=description)


@strawberry.type(
    description="How long the texts of a NoticeInput may be; each is named like its input."
    " 公告各项文字的上限，名称和输入字段相同。"
)
class NoticeLimits:
    title: int = _limit(
        bulletin.LONGEST_TITLE, "Characters of a notice's one-line title. 公告标题最多几个字。"
    )
    body: int = _limit(
        bulletin.LONGEST_BODY,
        "Characters of a notice's text, line breaks among them. 公告正文最多几个字，含换行。",
    )


@strawberry.type(
    description="How long the texts and how large the numbers of an EventInput may be."
    " 活动各项文字和数字的上限，名称和输入字段相同。"
)
class EventLimits:
    title: int = _limit(events.LONGEST_TITLE, "Characters of an event's one-line title. 活动名称最多几个字。")
    place: int = _limit(events.LONGEST_PLACE, "Characters of where it takes place. 活动地点最多几个字。")
    description: int = _limit(
        events.LONGEST_DESCRIPTION,
        "Characters of what awaits those who come, line breaks among them. 活动说明最多几个字，含换行。",
    )
    capacity: int = _limit(
        events.MOST_PLACES, "The most places that an event with a limit can have. 限人数的活动最多几个位子。"
    )
    max_party_size: int = _limit(
        events.LARGEST_PARTY, "The most people that any event lets one household bring. 一家最多能来几人。"
    )


@strawberry.type(
    description="What an EntryInput may say: its texts, its amount, its day, and which categories stand on"
    " which side of the book. 记账各项的上限，以及哪些类别属于收入、哪些属于支出。"
)
class EntryLimits:
    item: int = _limit(
        ledger.LONGEST_ITEM,
        "The most characters of the line that says what the money was for. 事由最多几个字。",
    )
    counterparty: int = _limit(
        ledger.LONGEST_COUNTERPARTY, "Characters of who paid or was paid. 付款或收款的一方最多几个字。"
    )
    voucher: int = _limit(ledger.LONGEST_VOUCHER, "Characters of the number of a voucher. 凭证号最多几个字。")
    authority_clause: int = _limit(
        ledger.LONGEST_CLAUSE, "Characters of the clause that allows an entry. 依据的条款最多几个字。"
    )
    reason: int = _limit(
        ledger.LONGEST_REASON,
        "Characters of why an entry is taken back (`reverseEntry`). 冲正的原因最多几个字。",
    )
    amount: Hundredths = _limit(
        Hundredths(ledger.MOST_FEN), "The largest amount of one entry, in yuan. 一笔最大的金额，单位元。"
    )
    date: Day = _limit(
        ledger.EARLIEST,
        "The earliest day an entry may belong to; the latest is today. 日期最早到哪一天，最晚是今天。",
    )

    @strawberry.field(
        description="The categories of what comes in, in the order of the code. 收入的类别，按目录顺序。"
    )
    def income(self) -> list[Category]:
        return [category for category in Category if category in ledger.INCOME_CATEGORIES]

    @strawberry.field(
        description="The categories of what is spent, in the order of the code. 支出的类别，按目录顺序。"
    )
    def expense(self) -> list[Category]:
        return [category for category in Category if category not in ledger.INCOME_CATEGORIES]


@strawberry.type(
    description="The limits of everything that may be written. Characters are code points after cleaning:"
    " blanks at both ends taken off, composed to NFC, each line break one. 各种填写的上限。"
    "字数按清理后的字符计：首尾空白去掉，合成 NFC，每个换行算一个。"
)
class Limits:
    notice: NoticeLimits = strawberry.field(
        default_factory=NoticeLimits,
        description="What `publishNotice` takes of a NoticeInput. 发公告时各项文字的上限。",
    )
    event: EventLimits = strawberry.field(
        default_factory=EventLimits,
        description="What `publishEvent` takes of an EventInput. 发布活动时各项的上限。",
    )
    entry: EntryLimits = strawberry.field(
        default_factory=EntryLimits,
        description="What `recordEntry` and `reverseEntry` take of an entry of the book."
        " 记账和冲正时各项的上限。",
    )
    reason: int = _limit(
        LONGEST_REASON,
        "Characters of why something is corrected or withdrawn (`correctNotice`, `withdrawNotice`,"
        " `correctEvent`). 更正或撤下的原因最多几个字。",
    )
    dish: int = _limit(
        events.LONGEST_DISH,
        "Characters of the dish that a household brings (`signUp`). 报名时菜名最多几个字。",
    )
    ballot_text: int = _limit(
        LONGEST_TEXT, "Characters of what one adds to an answer of a ballot. 填票时附言最多几个字。"
    )


@strawberry.type
class WritingQuery:
    @strawberry.field(
        description="How much may be written where, so that a form can count along and say it in time; what"
        " goes beyond is refused, never cut."
        " 各处最多能写多少，好让表单边写边数；超出的会被拒绝，不会被截掉。",
        metadata=FOR_ALL,
    )
    def limits(self) -> Limits:
        return Limits()


PRICES: Prices = {
    "EntryLimits.income": Price(size=10),
    "EntryLimits.expense": Price(size=8),
}
