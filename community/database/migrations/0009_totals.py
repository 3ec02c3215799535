"""Which ballots count becomes a history that only grows, and what they add up to is kept beside it.

`counting` holds a row for each ballot that counted and for each ruling, so that the box can be read as of any
number; `counted_ballot`, which held the last one only, goes. A ballot may lack its party.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

from community.database.ids import new_id

APPEND_ONLY = ["counting", "ruling"]

DROPPED = ["counted_ballot_own", "counted_ballot_later", "counted_ballot_stays"]
"""Rules of 0002."""

RULES = [
    # (table, name, what must hold of a row that is added)
    (
        "ballot",
        "ballot_on_roll",
        "(NEW.party_id IS NULL"
        " AND EXISTS (SELECT 1 FROM vote v WHERE v.id = NEW.vote_id AND v.form = 'CONSULTATION'))"
        " OR EXISTS (SELECT 1 FROM vote v JOIN roll_entry r ON r.roll_id = v.roll_id"
        " WHERE v.id = NEW.vote_id AND r.party_id = NEW.party_id)",
    ),
    (
        "ruling",
        "ruling_on_earlier",
        "EXISTS (SELECT 1 FROM ballot b WHERE b.id = NEW.ballot_id AND b.vote_id = NEW.vote_id"
        " AND b.party_id IS NOT NULL AND b.sequence < NEW.sequence)",
    ),
    (
        "counting",
        "counting_follows",
        "EXISTS (SELECT 1 FROM ballot b WHERE b.id = NEW.ballot_id AND b.vote_id = NEW.vote_id"
        " AND b.sequence = NEW.sequence AND b.validity = 'VALID'"
        " AND (b.party_id = NEW.party_id OR (b.party_id IS NULL AND NEW.party_id IS NULL)))"
        " OR EXISTS (SELECT 1 FROM ruling r JOIN ballot b ON b.id = r.ballot_id"
        " WHERE r.vote_id = NEW.vote_id AND r.sequence = NEW.sequence AND b.party_id = NEW.party_id"
        " AND ((r.counts AND NEW.ballot_id = b.id) OR (NOT r.counts AND NEW.ballot_id IS NULL)))",
    ),
    (
        "counting",
        "counting_in_order",
        "NOT EXISTS (SELECT 1 FROM counting c WHERE c.vote_id = NEW.vote_id AND c.sequence >= NEW.sequence)",
    ),
]

TAKE_OVER = """
INSERT INTO counting (id, vote_id, sequence, party_id, ballot_id)
SELECT id, vote_id, sequence, party_id, id FROM ballot WHERE validity = 'VALID'
"""

_SAYS = """(EXISTS (SELECT 1 FROM ballot_choice c WHERE c.ballot_id = {ballot})
    OR EXISTS (SELECT 1 FROM ballot_text t JOIN question q ON q.id = t.question_id
                WHERE t.ballot_id = {ballot} AND q.kind = 'SURVEY'))"""
SUMS = """
SELECT 'CHOICE' AS part, k.vote_id AS vote, b.question_id AS key, b.choice AS label, COUNT(*) AS heads,
       CAST(SUM(r.area) AS BIGINT) AS area
  FROM counted_ballot k JOIN ballot_choice b ON b.ballot_id = k.ballot_id
  JOIN question q ON q.id = b.question_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = k.party_id
 GROUP BY k.vote_id, b.question_id, b.choice
UNION ALL
SELECT 'QUESTION', a.vote_id, a.question_id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT)
  FROM (SELECT k.vote_id, b.question_id, k.party_id
          FROM counted_ballot k JOIN ballot_choice b ON b.ballot_id = k.ballot_id
        UNION
        SELECT k.vote_id, t.question_id, k.party_id
          FROM counted_ballot k JOIN ballot_text t ON t.ballot_id = k.ballot_id
          JOIN question q ON q.id = t.question_id AND q.kind = 'SURVEY') a
  JOIN question q ON q.id = a.question_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = a.party_id
 GROUP BY a.vote_id, a.question_id
UNION ALL
SELECT 'BALLOTS', v.id, 0, '', COUNT(*), CAST(SUM(r.area) AS BIGINT)
  FROM counted_ballot k JOIN vote v ON v.id = k.vote_id
  JOIN roll_entry r ON r.roll_id = v.roll_id AND r.party_id = k.party_id
 WHERE {counts}
 GROUP BY v.id
UNION ALL
SELECT 'BUILDING', h.vote_id, h.building_id, '', COUNT(*), CAST(SUM(h.area) AS BIGINT)
  FROM (SELECT k.vote_id, k.party_id, n.building_id, SUM(u.area) AS area
          FROM counted_ballot k JOIN vote v ON v.id = k.vote_id
          JOIN roll_unit u ON u.roll_id = v.roll_id AND u.party_id = k.party_id
          JOIN unit n ON n.id = u.unit_id
         WHERE {counts}
         GROUP BY k.vote_id, k.party_id, n.building_id) h
 GROUP BY h.vote_id, h.building_id
UNION ALL
SELECT 'DAY', f.vote_id, 0, f.day, COUNT(*), 0
  FROM (SELECT b.vote_id, b.party_id, {day} AS day
          FROM counted_ballot k JOIN vote v ON v.id = k.vote_id
          JOIN roll_entry r ON r.roll_id = v.roll_id AND r.party_id = k.party_id
          JOIN ballot b ON b.vote_id = k.vote_id AND b.party_id = k.party_id AND b.validity = 'VALID'
         WHERE {counts} AND {says}
         GROUP BY b.vote_id, b.party_id) f
 GROUP BY f.vote_id, f.day
UNION ALL
SELECT 'SILENT', q.vote_id, q.id, '', COUNT(*), CAST(SUM(r.area) AS BIGINT)
  FROM served s JOIN question q ON q.vote_id = s.vote_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = s.party_id
 WHERE NOT EXISTS (SELECT 1 FROM counted_ballot k WHERE k.vote_id = s.vote_id AND k.party_id = s.party_id)
 GROUP BY q.vote_id, q.id
"""
_DAY_ON_POSTGRES = "to_char(MIN(b.cast_at) AT TIME ZONE 'UTC' + INTERVAL '8 hours', 'YYYY-MM-DD')"
_DAY_ON_SQLITE = "date(substr(MIN(b.cast_at), 1, 19), '+8 hours')"

# SQLite cannot lift a NOT NULL: another column takes the rows and then the name.
LIFT_ON_SQLITE = [
    "DROP TRIGGER ballot_on_roll",
    "DROP TRIGGER ballot_append_only_update",
    "DROP INDEX idx_ballot_party_i_2d1eb0",
    "ALTER TABLE ballot ADD COLUMN cast_for BIGINT REFERENCES owner_party (id) ON DELETE RESTRICT",
    "UPDATE ballot SET cast_for = party_id",
    "ALTER TABLE ballot DROP COLUMN party_id",
    "ALTER TABLE ballot RENAME COLUMN cast_for TO party_id",
    'CREATE INDEX "idx_ballot_party_i_2d1eb0" ON "ballot" ("party_id")',
    "CREATE TRIGGER ballot_append_only_update BEFORE UPDATE ON ballot WHEN NOT (1 = 0)"
    " BEGIN SELECT RAISE(ABORT, 'ballot_append_only_update'); END",
]
LIFT_ON_POSTGRES = [
    "DROP TRIGGER ballot_on_roll ON ballot",
    "DROP FUNCTION ballot_on_roll()",
    "ALTER TABLE ballot ALTER COLUMN party_id DROP NOT NULL",
]


_COLUMNS = ("id", "vote_id", "party_id", "ballot_id")
_KEYS = ("counted_ballot_pkey", "counted_ballot_ballot_id_key", "uid_counted_bal_vote_id_4245f6")
GIVES_UP = (
    "table counted_ballot",
    "rows of counted_ballot",
    *(f"column counted_ballot.{column}" for column in _COLUMNS),
    *(f"foreign key counted_ballot.{column}" for column in _COLUMNS[1:]),
    *(f"constraint counted_ballot.counted_ballot_{column}_fkey" for column in _COLUMNS[1:]),
    *(f"constraint counted_ballot.{key}" for key in _KEYS),
    *(f"index {key}" for key in (*_KEYS, "idx_counted_bal_party_i_2a735d")),
    "unique counted_ballot(ballot_id)",
    "unique counted_ballot(vote_id,party_id)",
    *(f"function {name}()" for name in DROPPED),
    *(f"trigger {name}" for name in DROPPED),
    *(f"trigger counted_ballot.{name}" for name in (*DROPPED, "counted_ballot_stays_whole")),
    # Altered: a ballot may lack its party.
    "column ballot.party_id",
    "trigger ballot_on_roll",
    "function ballot_on_roll()",
)
"""By the names of both engines."""


async def keep_totals(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    await _run(editor, [TAKE_OVER])
    sums = SUMS.format(
        counts=_SAYS.format(ballot="k.ballot_id"),
        says=_SAYS.format(ballot="b.id"),
        day=_DAY_ON_POSTGRES if postgres else _DAY_ON_SQLITE,
    )
    for row in await editor.client.execute_query_dict(sums):
        label = row["label"].replace("'", "''")
        await _run(
            editor,
            [
                "INSERT INTO total (id, vote_id, part, key, label, heads, area) VALUES"
                f" ({new_id()}, {row['vote']}, '{row['part']}', {row['key']}, '{label}',"
                f" {row['heads']}, {row['area']})"
            ],
        )


async def drop_pointers(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    functions = [f"DROP FUNCTION {name}()" for name in DROPPED] if postgres else []
    await _run(editor, ["DROP TABLE counted_ballot", *functions])


async def guard(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    await _run(
        editor, [*LIFT_ON_POSTGRES, *_for_postgres()] if postgres else [*LIFT_ON_SQLITE, *_for_sqlite()]
    )


async def _run(editor: Any, statements: list[str]) -> None:
    for statement in statements:
        await editor.client.execute_query(statement)


def _for_sqlite() -> list[str]:
    def refuse(table: str, name: str, moment: str, holds: str) -> str:
        return (
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN NOT ({holds})"
            f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )

    return [
        *(
            refuse(table, f"{table}_append_only_{moment.lower()}", moment, "1 = 0")
            for table in APPEND_ONLY
            for moment in ("UPDATE", "DELETE")
        ),
        *(refuse(table, name, "INSERT", holds) for table, name, holds in RULES),
    ]


def _for_postgres() -> list[str]:
    def function(name: str, body: str) -> str:
        return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$"

    def refuse(name: str) -> str:
        return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"

    statements: list[str] = []
    for table in APPEND_ONLY:
        name = f"{table}_append_only"
        statements += [
            function(name, refuse(name)),
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            f"CREATE TRIGGER {name}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {name}()",
        ]
    for table, name, holds in RULES:
        statements += [
            function(name, f"IF NOT ({holds}) THEN {refuse(name)} END IF; RETURN NEW;"),
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return statements


def _to(model: str, *, null: bool = False, index: bool = True) -> Any:
    column = {"Vote": "vote_id", "OwnerParty": "party_id", "Ballot": "ballot_id", "Account": "ruled_by_id"}
    return fields.ForeignKeyField(  # type: ignore[call-overload]
        f"meilin.{model}",
        source_field=column[model],
        null=null,
        db_index=index,
        db_constraint=True,
        to_field="id",
        related_name=False,
        on_delete=OnDelete.RESTRICT,
    )


def _key() -> Any:
    return fields.BigIntField(primary_key=True, generated=False, default=new_id)


class Migration(Base):
    dependencies = [("meilin", "0008_outbox")]

    gives_up = GIVES_UP

    operations = [
        ops.CreateModel(
            name="Ruling",
            fields=[
                ("id", _key()),
                ("vote", _to("Vote", index=False)),
                ("sequence", fields.IntField()),
                ("ballot", _to("Ballot")),
                ("counts", fields.BooleanField()),
                ("reason", fields.CharField(max_length=200)),
                ("ruled_by", _to("Account", null=True)),
                ("ruled_at", fields.DatetimeField()),
            ],
            options={
                "table": "ruling",
                "app": "meilin",
                "unique_together": (("vote_id", "sequence"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Counting",
            fields=[
                ("id", _key()),
                ("vote", _to("Vote", index=False)),
                ("sequence", fields.IntField()),
                ("party", _to("OwnerParty", null=True)),
                ("ballot", _to("Ballot", null=True)),
            ],
            options={
                "table": "counting",
                "app": "meilin",
                "unique_together": (("vote_id", "sequence"),),
                "indexes": [Index(fields=["vote_id", "party_id", "sequence"])],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Total",
            fields=[
                ("id", _key()),
                ("vote", _to("Vote", index=False)),
                ("part", fields.CharField(max_length=32)),
                ("key", fields.BigIntField()),
                ("label", fields.CharField(max_length=32)),
                ("heads", fields.IntField()),
                ("area", fields.BigIntField()),
            ],
            options={
                "table": "total",
                "app": "meilin",
                "unique_together": (("vote_id", "part", "key", "label"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.RunPython(keep_totals),
        ops.RunPython(drop_pointers),
        ops.RunPython(guard),
    ]
