"""The ledger: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.ledger.actions import record_entry, reverse_entry
from community.ledger.models import Entry
from community.ledger.reads import book_cursors
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM, Permission, Role
from community.votes.models import Vote
from schema.nodes import to_id
from tests.community.database.breaking import Other, insert
from tests.examples import Examples, Ground, ListExample, MutationExample, Plenty, Read, Variables
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, CURSORS, LEDGER, aliases, pages
from tests.topics.votes import NAMES
from tests.world.books import entry_of_before
from tests.world.estates import NOW
from tests.world.polls import Poll

DAY = timedelta(days=1)


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    await Entry.create(
        community_id=estate.community, number=1, date=now.date(), direction=Direction.INCOME,
        category=Category.ADVERTISING, item="广告", amount=500, balance=500, recorded_at=now,
    )  # fmt: skip


NEXT = {"number": 2, "balance": 1_000}
"""What the next entry of 500 says."""

VIOLATIONS = [
    ("entry_amount", insert("entry", **NEXT | {"amount": 0, "balance": 500})),
    ("entry_amount", insert("entry", **NEXT | {"amount": -500, "balance": 0})),
    ("entry_amount", insert("entry", **NEXT, reverses_id=Other("entry"))),
    ("entry_chain", insert("entry", **NEXT | {"number": 3})),
    ("entry_chain", insert("entry", **NEXT | {"number": 1})),
    ("entry_chain", insert("entry", **NEXT | {"balance": 1_001})),
    ("entry_chain", insert("entry", **NEXT, direction="EXPENSE")),
]


# Texts


async def entry(poll: Poll, **text: str) -> int:
    terms = {"item": "广告"} | text
    return await record_entry(
        poll.estate.manager, NOW, poll.estate.community, date=NOW.date(), direction=Direction.INCOME,
        category=Category.ADVERTISING, amount=100, **terms,
    )  # fmt: skip


async def reason(poll: Poll, reason: str) -> None:
    await reverse_entry(poll.estate.manager, NOW, await entry(poll), reason=reason)


# The town


async def settle(builder: Any, slug: str) -> None:
    manager = await builder.viewer(f"{slug}/manager")
    builder.keys["Ledger", slug] = builder.keys["Community", slug]

    async def record(name: str, direction: Direction, category: Category, fen: int) -> None:
        builder.keys["Entry", name] = await record_entry(
            manager, builder.now - DAY, builder.keys["Community", slug],
            date=(builder.now - 40 * DAY).date(), direction=direction, category=category,
            item=f"账 {name}", amount=fen, authority_clause="业主大会决议",
        )  # fmt: skip

    if slug == "quiet":
        await record("quiet", Direction.INCOME, Category.INTEREST, 100)
        return
    await record("rent", Direction.INCOME, Category.ADVERTISING, 214_560)
    await record("slip", Direction.EXPENSE, Category.AUDIT, 5)
    await record("audit", Direction.EXPENSE, Category.AUDIT, 50_000)
    builder.keys["Entry", "back"] = await reverse_entry(
        manager, builder.now, builder.keys["Entry", "slip"], reason="记错了"
    )


async def participate(house: Any) -> None:
    """A vote of long ago allows an entry."""
    town, day = house.town, (house.now - timedelta(days=2)).date()
    await entry_of_before(town.key("Community", "spring"), town.key("Vote", "closed"), day, house.now)


async def enrich(plenty: Plenty) -> None:
    vote = await Vote.filter(community_id=plenty.community, last_step="OPENED").first()
    assert vote
    for _ in range(2):
        made = await entry_of_before(plenty.community, vote.id, (plenty.now - 2 * DAY).date(), plenty.now)
    await reverse_entry(SYSTEM, plenty.now, made, reason="记错了")


async def ids(ground: Ground) -> Mapping[str, str]:
    """An entry that was reversed, and cannot be again; `unread`: a cursor before all of the book."""
    now, vote = ground.house.now, ground.house.town.key("Vote", NAMES[ground.slug])
    made = await entry_of_before(ground.community, vote, (now - DAY).date(), now)
    await reverse_entry(SYSTEM, now, made, reason="记错了")
    return {
        "entry": to_id("Entry", made),
        "ledger": to_id("Ledger", ground.community),
        "unread": book_cursors(ground.community).cursor(0),
    }


# The schema


async def record_entry_example(house: Any) -> MutationExample:
    terms = {
        "date": "2026-01-31",
        "direction": "EXPENSE",
        "category": "AUDIT",
        "item": "审计",
        "amount": "500.00",
    }

    def changed(**fields: Any) -> Variables:
        return {"entry": terms | fields}

    vote = house.town.id("Vote", "closed")
    return MutationExample(
        "mutation($community: ID!, $entry: EntryInput!, $key: String)"
        " { recordEntry(communityId: $community, entry: $entry, key: $key) { id } }",
        "spring/manager",
        {"community": house.town.id("Community", "spring"), **changed()},
        [
            changed(item=" 审计"), changed(voucher="", counterparty=" "),
            changed(authorityClause=None, authorityVoteId=None),
        ],
        [
            changed(amount="700.00"), changed(date="2026-01-30"), changed(category="ALLOWANCE"),
            changed(direction="INCOME", category="INTEREST"), changed(item="审计费"), changed(voucher="1"),
            changed(counterparty="甲"), changed(authorityClause="第一条"), changed(authorityVoteId=vote),
            changed(authorityVoteId=house.town.id("Community", "spring")),
        ],
    )  # fmt: skip


async def reverse_entry_example(house: Any) -> MutationExample:
    return MutationExample(
        "mutation($id: ID!, $reason: String!, $key: String)"
        " { reverseEntry(entryId: $id, reason: $reason, key: $key) { id } }",
        "spring/manager",
        {"id": house.town.id("Entry", "audit"), "reason": "记错了"},
        [{"reason": "\t记错了 "}],
        [{"reason": "错了"}, {"id": house.town.id("Entry", "rent")}],
        once=True,
    )


AT_ENTRIES = "ledger.entries.edges.node"
ENTRIES = A_COMMUNITY % "ledger {{ entries {{ edges {{ node {{ %s }} }} }} }}"

READS = {
    "limits": Read("limits {{ dish }}"),
    "Community.ledger": Read(A_COMMUNITY % "ledger {{ balance }}", "ledger"),
    "Ledger.community": Read(A_COMMUNITY % "ledger {{ community {{ name }} }}", "ledger.community"),
    "Entry.authorityVote": Read(ENTRIES % "authorityVote {{ id }}", f"{AT_ENTRIES}.authorityVote"),
    "Entry.authorityFault": Read(ENTRIES % "authorityFault", f"{AT_ENTRIES}.authorityFault"),
    "Entry.reverses": Read(ENTRIES % "reverses {{ number }}", f"{AT_ENTRIES}.reverses"),
    "Entry.reversedBy": Read(ENTRIES % "reversedBy {{ number }}", f"{AT_ENTRIES}.reversedBy"),
    "node(Ledger)": Read('node(id: "{ledger}") {{ ... on Ledger {{ balance }} }}'),
    "node(Entry)": Read('node(id: "{entry}") {{ id }}'),
}

EXAMPLES = Examples(
    permissions={
        Permission.READ_LEDGER: frozenset(Role),
        Permission.RECORD_ENTRY: {Role.COMMITTEE, Role.MANAGEMENT_COMMITTEE, Role.PROPERTY_MANAGER},
    },
    furnish=furnish,
    violations=VIOLATIONS,
    others={"entry": "SELECT id FROM entry"},
    texts={
        "entry.authority_clause": lambda poll, text: entry(poll, authority_clause=text),
        "entry.counterparty": lambda poll, text: entry(poll, counterparty=text),
        "entry.item": lambda poll, text: entry(poll, item=text),
        "entry.voucher": lambda poll, text: entry(poll, voucher=text),
    },
    settle=settle,
    participate=participate,
    enrich=enrich,
    nodes={"Ledger": ("spring", "quiet"), "Entry": ("rent", "quiet")},
    mutations={"recordEntry": record_entry_example, "reverseEntry": reverse_entry_example},
    ids=ids,
    reads=READS,
    doors={
        "recordEntry": 'recordEntry(communityId: "{community}", entry: {{date: "2020-01-01",'
        ' direction: INCOME, category: INTEREST, item: "a", amount: "0.00"}}) {{ id }}',
        "reverseEntry": 'reverseEntry(entryId: "{entry}", reason: "a") {{ id }}',
    },
    watches={
        "ledgerBalance": 'ledgerBalance(communityId: "{community}") {{ balance }}',
        "ledgerEntries": 'ledgerEntries(communityId: "{community}", after: "{unread}") {{ node {{ id }} }}',
    },
    live={"ledger", "entries"},
    ways={"Ledger": LEDGER, "Entry": LEDGER % "entries(first: 100) { edges { node { %s } } }"},
    ways_to_one={"EntryLimits": "{ limits { entry { %s } } }"},
    arguments={
        "Ledger.entry": lambda _: "(number: 1)",
        "Query.node": lambda town: f'(id: "{town.id("Entry", "rent")}")',
    },
    by_key={
        "node": lambda town: [f'id: "{town.id("Entry", name)}"' for name in ("rent", "slip", "audit", "back")]
    },
    pages={"entries": (LEDGER, CURSORS), "months": (LEDGER, " { month }")},
    lists={
        "entries": ListExample("ledger { entries"),
        "entries of another": ListExample("ledger { entries", slug="quiet"),
        "entries of a month": ListExample("ledger { entries", 'month: "MONTH"'),
    },
    dearest={
        "entries": COMMUNITIES % (LEDGER % aliases("entries(first: 100) { edges { node { id } } }")),
        "entries of many lengths": COMMUNITIES
        % (
            LEDGER
            % pages("entries", "edges { node { authorityVote { tally { version } } reverses { number } } }")
        ),
        "months": COMMUNITIES % (LEDGER % aliases("months(first: 100) { month }")),
        "months of many lengths": COMMUNITIES % (LEDGER % pages("months", "month")),
    },
)
