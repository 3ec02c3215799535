"""The book as residents read it: entries, months that add up, and the balance. Amounts in fen.

Residents read by the day that an entry belongs to, whenever it was written down; so its balance is that of
all entries up to it by date, and of one day by number. The balance kept in the row is that of the chain of
numbers, which proves that nothing was altered: `check_books` follows it.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime
from typing import Any, NamedTuple

from community.database.cursors import NumberCursors
from community.database.paging import Page, page
from community.database.rows import Run, Shape, beside, day, first_of_each
from community.database.sql import placeholders, select, select_rows
from community.errors import CursorInvalid, NotFound
from community.ledger.models import Entry
from community.ledger.rules import (
    BookLine,
    Category,
    DaySum,
    Decided,
    Direction,
    Resolution,
    Undone,
    check_chain,
    days_of,
    fold_months,
)
from community.ledger.rules import CategoryTotal as CategoryTotal
from community.ledger.rules import MonthRow as MonthRow
from community.ledger.rules import YearRow as YearRow
from community.permissions import Permission, Scope, Viewer, may
from community.places.reads import permitted_rows, scope_where, scopes_of
from community.places.rules import OrganizationKind
from community.votes.casting import VoteForm
from community.votes.lifecycle import VoteStep
from community.votes.rules import Matter, Outcome


class LedgerRow(NamedTuple):
    """The book of the community with this id. `balance`: of all its entries, where it was read already."""

    id: int
    balance: int | None = None

    @property
    def community(self) -> int:
        return self.id


class EntryRow(NamedTuple):
    """`balance`: of all entries up to this one by date, where a page was read; `balances_at` tells that of
    any other, which takes a walk through the whole book. `recorded_for`: the party whose office it was to
    record, None where a book kept elsewhere was taken in; who it was is nobody's business.
    """

    id: int
    community: int
    number: int
    date: date
    direction: Direction
    category: Category
    item: str
    counterparty: str | None
    voucher: str | None
    amount: int
    balance: int | None
    authority_vote: int | None
    authority_clause: str | None
    reverses: int | None
    reversed_by: int | None
    recorded_at: datetime
    recorded_for: OrganizationKind | None


# Of who holds two offices the committee's, which answers for the book.
_RECORDED_FOR = """
(SELECT CASE MIN(g.role) WHEN 'COMMITTEE' THEN 'OWNERS_COMMITTEE'
        WHEN 'MANAGEMENT_COMMITTEE' THEN 'MANAGEMENT_COMMITTEE' ELSE 'PROPERTY_SERVICE' END
   FROM role_grant g
  WHERE g.account_id = t.recorded_by_id
    AND g.role IN ('COMMITTEE', 'MANAGEMENT_COMMITTEE', 'PROPERTY_MANAGER')
    AND (g.community_id = t.community_id OR g.community_id IS NULL)
    AND g.since <= t.recorded_at AND (g.until IS NULL OR g.until > t.recorded_at)
  GROUP BY g.account_id)
"""


_ENTRIES = Shape(
    EntryRow,
    "entry",
    {
        "balance": "b.balance",
        "reversed_by": "(SELECT r.id FROM entry r WHERE r.reverses_id = t.id)",
        "recorded_for": _RECORDED_FOR,
    },
    community="community_id",
    authority_vote="authority_vote_id",
    reverses="reverses_id",
)
_WITHOUT_BALANCE = _ENTRIES.without("balance")

_SIGNED = "CASE {of}.direction WHEN 'INCOME' THEN {of}.amount ELSE -{of}.amount END"

# One statement, so that entries and their balances belong to one snapshot. What the book comes to before
# the oldest entry of the page is carried over to that one, as on paper.
_PAGES = f"""
WITH shown AS (
  SELECT t.id, t.community_id, t.date, t.number, {_SIGNED.format(of="t")} AS signed,
         ROW_NUMBER() OVER (PARTITION BY t.community_id ORDER BY t.date, t.number) AS position
    FROM community o {{beside}} WHERE o.id IN ({{books}})
), b AS (
  SELECT s.id, CAST(SUM(s.signed + CASE WHEN s.position > 1 THEN 0 ELSE COALESCE((
           SELECT SUM({_SIGNED.format(of="e")}) FROM entry e
            WHERE e.community_id = s.community_id AND (e.date, e.number) < (s.date, s.number)), 0) END)
           OVER (PARTITION BY s.community_id ORDER BY s.position) AS BIGINT) AS balance
    FROM shown s
)
SELECT {{columns}} FROM b JOIN entry t ON t.id = b.id ORDER BY t.date DESC, t.number DESC
"""  # noqa: S608 - our own text
_LATEST = "t.date DESC, t.number DESC"
_BEHIND = (
    " AND (t.date, t.number) <"
    " (SELECT a.date, a.number FROM entry a WHERE a.community_id = o.id AND a.number = ?)"
)

_BALANCES_AT = f"""
SELECT id, balance FROM (
  SELECT e.id, CAST(SUM({_SIGNED.format(of="e")}) OVER (
           PARTITION BY e.community_id ORDER BY e.date, e.number) AS BIGINT) AS balance
    FROM entry e WHERE e.community_id IN (SELECT t.community_id FROM entry t WHERE t.id IN ({{entries}}))
) b WHERE id IN ({{entries}})
"""  # noqa: S608 - our own text


async def entries_pages(
    communities: Collection[int],
    first: int,
    after: int | None = None,
    month: str | None = None,
    columns: frozenset[str] | None = None,
) -> dict[int, Page[EntryRow]]:
    """Of each book, the latest day first, and of one day what was recorded last; `after` is the number of the
    last one seen, wherever it stands in that order. `columns`: those that are used, None where all may be.

    Nothing where no entry has that number. Raises InvalidInput for no such month.
    """
    where, values = "", list[Any]()
    if after is not None:
        where, values = _BEHIND, [after]
    if month is not None:
        where, values = f"{where} AND t.date BETWEEN ? AND ?", [*values, *days_of(month)]
    run, shape = Run(_LATEST, where, values), _ENTRIES.only(columns, "number")
    if columns is not None and "balance" not in columns:
        found = await first_of_each(shape, "community", communities, first + 1, run)
        return {community: page(rows, first) for community, rows in found.items()}
    joined, books = beside("entry", "community", [run]), placeholders(communities)
    query = _PAGES.format(beside=joined, books=books, columns=shape.columns)
    own: dict[int, list[EntryRow]] = {community: [] for community in communities}
    for row in shape.all_of(await select_rows(query, [*values, first + 1, *communities])):
        own[row.community].append(row)
    return {community: page(rows, first) for community, rows in own.items()}


async def check_number(community: int, number: int) -> None:
    """Behind the last entry there is nothing; behind none there is no cursor. Raises CursorInvalid."""
    if not await Entry.filter(community_id=community, number=number).exists():
        raise CursorInvalid


async def entries_page(community: int, *terms: Any, **more: Any) -> Page[EntryRow]:
    return (await entries_pages([community], *terms, **more))[community]


async def entry_row(entry: int) -> EntryRow:
    """For actions, whoever asks. Raises NotFound."""
    rows = await _WITHOUT_BALANCE.with_ids([entry])
    if not rows:
        raise NotFound
    return rows[0]


async def ledgers_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, LedgerRow]:
    """Those that the viewer may read."""
    scopes = await scopes_of(ids)
    return {
        key: LedgerRow(key) for key, scope in scopes.items() if may(viewer, Permission.READ_LEDGER, scope)
    }


async def entries_by_id(viewer: Viewer, ids: Collection[int]) -> dict[int, EntryRow]:
    """Those of communities whose ledger the viewer may read, without their balances."""
    rows = await permitted_rows(viewer, Permission.READ_LEDGER, _WITHOUT_BALANCE, ids)
    return {row.id: row for row in rows}


async def entries_by_number(communities: Collection[int], number: int) -> dict[int, EntryRow]:
    """By community, without their balances."""
    return {row.community: row for row in await _WITHOUT_BALANCE.with_number(number, communities)}


async def balances_at(entries: Collection[int]) -> dict[int, int]:
    """Of each entry with all before it by date."""
    rows = await select(_BALANCES_AT.format(entries=placeholders(entries)), [*entries, *entries])
    return {row["id"]: row["balance"] for row in rows}


async def scope_of_entry(entry: int) -> Scope:
    """Raises NotFound."""
    return await scope_where("JOIN entry e ON e.community_id = c.id WHERE e.id = ?", entry)


# A ruling after the newest count waits for the next one, and until then nothing is decided.
_RESOLUTIONS = """
SELECT v.id AS vote, v.form AS form, v.last_step AS step, q.matter AS matter, r.outcome AS outcome,
       CASE WHEN EXISTS (SELECT 1 FROM vote_scope_part p
                          WHERE p.scope_id = q.scope_id AND p.community_id = v.community_id)
            THEN 1 ELSE 0 END AS whole
  FROM vote v LEFT JOIN question q ON q.vote_id = v.id
  LEFT JOIN count c ON c.vote_id = v.id
   AND c.number = (SELECT MAX(n.number) FROM count n WHERE n.vote_id = v.id)
   AND NOT EXISTS (SELECT 1 FROM ruling u WHERE u.vote_id = v.id AND u.sequence > c.sequence)
  LEFT JOIN count_result r ON r.count_id = c.id AND r.question_id = q.id
 WHERE v.id IN ({votes})
"""


async def resolutions_of(votes: Collection[int]) -> dict[int, Resolution]:
    """As they stand now, whoever asks; what is unknown is left out."""
    rows: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in await select(_RESOLUTIONS.format(votes=placeholders(votes)), list(votes)):
        rows[row["vote"]].append(row)
    return {
        vote: Resolution(
            consultation=own[0]["form"] == VoteForm.CONSULTATION,
            annulled=own[0]["step"] == VoteStep.ANNULLED,
            decided=[_decided(row) for row in own if row["matter"] is not None],
        )
        for vote, own in rows.items()
    }


def _decided(row: dict[str, Any]) -> Decided:
    outcome = None if row["outcome"] is None else Outcome(row["outcome"])
    return Decided(Matter(row["matter"]), bool(row["whole"]), outcome)


async def span_of(community: int) -> tuple[date, date] | None:
    """The earliest and the latest day of an entry; None before the first."""
    (row,) = await select(
        "SELECT MIN(date) AS first, MAX(date) AS last FROM entry WHERE community_id = ?", [community]
    )
    return None if row["first"] is None else (day(row["first"]), day(row["last"]))


async def last_line(community: int) -> tuple[int, int]:
    """The number and the balance of the last entry; zeros before the first."""
    newest = Entry.filter(community_id=community).order_by("-number").limit(1)
    rows = await newest.values_list("number", "balance")
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


async def last_number(community: int) -> int:
    """0 before the first entry."""
    return (await last_line(community))[0]


async def entries_after(community: int, number: int, most: int = 100) -> list[EntryRow]:
    """In the order of recording, without their balances."""
    where = "t.community_id = ? AND t.number > ? ORDER BY t.number LIMIT ?"
    return await _WITHOUT_BALANCE.where(where, [community, number, most])


async def recent(community: int, most: int = 50) -> int:
    """The number behind which the newest `most` entries come."""
    return max(0, await last_number(community) - most)


def book_cursors(community: int, month: str | None = None) -> NumberCursors:
    """Those of the list of entries, each by its number; one of the whole book resumes its journal, too."""
    return NumberCursors("entries", community, {"month": month})


async def book_cursors_of(community: int) -> NumberCursors:
    return book_cursors(community)


class Balance(NamedTuple):
    """What is there now, in fen. `version` is the number of the last entry, 0 before the first."""

    community: int
    version: int
    balance: int


_BALANCES = Shape(Balance, "entry", community="community_id", version="number")


async def balances_of(communities: Collection[int]) -> dict[int, Balance]:
    """What is there now; nothing before the first entry."""
    found = await first_of_each(_BALANCES, "community", communities, 1, Run("t.number DESC"))
    return {community: rows[0] if rows else Balance(community, 0, 0) for community, rows in found.items()}


async def balance_of(community: int) -> Balance:
    return (await balances_of([community]))[community]


async def months_of(communities: Collection[int]) -> dict[int, list[MonthRow]]:
    """Of each book every month from the first entry's to the latest one's, by their dates, oldest first."""
    sums: defaultdict[int, list[DaySum]] = defaultdict(list)
    for row in await select(_SUMS.format(books=placeholders(communities)), [*communities, *communities]):
        sums[row["community"]].append(
            DaySum(
                day(row["date"]),
                Direction(row["direction"]),
                Category(row["category"]),
                int(row["total"]),
                row["entries"],
                Undone(int(row["reversed"]), int(row["reversals"])),
            )
        )
    return {community: fold_months(sums[community]) for community in communities}


_SUMS = """
SELECT community_id AS community, date, direction, category, SUM(amount) AS total, COUNT(*) AS entries,
       SUM(CASE WHEN reverses_id IS NULL THEN 0 ELSE amount END) AS reversals,
       SUM(CASE WHEN id IN (SELECT reverses_id FROM entry WHERE reverses_id IS NOT NULL
                               AND community_id IN ({books})) THEN amount ELSE 0 END) AS reversed
  FROM entry WHERE community_id IN ({books}) GROUP BY community_id, date, direction, category
"""

_CHAIN = """
SELECT id, number, direction, category, amount, balance, reverses_id
  FROM entry WHERE community_id = ? ORDER BY number
"""


async def check_books(community: int) -> list[str]:
    """Every difference found when the whole book is added up again; none when it is right."""
    lines = [
        BookLine(
            row["id"], row["number"], Direction(row["direction"]), Category(row["category"]),
            row["amount"], row["balance"], row["reverses_id"],
        )
        for row in await select(_CHAIN, [community])
    ]  # fmt: skip
    return check_chain(lines, (await months_of([community]))[community])
