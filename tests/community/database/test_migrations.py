"""A populated database of every earlier version arrives whole; and migrations that would lose are caught."""

import re
from importlib import import_module
from typing import Any

import pytest
from tortoise import Tortoise

from community.database.engine import opened
from community.database.migrate import CannotMigrate
from community.database.sql import select
from tests.community.database import populating
from tests.community.database.catalogue import Facts, differences, facts, picture
from tests.community.database.populating import VERSIONS, Rows, every_row, inserts, load
from tests.community.database.test_constraints import VIOLATIONS, holds, house_as_it_stands

REAL = "community.database.migrations"

pytestmark = pytest.mark.xdist_group("migrations")  # they share what was built once

each_version = pytest.mark.parametrize("version", VERSIONS)


async def losses(ground: Any, populated: str, migrations: str) -> list[str]:
    """What the populated database loses on its way, and where it ends unlike a new one."""
    async with opened(populated):
        before = await picture()
    async with ground.migrated(populated, migrations):
        after = await picture()
    async with ground.migrated(await ground.fresh(), migrations):
        fresh = await facts()
    return before.lost_in(after) + [f"unlike a new one: {line}" for line in differences(fresh, after.facts)]


def by_mistake(found: list[str], migrations: list[Any]) -> list[str]:
    """The losses but for what the migrations themselves say that they drop or alter."""
    given_up = {fact for migration in migrations for fact in getattr(migration, "gives_up", ())}
    return [loss for loss in found if loss.partition(":")[0] not in given_up]


def test_every_version_has_its_population_and_no_other_is_there() -> None:
    found = sorted(file.stem for file in populating.POPULATIONS.iterdir())
    assert found == VERSIONS, "`python -m tests.community.database.populating` records the newest version's"


@each_version
async def test_an_older_database_has_a_row_in_every_table(ground: Any, version: str) -> None:
    async with opened(await ground.populated(version)):
        rows = (await picture()).rows
    assert [table for table in rows if not rows[table]] == [], "`populate` in populating.py gives each a row"


@each_version
async def test_an_older_database_loses_nothing(ground: Any, version: str) -> None:
    later = VERSIONS[VERSIONS.index(version) + 1 :]
    migrations = [import_module(f"{REAL}.{name}").Migration for name in later]
    assert by_mistake(await losses(ground, await ground.populated(version), REAL), migrations) == []


def test_what_a_migration_gives_up_is_no_mistake() -> None:
    class Gives:
        gives_up = ("index a",)

    found = ["index a: missing, was so", "index b: missing, was so", "unlike a new one: index a: missing"]
    assert by_mistake(found, [Gives, object]) == found[1:]


@each_version
async def test_every_constraint_holds_in_what_was_older(ground: Any, version: str) -> None:
    async with ground.migrated(await ground.populated(version), REAL):
        house = await house_as_it_stands()
        for name in sorted({name for name, (_, table, _) in VIOLATIONS if table in house.rows}):
            await holds(house, name)


# What they find out about what is there


def _settled(slug: str, number: int, resident: str, *, demonstration: bool, own: bool = True) -> str:
    """A community with an owner party of which `resident` is, or whose co-owner has no account."""
    owner = number if own else "NULL"
    return f"""
INSERT INTO community (id, slug, name, address, households, profile_version, created_at)
 VALUES ({number}, '{slug}', '园', '萧山区', 3, 1, '2026-01-01 00:00:00+00:00');
INSERT INTO account (id, name, demonstration, created_at)
 VALUES ({number}, '{resident}', {demonstration}, '2026-01-01 00:00:00+00:00');
INSERT INTO owner_party (id, community_id, kind) VALUES ({number}, {number}, 'OWNERS');
INSERT INTO co_owner (id, party_id, account_id, since)
 VALUES ({number}, {number}, {owner}, '2026-01-01 00:00:00+00:00');
"""


async def test_the_communities_of_the_demonstration_are_known_by_their_first_owner(ground: Any) -> None:
    url = await ground.populated("0002_constraints")
    async with ground.migrated(url, ground.migrations("0002_constraints")):
        await load(
            _settled("meizai-meicheng", 1, "meizai-meicheng/resident-1", demonstration=True)
            + _settled("zijin-xiyuan", 2, "zijin-xiyuan/resident-1", demonstration=False)
            + _settled(
                "qiantang-shanshuiwan", 3, "qiantang-shanshuiwan/resident-1", demonstration=True, own=False
            )
            + _settled("real", 4, "real/resident-1", demonstration=True)
        )
    async with ground.migrated(url, REAL):
        found = await select("SELECT slug FROM community WHERE demonstration = ?", [True])
    assert [row["slug"] for row in found] == ["meizai-meicheng"]


async def test_sessions_that_were_ended_are_gone_and_others_stay(ground: Any) -> None:
    url = await ground.populated("0002_constraints")
    times = "'2026-01-01 00:00:00+00:00'"
    async with ground.migrated(url, ground.migrations("0002_constraints")):
        (account,) = (await select("SELECT MIN(id) AS id FROM account"))[0].values()
        await load(
            "INSERT INTO session (id, hash, account_id, kind, created_at, expires_at, revoked_at)"
            f" VALUES (1, 'a', {account}, 'TOKEN', {times}, {times}, {times});"
        )
    async with ground.migrated(url, REAL):
        rows = await select("SELECT id FROM session")
    assert len(rows) == 1
    assert rows[0]["id"] != 1


# Households

_FLATS = """
INSERT INTO building (id, community_id, name, position) VALUES (1, 1, '1幢', 1);
INSERT INTO unit (id, community_id, building_id, name, kind, area, status) VALUES
 (1, 1, 1, '101', 'DWELLING', 9000, 'DELIVERED'), (2, 1, 1, '102', 'DWELLING', 9000, 'DELIVERED');
INSERT INTO account (id, name, demonstration, created_at) VALUES
 (2, 'b', FALSE, '2026-01-01 00:00:00+00:00'), (3, 'c', FALSE, '2026-01-01 00:00:00+00:00'),
 (4, 'd', FALSE, '2026-01-01 00:00:00+00:00');
INSERT INTO co_owner (id, party_id, account_id, since) VALUES
 (2, 1, 2, '2026-01-01 00:00:00+00:00'), (3, 1, 3, '2026-01-01 00:00:00+00:00');
INSERT INTO ownership (id, unit_id, party_id, share, share_of, since) VALUES
 (1, 1, 1, 1, 1, '2026-01-02 00:00:00+00:00');
INSERT INTO tenancy (id, unit_id, account_id, since) VALUES (1, 2, 4, '2026-01-02 00:00:00+00:00');
INSERT INTO event (id, community_id, number, title, description, place, starts_at, ends_at, sign_up_closes_at,
 max_party_size, potluck, signed_up, version, published_at) VALUES
 (1, 1, 1, '节', '', '园', '2026-03-01 00:00:00+00:00', '2026-03-02 00:00:00+00:00',
  '2026-03-01 00:00:00+00:00', 6, FALSE, 13, 5, '2026-01-03 00:00:00+00:00');
INSERT INTO sign_up (id, event_id, account_id, party_size, signed_up_at, cancelled_at) VALUES
 (1, 1, 1, 6, '2026-02-02 00:00:00+00:00', NULL), (2, 1, 2, 6, '2026-02-01 00:00:00+00:00', NULL),
 (3, 1, 3, 6, '2026-01-31 00:00:00+00:00', '2026-02-01 00:00:00+00:00'),
 (4, 1, 4, 1, '2026-02-01 00:00:00+00:00', NULL),
 (5, 1, 3, 1, '2026-01-01 12:00:00+00:00', '2026-01-01 13:00:00+00:00');
"""


async def test_sign_ups_that_exist_twice_in_a_flat_stay_and_all_but_the_first_are_marked(ground: Any) -> None:
    before = "0006_numbers"
    url = await ground.populated(before)
    async with ground.migrated(url, ground.migrations(before)):
        await load(_settled("garden", 1, "a", demonstration=False) + _FLATS)
    async with ground.migrated(url, REAL):
        rows = await select(
            "SELECT id, household_id, rented, doubled FROM sign_up WHERE event_id = 1 ORDER BY id"
        )
        (event,) = await select("SELECT signed_up, version FROM event WHERE id = 1")
    # The fifth signed up a day before the flat was theirs.
    assert [(row["id"], row["household_id"], row["rented"], row["doubled"]) for row in rows] == [
        (1, 1, False, True), (2, 1, False, False), (3, 1, False, False), (4, 2, True, False),
        (5, None, False, False),
    ]  # fmt: skip
    assert (event["signed_up"], event["version"]) == (13, 5)


# What the comparison sees


ON_SQLITE = {
    "DROP INDEX sign_up_standing": "index sign_up_standing: missing",
    "DROP TRIGGER ballot_append_only_delete": "trigger ballot_append_only_delete: missing",
    "DROP TRIGGER unit_area_positive_insert": "trigger unit_area_positive_insert: missing",
    "DELETE FROM session": "rows of session: 1 of 1 gone or altered",
    "UPDATE due SET subject = 2": "rows of due: 1 of 1 gone or altered",
}
ON_POSTGRES = {
    "DROP INDEX sign_up_standing": "index sign_up_standing: missing",
    "DROP TRIGGER ballot_append_only ON ballot": "trigger ballot.ballot_append_only: missing",
    "ALTER TABLE ballot DISABLE TRIGGER ballot_on_roll": "trigger ballot.ballot_on_roll: CREATE TRIGGER",
    "DROP FUNCTION entry_chain CASCADE": "trigger entry.entry_chain: missing",
    "ALTER TABLE unit DROP CONSTRAINT unit_area_positive": "constraint unit.unit_area_positive: missing",
    "ALTER TABLE notice ALTER title DROP NOT NULL": "column notice.title: character varying(120), was",
    "DELETE FROM session": "rows of session: 1 of 1 gone or altered",
    "UPDATE due SET subject = 2": "rows of due: 1 of 1 gone or altered",
}


async def test_each_planted_loss_is_seen(ground: Any) -> None:
    planted = ON_POSTGRES if ground.postgres else ON_SQLITE
    migrations = ground.migrations(planted={"9001_loses": f"ops.RunSQL({list(planted)!r})"})
    found = await losses(ground, await ground.populated(), migrations)
    unseen = [loss for loss in planted.values() if not any(line.startswith(loss) for line in found)]
    assert unseen == [], found


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """`migrate` runs what it would refuse."""
    monkeypatch.setattr("community.database.migrate._refuse_rebuilding", lambda plan: None)


async def test_a_widened_column_is_seen_with_all_that_falls_off(ground: Any, unguarded: None) -> None:
    widened = 'ops.AlterField("BallotText", "text", fields.CharField(max_length=2000))'
    migrations = ground.migrations(planted={"9001_widen": widened})
    found = {line.partition(":")[0] for line in await losses(ground, await ground.populated(), migrations)}
    if ground.postgres:
        assert found == {"column ballot_text.text"}
    else:
        assert found >= {
            "column ballot_text.text",
            "trigger ballot_text_append_only_delete",
            "trigger ballot_text_append_only_update",
            "unique ballot_text(ballot_id,question_id)",
        }
        assert [name for name in found if name.startswith("index idx_ballot_text")]


TREE = """
    ops.CreateModel(
        name="Tree",
        fields=[
            ("id", fields.BigIntField(primary_key=True, generated=False)),
            ("height", fields.IntField()),
        ],
        options={"table": "tree", "app": "meilin", "pk_attr": "id"},
        bases=["Model"],
    ),
    ops.CreateModel(
        name="Leaf",
        fields=[
            ("id", fields.BigIntField(primary_key=True, generated=False)),
            (
                "tree",
                fields.ForeignKeyField(
                    "meilin.Tree", source_field="tree_id", to_field="id", on_delete=OnDelete.CASCADE
                ),
            ),
        ],
        options={"table": "leaf", "app": "meilin", "pk_attr": "id"},
        bases=["Model"],
    ),
"""


async def test_children_that_fall_with_their_rebuilt_parent_are_missed(ground: Any, unguarded: None) -> None:
    if ground.postgres:
        pytest.skip("PostgreSQL rebuilds nothing")
    older = {"9001_tree": TREE}
    url = await ground.populated()
    async with ground.migrated(url, ground.migrations(planted=older)):
        await load(
            "INSERT INTO tree VALUES (1, 7); INSERT INTO leaf VALUES (1, 1); INSERT INTO leaf VALUES (2, 1);"
        )
    felled = 'ops.RemoveField("Tree", "height")'
    found = await losses(ground, url, ground.migrations(planted=older | {"9002_fell": felled}))
    assert "column tree.height: missing" in {line.partition(",")[0] for line in found}
    assert "rows of leaf: 2 of 2 gone or altered" in found


async def test_a_parent_of_ours_cannot_even_be_rebuilt(ground: Any, unguarded: None) -> None:
    """Our children hold their parents: SQLite then refuses, and all stays as it was."""
    if ground.postgres:
        pytest.skip("PostgreSQL rebuilds nothing")
    url = await ground.populated()
    async with opened(url):
        before = await picture()
    removed = ground.migrations(planted={"9001_remove": 'ops.RemoveField("Community", "residents")'})
    with pytest.raises(
        CannotMigrate, match=r"^9001_remove failed, and the database is as it was: FOREIGN KEY"
    ):
        async with ground.migrated(url, removed):
            pass
    async with opened(url):
        assert await picture() == before


async def test_a_check_that_falls_off_a_table_is_seen(ground: Any) -> None:
    async with opened(await ground.fresh()):
        await select("CREATE TABLE tree (height INT, CHECK (height > (1) AND (height < (9))))")
        before = await picture()
        await select("DROP TABLE tree")
        await select("CREATE TABLE tree (height INT)")
        (lost,) = before.lost_in(await picture())
    assert lost.startswith(
        "constraint tree." if ground.postgres else "check tree: height > (1) AND (height < (9))"
    )


# The models


BY_HAND = (
    "index sign_up_standing",
    "index sign_up_household",
    "index vote_number",
    "index event_number",
    "index notice_number",
)


def shape(known: Facts) -> set[str]:
    """What a model can say: no triggers and checks, and no names, which AddField takes otherwise."""
    said_by_models = {
        fact: said
        for fact, said in known.items()
        if not fact.startswith(("trigger ", "function ", "check ", *BY_HAND))
        and not said.startswith("CHECK ")
        and "tortoise_mi" not in fact
    }
    found = set()
    for fact, said in said_by_models.items():
        named = fact.partition(".")[0] if fact.startswith("constraint") else fact
        index = re.sub(r" INDEX \S+ ON ", " INDEX ON ", said)
        found.add(f"{named}: {said}" if index == said else index)
    return found


async def test_the_models_are_what_the_migrations_made(ground: Any) -> None:
    async with opened(await ground.fresh()):
        migrated = shape(await facts())
    async with opened(await ground.database()):
        await Tortoise.generate_schemas()
        assert shape(await facts()) ^ migrated == set()


# The record


async def test_a_record_gives_back_every_row_on_both_engines(ground: Any, population: Rows) -> None:
    async with opened(await ground.fresh()):
        schema = await facts()
        written = inserts(population, schema)
        await load(written)
        assert await facts() == schema
        assert inserts(await every_row(), schema) == written
