"""A sign-up belongs to a household, so that two of one flat do not bring twice as many as a household may.

Those that stand already are given the home that their account had when it signed up. Where a flat has several
for one event they stay, all but the first are marked, and no new one is taken.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

# The rule of `homes_of` in community/members/reads.py, as it stood at this version.
_GIVE_HOMES = """
UPDATE sign_up SET household_id = (
  SELECT h.unit FROM (
    SELECT u.id AS unit, t.since AS since, 1 AS choice
      FROM tenancy t JOIN unit u ON u.id = t.unit_id JOIN event e ON e.community_id = u.community_id
     WHERE t.account_id = sign_up.account_id AND e.id = sign_up.event_id AND u.kind <> 'PARKING'
       AND t.since <= sign_up.signed_up_at AND (t.until IS NULL OR t.until > sign_up.signed_up_at)
    UNION ALL
    SELECT u.id, o.since, CASE WHEN EXISTS (
             SELECT 1 FROM tenancy t WHERE t.unit_id = u.id AND t.since <= sign_up.signed_up_at
                AND (t.until IS NULL OR t.until > sign_up.signed_up_at)) THEN 3 ELSE 2 END
      FROM co_owner c JOIN ownership o ON o.party_id = c.party_id JOIN unit u ON u.id = o.unit_id
      JOIN event e ON e.community_id = u.community_id
     WHERE c.account_id = sign_up.account_id AND e.id = sign_up.event_id AND u.kind <> 'PARKING'
       AND c.since <= sign_up.signed_up_at AND (c.until IS NULL OR c.until > sign_up.signed_up_at)
       AND o.since <= sign_up.signed_up_at AND (o.until IS NULL OR o.until > sign_up.signed_up_at)
  ) h ORDER BY h.choice, h.since, h.unit LIMIT 1
)
"""
_MARK_RENTED = """
UPDATE sign_up SET rented = TRUE WHERE EXISTS (
  SELECT 1 FROM tenancy t WHERE t.unit_id = sign_up.household_id AND t.account_id = sign_up.account_id
     AND t.since <= sign_up.signed_up_at AND (t.until IS NULL OR t.until > sign_up.signed_up_at))
"""
_MARK_DOUBLED = """
UPDATE sign_up SET doubled = TRUE WHERE cancelled_at IS NULL AND EXISTS (
  SELECT 1 FROM sign_up o
   WHERE o.event_id = sign_up.event_id AND o.household_id = sign_up.household_id
     AND o.rented = sign_up.rented AND o.cancelled_at IS NULL
     AND (o.signed_up_at < sign_up.signed_up_at OR (o.signed_up_at = sign_up.signed_up_at AND o.id < sign_up.id))
)
"""
_ONE_A_HOUSEHOLD = (
    "CREATE UNIQUE INDEX sign_up_household ON sign_up (event_id, household_id, rented)"
    " WHERE cancelled_at IS NULL AND NOT doubled"
)
_ONLY_CANCELLED = (
    "OLD.cancelled_at IS NULL AND NEW.cancelled_at IS NOT NULL AND NEW.party_size = OLD.party_size"
    " AND NEW.event_id = OLD.event_id AND NEW.account_id = OLD.account_id AND NEW.doubled = OLD.doubled"
    " AND NEW.rented = OLD.rented"
    " AND NEW.household_id {same} OLD.household_id"
)
_FREED = (
    "UPDATE event SET signed_up = signed_up - OLD.party_size, version = version + 1 WHERE id = NEW.event_id;"
)


def _for_sqlite() -> list[str]:
    holds = _ONLY_CANCELLED.format(same="IS")
    return [
        "DROP TRIGGER sign_up_only_cancelled",
        "DROP TRIGGER sign_up_freed",
        _GIVE_HOMES,
        _MARK_RENTED,
        _MARK_DOUBLED,
        f"CREATE TRIGGER sign_up_only_cancelled BEFORE UPDATE ON sign_up WHEN NOT ({holds})"
        " BEGIN SELECT RAISE(ABORT, 'sign_up_only_cancelled'); END",
        f"CREATE TRIGGER sign_up_freed AFTER UPDATE ON sign_up BEGIN {_FREED} END",
        _ONE_A_HOUSEHOLD,
    ]


def _for_postgres() -> list[str]:
    holds = _ONLY_CANCELLED.format(same="IS NOT DISTINCT FROM")

    def trigger(name: str, when: str) -> str:
        return f"CREATE TRIGGER {name} {when} UPDATE ON sign_up FOR EACH ROW EXECUTE FUNCTION {name}()"

    return [
        "DROP TRIGGER sign_up_only_cancelled ON sign_up",
        "DROP TRIGGER sign_up_freed ON sign_up",
        _GIVE_HOMES,
        _MARK_RENTED,
        _MARK_DOUBLED,
        "CREATE OR REPLACE FUNCTION sign_up_only_cancelled() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN"
        f" IF NOT ({holds}) THEN RAISE EXCEPTION 'sign_up_only_cancelled'"
        " USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END $body$",
        trigger("sign_up_only_cancelled", "BEFORE"),
        trigger("sign_up_freed", "AFTER"),
        _ONE_A_HOUSEHOLD,
    ]


async def give_homes(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    for statement in _for_postgres() if postgres else _for_sqlite():
        await editor.client.execute_query(statement)


class Migration(Base):
    dependencies = [("meilin", "0011_steps")]

    gives_up = (
        "trigger sign_up_only_cancelled",
        "trigger sign_up_freed",
        "function sign_up_only_cancelled()",
    )

    operations = [
        ops.AddField(
            "SignUp",
            "household",
            fields.ForeignKeyField(
                "meilin.Unit",
                source_field="household_id",
                db_index=True,
                db_constraint=True,
                to_field="id",
                null=True,
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField("SignUp", "rented", fields.BooleanField(default=False, db_default=False)),
        ops.AddField("SignUp", "doubled", fields.BooleanField(default=False, db_default=False)),
        ops.RunPython(give_homes),
        ops.AddIndex("SignUp", Index(fields=["household_id"])),
    ]
