"""The book of what the common parts earn and what is spent (共有收入)."""

from datetime import date as Day  # noqa: N812 - a field is called date
from datetime import datetime
from typing import Annotated, cast

import strawberry

from community.database.paging import check_first
from community.ledger import actions
from community.ledger.reads import (
    EntryRow,
    balances_of,
    check_number,
    entries_pages,
    months_of,
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
from community.places.reads import CommunityRow
from community.places.rules import OrganizationKind
from schema.audience import BY_RIGHTS
from schema.connections import After, Connection, First, connect, from_cursor, to_cursor
from schema.context import Context, Info
from schema.mutations import Key, mutation
from schema.nodes import Node, fetched_by, key_of, to_id
from schema.scalars import Hundredths
from schema.votes import Vote

Month = Annotated[str | None, strawberry.argument(description="As YYYY-MM.")]

_REVERSED = (
    "Of it, in yuan, what other entries took back, in this month or later; never negative."
    " 其中：记错了、后来冲正的。"
)
_REVERSALS = (
    "Of it, in yuan, what takes back other entries, of this month or an earlier one; never above zero."
    " 其中：冲正别的账目的，是负数。"
)


@strawberry.type(description="What one category came to in a month. 一个月里一个类别的合计。")
class CategoryTotal:
    direction: Direction = strawberry.field(description="The side of the book.")
    category: Category = strawberry.field(description="What it was for.")
    amount: Hundredths = strawberry.field(
        description="In yuan, reversals taken off; negative where more was taken back than entered."
    )
    reversed: Hundredths = strawberry.field(description=_REVERSED)
    reversals: Hundredths = strawberry.field(description=_REVERSALS)


@strawberry.type(description="A month of the book: opening + income − expense = closing.")
class LedgerMonth:
    month: str = strawberry.field(description="As YYYY-MM.")
    opening: Hundredths = strawberry.field(description="The balance before its first day, in yuan.")
    income: Hundredths = strawberry.field(description="In yuan.")
    expense: Hundredths = strawberry.field(description="In yuan.")
    closing: Hundredths = strawberry.field(description="The balance after its last day, in yuan.")
    entry_count: int = strawberry.field(description="How many entries it has.")
    categories: list[CategoryTotal] = strawberry.field(description="The largest first.")
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
    year: int = strawberry.field(description="Such as 2026.")
    first_month: str = strawberry.field(description="The first month of it that the book has, as YYYY-MM.")
    last_month: str = strawberry.field(description="The last month of it that the book has, as YYYY-MM.")
    opening: Hundredths = strawberry.field(description="The balance before its first day, in yuan.")
    income: Hundredths = strawberry.field(description="In yuan.")
    expense: Hundredths = strawberry.field(description="In yuan.")
    closing: Hundredths = strawberry.field(description="The balance after its last entry, in yuan.")
    entry_count: int = strawberry.field(description="How many entries it has.")
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


@strawberry.type(description="One line of the book; never altered, a mistake is reversed by another line.")
class Entry(Node):
    row: strawberry.Private[EntryRow]

    @classmethod
    def of(cls, row: EntryRow) -> "Entry":
        return cls(id=to_id("Entry", row.id), row=row)

    @strawberry.field(description="Its place in the book, from 1, without gaps.")
    def number(self) -> int:
        return self.row.number

    @strawberry.field(description="The day it belongs to.")
    def date(self) -> Day:
        return self.row.date

    @strawberry.field(description="The side of the book.")
    def direction(self) -> Direction:
        return self.row.direction

    @strawberry.field(description="What it is for.")
    def category(self) -> Category:
        return self.row.category

    @strawberry.field(description="In the bookkeeper's words.")
    def item(self) -> str:
        return self.row.item

    @strawberry.field(description="Who paid or was paid.")
    def counterparty(self) -> str | None:
        return self.row.counterparty

    @strawberry.field(description="The number of the voucher.")
    def voucher(self) -> str | None:
        return self.row.voucher

    @strawberry.field(description="In yuan; negative only where it reverses another entry.")
    def amount(self) -> Hundredths:
        return Hundredths(self.row.amount)

    @strawberry.field(
        description="In yuan, what this entry and all before it come to by their dates, and of one day by"
        " their numbers: the last one of a month has the month's `closing`. An entry recorded late moves the"
        " balances behind its date. 按日期排到这一笔为止的余额，补记的账也算在它的日期上。"
    )
    def balance(self) -> Hundredths:
        return Hundredths(self.row.balance)

    @strawberry.field(
        description="The vote that it names as what allows it; `authorityFault` says whether it does.",
        metadata=BY_RIGHTS,
    )
    async def authority_vote(self, info: Info) -> Vote | None:
        key = self.row.authority_vote
        row = None if key is None else await info.context.loaders.votes.load(key)
        return Vote.of(row) if row else None

    @strawberry.field(description="The clause that allows it, in words.")
    def authority_clause(self) -> str | None:
        return self.row.authority_clause

    @strawberry.field(
        description="Why the vote that it names does not allow it, as that vote stands today; null where it"
        " does, where none is named, and for what takes back another entry, which needs none."
        " 依据的表决不作数的原因。"
    )
    async def authority_fault(self, info: Info) -> AuthorityFault | None:
        key = self.row.authority_vote
        if key is None or self.row.reverses is not None:
            return None
        return fault_of(self.row.direction, await info.context.loaders.of(resolutions_of).get(key))

    @strawberry.field(
        description="The earlier entry that this one takes back whole; null for an ordinary one."
        " 它冲正的那一笔。",
        metadata=BY_RIGHTS,
    )
    async def reverses(self, info: Info) -> "Entry | None":
        return None if self.row.reverses is None else await _entry(info.context, self.row.reverses)

    @strawberry.field(
        description="The later entry that takes this one back whole; null while it stands. 冲正它的那一笔。",
        metadata=BY_RIGHTS,
    )
    async def reversed_by(self, info: Info) -> "Entry | None":
        return None if self.row.reversed_by is None else await _entry(info.context, self.row.reversed_by)

    @strawberry.field(
        description="When it was written down, which may be long after its `date`. 记账的时间。"
    )
    def recorded_at(self) -> datetime:
        return self.row.recorded_at

    @strawberry.field(
        description="The party for which it was written down, by the office held then; null where a book kept"
        " elsewhere was taken in. Never a person. 记账的一方：业委会（物管委）或物业。"
    )
    def recorded_by(self) -> OrganizationKind | None:
        return self.row.recorded_for


@fetched_by("Entry")
async def _entry(context: Context, key: int) -> Entry | None:
    row = await context.loaders.entries.load(key)
    return Entry.of(row) if row else None


@strawberry.type(description="The book of what the common parts earn. Amounts in yuan.")
class Ledger:
    community: strawberry.Private[CommunityRow]

    @strawberry.field(description="What is there now.")
    async def balance(self, info: Info) -> Hundredths:
        return Hundredths(await info.context.loaders.of(balances_of).get(self.community.id))

    @strawberry.field(description="One month, by default the newest with entries; null where there is none.")
    async def month(self, info: Info, month: Month = None) -> LedgerMonth | None:
        months = await self._months(info)
        row = month_in(months, month) if month else next(reversed(months), None)
        return LedgerMonth.of(row) if row else None

    @strawberry.field(
        description="The months from the first entry's to the latest one's, the newest first, none left out."
        " Older ones than a page holds are reached with `before`. 每个月，从近到远。"
    )
    async def months(
        self,
        info: Info,
        first: First = 24,
        before: Annotated[
            str | None, strawberry.argument(description="As YYYY-MM: only months before this one.")
        ] = None,
    ) -> list[LedgerMonth]:
        size = check_first(first, default=24)
        months = months_before(await self._months(info), before)
        return [LedgerMonth.of(row) for row in months[::-1][:size]]

    @strawberry.field(
        description="Every calendar year from the first entry's to the latest one's, the newest first."
        " 每一年，从近到远。"
    )
    async def years(self, info: Info) -> list[LedgerYear]:
        return [LedgerYear.of(row) for row in reversed(fold_years(await self._months(info)))]

    async def _months(self, info: Info) -> list[MonthRow]:
        return await info.context.loaders.of(months_of).get(self.community.id)

    @strawberry.field(
        description="The entries by the day they belong to, the latest first, and of one day what was"
        " recorded last; an entry recorded late stands at its `date`, not at the top. The bulletin tells of"
        " them once a day, not one by one. 按账目日期从近到远；公告栏每天最多说一次。"
    )
    async def entries(
        self, info: Info, first: First = 20, after: After = None, month: Month = None
    ) -> Connection[Entry]:
        size = check_first(first)
        key = from_cursor(after, int)
        loader = info.context.loaders.of(entries_pages, size, cast(int, key[0]) if key else None, month)
        page = await loader.get(self.community.id)
        if key and not page.rows and size:
            await check_number(self.community.id, cast(int, key[0]))
        return connect(page, Entry.of, lambda row: to_cursor(row.number), later=key is not None)


@strawberry.input(description="An entry to be recorded.")
class EntryInput:
    date: Day = strawberry.field(description="The day it belongs to, today or before.")
    direction: Direction = strawberry.field(description="The side of the book.")
    category: Category = strawberry.field(description="Of that side.")
    item: str = strawberry.field(description="Up to 120 characters.")
    amount: Hundredths = strawberry.field(description="In yuan, above zero.")
    counterparty: str | None = strawberry.field(default=None, description="Who paid or was paid.")
    voucher: str | None = strawberry.field(default=None, description="The number of the voucher.")
    authority_vote_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The vote that allows it: counted and adopted by all owners of this community, on"
        " SPEND_INCOME for an expense (杭州市物业管理条例 16(10)), on CHANGE_COMMON_PARTS for an income"
        " (民法典 278(8)); else AUTHORITY_INVALID.",
    )
    authority_clause: str | None = strawberry.field(
        default=None,
        description="The clause that allows it, in words, such as a limit of the 议事规则; up to 200"
        " characters.",
    )


@strawberry.type
class LedgerMutation:
    @mutation(
        "communityId",
        "Adds an entry to the book. The bulletin says so with the first one of a day and not again that day.",
    )
    async def record_entry(
        self,
        info: Info,
        community_id: Annotated[strawberry.ID, strawberry.argument(description="Whose book.")],
        entry: Annotated[EntryInput, strawberry.argument(description="The entry.")],
        key: Key = None,
    ) -> Entry | None:
        vote = entry.authority_vote_id
        done = await actions.record_entry(
            info.context.viewer,
            info.context.now,
            key_of(community_id, "Community", "communityId"),
            date=entry.date,
            direction=entry.direction,
            category=entry.category,
            item=entry.item,
            amount=entry.amount,
            counterparty=entry.counterparty,
            voucher=entry.voucher,
            authority_vote=None if vote is None else key_of(vote, "Vote", "entry.authorityVoteId"),
            authority_clause=entry.authority_clause,
            key=key,
        )
        return await _entry(info.context, done)

    @mutation(
        "entryId",
        "Takes an entry back whole by another one, dated today; both stay and show each other. One whose vote"
        " allows nothing is taken back like any other.",
    )
    async def reverse_entry(
        self,
        info: Info,
        entry_id: Annotated[strawberry.ID, strawberry.argument(description="Which one.")],
        reason: Annotated[str, strawberry.argument(description="Why, in words, up to 100 characters.")],
        key: Key = None,
    ) -> Entry | None:
        done = await actions.reverse_entry(
            info.context.viewer,
            info.context.now,
            key_of(entry_id, "Entry", "entryId"),
            reason=reason,
            key=key,
        )
        return await _entry(info.context, done)
