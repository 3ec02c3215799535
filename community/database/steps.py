"""The rows of steps: a table for each subject that has a life, only ever added to.

A trigger keeps `last_step` and `steps` of the subject's own row, so that lists are filtered by an index and a
status is read without its history; another one refuses whatever else would alter them.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar

from tortoise import fields
from tortoise.models import Model

from community.database.fields import Instant, Key, To, Words
from community.steps import Life, S, Step, T

LONGEST_REASON = 200


class StepRecord(Model):
    """What every table of steps has; it adds `subject`, a reference, and `step`, a word of its life."""

    id = Key()
    number = fields.IntField()
    actor = To("Account", null=True, index=False)
    at = Instant()
    reason = Words(LONGEST_REASON, null=True)

    class Meta:
        abstract = True


R = TypeVar("R", bound=StepRecord)


async def take_step(
    table: type[R],
    life: Life[S, T],
    subject: int,
    step: S,
    *,
    at: datetime,
    actor: int | None = None,
    reason: str | None = None,
) -> None:
    """Takes the next step of a subject whose row the transaction has locked. Raises StepRefused."""
    past = (await steps_of(table, [subject]))[subject]
    life.check([taken.step for taken in past], step)
    await table.create(
        subject_id=subject, number=len(past) + 1, step=step, actor_id=actor, at=at, reason=reason
    )


async def steps_of(table: type[R], subjects: Collection[int]) -> dict[int, list[Step[Any]]]:
    """By subject, in their order."""
    found: dict[int, list[Step[Any]]] = {subject: [] for subject in subjects}
    rows = table.filter(subject_id__in=list(subjects)).order_by("number")
    for row in await rows.values("subject_id", "number", "step", "actor_id", "at", "reason"):
        found[row["subject_id"]].append(
            Step(row["number"], row["step"], row["actor_id"], row["at"], row["reason"])
        )
    return found


_NUMBERED = """NEW.number = 1 + COALESCE((SELECT MAX(o.number) FROM {steps} o
 WHERE o.subject_id = NEW.subject_id), 0)"""
_FOLLOWS = """NEW.steps = COALESCE((SELECT MAX(s.number) FROM {steps} s WHERE s.subject_id = NEW.id), 0)
 AND COALESCE(NEW.last_step, '') = COALESCE((SELECT s.step FROM {steps} s
 WHERE s.subject_id = NEW.id AND s.number = NEW.steps), '')"""
_FOLLOW = "UPDATE {subject} SET last_step = NEW.step, steps = NEW.number WHERE id = NEW.subject_id"


def guards_of_steps(subject: str, steps: str, *, postgres: bool) -> list[str]:
    """SQL for a migration, once the rows of both tables are there: a row of `steps` has the next number and
    stays; `last_step` and `steps` of the `subject` follow it, and nothing else alters them.

    Migrations that were released run it: what it returns for them does not change any more.
    """
    rules = [
        (steps, f"{steps}_numbered", "INSERT", _NUMBERED.format(steps=steps)),
        (subject, f"{subject}_without_steps", "INSERT", "NEW.steps = 0 AND NEW.last_step IS NULL"),
        (subject, f"{subject}_follows_steps", "UPDATE", _FOLLOWS.format(steps=steps)),
    ]
    return (_for_postgres if postgres else _for_sqlite)(steps, rules, _FOLLOW.format(subject=subject))


Rules = list[tuple[str, str, str, str]]
"""Table, name, INSERT or UPDATE, and what must hold."""


def _for_sqlite(steps: str, rules: Rules, follow: str) -> list[str]:
    stays = [(steps, f"{steps}_append_only_{what.lower()}", what, "1 = 0") for what in ("UPDATE", "DELETE")]
    return [
        f"CREATE TRIGGER {name} BEFORE {what} ON {table} WHEN NOT ({holds})"
        f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        for table, name, what, holds in [*stays, *rules]
    ] + [f"CREATE TRIGGER {steps}_taken AFTER INSERT ON {steps} BEGIN {follow}; END"]


def _for_postgres(steps: str, rules: Rules, follow: str) -> list[str]:
    def function(name: str, body: str) -> str:
        return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$"

    def refuse(name: str) -> str:
        return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'integrity_constraint_violation';"

    stays, taken = f"{steps}_append_only", f"{steps}_taken"
    statements = [
        function(stays, refuse(stays)),
        f"CREATE TRIGGER {stays} BEFORE UPDATE OR DELETE ON {steps} FOR EACH ROW EXECUTE FUNCTION {stays}()",
        f"CREATE TRIGGER {stays}_whole BEFORE TRUNCATE ON {steps} EXECUTE FUNCTION {stays}()",
        function(taken, f"{follow}; RETURN NULL;"),
        f"CREATE TRIGGER {taken} AFTER INSERT ON {steps} FOR EACH ROW EXECUTE FUNCTION {taken}()",
    ]
    for table, name, what, holds in rules:
        statements += [
            function(name, f"IF NOT ({holds}) THEN {refuse(name)} END IF; RETURN NEW;"),
            f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    return statements
