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
from community.database.guards import Guard, function, guards
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
    **more: Any,
) -> None:
    """Takes the next step of a subject whose row the transaction has locked; `more`: what this table of steps
    has besides. Raises StepRefused.
    """
    past = (await steps_of(table, [subject]))[subject]
    life.check([taken.step for taken in past], step)
    await table.create(
        subject_id=subject, number=len(past) + 1, step=step, actor_id=actor, at=at, reason=reason, **more
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
        Guard(steps, f"{steps}_numbered", "INSERT", _NUMBERED.format(steps=steps)),
        Guard(subject, f"{subject}_without_steps", "INSERT", "NEW.steps = 0 AND NEW.last_step IS NULL"),
        Guard(subject, f"{subject}_follows_steps", "UPDATE", _FOLLOWS.format(steps=steps)),
    ]
    kept = guards(rules, append_only=steps, postgres=postgres)
    follow, taken = _FOLLOW.format(subject=subject), f"{steps}_taken"
    if not postgres:
        return [*kept, f"CREATE TRIGGER {taken} AFTER INSERT ON {steps} BEGIN {follow}; END"]
    return [
        *kept,
        function(taken, f"{follow}; RETURN NULL;"),
        f"CREATE TRIGGER {taken} AFTER INSERT ON {steps} FOR EACH ROW EXECUTE FUNCTION {taken}()",
    ]
