"""The book of what the common parts earn and what is spent (共有收入)."""

from datetime import date as Day  # noqa: N812 - a field is called date
from datetime import datetime
from typing import Annotated, cast

import strawberry

from community.database.paging import check_first
from community.ledger import actions
from community.ledger.reads import EntryRow, balances_of, entries_by_number, entries_pages, months_of
from community.ledger.rules import Category, Direction, MonthRow, month_in
from community.places.reads import CommunityRow
from schema.audience import BY_RIGHTS
from schema.connections import After, Connection, First, connect, from_cursor, to_cursor
from schema.context import Context, Info
from schema.mutations import Key, mutation
from schema.nodes import Node, fetched_by, key_of, to_id
from schema.scalars import Hundredths
from schema.votes import Vote

Month = Annotated[str | None, strawberry.argument(description="As YYYY-MM.")]


@strawberry.type(description="What one category came to in a month.")
class CategoryTotal:
    direction: Direction = strawberry.field(description="The side of the book.")
    category: Category = strawberry.field(description="What it was for.")
    amount: Hundredths = strawberry.field(description="In yuan, reversals taken off.")


@strawberry.type(description="A month of the book: opening + income − expense = closing.")
class LedgerMonth:
    month: str = strawberry.field(description="As YYYY-MM.")
    opening: Hundredths = strawberry.field(description="The balance before its first day, in yuan.")
    income: Hundredths = strawberry.field(description="In yuan.")
    expense: Hundredths = strawberry.field(description="In yuan.")
    closing: Hundredths = strawberry.field(description="The balance after its last day, in yuan.")
    entry_count: int = strawberry.field(description="How many entries it has.")
    categories: list[CategoryTotal] = strawberry.field(description="The largest first.")

    @classmethod
    def of(cls, row: MonthRow) -> "LedgerMonth":
        return cls(
            month=row.month,
            opening=Hundredths(row.opening),
            income=Hundredths(row.income),
            expense=Hundredths(row.expense),
            closing=Hundredths(row.closing),
            entry_count=row.entries,
            categories=[
                CategoryTotal(
                    direction=total.direction, category=total.category, amount=Hundredths(total.amount)
                )
                for total in row.categories
            ],
        )


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

    @strawberry.field(description="The balance after this entry, in yuan.")
    def balance(self) -> Hundredths:
        return Hundredths(self.row.balance)

    @strawberry.field(description="The vote that allows it.", metadata=BY_RIGHTS)
    async def authority_vote(self, info: Info) -> Vote | None:
        key = self.row.authority_vote
        row = None if key is None else await info.context.loaders.votes.load(key)
        return Vote.of(row) if row else None

    @strawberry.field(description="The clause that allows it, in words.")
    def authority_clause(self) -> str | None:
        return self.row.authority_clause

    @strawberry.field(description="The entry that this one takes back.", metadata=BY_RIGHTS)
    async def reverses(self, info: Info) -> "Entry | None":
        return None if self.row.reverses is None else await _entry(info.context, self.row.reverses)

    @strawberry.field(description="When it was written down.")
    def recorded_at(self) -> datetime:
        return self.row.recorded_at


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

    @strawberry.field(description="The months, the newest first, none left out.")
    async def months(self, info: Info, first: First = 24) -> list[LedgerMonth]:
        size = check_first(first, default=24)
        return [LedgerMonth.of(row) for row in (await self._months(info))[::-1][:size]]

    async def _months(self, info: Info) -> list[MonthRow]:
        return await info.context.loaders.of(months_of).get(self.community.id)

    @strawberry.field(description="The entries, the newest first.")
    async def entries(
        self, info: Info, first: First = 20, after: After = None, month: Month = None
    ) -> Connection[Entry]:
        size = check_first(first)
        key = from_cursor(after, int)
        loader = info.context.loaders.of(entries_pages, size, cast(int, key[0]) if key else None, month)
        page = await loader.get(self.community.id)
        return connect(page, Entry.of, lambda row: to_cursor(row.number), later=key is not None)

    @strawberry.field(description="One entry, by its number in this book; null where there is none.")
    async def entry(
        self,
        info: Info,
        number: Annotated[int, strawberry.argument(description="Its place in the book, from 1.")],
    ) -> Entry | None:
        row = await info.context.loaders.of(entries_by_number, number).load(self.community.id)
        return Entry.of(row) if row else None


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
        default=None, description="The vote that allows it."
    )
    authority_clause: str | None = strawberry.field(default=None, description="The clause that allows it.")


@strawberry.type
class LedgerMutation:
    @mutation("communityId", "Adds an entry to the book.")
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

    @mutation("entryId", "Takes an entry back by another one.")
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
