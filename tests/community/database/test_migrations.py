"""A populated database of every earlier version arrives whole; and migrations that would lose are caught."""

import re
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from tortoise import Tortoise
from tortoise.migrations.executor import MigrationExecutor
from tortoise.transactions import in_transaction

from community.catalogue import catalogue
from community.database import journal
from community.database.cursors import encode, mark, number_of
from community.database.engine import opened
from community.database.journal import News
from community.database.migrate import CannotMigrate
from community.database.sql import instant, select
from community.places.facts import PUBLIC_READING_SET
from community.votes.counting import BoxChange, box_as_of, recounted
from community.votes.progress import progress_of_many
from community.votes.recount import recount, totals_differ
from community.votes.scope import of_buildings
from tests.community.conftest import Build, an_estate
from tests.community.database import populating
from tests.community.database.catalogue import Facts, differences, facts, picture
from tests.community.database.populating import POPULATED, VERSIONS, Rows, every_row, inserts, load
from tests.community.database.test_constraints import VIOLATIONS, holds, house_as_it_stands
from tests.community.votes.conftest import Poll

REAL = "community.database.migrations"

pytestmark = pytest.mark.xdist_group("migrations")  # they share what was built once

each_version = pytest.mark.parametrize("version", POPULATED)


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
    assert found == POPULATED, "`python -m tests.community.database.populating` records the newest version's"


@each_version
async def test_an_older_database_has_a_row_in_every_table(ground: Any, version: str) -> None:
    async with opened(await ground.populated(version)):
        rows = (await picture()).rows
    empty = [table for table in rows if not rows[table]]
    assert empty == [], "`furnish` in tests/topics/<topic>.py gives each a row"


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


async def test_what_an_older_journal_said_is_said_as_facts(ground: Any) -> None:
    url = await ground.populated("0006_numbers")
    said = [
        ("bulletin", 21, "VOTE_OPENED", "community"), ("tally", 21, None, "community"),
        ("bulletin", 22, "EVENT_PUBLISHED", "community"), ("attendance", 22, None, "community"),
        ("bulletin", 23, "NOTICE_PUBLISHED", "community"), ("rights", 24, None, "account"),
    ]  # fmt: skip
    async with ground.migrated(url, ground.migrations("0006_numbers")):
        (community,) = (await select("SELECT id FROM community ORDER BY id LIMIT 1"))[0].values()
        here = {"community": community, "account": "NULL"}
        of_communities = [
            ("reading", community, None, "community"), ("ledger", community, None, "community"),
            ("bulletin", community, "LEDGER_PUBLISHED", "community"),
        ]  # fmt: skip
        for number, (topic, key, kind, audience) in enumerate([*said, *of_communities], start=11):
            word = "NULL" if kind is None else f"'{kind}'"
            await select(
                "INSERT INTO change (number, community_id, topic, key, kind, audience, at) VALUES"
                f" ({number}, {here[audience]}, '{topic}', {key}, {word}, '{audience}',"
                " '2026-01-01 00:00:00+00:00')"
            )
    async with ground.migrated(url, REAL):
        rows = await select(
            "SELECT number, community_id, fact, subject_kind, subject FROM journal"
            " WHERE number > 10 ORDER BY id"
        )
    assert [tuple(row.values()) for row in rows] == [
        (11, community, "VOTE_OPENED", "Vote", 21), (12, community, "TALLY_CHANGED", "Vote", 21),
        (13, community, "EVENT_PUBLISHED", "Event", 22), (14, community, "ATTENDANCE_CHANGED", "Event", 22),
        (15, community, "NOTICE_PUBLISHED", "Notice", 23), (16, None, "RIGHTS_CHANGED", "Account", 24),
        (17, community, "PUBLIC_READING_SET", "Community", community),
        (18, community, "ENTRIES_RECORDED", "Community", community),
        (19, community, "LEDGER_PUBLISHED", "Community", community),
    ]  # fmt: skip
    known = catalogue().facts
    assert all(known[row["fact"]].subject.kind == row["subject_kind"] for row in rows)


@each_version
async def test_what_is_due_is_due_under_its_newer_name(ground: Any, version: str) -> None:
    url = await ground.populated(version)
    async with opened(url):
        before = await select("SELECT * FROM due ORDER BY id")
    async with ground.migrated(url, REAL):
        after = await select("SELECT * FROM due ORDER BY id")
    named = [{"job" if column == "deed" else column: said for column, said in row.items()} for row in before]
    assert [{column: now[column] for column in old} for old, now in zip(named, after, strict=True)] == named


async def test_each_community_counts_on_from_where_the_one_journal_was(ground: Any, now: datetime) -> None:
    url = await ground.populated("0006_numbers")
    async with ground.migrated(url, ground.migrations("0006_numbers")):
        newest = (await select("SELECT MAX(number) AS newest FROM change"))[0]["newest"]
        communities = {row["id"] for row in await select("SELECT id FROM community")}
        cursor = encode(await mark(), newest)
    async with ground.migrated(url, REAL):
        assert newest > 0
        assert await journal.heads() == dict.fromkeys([None, *communities], newest)
        assert {await number_of(cursor, community) for community in communities} == {newest}
        news = [News(PUBLIC_READING_SET, community, community) for community in communities]
        await journal.write(news, now)
        assert await journal.heads() == {None: newest} | dict.fromkeys(communities, newest + 1)


async def test_what_a_unit_was_is_its_first_state(ground: Any) -> None:
    """From when the community was entered, or from its first vote if that one was announced before."""
    url = await ground.populated("0006_numbers")
    older = "INSERT INTO unit (id, community_id, building_id, name, kind, area, status)"
    async with ground.migrated(url, ground.migrations("0006_numbers")):
        (known,) = await select("SELECT id, community_id, building_id, area, status FROM unit")
        await load(
            f"{older} VALUES (7, {known['community_id']}, {known['building_id']}, '甲', 'SHOP', 1, 'UNSOLD');"
        )
        (first,) = await select("SELECT MIN(announced_at) AS at FROM vote")
        (entered,) = await select("SELECT MIN(created_at) AS at FROM community")
    async with ground.migrated(url, REAL):
        found = await select("SELECT unit_id, since, area, status FROM unit_state ORDER BY area")
    since = min(instant(first["at"]), instant(entered["at"]))
    assert [(row["unit_id"], row["area"], row["status"]) for row in found] == [
        (7, 1, "UNSOLD"),
        (known["id"], known["area"], known["status"]),
    ]
    assert {instant(row["since"]) for row in found} == {since}


async def test_every_community_gets_its_developers_party_and_keeps_the_one_it_has(ground: Any) -> None:
    url = await ground.populated("0006_numbers")
    async with ground.migrated(url, ground.migrations("0006_numbers")):
        await load(
            _settled("with", 1, "with/resident-1", demonstration=False)
            + _settled("without", 2, "without/resident-1", demonstration=False)
            + "INSERT INTO owner_party (id, community_id, kind) VALUES (11, 1, 'DEVELOPER');"
        )
    async with ground.migrated(url, REAL):
        found = await select(
            "SELECT community_id, COUNT(*) AS parties FROM owner_party"
            " WHERE kind = 'DEVELOPER' GROUP BY community_id"
        )
        (kept,) = await select("SELECT id FROM owner_party WHERE kind = 'DEVELOPER' AND community_id = 1")
        (communities,) = await select("SELECT COUNT(*) AS number FROM community")
    assert [row["parties"] for row in found] == [1] * communities["number"]
    assert kept["id"] == 11


# What the comparison sees


ON_SQLITE = {
    "DROP INDEX sign_up_standing": "index sign_up_standing: missing",
    "DROP TRIGGER ballot_append_only_delete": "trigger ballot_append_only_delete: missing",
    "DROP TRIGGER ownership_share_insert": "trigger ownership_share_insert: missing",
    "DELETE FROM session": "rows of session: 1 of 1 gone or altered",
    "UPDATE due SET subject = 2": "rows of due: 1 of 1 gone or altered",
}
ON_POSTGRES = {
    "DROP INDEX sign_up_standing": "index sign_up_standing: missing",
    "DROP TRIGGER ballot_append_only ON ballot": "trigger ballot.ballot_append_only: missing",
    "ALTER TABLE ballot DISABLE TRIGGER ballot_on_roll": "trigger ballot.ballot_on_roll: CREATE TRIGGER",
    "DROP FUNCTION entry_chain CASCADE": "trigger entry.entry_chain: missing",
    "ALTER TABLE ownership DROP CONSTRAINT ownership_share": "constraint ownership.ownership_share: missing",
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
    """`migrate` runs what it would refuse, by the executor that remembers what was before."""
    monkeypatch.setattr("community.database.migrate._refuse_rebuilding", lambda plan: None)
    monkeypatch.setattr("community.database.migrate.ForwardExecutor", MigrationExecutor)


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
    "index sign_up_standing", "index sign_up_household", "index vote_number", "index event_number",
    "index notice_number", "index journal_number", "index journal_head_of_city",
)  # fmt: skip


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


# What counted before 0008


async def _votes(url: str) -> tuple[Rows, dict[int, Any]]:
    """Rows of votes as they were held, ballots changed among them, with what was then a column or another
    table; and how each vote stands.
    """
    async with opened(url):
        async with in_transaction():
            build = Build()
            estate = await an_estate(build)
        poll = Poll(build, estate, [], url)
        tower = await build.building(estate.community)
        homes = [await poll.household(9_000 + n, building=tower if n % 2 else None) for n in range(4)]
        survey = poll.survey(min_choices=0, max_choices=2, accepts_text=True)
        votes = [
            await poll.opened(poll.resolution(), poll.resolution(scope=of_buildings(tower)), revisable=True),
            await poll.opened(survey, revisable=True),
        ]
        (written,) = await poll.questions(votes[1])
        for day, (home, choice) in enumerate(((0, "FOR"), (2, "FOR"), (0, "AGAINST"), (2, "ABSTAIN"))):
            asked = (await poll.questions(votes[0]))[:1]
            at = poll.during + timedelta(hours=7 * day)
            answers = [poll.answer(one, choice) for one in asked]
            await poll.cast(homes[home].viewer, votes[0], at=at, answers=answers)
            text = [poll.answer(written, *"AB"[:day], text="话" if day % 2 else None)]
            await poll.cast(homes[3 - home].viewer, votes[1], at=at, answers=text if day else [
                poll.answer(written, "C")
            ])  # fmt: skip
        await poll.closed(votes[0])
        rows = await every_row()
        last = {(row["vote_id"], row["party_id"]): row for row in sorted(rows["counting"], key=_number)}
        rows["counted_ballot"] = [
            {"id": row["id"], **{name: row[name] for name in ("vote_id", "party_id", "ballot_id")}}
            for row in last.values()
        ]
        states = {row["unit_id"]: row for row in rows["unit_state"]}
        for unit in rows["unit"]:
            unit.update({name: states[unit["id"]][name] for name in ("area", "status")})
        _before_steps(rows)
        return rows, await progress_of_many(votes)


def _before_steps(rows: Rows) -> None:
    """Scopes, steps and the one count of each vote, as columns and results."""
    buildings = {part["scope_id"]: part["building_id"] for part in rows["vote_scope_part"]}
    for row in (*rows["vote"], *rows["question"], *rows["roll"]):
        row["building_id"] = buildings[row["scope_id"]]
    at = {(step["subject_id"], step["step"]): step["at"] for step in rows["vote_step"]}
    stages = {"opened_at": "OPENED", "counted_at": "COUNTED", "annulled_at": "ANNULLED"}
    for vote in rows["vote"]:
        vote.update({column: at.get((vote["id"], step)) for column, step in stages.items()})
    counts = {count["id"]: count for count in rows["count"]}
    rows["question_result"] = [
        row | {"sequence": counts[row["count_id"]]["sequence"], "counted_at": counts[row["count_id"]]["at"]}
        for row in rows["count_result"]
    ]


def _number(row: dict[str, Any]) -> int:
    return int(row["sequence"])


async def test_what_counted_before_counts_as_it_did_and_adds_up_to_the_same(ground: Any) -> None:
    rows, before = await _votes(await ground.fresh())
    url = await ground.database()
    async with ground.migrated(url, ground.migrations("0008_outbox")):
        await load(inserts(rows, await facts()))
    async with ground.migrated(url, REAL):
        assert await progress_of_many(before) == before
        assert [await totals_differ(vote) for vote in before] == [[], []]
        assert await recount(min(before)) == []
        for vote in before:
            taken = sorted((row for row in rows["counting"] if row["vote_id"] == vote), key=_number)
            for number in range(len(taken) + 1):
                changes = [BoxChange(row["ballot_id"], row["party_id"]) for row in taken[:number]]
                assert await box_as_of(vote, number) == recounted(changes)
