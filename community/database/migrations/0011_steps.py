"""The life of a vote as steps, its counts by number, whom it asks as rows, and contests above questions.

What was a column with an instant becomes a step; a closing count becomes the closing and count 1. Ids that are
needed for older rows are those of what they stand for: of a community or a building for the scope, of the
vote for its count, of the first question for a contest; steps are numbered through.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

from community.database.ids import new_id
from community.database.steps import guards_of_steps

CHECKS = [
    (
        "vote_scope_part",
        "vote_scope_part_one",
        "(CASE WHEN {new}community_id IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN {new}building_id IS NULL THEN 0 ELSE 1 END)"
        " + (CASE WHEN {new}unit_id IS NULL THEN 0 ELSE 1 END) = 1",
    ),
]

APPEND_ONLY = ["contest", "count", "count_result", "vote_scope", "vote_scope_part"]

_NEWEST = (
    "(SELECT MAX(n.number) FROM (SELECT MAX(b.sequence) AS number FROM ballot b WHERE b.vote_id = {vote}"
    " UNION ALL SELECT MAX(u.sequence) FROM ruling u WHERE u.vote_id = {vote}) n)"
)
RULES = [
    # (table, name, "INSERT" or "UPDATE", what must hold)
    (
        "ballot",
        "ballot_before_count",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM vote_step s WHERE s.subject_id = NEW.vote_id AND s.step = 'COUNTED')",
    ),
    (
        "ruling",
        "ruling_before_certified",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM vote_step s WHERE s.subject_id = NEW.vote_id"
        " AND s.step IN ('CERTIFIED', 'WITHDRAWN', 'ANNULLED'))",
    ),
    (
        "count",
        "count_numbered",
        "INSERT",
        "NEW.number = 1 + COALESCE((SELECT MAX(o.number) FROM count o WHERE o.vote_id = NEW.vote_id), 0)",
    ),
    (
        "count",
        "count_of_all",
        "INSERT",
        f"NEW.sequence = COALESCE({_NEWEST.format(vote='NEW.vote_id')}, 0)",
    ),
]

SCOPES = """
INSERT INTO vote_scope (id, community_id)
SELECT id, community_id FROM building WHERE id IN (
  SELECT building_id FROM vote UNION SELECT building_id FROM question UNION SELECT building_id FROM roll)
UNION
SELECT community_id, community_id FROM vote
UNION
SELECT v.community_id, v.community_id FROM roll r JOIN vote v ON v.id = r.vote
"""
PARTS = """
INSERT INTO vote_scope_part (id, scope_id, community_id, building_id)
SELECT s.id, s.id, CASE WHEN b.id IS NULL THEN s.community_id END, b.id
  FROM vote_scope s LEFT JOIN building b ON b.id = s.id
"""
SCOPED = (
    "UPDATE vote SET scope_id = COALESCE(building_id, community_id)",
    "UPDATE question SET scope_id = COALESCE(building_id,"
    " (SELECT v.community_id FROM vote v WHERE v.id = question.vote_id))",
    "UPDATE roll SET scope_id = COALESCE(building_id,"
    " (SELECT v.community_id FROM vote v WHERE v.id = roll.vote))",
)

# Candidates of one vote are ranked among each other; every other question stands by itself.
CONTESTS = """
INSERT INTO contest (id, vote_id, position)
SELECT q.id, q.vote_id, q.position FROM question q
 WHERE q.matter <> 'ELECT_COMMITTEE' OR q.position = (
   SELECT MIN(o.position) FROM question o WHERE o.vote_id = q.vote_id AND o.matter = 'ELECT_COMMITTEE')
"""
CONTESTED = """
UPDATE question SET contest_id = CASE WHEN matter <> 'ELECT_COMMITTEE' THEN id ELSE (
  SELECT o.id FROM question o WHERE o.vote_id = question.vote_id AND o.matter = 'ELECT_COMMITTEE'
   ORDER BY o.position LIMIT 1) END
"""

# Of a vote that nobody opened before its close, the steps are those that were taken.
STEPS = """
INSERT INTO vote_step (id, subject_id, number, step, at)
SELECT ROW_NUMBER() OVER (ORDER BY t.at, t.id, t.place), t.id,
       ROW_NUMBER() OVER (PARTITION BY t.id ORDER BY t.place), t.step, t.at FROM (
  SELECT id, 0 AS place, 'ANNOUNCED' AS step, announced_at AS at FROM vote
  UNION ALL SELECT id, 1, 'OPENED', opened_at FROM vote
  UNION ALL SELECT id, 2, 'CLOSED', counted_at FROM vote
  UNION ALL SELECT id, 3, 'COUNTED', counted_at FROM vote
  UNION ALL SELECT id, 4, 'ANNULLED', annulled_at FROM vote
) t WHERE t.at IS NOT NULL
"""
FOLLOWED = """
UPDATE vote SET steps = (SELECT MAX(s.number) FROM vote_step s WHERE s.subject_id = vote.id),
       last_step = (SELECT s.step FROM vote_step s WHERE s.subject_id = vote.id ORDER BY s.number DESC LIMIT 1)
"""

COUNTS = """
INSERT INTO count (id, vote_id, number, sequence, at)
SELECT v.id, v.id, 1,
       COALESCE(MAX(r.sequence), {newest}, 0),
       COALESCE(v.counted_at, MIN(r.counted_at))
  FROM vote v LEFT JOIN question q ON q.vote_id = v.id LEFT JOIN question_result r ON r.question_id = q.id
 WHERE v.counted_at IS NOT NULL OR r.id IS NOT NULL
 GROUP BY v.id, v.counted_at
""".format(newest=_NEWEST.format(vote="v.id"))
RESULTS = """
INSERT INTO count_result (id, count_id, question_id, outcome, participating_heads, participating_area,
                          agreeing_heads, agreeing_area, choices)
SELECT r.id, q.vote_id, r.question_id, r.outcome, r.participating_heads, r.participating_area,
       r.agreeing_heads, r.agreeing_area, r.choices
  FROM question_result r JOIN question q ON q.id = r.question_id
"""

DEAD = {
    "vote": ("building_id", "opened_at", "counted_at", "annulled_at"),
    "question": ("building_id",),
    "roll": ("building_id",),
}


OF_RESULT = (
    "id", "sequence", "outcome", "participating_heads", "participating_area", "agreeing_heads",
    "agreeing_area", "choices", "counted_at", "question_id",
)  # fmt: skip
GIVEN_UP = (
    *(f"column {table}.{column}" for table, columns in DEAD.items() for column in columns),
    *(f"foreign key {table}.building_id" for table in DEAD),
    *(f"constraint {table}.{table}_building_id_fkey" for table in DEAD),
    "index idx_vote_buildin_a16769",
    "index idx_question_buildin_015460",
    "index idx_roll_buildin_6a98da",
    "trigger ballot_before_count",
    "function ballot_before_count()",
    "table question_result",
    "rows of question_result",
    *(f"column question_result.{column}" for column in OF_RESULT),
    "foreign key question_result.question_id",
    "unique question_result(question_id)",
    "constraint question_result.question_result_pkey",
    "constraint question_result.question_result_question_id_fkey",
    "constraint question_result.question_result_question_id_key",
    "index question_result_pkey",
    "index question_result_question_id_key",
    "trigger question_result_append_only_update",
    "trigger question_result_append_only_delete",
    "trigger question_result.question_result_append_only",
    "trigger question_result.question_result_append_only_whole",
    "function question_result_append_only()",
)
"""On both engines; its rows are those of `count_result` now, and `ballot_before_count` asks the steps."""


async def create(apps: Any, editor: Any) -> None:
    run = editor.client.execute_query
    postgres = editor.client.capabilities.dialect == "postgres"
    for statement in before_postgres() if postgres else before_sqlite():
        await run(statement)
    for statement in (
        SCOPES, PARTS, *SCOPED, CONTESTS, CONTESTED, STEPS, FOLLOWED, COUNTS, RESULTS,
        "DROP TABLE question_result",
    ):  # fmt: skip
        await run(statement)
    for table, columns in DEAD.items():
        for column in columns:
            if not postgres:
                await drop_indexes(editor.client, table, column)
            await run(f"ALTER TABLE {table} DROP COLUMN {column}")
    for statement in after_postgres() if postgres else after_sqlite():
        await run(statement)


async def drop_indexes(client: Any, table: str, column: str) -> None:
    """PostgreSQL drops them with the column; SQLite refuses while they are there."""
    found = await client.execute_query_dict(
        f"SELECT i.name AS name FROM pragma_index_list('{table}') i"
        f" JOIN pragma_index_info(i.name) c ON c.name = '{column}'"
    )
    for row in found:
        await client.execute_query(f'DROP INDEX "{row["name"]}"')


def guard_sqlite(table: str, name: str, moment: str, holds: str) -> str:
    return (
        f'CREATE TRIGGER {name} BEFORE {moment} ON "{table}" WHEN NOT ({holds})'
        f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
    )


def append_only_sqlite(table: str) -> list[str]:
    return [
        guard_sqlite(table, f"{table}_append_only_{moment.lower()}", moment, "1 = 0")
        for moment in ("UPDATE", "DELETE")
    ]


def before_sqlite() -> list[str]:
    """Rolls and questions are altered here, which else they never are."""
    return [
        f"DROP TRIGGER {name}"
        for name in ("ballot_before_count", "roll_append_only_update", "roll_append_only_delete")
    ]


def after_sqlite() -> list[str]:
    # As 0002 writes it, without the quotes: it is the same trigger as before.
    roll = [statement.replace('"roll"', "roll") for statement in append_only_sqlite("roll")]
    return [
        *roll,
        *(
            guard_sqlite(table, f"{name}_{moment.lower()}", moment, condition.format(new="NEW."))
            for table, name, condition in CHECKS
            for moment in ("INSERT", "UPDATE")
        ),
        *(statement for table in APPEND_ONLY for statement in append_only_sqlite(table)),
        *(guard_sqlite(*rule) for rule in RULES),
        *guards_of_steps("vote", "vote_step", postgres=False),
    ]


def before_postgres() -> list[str]:
    return [
        "DROP FUNCTION ballot_before_count() CASCADE",
        "ALTER TABLE roll DISABLE TRIGGER roll_append_only",
    ]


def after_postgres() -> list[str]:
    statements = [
        "DROP FUNCTION question_result_append_only()",
        "ALTER TABLE roll ENABLE TRIGGER roll_append_only",
    ]

    def trigger(table: str, name: str, when: str, body: str) -> None:
        statements.append(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$"
        )
        statements.append(f'CREATE TRIGGER {name} {when} ON "{table}" FOR EACH ROW EXECUTE FUNCTION {name}()')
        if "DELETE" in when:  # TRUNCATE asks no trigger of a row
            statements.append(
                f'CREATE TRIGGER {name}_whole BEFORE TRUNCATE ON "{table}" EXECUTE FUNCTION {name}()'
            )

    def refuse(name: str) -> str:
        return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"

    for table, name, condition in CHECKS:
        statements.append(f'ALTER TABLE "{table}" ADD CONSTRAINT {name} CHECK ({condition.format(new="")})')
    for table in APPEND_ONLY:
        name = f"{table}_append_only"
        trigger(table, name, "BEFORE UPDATE OR DELETE", refuse(name))
    for table, name, moment, holds in RULES:
        trigger(table, name, f"BEFORE {moment}", f"IF NOT ({holds}) THEN {refuse(name)} END IF; RETURN NEW;")
    return [*statements, *guards_of_steps("vote", "vote_step", postgres=True)]


def to(model: str, column: str, *, null: bool = False, index: bool = False) -> Any:
    return fields.ForeignKeyField(  # type: ignore[call-overload]
        f"meilin.{model}",
        source_field=column,
        null=null,
        db_index=index,
        db_constraint=True,
        to_field="id",
        related_name=False,
        on_delete=OnDelete.RESTRICT,
    )


def key() -> Any:
    return fields.BigIntField(primary_key=True, generated=False, default=new_id)


def table(name: str, *unique: str) -> dict[str, Any]:
    return {"table": name, "app": "meilin", "pk_attr": "id"} | (
        {"unique_together": (unique,)} if unique else {}
    )


class Migration(Base):
    dependencies = [("meilin", "0010_unit_states")]

    gives_up = GIVEN_UP

    operations = [
        ops.CreateModel(
            name="VoteScopeRecord",
            fields=[("id", key()), ("community", to("Community", "community_id"))],
            options=table("vote_scope"),
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VoteScopePart",
            fields=[
                ("id", key()),
                ("scope", to("VoteScopeRecord", "scope_id", index=True)),
                ("community", to("Community", "community_id", null=True)),
                ("building", to("Building", "building_id", null=True)),
                ("unit", to("Unit", "unit_id", null=True)),
            ],
            options=table("vote_scope_part"),
            bases=["Model"],
        ),
        ops.CreateModel(
            name="VoteStepRecord",
            fields=[
                ("id", key()),
                ("number", fields.IntField()),
                ("actor", to("Account", "actor_id", null=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("reason", fields.CharField(null=True, max_length=200)),
                ("subject", to("Vote", "subject_id")),
                ("step", fields.CharField(max_length=32)),
            ],
            options=table("vote_step", "subject_id", "number"),
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Contest",
            fields=[("id", key()), ("vote", to("Vote", "vote_id")), ("position", fields.IntField())],
            options=table("contest", "vote_id", "position"),
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Count",
            fields=[
                ("id", key()),
                ("vote", to("Vote", "vote_id")),
                ("number", fields.IntField()),
                ("sequence", fields.IntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options=table("count", "vote_id", "number"),
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CountResult",
            fields=[
                ("id", key()),
                ("count", to("Count", "count_id")),
                ("question", to("Question", "question_id", index=True)),
                ("outcome", fields.CharField(null=True, max_length=16)),
                ("participating_heads", fields.IntField()),
                ("participating_area", fields.BigIntField()),
                ("agreeing_heads", fields.IntField(null=True)),
                ("agreeing_area", fields.BigIntField(null=True)),
                ("choices", fields.TextField(unique=False)),
            ],
            options=table("count_result", "count_id", "question_id"),
            bases=["Model"],
        ),
        ops.AddField("Vote", "scope", to("VoteScopeRecord", "scope_id", null=True)),
        ops.AddField("Vote", "last_step", fields.CharField(null=True, max_length=32)),
        ops.AddField("Vote", "steps", fields.IntField(db_default=0)),
        ops.AddField("Question", "contest", to("Contest", "contest_id", null=True)),
        ops.AddField("Question", "scope", to("VoteScopeRecord", "scope_id", null=True)),
        ops.AddField("Roll", "scope", to("VoteScopeRecord", "scope_id", null=True)),
        ops.RunPython(create),
    ]
