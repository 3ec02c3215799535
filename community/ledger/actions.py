"""The book is written here: entries are added at its end, and taken back by other entries."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from community.database.models import JournalRow
from community.database.sql import lock_advisory, lock_shared
from community.database.work import UnitOfWork, requires
from community.ledger.facts import ENTRIES_RECORDED, LEDGER_PUBLISHED
from community.ledger.models import Entry
from community.ledger.reads import entry_row, last_line, resolutions_of, scope_of_entry
from community.ledger.rules import (
    LONGEST_CLAUSE,
    LONGEST_COUNTERPARTY,
    LONGEST_ITEM,
    LONGEST_REASON,
    LONGEST_VOUCHER,
    Category,
    Direction,
    ForeignVote,
    Resolution,
    check_authority,
    check_entry,
    check_reversal,
    signed,
)
from community.permissions import SYSTEM, Permission
from community.places.reads import communities_by_id, scope_of
from community.text import single_line, single_line_if_any
from community.votes.models import Vote


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry about to be written; `amount` in fen.

    What allows it is an adopted vote of the community, a clause in words, or neither, which is shown as such.
    `recorded_by`: the account that kept a book which is taken in; of one's own entries it is oneself.
    """

    date: date
    direction: Direction
    category: Category
    item: str
    amount: int
    counterparty: str | None = None
    voucher: str | None = None
    authority_vote: int | None = None
    authority_clause: str | None = None
    recorded_by: int | None = None

    @property
    def terms(self) -> dict[str, object]:
        """What a client may say of it."""
        return {name: value for name, value in asdict(self).items() if name != "recorded_by"}


@requires(Permission.RECORD_ENTRY, within=scope_of)
async def record_entry(
    work: UnitOfWork,
    community: int,
    *,
    date: date,
    direction: Direction,
    category: Category,
    item: str,
    amount: int,
    counterparty: str | None = None,
    voucher: str | None = None,
    authority_vote: int | None = None,
    authority_clause: str | None = None,
    key: str | None = None,
) -> int:
    """The id of the entry; `amount` in fen. Raises InvalidInput, AuthorityInvalid, KeyReused."""
    new = _cleaned(
        NewEntry(
            date, direction, category, item, amount, counterparty, voucher, authority_vote, authority_clause
        )
    )
    await _open_book(community, [authority_vote])
    command = await work.command("recordEntry", key, community=community, **new.terms)
    if (first := command.result) is not None:
        same = (await entry_row(first)).community == community
        return command.again(same=same, stands=not await Entry.exists(reverses_id=first))
    await _check(work, community, [new])
    (entry,) = await _append(work, community, [new])
    await command.store(entry)
    await _post_once_a_day(work, community)
    return entry


@requires(Permission.RECORD_ENTRY, within=scope_of_entry, known_by=Permission.READ_LEDGER)
async def reverse_entry(work: UnitOfWork, entry: int, *, reason: str, key: str | None = None) -> int:
    """The id of the entry that takes back this one whole, dated today. It needs no authority of its own: one
    that should never have stood is taken back, too.

    Raises EntryReversed, InvalidInput, KeyReused.
    """
    reason = single_line(reason, LONGEST_REASON, "原因", "the reason", field="reason")
    row = await entry_row(entry)
    await _open_book(row.community, [row.authority_vote])
    command = await work.command("reverseEntry", key, entry=entry, reason=reason)
    if command.result is not None:
        return command.again(same=(await entry_row(command.result)).reverses == entry)
    check_reversal(row.reverses, reversed_before=await Entry.exists(reverses_id=entry))
    back = NewEntry(
        date=(await _local(work, row.community)).date(),
        direction=row.direction,
        category=row.category,
        item=f"冲正：{reason}",
        amount=-row.amount,
        counterparty=row.counterparty,
        voucher=row.voucher,
        authority_vote=row.authority_vote,
        authority_clause=row.authority_clause,
    )
    (made,) = await _append(work, row.community, [back], reverses=entry)
    await command.store(made)
    await _post_once_a_day(work, row.community)
    return made


@requires(Permission.OPERATE, within=scope_of)
async def record_entries(
    work: UnitOfWork, community: int, entries: Sequence[NewEntry], *, posted: bool = False
) -> None:
    """Takes in a book kept elsewhere, whole or not at all; the bulletin says so if it is to be `posted`.

    Raises InvalidInput, AuthorityInvalid.
    """
    await _open_book(community, [new.authority_vote for new in entries])
    clean = [_cleaned(new) for new in entries]
    await _check(work, community, clean)
    await _append(work, community, clean)
    if posted:
        await _post_once_a_day(work, community)


async def _open_book(community: int, votes: Iterable[int | None]) -> None:
    """Locks the book, so that nobody else adds a line meanwhile; and the votes that the lines refer to, so
    that none is closed.
    """
    for vote in sorted({vote for vote in votes if vote is not None}):
        await lock_shared("vote", vote)
    await lock_advisory(f"entry {community}")


async def _local(work: UnitOfWork, community: int) -> datetime:
    """Now by the community's clock."""
    rows = await communities_by_id(SYSTEM, [community])
    return work.now.astimezone(ZoneInfo(rows[community].profile.time_zone))


def _cleaned(new: NewEntry) -> NewEntry:
    """With clean texts. Raises InvalidInput."""
    return replace(
        new,
        item=single_line(new.item, LONGEST_ITEM, "事由", "the item", field="entry.item"),
        counterparty=single_line_if_any(
            new.counterparty, LONGEST_COUNTERPARTY, "对方", "the counterparty", field="entry.counterparty"
        ),
        voucher=single_line_if_any(
            new.voucher, LONGEST_VOUCHER, "凭证号", "the voucher number", field="entry.voucher"
        ),
        authority_clause=single_line_if_any(
            new.authority_clause, LONGEST_CLAUSE, "依据", "the clause", field="entry.authorityClause"
        ),
    )


async def _check(work: UnitOfWork, community: int, entries: Sequence[NewEntry]) -> None:
    """Raises InvalidInput, AuthorityInvalid."""
    today = (await _local(work, community)).date()
    for new in entries:
        check_entry(new.direction, new.category, new.amount, new.date, today)
    cited = {new.authority_vote for new in entries if new.authority_vote is not None}
    own = await Vote.filter(id__in=cited, community_id=community).values("id")
    resolutions = await resolutions_of([row["id"] for row in own])
    for new in entries:
        if new.authority_vote is not None:
            _check_authority(new.direction, resolutions.get(new.authority_vote))


def _check_authority(direction: Direction, vote: Resolution | None) -> None:
    if vote is None:
        raise ForeignVote(field="entry.authorityVoteId")
    check_authority(direction, vote)


async def _append(
    work: UnitOfWork, community: int, entries: Sequence[NewEntry], reverses: int | None = None
) -> list[int]:
    """Writes the next lines of the book; to be called with the book open."""
    last, balance = await last_line(community)
    lines: list[Entry] = []
    for number, new in enumerate(entries, start=last + 1):
        balance += signed(new.direction, new.amount)
        lines.append(_line(work, community, number, balance, new, reverses))
    await Entry.bulk_create(lines, batch_size=1000)
    work.record(ENTRIES_RECORDED, community)
    return [line.id for line in lines]


def _line(
    work: UnitOfWork, community: int, number: int, balance: int, new: NewEntry, reverses: int | None
) -> Entry:
    return Entry(
        community_id=community,
        number=number,
        date=new.date,
        direction=new.direction,
        category=new.category,
        item=new.item,
        counterparty=new.counterparty,
        voucher=new.voucher,
        amount=new.amount,
        balance=balance,
        authority_vote_id=new.authority_vote,
        authority_clause=new.authority_clause,
        reverses_id=reverses,
        recorded_by_id=new.recorded_by or work.recorder,
        recorded_at=work.now,
    )


async def _post_once_a_day(work: UnitOfWork, community: int) -> None:
    """An item for every entry would flood the bulletin."""
    midnight = (await _local(work, community)).replace(hour=0, minute=0, second=0, microsecond=0)
    posted = JournalRow.filter(
        community_id=community, fact=LEDGER_PUBLISHED.name, at__gte=midnight.astimezone(UTC)
    )
    if not await posted.exists():
        work.record(LEDGER_PUBLISHED, community)
