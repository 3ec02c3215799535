"""The life of a thing as steps: which may follow which, and which status each leads to.

Each subject declares its life once, as a table of stages. `community/database/steps.py` keeps the rows.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from community.errors import ErrorCode, Refused

S = TypeVar("S", bound=StrEnum)
T = TypeVar("T")


class StepRefused(Refused):
    code = ErrorCode.STEP_REFUSED
    zh = "按目前所处的阶段，还不能或者已经不能这样做。"
    en = "At the stage that this has reached it is too early or too late for that."


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One step of a subject. `number` counts from 1; `actor`: the account, None for the system itself."""

    number: int
    step: S
    actor: int | None
    at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stage(Generic[S, T]):
    """What a step leads to: the status from then on, and the steps that may come `then`."""

    status: T
    then: Set[S] = frozenset()


@dataclass(frozen=True, slots=True)
class Life(Generic[S, T]):
    """`first`: the steps that may begin it; `unbegun`: its status before any; `once`: taken at most once."""

    unbegun: T
    first: Set[S]
    stages: Mapping[S, Stage[S, T]]
    once: Set[S] = frozenset()

    def may_follow(self, past: Sequence[S], step: S) -> bool:
        """Whether `step` may be taken after all of `past`, in their order."""
        if step in self.once and step in past:
            return False
        return step in (self.stages[past[-1]].then if past else self.first)

    def may_come(self, last: S | None, step: S) -> bool:
        """Whether `step` may still be taken at some time, after `last` or what may follow it."""
        coming, found = set(self.first if last is None else self.stages[last].then), set[S]()
        while coming:
            found |= coming
            coming = {after for each in coming for after in self.stages[each].then} - found
        return step in found

    def check(self, past: Sequence[S], step: S) -> None:
        """Raises StepRefused."""
        if not self.may_follow(past, step):
            raise StepRefused

    def status(self, last: S | None) -> T:
        """After the step `last`; None: before any."""
        return self.unbegun if last is None else self.stages[last].status

    def leading_to(self, status: T) -> list[S]:
        return [step for step, stage in self.stages.items() if stage.status == status]

    def differences(self, past: Sequence[S]) -> list[str]:
        """What of `past` could not have been taken when it was."""
        return [
            f"step {position}: {step} after {past[position - 2] if position > 1 else 'nothing'}"
            for position, step in enumerate(past, start=1)
            if not self.may_follow(past[: position - 1], step)
        ]
