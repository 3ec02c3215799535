"""Entries as they stand in old books, written past the rules of today."""

from datetime import date, datetime

from community.ledger.models import Entry
from community.ledger.reads import last_line
from community.ledger.rules import Category, Direction


async def entry_of_before(
    community: int, vote: int, day: date, now: datetime, *, recorded_by: int | None = None, fen: int = 100
) -> int:
    """The id of an expense under a vote that nobody looked at."""
    number, balance = await last_line(community)
    entry = await Entry.create(
        community_id=community, number=number + 1, date=day, direction=Direction.EXPENSE,
        category=Category.REPAIR_UPGRADE, item="换水泵", amount=fen, balance=balance - fen,
        authority_vote_id=vote, recorded_by_id=recorded_by, recorded_at=now,
    )  # fmt: skip
    return int(entry.id)
