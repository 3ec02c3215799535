"""The book of what the common parts earn and what is spent (共有收入)."""

from datetime import date as Day  # noqa: N812 - a field is called date
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from community.database.paging import check_first
from community.ledger import actions
from community.ledger.facts import BALANCE, ENTRIES, ENTRY, LEDGER
from community.ledger.known import months_of
from community.ledger.reads import (
    Balance,
    EntryRow,
    LedgerRow,
    balances_at,
    balances_of,
    book_cursors,
    check_number,
    entries_by_number,
    entries_pages,
    resolutions_of,
)
from community.ledger.rules import (
    AuthorityFault,
    Category,
    Direction,
    MonthRow,
    YearRow,
    fault_of,
    fold_years,
    month_in,
    months_before,
)
from community.permissions import Permission, may
from community.places.reads import CommunityRow
from community.places.rules import OrganizationKind
from schema.connections import After, Connection, Edge, First, connect
from schema.context import Context, Info
from schema.cost import Price, Prices
from schema.fields import brought, in_context
from schema.live import WatchedId, live
from schema.marks import BY_RIGHTS
from schema.mutations import Key, mutation
from schema.nodes import Node, key_of, key_or_unknown, to_id
from schema.places import community_by
from schema.refs import CommunityRef
from schema.scalars import Hundredths
from schema.votes import Vote

Month = Annotated[
    str | None,
    strawberry.argument(
        description="A calendar month as YYYY-MM, such as 2026-06; any other text is INVALID_INPUT."
        " 月份，写作 YYYY-MM。"
    ),
]

_REVERSED = (
    "Of it, in yuan, what other entries took back, in this month or later; never negative."
    " 其中：记错了、后来冲正的。"
)
_REVERSALS = (
    "Of it, in yuan, what takes back other entries, of this month or an earlier one; never above zero."
    " 其中：冲正别的账目的，是负数。"
)


@strawberry.type(description="What one category came to in one month. 一个类别在一个月里的合计。")
class CategoryTotal:
    direction: Direction = strawberry.field(
        description="Whether it is money that came in or went out. 是收入还是支出。"
    )
    category: Category = strawberry.field(
        description="The kind of income or spending that is added up. 合计的类别。"
    )
    amount: Hundredths = strawberry.field(
        description="In yuan, reversals taken off; negative where more was taken back than entered."
        " 合计金额，单位元，冲正已扣除，可能为负。"
    )
    reversed: Hundredths = strawberry.field(description=_REVERSED)
    reversals: Hundredths = strawberry.field(description=_REVERSALS)


@strawberry.type(
    description="A calendar month of the book: opening + income − expense = closing, always."
    " 一个月的账：期初 + 收入 − 支出 = 期末。"
)
class LedgerMonth:
    month: str = strawberry.field(
        description="Which calendar month it is, as YYYY-MM. 哪个月，写作 YYYY-MM。"
    )
    opening: Hundredths = strawberry.field(
        description="In yuan, the balance before the first day of the month: the `closing` of the"
        " month before."
        " 期初余额，单位元，等于上月期末。"
    )
    income: Hundredths = strawberry.field(
        description="In yuan, what came in by the dates of the entries, less what was taken back."
        " 本月收入，单位元，冲正已扣除。"
    )
    expense: Hundredths = strawberry.field(
        description="In yuan, what was spent by the dates of the entries, less what was taken back."
        " 本月支出，单位元，冲正已扣除。"
    )
    closing: Hundredths = strawberry.field(
        description="In yuan, the balance after the last day of the month. 期末余额，单位元。"
    )
    entry_count: int = strawberry.field(
        description="How many lines of the book belong to it, reversals among them. 本月有几笔，冲正也算。"
    )
    categories: list[CategoryTotal] = strawberry.field(
        description="What each category came to, the largest amount first; those without an entry"
        " are left out."
        " 各类别的合计，金额大的在前。"
    )
    income_reversed: Hundredths = strawberry.field(description=_REVERSED)
    income_reversals: Hundredths = strawberry.field(description=_REVERSALS)
    expense_reversed: Hundredths = strawberry.field(description=_REVERSED)
    expense_reversals: Hundredths = strawberry.field(description=_REVERSALS)

    @classmethod
    def of(cls, row: MonthRow) -> "LedgerMonth":
        return cls(
            **_undone(row),
            month=row.month,
            opening=Hundredths(row.opening),
            income=Hundredths(row.income),
            expense=Hundredths(row.expense),
            closing=Hundredths(row.closing),
            entry_count=row.entries,
            categories=[
                CategoryTotal(
                    direction=total.direction,
                    category=total.category,
                    amount=Hundredths(total.amount),
                    reversed=Hundredths(total.undone.reversed),
                    reversals=Hundredths(total.undone.reversals),
                )
                for total in row.categories
            ],
        )


@strawberry.type(
    description="A calendar year of the book, as far as it goes: opening + income − expense = closing."
    " 一年的账。"
)
class LedgerYear:
    year: int = strawberry.field(description="In the Western calendar, such as 2026. 公历年份，例如 2026。")
    first_month: str = strawberry.field(
        description="Where it begins in the book, as YYYY-MM; January but for the first year."
        " 账上这一年的第一个月。"
    )
    last_month: str = strawberry.field(
        description="Where it ends in the book so far, as YYYY-MM. 账上这一年的最后一个月。"
    )
    opening: Hundredths = strawberry.field(
        description="In yuan, the balance before its first day. 年初余额，单位元。"
    )
    income: Hundredths = strawberry.field(
        description="In yuan, what came in through the whole year, less what was taken back."
        " 全年收入，单位元，冲正已扣除。"
    )
    expense: Hundredths = strawberry.field(
        description="In yuan, what was spent through the whole year, less what was taken back."
        " 全年支出，单位元，冲正已扣除。"
    )
    closing: Hundredths = strawberry.field(
        description="In yuan, the balance after its last entry. 年末余额，单位元。"
    )
    entry_count: int = strawberry.field(
        description="How many lines of the book belong to this year, reversals among them."
        " 全年有几笔，冲正也算。"
    )
    income_reversed: Hundredths = strawberry.field(description=_REVERSED)
    income_reversals: Hundredths = strawberry.field(description=_REVERSALS)
    expense_reversed: Hundredths = strawberry.field(description=_REVERSED)
    expense_reversals: Hundredths = strawberry.field(description=_REVERSALS)

    @classmethod
    def of(cls, row: YearRow) -> "LedgerYear":
        return cls(
            **_undone(row),
            year=row.year,
            first_month=row.months[0].month,
            last_month=row.months[-1].month,
            opening=Hundredths(row.opening),
            income=Hundredths(row.income),
            expense=Hundredths(row.expense),
            closing=Hundredths(row.closing),
            entry_count=row.entries,
        )


def _undone(row: MonthRow | YearRow) -> dict[str, Hundredths]:
    income, expense = row.undone(Direction.INCOME), row.undone(Direction.EXPENSE)
    return {
        "income_reversed": Hundredths(income.reversed),
        "income_reversals": Hundredths(income.reversals),
        "expense_reversed": Hundredths(expense.reversed),
        "expense_reversals": Hundredths(expense.reversals),
    }


@strawberry.type(
    description="One line of the book, never altered and never removed: a mistake is taken back by"
    " another line (冲正)."
    " 账上的一笔，记下后不改不删，记错了用另一笔冲正。"
)
class Entry(Node, subject=ENTRY, row=EntryRow):
    ledger: "Ledger" = in_context(
        lambda row, context: LedgerRow(row.community),
        reads=("community",),
        description="The book in which it stands; below what `recordEntry` gives, with this entry in it."
        " 记在哪本账上；记账之后从这里读到新的余额。",
    )

    number: int = strawberry.field(
        description="Its place in the book in the order of recording, from 1 and without gaps within"
        " a community."
        " 账本序号，按记账先后从 1 起连续编号。"
    )

    date: Day = strawberry.field(
        description="The calendar day on which money moved, by which months are made; it may lie"
        " before `recordedAt`."
        " 账目所属的日期，月份按它归。"
    )

    direction: Direction = strawberry.field(
        description="Whether it stands on the income or the expense side; a reversal keeps the side"
        " of what it takes back."
        " 是收入还是支出，冲正与原账目同侧。"
    )

    category: Category = strawberry.field(
        description="The kind of income or spending by the code of 杭州市物业管理条例 60. 收支类别。"
    )

    item: str = strawberry.field(
        description="What it is for, in one line of the bookkeeper's words. 事由，一行话。"
    )

    counterparty: str | None = strawberry.field(
        description="Who paid or was paid, a firm or an office; null where nobody is named."
        " 付款或收款的单位，没写的为 null。"
    )

    voucher: str | None = strawberry.field(
        description="The number of the paper that proves it (凭证号); null where there is none."
        " 凭证号，没有的为 null。"
    )

    amount: Hundredths = strawberry.field(
        description="In yuan and above zero; negative only where it takes another entry back."
        " 金额，单位元，只有冲正为负。"
    )

    @strawberry.field(
        description="In yuan, what this entry and all before it come to by their dates, and of one day by"
        " their numbers: the last one of a month has the month's `closing`. An entry recorded late moves the"
        " balances behind its date. 按日期排到这一笔为止的余额，补记的账也算在它的日期上。"
    )
    @staticmethod
    async def balance(row: Parent[EntryRow], info: Info) -> Hundredths:
        if row.balance is not None:
            return Hundredths(row.balance)
        return Hundredths(await info.context.loaders.of(balances_at).get(row.id))

    authority_vote: Vote | None = brought(
        lambda loaders: loaders.votes,
        "authority_vote",
        optional=True,
        description="The resolution that it cites as allowing it; null where none is cited, and for"
        " a token that may not read the bulletin."
        " 所依据的表决，没有或不开放的为 null。",
        metadata=BY_RIGHTS,
    )

    authority_clause: str | None = strawberry.field(
        description="The clause that it cites in words, such as a limit set in the 议事规则; null"
        " where none is cited."
        " 所依据的条款，没有的为 null。"
    )

    @strawberry.field(
        description="Why the vote that it names does not allow it, as that vote stands today; null where it"
        " does, where none is named, for what takes back another entry, which needs none, and for a token"
        " that may not read the bulletin, where the vote and its outcome stand."
        " 依据的表决不作数的原因；表决不开放的为 null。",
        metadata=BY_RIGHTS,
    )
    @staticmethod
    async def authority_fault(row: Parent[EntryRow], info: Info) -> AuthorityFault | None:
        key, loaders = row.authority_vote, info.context.loaders
        if key is None or row.reverses is not None or await loaders.votes.load(key) is None:
            return None
        vote = await loaders.of(resolutions_of).load(key)
        return fault_of(row.direction, vote) if vote else None

    reverses: "Entry | None" = brought(
        lambda loaders: loaders.rows(ENTRY),
        "reverses",
        optional=True,
        description="The earlier entry that this one takes back whole; null for an ordinary one."
        " 它冲正的那一笔，普通账目为 null。",
        metadata=BY_RIGHTS,
    )

    reversed_by: "Entry | None" = brought(
        lambda loaders: loaders.rows(ENTRY),
        "reversed_by",
        optional=True,
        description="The later entry that takes this one back whole; null while it stands."
        " 冲正它的那一笔，没有冲正的为 null。",
        metadata=BY_RIGHTS,
    )

    recorded_at: datetime = strawberry.field(
        description="The moment of writing it down, which may be long after its `date`."
        " 记账的时间，可能比账目日期晚很多。"
    )

    recorded_for: OrganizationKind | None = strawberry.field(
        name="recordedBy",
        description="The party for which it was written down, by the office held then; null where a book kept"
        " elsewhere was taken in. Never a person. 记账的一方：业委会（物管委）或物业。",
    )


@strawberry.type(
    description="The book of what the common parts earn and what is spent of it (共有收入, 民法典"
    " 282). All amounts are in yuan."
    " 共有收入账，金额单位都是元。"
)
class Ledger(Node, subject=LEDGER, row=LedgerRow):
    community: CommunityRef = community_by(
        "id", description="The estate whose common parts it is about. 哪个小区的账。"
    )

    @strawberry.field(
        description="In yuan, what is in the account after all entries, of whatever date."
        " 现在的余额，单位元。"
    )
    @staticmethod
    async def balance(row: Parent[LedgerRow], info: Info) -> Hundredths:
        if row.balance is not None:
            return Hundredths(row.balance)
        return Hundredths((await info.context.loaders.of(balances_of).get(row.id)).balance)

    @strawberry.field(
        description="The figures of one month, by default of the newest with entries; null before"
        " the first entry."
        " 某个月的账，不填为最近有账的月份。"
    )
    @staticmethod
    async def month(row: Parent[LedgerRow], info: Info, month: Month = None) -> LedgerMonth | None:
        months = await _months(info, row)
        found = month_in(months, month) if month else next(reversed(months), None)
        return LedgerMonth.of(found) if found else None

    @strawberry.field(
        description="The months from the first entry's to the latest one's, the newest first, none left out."
        " Older ones than a page holds are reached with `before`. 每个月，从近到远，没有账的月份也列。"
    )
    @staticmethod
    async def months(
        row: Parent[LedgerRow],
        info: Info,
        first: First = 24,
        before: Annotated[
            str | None,
            strawberry.argument(
                description="As YYYY-MM: only earlier months are given, so that older ones can be"
                " reached."
                " 只要这个月之前的，写作 YYYY-MM。"
            ),
        ] = None,
    ) -> list[LedgerMonth]:
        size = check_first(first, default=24)
        earlier = months_before(await _months(info, row), before)
        return [LedgerMonth.of(each) for each in earlier[::-1][:size]]

    @strawberry.field(
        description="Every calendar year from the first entry's to the latest one's, the newest first."
        " 每一年，从近到远。"
    )
    @staticmethod
    async def years(row: Parent[LedgerRow], info: Info) -> list[LedgerYear]:
        return [LedgerYear.of(year) for year in reversed(fold_years(await _months(info, row)))]

    @strawberry.field(
        description="The entries by the day they belong to, the latest first, and of one day what was"
        " recorded last; an entry recorded late stands at its `date`, not at the top. The bulletin tells of"
        " them once a day, not one by one. 按账目日期从近到远；公告栏每天最多说一次。"
    )
    @staticmethod
    async def entries(
        row: Parent[LedgerRow], info: Info, first: First = 20, after: After = None, month: Month = None
    ) -> Connection[Entry]:
        size = check_first(first)
        cursors = book_cursors(row.id, month)
        last = None if after is None else cursors.number_of(after)
        loaders = info.context.loaders
        loader = loaders.of(entries_pages, size, last, month, loaders.columns(EntryRow))
        page = await loader.get(row.id)
        if last is not None and not page.rows and size:
            await check_number(row.id, last)
        return connect(page, lambda row: cursors.cursor(row.number), later=last is not None)

    @strawberry.field(
        description="The line with this number in this book; null where there is none."
        " 按序号找账上的一笔，没有的为 null。"
    )
    @staticmethod
    async def entry(
        row: Parent[LedgerRow],
        info: Info,
        number: Annotated[
            int,
            strawberry.argument(
                description="Its place in the order of recording, from 1. 账本序号，从 1 起。"
            ),
        ],
    ) -> Entry | None:
        return Entry.of(await info.context.loaders.of(entries_by_number, number).load(row.id))


async def _months(info: Info, ledger: LedgerRow) -> list[MonthRow]:
    return await info.context.loaders.of(months_of).get(ledger.id)


def _ledger_of(community: CommunityRow, context: Context) -> LedgerRow | None:
    return LedgerRow(community.id) if may(context.viewer, Permission.READ_LEDGER, community.scope) else None


@strawberry.type
class LedgerOfCommunity:
    ledger: Ledger | None = in_context(
        _ledger_of,
        description="The book of what the common parts earn (共有收入); null where the viewer may"
        " not read it."
        " 共有收入账；无权查看的为 null。",
        metadata=BY_RIGHTS,
    )


@strawberry.input(
    description="A line to be written into the book; once recorded it stays. 要记的一笔账，记下后不能改。"
)
class EntryInput:
    date: Day = strawberry.field(
        description="The calendar day on which money moved: today or earlier, from 1990 on."
        " 账目日期，今天或以前。"
    )
    direction: Direction = strawberry.field(
        description="The side of the book on which it shall stand. 收入还是支出。"
    )
    category: Category = strawberry.field(
        description="One of the categories of that side; one of the other side is INVALID_INPUT."
        " 类别，须与收支方向一致。"
    )
    item: str = strawberry.field(
        description="What it is for, one line of 1 to 120 characters. 事由，一行，最多 120 字。"
    )
    amount: Hundredths = strawberry.field(
        description="In yuan, above zero and at most 100,000,000,000.00. 金额，单位元，大于零。"
    )
    counterparty: str | None = strawberry.field(
        default=None,
        description="Who paid or was paid, up to 120 characters; firms and offices, never a"
        " resident's name."
        " 付款或收款的单位，最多 120 字，不写住户姓名。",
    )
    voucher: str | None = strawberry.field(
        default=None, description="Of the paper that proves it, up to 64 characters. 凭证号，最多 64 字。"
    )
    authority_vote_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The vote that allows it: counted, put to all owners of this community, and adopted in"
        " every question on SPEND_INCOME for an expense (杭州市物业管理条例 16(10)), on CHANGE_COMMON_PARTS"
        " for an income (民法典 278(8)); else AUTHORITY_INVALID."
        " 所依据的表决，须由本小区全体业主表决，有关的议题全部通过，可不填。",
    )
    authority_clause: str | None = strawberry.field(
        default=None,
        description="The clause that allows it, in words, such as a limit of the 议事规则; up to 200"
        " characters."
        " 所依据的条款，最多 200 字，可不填。",
    )


@strawberry.type
class LedgerMutation:
    @mutation(
        "communityId",
        "Writes a line into the book (RECORD_ENTRY: owners' committee or 物管委, and the"
        " property service). The bulletin says so with the first one of a day, and not"
        " again that day."
        " 记一笔账，业委会（物管委）和物业可以记；公告栏每天只说一次。",
    )
    async def record_entry(
        self,
        info: Info,
        community_id: Annotated[
            strawberry.ID,
            strawberry.argument(description="The estate into whose book it goes. 记在哪个小区的账上。"),
        ],
        entry: Annotated[
            EntryInput,
            strawberry.argument(
                description="The line with its amount, day and what allows it. 这一笔的内容。"
            ),
        ],
        key: Key = None,
    ) -> Entry | None:
        vote = entry.authority_vote_id
        done = await actions.record_entry(
            info.context.person,
            info.context.now,
            key_of(community_id, "Community", "communityId"),
            date=entry.date,
            direction=entry.direction,
            category=entry.category,
            item=entry.item,
            amount=entry.amount,
            counterparty=entry.counterparty,
            voucher=entry.voucher,
            authority_vote=None if vote is None else key_or_unknown(vote, "Vote", "entry.authorityVoteId"),
            authority_clause=entry.authority_clause,
            key=key,
        )
        return await Entry.fetch(info.context, done)

    @mutation(
        "entryId",
        "Takes an entry back whole by another one, dated today; both stay and show each"
        " other. ENTRY_REVERSED where that was done before."
        " 整笔冲正，另记一笔，日期为今天，两笔都留在账上。",
    )
    async def reverse_entry(
        self,
        info: Info,
        entry_id: Annotated[
            strawberry.ID,
            strawberry.argument(
                description="The line that was wrong; one that is itself a reversal cannot be taken"
                " back."
                " 要冲正的那一笔。"
            ),
        ],
        reason: Annotated[
            str,
            strawberry.argument(
                description="Why, for everybody to read, 1 to 100 characters."
                " 冲正的原因，人人可看，最多 100 字。"
            ),
        ],
        key: Key = None,
    ) -> Entry | None:
        done = await actions.reverse_entry(
            info.context.person,
            info.context.now,
            key_of(entry_id, "Entry", "entryId"),
            reason=reason,
            key=key,
        )
        return await Entry.fetch(info.context, done)


@strawberry.type(
    description="What is in the account, as it moves; the book itself is `Community.ledger`."
    " 账上现有的钱，随记账变化。"
)
class LedgerBalance:
    ledger: Ledger = strawberry.field(
        description="The book itself, so that a client's store finds by its id what to renew; its"
        " `balance` is this very one."
        " 账本本身，客户端凭它的编号更新缓存；余额与这里相同。"
    )
    community_id: strawberry.ID = strawberry.field(
        description="The estate whose book it is. 所属小区的编号。"
    )
    version: int = strawberry.field(
        description="The number of the last entry, 0 before the first; of two the greater is newer."
        " 最后一笔账的号数，大的更新。"
    )
    balance: Hundredths = strawberry.field(
        description="In yuan, after all entries, of whatever date. 现在的余额，单位元。"
    )

    @classmethod
    def of(cls, value: Balance) -> "LedgerBalance":
        return cls(
            ledger=Ledger.of(LedgerRow(value.community, value.balance)),
            community_id=to_id("Community", value.community),
            version=value.version,
            balance=Hundredths(value.balance),
        )


def _edge(row: EntryRow, cursor: str) -> Edge[Entry]:
    return Edge(node=Entry.of(row), cursor=cursor)


@strawberry.type
class LedgerSubscription:
    ledger_balance: LedgerBalance = live(
        BALANCE,
        WatchedId("Community", "The estate whose book it is; NOT_FOUND where it is hidden. 要关注的小区。"),
        LedgerBalance.of,
        description="State: what is in the account now, then again after each entry (READ_LEDGER)."
        " The newest wins; a slow reader skips steps, never the end."
        " 账上的余额：先给现状，每记一笔再给一次，只保证最新。",
    )
    ledger_entries: Edge[Entry] = live(
        ENTRIES,
        WatchedId("Community", "The estate whose book it is; NOT_FOUND where it is hidden. 要关注的小区。"),
        _edge,
        description="Journal: every entry behind the cursor `after` in the order of recording, reversals"
        " too, none skipped and none twice, then each new one; without a cursor only those recorded from now"
        " on (READ_LEDGER). A cursor of the list `entries` without a `month` resumes it: behind that of the"
        " greatest `number` that was read comes all that was recorded later."
        " 逐笔送来 after 之后记的账，按记账先后，冲正也送，不漏不重；entries 列表（不限月份）的游标也能用。",
    )


BOOK = 1_000.0
"""To walk a whole book: the balance of an entry is that of all before it. A page of entries brings theirs."""

PRICES: Prices = {
    "Ledger.balance": Price(statements=1, item=20),
    "Ledger.month": Price(statements=1, item=2_500),
    "Ledger.months": Price(statements=1, item=20),
    "Ledger.years": Price(statements=1, item=10, size=10),
    "Ledger.entries": Price(statements=3, item=300),
    "Ledger.entry": Price(statements=1, item=15),
    "LedgerMonth.categories": Price(size=6),
    "Ledger.community": Price(statements=1, item=10),
    "Entry.authorityVote": Price(statements=1, item=15),
    "Entry.authorityFault": Price(statements=2, item=15),
    "Entry.balance": Price(statements=1, once=BOOK),
    "Entry.reverses": Price(statements=1, item=15),
    "Entry.reversedBy": Price(statements=1, item=15),
}
