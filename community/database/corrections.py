"""The rows of what a subject said before it was corrected, only ever added to, beside its steps.

Version n is what the subject said from its step n until its step n + 1, which corrected it: when, by which
organization and why stand there. A trigger refuses other words of the subject unless its last version kept
those before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from tortoise import fields
from tortoise.models import Model

from community.corrections import check_correction
from community.database.fields import Key, To
from community.database.guards import Guard, guards
from community.database.ids import new_id
from community.database.rows import Shape
from community.database.sql import placeholders, select
from community.database.steps import StepRecord, take_step
from community.steps import Life, S

C = TypeVar("C", bound=tuple[Any, ...])


class SignedStepRecord(StepRecord):
    """A step that an organization takes in its own name, which alone is shown; null where nobody signed."""

    organization = To("Organization", null=True, index=False)

    class Meta:
        abstract = True


class VersionRecord(Model):
    """What every table of versions has; it adds `subject`, a reference, and the subject's words by their
    names there.
    """

    id = Key()
    number = fields.IntField()

    class Meta:
        abstract = True


@dataclass(frozen=True, slots=True)
class Correctable(Generic[S]):
    """A subject whose `words` may be replaced by the step `corrected` of its life.

    `name`: of its table, after which that of its versions is called.
    """

    name: str
    table: type[Model]
    steps: type[SignedStepRecord]
    life: Life[S, Any]
    corrected: S
    words: Sequence[str]

    @property
    def _keep(self) -> str:
        """The words are copied as they are stored, however an older version of ours wrote them."""
        words = ", ".join(self.words)
        kept = f"SELECT CAST(? AS BIGINT), t.id, t.steps, {words} FROM {self.name} t WHERE t.id = ?"  # noqa: S608
        return f"INSERT INTO {self.name}_version (id, subject_id, number, {words}) {kept}"

    async def correct(
        self,
        subject: int,
        words: Mapping[str, object],
        *,
        at: datetime,
        actor: int | None,
        organization: int,
        reason: str | None,
    ) -> None:
        """Replaces words of a subject whose row the transaction has locked.

        Raises StepRefused, and InvalidInput (see `check_correction`).
        """
        (row,) = await self.table.filter(id=subject).values("steps", *self.words)
        check_correction(row, words, corrections=row.pop("steps") - 1)
        await select(self._keep, [new_id(), subject])
        await take_step(
            self.steps,
            self.life,
            subject,
            self.corrected,
            at=at,
            actor=actor,
            reason=reason,
            organization_id=organization,
        )
        await self.table.filter(id=subject).update(**words)


# Reading


def last_corrected(steps: str) -> str:
    """SQL for the instant of the last correction of a subject `t`; null where it says what it always said."""
    newest = f"(SELECT MAX(s.at) FROM {steps} s WHERE s.subject_id = t.id AND s.step = 'CORRECTED')"  # noqa: S608
    return f"CASE WHEN t.steps > 1 THEN {newest} END"


def of_correction(steps: str) -> dict[str, str]:
    """SQL for what a row of versions `t` shows of the step that said it, and of the one that corrected it."""

    def of_step(column: str, number: str) -> str:
        return f"(SELECT s.{column} FROM {steps} s WHERE s.subject_id = t.subject_id AND s.number = {number})"  # noqa: S608

    return {
        "since": of_step("at", "t.number"),
        "corrected_at": of_step("at", "t.number + 1"),
        "organization": of_step("organization_id", "t.number + 1"),
        "reason": of_step("reason", "t.number + 1"),
    }


async def earlier_versions(shape: Shape[C], subjects: Collection[int]) -> dict[int, list[C]]:
    """Of each subject, newest first; a row begins with its subject."""
    found: dict[int, list[C]] = {subject: [] for subject in subjects}
    among = f"t.subject_id IN ({placeholders(subjects)}) ORDER BY t.number DESC"
    for row in await shape.where(among, list(subjects)):
        found[row[0]].append(row)
    return found


# Migrating


def guards_of_versions(subject: str, versions: str, words: Sequence[str], *, postgres: bool) -> list[str]:
    """SQL for a migration, beside `guards_of_steps`: a version is what the subject says, by the number of its
    last step, and stays; other words come only after a step behind that version.

    Migrations that were released run it: what it returns for them does not change any more.
    """
    same = "IS NOT DISTINCT FROM" if postgres else "IS"

    def alike(one: str, other: str) -> str:
        return " AND ".join(f"{one}.{word} {same} {other}.{word}" for word in words)

    rules = [
        Guard(
            versions,
            f"{versions}_as_said",
            "INSERT",
            f"EXISTS (SELECT 1 FROM {subject} o WHERE o.id = NEW.subject_id AND o.steps = NEW.number"  # noqa: S608
            f" AND {alike('o', 'NEW')})",
        ),
        Guard(
            subject,
            f"{subject}_keeps_words",
            "UPDATE",
            f"({alike('NEW', 'OLD')}) OR EXISTS (SELECT 1 FROM {versions} v"  # noqa: S608
            f" WHERE v.subject_id = NEW.id AND v.number = NEW.steps - 1 AND {alike('v', 'OLD')})",
        ),
    ]
    return guards(rules, append_only=versions, postgres=postgres)
