"""What must hold whatever the code above does: each promise of the database is there and is tried."""

from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from community.database.ids import new_id
from community.database.models import IdempotencyRecord, JournalRow
from community.database.sql import is_postgres, select
from community.ledger.models import Entry
from community.places.models import CommunityProfile
from community.votes.lifecycle import VoteStep
from tests.community.database.breaking import Other, Own, Statement, delete, insert, update
from tests.examples import every, examples, of_all
from tests.topics.ledger import NEXT
from tests.topics.votes import RULED

promised = import_module("community.database.migrations.0002_constraints")
steps = import_module("community.database.migrations.0011_steps")
GONE = {"change", "question_result"}
NUMBERED = set(import_module("community.database.migrations.0006_numbers").NUMBERED)
totals = import_module("community.database.migrations.0009_totals")
states = import_module("community.database.migrations.0010_unit_states")
CHECKS = {name for _, name, _ in [*promised.CHECKS, *states.CHECKS, *steps.CHECKS]} - states.GONE
APPEND_ONLY = sorted(
    {*promised.APPEND_ONLY, *totals.APPEND_ONLY, *states.APPEND_ONLY, *steps.APPEND_ONLY} - GONE | {"journal"}
)
RULES = {name for _, name, _, _ in [*promised.RULES, *steps.RULES] if name not in totals.DROPPED}
RULES |= {name for _, name, _ in totals.RULES}
COUNTS = {name for name, _, _ in promised.SIGN_UP_COUNTS}
NUMBERS = {f"{table}_{rule}" for table in NUMBERED for rule in ("numbered_here", "number_stays", "stays")}
LIVES = of_all(lambda topic: topic.lives)
APPEND_ONLY = sorted([*APPEND_ONLY, *LIVES.values()])
for subject, kept in LIVES.items():
    RULES |= {f"{kept}_numbered", f"{subject}_without_steps", f"{subject}_follows_steps"}
VERSIONS = of_all(lambda topic: topic.versions)
APPEND_ONLY = sorted([*APPEND_ONLY, *VERSIONS.values()])
for subject, kept in VERSIONS.items():
    RULES |= {f"{kept}_as_said", f"{subject}_keeps_words"}
GUARDED = {
    *(table for table, *_ in [*promised.CHECKS, *promised.RULES, *totals.RULES, *steps.CHECKS, *steps.RULES]),
    *APPEND_ONLY,
    *NUMBERED,
} - {"counted_ballot"}
FRESH = of_all(lambda topic: topic.fresh)
OTHERS = of_all(lambda topic: topic.others)


async def names(query: str) -> set[str]:
    return {row["name"] for row in await select(query)}


async def test_every_promised_constraint_is_there(database: str) -> None:
    if is_postgres():
        found = await names(
            "SELECT conname AS name FROM pg_constraint WHERE contype = 'c'"
            " UNION SELECT tgname FROM pg_trigger WHERE tgenabled = 'O' AND NOT tgisinternal"
            " UNION SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
        )
        checks = CHECKS
        guards = {f"{table}_append_only" for table in APPEND_ONLY}
    else:
        found = await names("SELECT name FROM sqlite_master")
        checks = {f"{name}_{action}" for name in CHECKS for action in ("insert", "update")}
        guards = {f"{table}_append_only_{action}" for table in APPEND_ONLY for action in ("update", "delete")}
    if is_postgres():
        numbers = {f"{table}_numbered" for table in NUMBERED} | NUMBERS - {
            f"{table}_numbered_here" for table in NUMBERED
        }
    else:
        numbers = {f"{table}_numbered" for table in NUMBERED} | NUMBERS
    missing = (checks | guards | numbers | RULES | COUNTS | {"sign_up_standing"}) - found
    assert not missing


@dataclass
class House:
    """One valid row in every table that is guarded, by table, and a second party without a ballot."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    other: dict[str, int] = field(default_factory=dict)

    async def insert(self, table: str, **changed: Any) -> None:
        """A copy of the table's row, with `changed`; past every rule of ours."""
        row = self.rows[table] | {"id": new_id()} | FRESH.get(table, {}) | changed
        columns = ", ".join(f'"{column}"' for column in row)
        placeholders = ", ".join("?" for _ in row)
        await select(f'INSERT INTO "{table}" ({columns}) VALUES ({placeholders})', list(row.values()))

    async def update(self, table: str, **changed: Any) -> None:
        assignments = ", ".join(f'"{column}" = ?' for column in changed)
        await select(f'UPDATE "{table}" SET {assignments}', list(changed.values()))

    async def delete(self, table: str) -> None:
        await select(f'DELETE FROM "{table}"')


@pytest.fixture
async def house(estate: Any, build: Any, now: datetime) -> House:
    async with in_transaction():
        await furnish(estate, build, now)
        return await house_as_it_stands()


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    """A row in the tables of each topic, and of the database itself."""
    community, account = estate.community, estate.owner.account
    for topic in examples().values():
        await topic.furnish(estate, build, now)
    await JournalRow.create(
        number=1,
        community_id=community,
        fact="ENTRIES_RECORDED",
        subject_kind="Community",
        subject=community,
        at=now,
    )
    await IdempotencyRecord.create(account_id=account, deed="signUp", key="k", subject=7, at=now)


async def house_as_it_stands() -> House:
    """The furniture that is found in the open database."""
    found = House(other={"vote": new_id(), "event": new_id()})
    for table in GUARDED:
        rows = await select(f'SELECT * FROM "{table}"')
        if rows:  # an older database has none of what came later
            found.rows[table] = next((row for row in rows if row.get("sequence") == 2), rows[0])
    for name, query in OTHERS.items():
        found.other[name] = (await select(query))[0]["id"]
    return found


VIOLATIONS: list[tuple[str, Statement]] = [
    *every(lambda topic: topic.violations),
    *((f"{table}_numbered_here", insert(table, number=2)) for table in sorted(NUMBERED)),
    *((f"{table}_number_stays", update(table, number=2)) for table in sorted(NUMBERED)),
    *(
        (f"{table}_number_stays", update(table, community_id=Other("community")))
        for table in sorted(NUMBERED)
    ),
    *((f"{table}_stays", delete(table)) for table in sorted(NUMBERED)),
    *((f"{table}_append_only", delete(table)) for table in APPEND_ONLY),
    *(
        (f"{table}_append_only", update(table, **{column: Own(column)}))
        for table in APPEND_ONLY
        for column in ["id"]
    ),
]


async def violate(house: House, violation: Statement) -> None:
    how, table, changed = violation
    values = {
        column: house.rows[table][value]
        if isinstance(value, Own)
        else house.other[value]
        if isinstance(value, Other)
        else value
        for column, value in changed.items()
    }
    await getattr(house, how)(table, **values)


async def everything(house: House) -> dict[str, list[dict[str, Any]]]:
    return {table: await select(f'SELECT * FROM "{table}" ORDER BY 1') for table in house.rows}


@pytest.mark.parametrize("name", sorted({name for name, _ in VIOLATIONS}))
async def test_no_statement_gets_past_it(house: House, name: str) -> None:
    await holds(house, name)


async def holds(house: House, name: str) -> None:
    before = await everything(house)
    for violated, violation in VIOLATIONS:
        if violated == name:
            with pytest.raises(IntegrityError, match=name):
                await violate(house, violation)
            assert await everything(house) == before, violation


async def test_no_table_that_only_grows_is_emptied_at_once(house: House) -> None:
    if not is_postgres():
        pytest.skip("SQLite has no TRUNCATE")
    before = await everything(house)
    for table in [*APPEND_ONLY, "sign_up", *NUMBERED]:
        with pytest.raises(IntegrityError, match=r"append_only|_stays"):
            await select(f'TRUNCATE "{table}" CASCADE')
    assert await everything(house) == before


UNINDEXED = set(every(lambda topic: topic.unindexed))

_LACKING = """
SELECT t.name || '.' || f."from" AS name FROM sqlite_master t, pragma_foreign_key_list(t.name) f
 WHERE t.type = 'table' AND NOT EXISTS (
  SELECT 1 FROM pragma_index_list(t.name) i, pragma_index_info(i.name) c
   WHERE c.seqno = 0 AND c.name = f."from")
"""


async def test_every_reference_has_an_index_that_begins_with_it(database: str) -> None:
    if is_postgres():
        pytest.skip("the same migrations make the indexes of both engines")
    found = await names(_LACKING)
    assert found - UNINDEXED == set(), "index it in models.py and in the migration (`AddIndex`)"
    assert found >= UNINDEXED


def test_every_promise_is_tried() -> None:
    tried = {name for name, _ in VIOLATIONS}
    guards = {f"{table}_append_only" for table in APPEND_ONLY}
    elsewhere = {"ballot_before_count", "ruling_before_certified"}  # below
    assert tried | elsewhere == CHECKS | RULES | NUMBERS | guards


async def test_no_ballot_after_the_closing_count(house: House) -> None:
    await house.insert("ballot", sequence=4)
    for number, step in enumerate(("CLOSED", "COUNTED"), start=1 + house.rows["vote"]["steps"]):
        await house.insert("vote_step", number=number, step=step)
    with pytest.raises(IntegrityError, match="ballot_before_count"):
        await house.insert("ballot", sequence=5)


@pytest.mark.parametrize("undone", [VoteStep.CERTIFIED, VoteStep.WITHDRAWN, VoteStep.ANNULLED])
async def test_no_ruling_where_no_count_may_follow(house: House, undone: VoteStep) -> None:
    await house.insert("ruling", sequence=5)
    await house.insert("vote_step", number=1 + house.rows["vote"]["steps"], step=undone)
    with pytest.raises(IntegrityError, match="ruling_before_certified"):
        await house.insert("ruling", sequence=6)


async def test_a_vote_follows_its_steps(house: House) -> None:
    steps = house.rows["vote"]["steps"]
    await house.insert("vote_step", number=steps + 1, step="SUSPENDED")
    (vote,) = await select("SELECT steps, last_step FROM vote")
    assert vote == {"steps": steps + 1, "last_step": "SUSPENDED"}


async def test_one_sign_up_stands_an_account_and_event(house: House) -> None:
    with pytest.raises(IntegrityError, match=r"sign_up_standing|sign_up\.event_id, sign_up\.account_id"):
        await house.insert("sign_up", household_id=None, party_size=1)
    await select("UPDATE sign_up SET cancelled_at = signed_up_at")
    await house.insert("sign_up", household_id=None, party_size=1)


async def test_one_sign_up_stands_a_household_and_event(house: House) -> None:
    unit, other = house.other["household"], house.other["account"]
    await select("UPDATE sign_up SET cancelled_at = signed_up_at")
    await house.insert("sign_up", household_id=unit)
    with pytest.raises(IntegrityError, match=r"sign_up_household|sign_up\.event_id, sign_up\.household_id"):
        await house.insert("sign_up", account_id=other, household_id=unit)
    await house.insert(
        "sign_up", account_id=other, household_id=unit, doubled=True
    )  # as a migration found it
    assert len(await select("SELECT id FROM sign_up WHERE cancelled_at IS NULL")) == 2


async def test_a_cancelled_sign_up_stays_cancelled(house: House) -> None:
    await select("UPDATE sign_up SET cancelled_at = signed_up_at")
    for statement in ("SET cancelled_at = NULL", "SET cancelled_at = signed_up_at"):
        with pytest.raises(IntegrityError, match="sign_up_only_cancelled"):
            await select(f"UPDATE sign_up {statement}")


async def test_places_are_counted_by_the_database(house: House) -> None:
    async def event() -> tuple[int, int]:
        (row,) = await select("SELECT signed_up, version FROM event")
        return row["signed_up"], row["version"]

    assert await event() == (2, 1)
    await house.insert("sign_up", account_id=house.other["account"], party_size=3)
    assert await event() == (5, 2)
    await select("UPDATE sign_up SET cancelled_at = signed_up_at")
    assert await event() == (0, 4)


async def test_what_is_right_gets_past_all_of_them(house: House, now: datetime) -> None:
    """Otherwise the tests above could pass for a table that takes nothing."""
    await house.insert("unit", name="新的一间")
    await house.insert("unit_state", since=now, area=1, status="UNSOLD")
    await house.insert("ownership", share=1, share_of=2)
    await house.insert("question", position=2, min_choices=0, max_choices=3)
    await house.insert("roll_entry", party_id=house.other["party"], area=1)
    await house.insert("ballot", sequence=4, party_id=house.other["party"])
    await house.insert("counting", **RULED | {"ballot_id": house.other["invalid_ballot"]})
    await house.insert("ruling", sequence=5)
    await house.insert("event", signed_up=0, version=0)
    await house.insert("entry", **NEXT)
    await house.insert("entry", number=3, amount=-500, balance=500, reverses_id=house.other["entry"])
    await house.insert("journal", number=2)
    await house.insert("count", number=2, sequence=5)
    await house.insert("vote")
    await house.insert("community_profile", version=2)
    assert await Entry.all().count() == 3
    assert await CommunityProfile.filter(version=2).count() == 1


async def test_an_entry_is_taken_back_once(house: House) -> None:
    back = {"amount": -500, "reverses_id": house.other["entry"]}
    await house.insert("entry", **back, number=2, balance=0)
    with pytest.raises(IntegrityError):
        await house.insert("entry", **back, number=3, balance=-500)


@pytest.mark.parametrize(
    "table", ["community", "account", "vote", "event", "roll", "owner_party", "organization"]
)
async def test_what_others_refer_to_is_not_deleted(house: House, table: str) -> None:
    with pytest.raises(IntegrityError):
        await select(f'DELETE FROM "{table}"')


async def test_a_row_refers_to_what_is_there(house: House) -> None:
    with pytest.raises(IntegrityError):
        await house.insert("served", party_id=5)
