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
