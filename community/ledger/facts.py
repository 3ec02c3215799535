"""The book of a community: what happens to it, and what can be watched."""

from community.bulletin.facts import BULLETIN
from community.catalogue import Fact, Subject, timeless
from community.ledger.reads import (
    EntryRow,
    LedgerRow,
    balance_of,
    book_cursors_of,
    entries_after,
    entries_by_id,
    last_number,
    ledgers_by_id,
    recent,
    scope_of_entry,
)
from community.live import Journal, State
from community.permissions import Permission
from community.places.facts import BOARD, COMMUNITY
from community.places.reads import scope_of

LEDGER = Subject[LedgerRow](
    kind="Ledger", scope_of=scope_of, rows=timeless(ledgers_by_id), seen_by=(Permission.READ_LEDGER,)
)
ENTRY = Subject[EntryRow](
    kind="Entry", scope_of=scope_of_entry, rows=timeless(entries_by_id), seen_by=(Permission.READ_LEDGER,)
)

BALANCE = State(topic="ledger", subject=COMMUNITY, permission=Permission.READ_LEDGER, read=balance_of)
ENTRIES = Journal(
    topic="entries",
    subject=COMMUNITY,
    permission=Permission.READ_LEDGER,
    items_after=entries_after,
    head=last_number,
    recent=recent,
    cursors=book_cursors_of,
)

ENTRIES_RECORDED = Fact(
    name="ENTRIES_RECORDED",
    subject=COMMUNITY,
    touches=(BALANCE, ENTRIES, BOARD),
    known_by=Permission.READ_LEDGER,
    meaning="The book has new lines, one or many. 账本记了新的一笔或多笔。",
)
LEDGER_PUBLISHED = Fact(
    name="LEDGER_PUBLISHED",
    subject=COMMUNITY,
    touches=(BULLETIN, BOARD),
    meaning=(
        "The ledger has new entries, however many; its subject is the Community. Posted for the first"
        " entry of a day by the community's clock, and not again that day: whoever wants each one reads"
        " `ledger.entries`."
        " 每天第一笔入账时贴一条，当天再记多少笔都不再贴。"
    ),
)
