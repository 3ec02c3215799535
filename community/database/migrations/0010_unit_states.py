"""What a unit is has a history, and every community has the party of its developer.

Area and delivery go from columns of the unit, which forgot what was before, into states that are only added.
"""

from typing import Any

from community.database.ids import new_id
from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

# Since when it is so nobody wrote down: no later than anybody looked.
_STATES = """
INSERT INTO unit_state (id, unit_id, since, area, status)
SELECT u.id, u.id,
       CASE WHEN v.first < c.created_at THEN v.first ELSE c.created_at END, u.area, u.status
  FROM unit u JOIN community c ON c.id = u.community_id
  LEFT JOIN (SELECT community_id, MIN(announced_at) AS first FROM vote GROUP BY community_id) v
    ON v.community_id = u.community_id
"""

_LACKING = """
SELECT c.id AS id FROM community c WHERE NOT EXISTS (
  SELECT 1 FROM owner_party p WHERE p.community_id = c.id AND p.kind = 'DEVELOPER'
)
"""

CHECKS = [("unit_state", "unit_state_area_positive", "{new}area > 0")]
APPEND_ONLY = ["unit_state"]
GONE = {"unit_area_positive"}


def _for_sqlite() -> list[str]:
    def guard(table: str, name: str, moment: str, holds: str) -> str:
        return (
            f"CREATE TRIGGER {name}_{moment.lower()} BEFORE {moment} ON {table} WHEN NOT ({holds})"
            f" BEGIN SELECT RAISE(ABORT, '{name}_{moment.lower()}'); END"
        )

    return [
        *(f"DROP TRIGGER {name}_{moment}" for name in GONE for moment in ("insert", "update")),
        *(
            guard(t, name, moment, holds.format(new="NEW."))
            for t, name, holds in CHECKS
            for moment in ("INSERT", "UPDATE")
        ),
        *(
            guard(t, f"{t}_append_only", moment, "1 = 0")
            for t in APPEND_ONLY
            for moment in ("UPDATE", "DELETE")
        ),
    ]


def _for_postgres() -> list[str]:
    return [
        *(f"ALTER TABLE unit DROP CONSTRAINT {name}" for name in GONE),
        *(
            f"ALTER TABLE {t} ADD CONSTRAINT {name} CHECK ({holds.format(new='')})"
            for t, name, holds in CHECKS
        ),
        *(statement for table in APPEND_ONLY for statement in _only_added(table)),
    ]


def _only_added(table: str) -> list[str]:
    name = f"{table}_append_only"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN"
        f" RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation'; END $body$",
        f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        f"CREATE TRIGGER {name}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {name}()",
    ]


_DROPS = ["ALTER TABLE unit DROP COLUMN area", "ALTER TABLE unit DROP COLUMN status"]


async def take_along(apps: Any, editor: Any) -> None:
    client = editor.client
    postgres = client.capabilities.dialect == "postgres"
    for statement in [_STATES, *(_for_postgres() if postgres else _for_sqlite()), *_DROPS]:
        await client.execute_query(statement)
    for row in await client.execute_query_dict(_LACKING):
        await client.execute_query(
            f"INSERT INTO owner_party (id, community_id, kind) VALUES ({new_id()}, {row['id']}, 'DEVELOPER')"
        )


class Migration(Base):
    dependencies = [("meilin", "0009_totals")]

    gives_up = (
        "column unit.area",
        "column unit.status",
        "rows of unit",  # each without its two columns, which are a row of unit_state
        "trigger unit_area_positive_insert",
        "trigger unit_area_positive_update",
        "constraint unit.unit_area_positive",
    )

    operations = [
        ops.CreateModel(
            name="UnitState",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=False, default=new_id)),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "meilin.Unit",
                        source_field="unit_id",
                        db_index=False,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("area", fields.BigIntField()),
                ("status", fields.CharField(max_length=32)),
            ],
            options={
                "table": "unit_state",
                "app": "meilin",
                "unique_together": (("unit_id", "since"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.RunPython(take_along),
    ]
