"""What must hold whatever the code above does: checks, append-only tables, kept sums.

Tortoise drops CHECK constraints on the way to either database, and SQLite cannot add one to a table
that exists; there each check is a pair of triggers of the same name.
"""

from typing import Any

from tortoise.migrations import operations as ops
from tortoise.migrations.migration import Migration as Base

CHECKS = [
    ("unit", "unit_area_positive", "{new}area > 0"),
    ("ownership", "ownership_share", "{new}share > 0 AND {new}share <= {new}share_of"),
    ("vote", "vote_window", "{new}opens_at < {new}closes_at"),
    ("question", "question_choices", "0 <= {new}min_choices AND {new}min_choices <= {new}max_choices"),
    ("roll_entry", "roll_entry_one_head", "{new}heads = 1 AND {new}area > 0"),
    ("roll_unit", "roll_unit_area_positive", "{new}area > 0"),
    ("ballot", "ballot_sequence_positive", "{new}sequence >= 1"),
    ("event", "event_times", "{new}starts_at < {new}ends_at"),
    (
        "event",
        "event_capacity",
        "{new}signed_up >= 0 AND ({new}capacity IS NULL OR {new}signed_up <= {new}capacity)",
    ),
    ("sign_up", "sign_up_party_positive", "{new}party_size >= 1"),
    (
        "entry",
        "entry_amount",
        "{new}amount <> 0 AND ({new}amount > 0) = ({new}reverses_id IS NULL)",
    ),
]

APPEND_ONLY = [
    "ballot",
    "ballot_choice",
    "ballot_text",
    "change",
    "community_profile",
    "entry",
    "keyed_deed",
    "question_result",
    "roll",
    "roll_entry",
    "roll_unit",
    "served",
]

RULES = [
    # (table, name, "INSERT" or "UPDATE", what must hold)
    (
        "ballot",
        "ballot_before_count",
        "INSERT",
        "EXISTS (SELECT 1 FROM vote v WHERE v.id = NEW.vote_id AND v.counted_at IS NULL)",
    ),
    (
        "ballot",
        "ballot_on_roll",
        "INSERT",
        "EXISTS (SELECT 1 FROM vote v JOIN roll_entry r ON r.roll_id = v.roll_id"
        " WHERE v.id = NEW.vote_id AND r.party_id = NEW.party_id)",
    ),
    (
        "ballot_choice",
        "ballot_choice_offered",
        "INSERT",
        "EXISTS (SELECT 1 FROM choice c WHERE c.question_id = NEW.question_id AND c.code = NEW.choice)",
    ),
    (
        "counted_ballot",
        "counted_ballot_own",
        "INSERT",
        "EXISTS (SELECT 1 FROM ballot b WHERE b.id = NEW.ballot_id AND b.vote_id = NEW.vote_id"
        " AND b.party_id = NEW.party_id AND b.validity = 'VALID')",
    ),
    (
        "counted_ballot",
        "counted_ballot_later",
        "UPDATE",
        "NEW.vote_id = OLD.vote_id AND NEW.party_id = OLD.party_id AND EXISTS (SELECT 1 FROM ballot b"
        " JOIN ballot o ON o.id = OLD.ballot_id WHERE b.id = NEW.ballot_id AND b.vote_id = NEW.vote_id"
        " AND b.party_id = NEW.party_id AND b.validity = 'VALID' AND b.sequence > o.sequence)",
    ),
    ("counted_ballot", "counted_ballot_stays", "DELETE", "1 = 0"),
    (
        "entry",
        "entry_chain",
        "INSERT",
        "NEW.number = 1 + COALESCE((SELECT MAX(e.number) FROM entry e WHERE e.community_id = NEW.community_id), 0)"
        " AND NEW.balance = COALESCE((SELECT e.balance FROM entry e WHERE e.community_id = NEW.community_id"
        " ORDER BY e.number DESC LIMIT 1), 0)"
        " + CASE NEW.direction WHEN 'INCOME' THEN NEW.amount ELSE -NEW.amount END",
    ),
    (
        "sign_up",
        "sign_up_only_cancelled",
        "UPDATE",
        "OLD.cancelled_at IS NULL AND NEW.cancelled_at IS NOT NULL AND NEW.party_size = OLD.party_size"
        " AND NEW.event_id = OLD.event_id AND NEW.account_id = OLD.account_id",
    ),
    ("sign_up", "sign_up_stays", "DELETE", "1 = 0"),
]

SIGN_UP_COUNTS = [
    ("sign_up_counted", "INSERT", "+ NEW.party_size"),
    ("sign_up_freed", "UPDATE", "- OLD.party_size"),
]

ONE_STANDING_SIGN_UP = (
    "CREATE UNIQUE INDEX sign_up_standing ON sign_up (event_id, account_id) WHERE cancelled_at IS NULL"
)


def for_sqlite() -> list[str]:
    statements = [ONE_STANDING_SIGN_UP]

    def guard(table: str, name: str, moment: str, holds: str) -> None:
        statements.append(
            f"CREATE TRIGGER {name} BEFORE {moment} ON {table} WHEN NOT ({holds})"
            f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )

    for table, name, condition in CHECKS:
        for moment in ("INSERT", "UPDATE"):
            guard(table, f"{name}_{moment.lower()}", moment, condition.format(new="NEW."))
    for table in APPEND_ONLY:
        for moment in ("UPDATE", "DELETE"):
            guard(table, f"{table}_append_only_{moment.lower()}", moment, "1 = 0")
    for table, name, moment, holds in RULES:
        guard(table, name, moment, holds)
    for name, moment, change in SIGN_UP_COUNTS:
        statements.append(
            f"CREATE TRIGGER {name} AFTER {moment} ON sign_up BEGIN UPDATE event"
            f" SET signed_up = signed_up {change}, version = version + 1 WHERE id = NEW.event_id; END"
        )
    return statements


def for_postgres() -> list[str]:
    statements = [ONE_STANDING_SIGN_UP]

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
        row = "OLD" if moment == "DELETE" else "NEW"
        trigger(
            table,
            name,
            f"BEFORE {moment}",
            f"IF NOT ({holds}) THEN {refuse(name)} END IF; RETURN {row};",
        )
    for name, moment, change in SIGN_UP_COUNTS:
        trigger(
            "sign_up",
            name,
            f"AFTER {moment}",
            f"UPDATE event SET signed_up = signed_up {change}, version = version + 1"
            " WHERE id = NEW.event_id; RETURN NULL;",
        )
    return statements


async def create(apps: Any, editor: Any) -> None:
    postgres = editor.client.capabilities.dialect == "postgres"
    for statement in for_postgres() if postgres else for_sqlite():
        await editor.client.execute_query(statement)


class Migration(Base):
    dependencies = [("meilin", "0001_initial")]

    operations = [ops.RunPython(create)]
