"""The journal tells facts of the catalogue instead of topics and keys, and counts in each community.

A number may come again in another community, which a key of the old table forbids: its rows move to a new one.
Nothing refers to the old table, so that dropping it takes nothing along.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

from community.database.ids import new_id

_COLUMNS = ("number", "community_id", "topic", "key", "kind", "audience", "at")

_FACT = """CASE topic WHEN 'bulletin' THEN kind WHEN 'tally' THEN 'TALLY_CHANGED'
  WHEN 'attendance' THEN 'ATTENDANCE_CHANGED' WHEN 'ledger' THEN 'ENTRIES_RECORDED'
  WHEN 'rights' THEN 'RIGHTS_CHANGED' WHEN 'reading' THEN 'PUBLIC_READING_SET' END"""

_KIND = """CASE WHEN topic = 'tally' OR kind LIKE 'VOTE_%' THEN 'Vote'
  WHEN topic = 'attendance' OR kind = 'EVENT_PUBLISHED' THEN 'Event'
  WHEN kind = 'NOTICE_PUBLISHED' THEN 'Notice' WHEN topic = 'rights' THEN 'Account' ELSE 'Community' END"""

MOVE = f"""
INSERT INTO journal (id, number, community_id, fact, subject_kind, subject, at)
SELECT number, number, community_id, {_FACT}, {_KIND}, key, at FROM change ORDER BY number
"""
"""What was the key is the id: those made later are far greater."""


def guards(*, postgres: bool) -> list[str]:
    if not postgres:
        return [
            f"CREATE TRIGGER journal_append_only_{moment.lower()} BEFORE {moment} ON journal"
            f" BEGIN SELECT RAISE(ABORT, 'journal_append_only_{moment.lower()}'); END"
            for moment in ("UPDATE", "DELETE")
        ]
    run = "EXECUTE FUNCTION journal_append_only()"
    return [
        "CREATE FUNCTION journal_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN RAISE EXCEPTION"
        " 'journal_append_only' USING ERRCODE = 'integrity_constraint_violation'; END $body$",
        f"CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal FOR EACH ROW {run}",
        f"CREATE TRIGGER journal_append_only_whole BEFORE TRUNCATE ON journal {run}",
    ]


NUMBERS = [
    "CREATE UNIQUE INDEX journal_number ON journal (community_id, number)",
    "CREATE UNIQUE INDEX journal_number_of_city ON journal (number) WHERE community_id IS NULL",
]


COUNTED = """
INSERT INTO journal_head (id, community_id, number)
SELECT {id} + ROW_NUMBER() OVER (ORDER BY c.community_id), c.community_id, (SELECT COALESCE(MAX(number), 0) FROM change)
  FROM (SELECT id AS community_id FROM community UNION ALL SELECT NULL) c
"""
"""Each goes on from where the one journal of all was: cursors that people hold stay valid."""

ONE_CITY = "CREATE UNIQUE INDEX journal_head_of_city ON journal_head ((community_id IS NULL)) WHERE community_id IS NULL"


async def move(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    counted = COUNTED.format(id=new_id())
    statements = [MOVE, counted, ONE_CITY, *NUMBERS, *guards(postgres=postgres), "DROP TABLE change"]
    statements += ["DROP FUNCTION change_append_only"] if postgres else []
    for statement in statements:
        await editor.client.execute_query(statement)


class Migration(Base):
    dependencies = [("meilin", "0006_numbers")]

    gives_up = (
        "table change",
        "rows of change",
        *(f"column change.{name}" for name in _COLUMNS),
        "index idx_change_communi_6f3a8f",
        # SQLite
        "foreign key change.community_id",
        "trigger change_append_only_delete",
        "trigger change_append_only_update",
        # PostgreSQL
        "constraint change.change_community_id_fkey",
        "constraint change.change_pkey",
        "function change_append_only()",
        "index change_pkey",
        "trigger change.change_append_only",
        "trigger change.change_append_only_whole",
    )

    operations = [
        ops.CreateModel(
            name="JournalRow",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, default=new_id)),
                ("number", fields.BigIntField()),
                (
                    "community",
                    fields.ForeignKeyField(
                        "meilin.Community",
                        source_field="community_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("fact", fields.CharField(max_length=32)),
                ("subject_kind", fields.CharField(max_length=32)),
                ("subject", fields.BigIntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "journal",
                "app": "meilin",
                "indexes": [Index(fields=["community_id", "fact", "number"])],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="JournalHead",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, default=new_id)),
                (
                    "community",
                    fields.OneToOneField(
                        "meilin.Community",
                        source_field="community_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.BigIntField()),
            ],
            options={"table": "journal_head", "app": "meilin", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunPython(move),
    ]
