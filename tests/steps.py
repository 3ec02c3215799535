"""The steps of a vote in a test: taken past the actions, and when they were."""

from datetime import datetime

from tortoise.transactions import in_transaction

from community.database.steps import steps_of, take_step
from community.votes.lifecycle import LIFE, VoteStep
from community.votes.models import VoteStepRecord


async def take(vote: int, *steps: VoteStep, at: datetime) -> None:
    """Those that no action takes yet; what a vote cannot do is refused here too."""
    async with in_transaction():
        for step in steps:
            await take_step(VoteStepRecord, LIFE, vote, step, at=at)


async def taken(vote: int) -> list[VoteStep]:
    return [step.step for step in (await steps_of(VoteStepRecord, [vote]))[vote]]


async def when(vote: int, step: VoteStep) -> datetime | None:
    """The last time that it was taken; None if never."""
    found = [each.at for each in (await steps_of(VoteStepRecord, [vote]))[vote] if each.step is step]
    return found[-1] if found else None
