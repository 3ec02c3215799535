"""Ballots a second of one process alone, and of two, each in its own estate, where every commit takes 20 ms.

Needs PostgreSQL: `python -m bench.estates postgres://…` on a migrated database with two estates whose open
votes let a ballot be changed (`meilin demo`). What is cast stays: use a copy.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime

from community.database.engine import opened
from community.database.sql import select
from community.permissions import Person
from community.votes.actions import cast_ballot
from community.votes.casting import Answered
from community.votes.reads import questions_of

SECONDS = 5.0

SLOW_COMMITS = (
    "CREATE FUNCTION bench_slow() RETURNS trigger LANGUAGE plpgsql AS"
    " $body$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $body$",
    "CREATE CONSTRAINT TRIGGER bench_slow AFTER INSERT ON journal"
    " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bench_slow()",
)
"""Deferred: it runs in the COMMIT, while all locks are held, as a slow disk would."""

_VOTERS = """
SELECT v.id AS vote, MIN(c.account_id) AS account FROM vote v
  JOIN roll_entry r ON r.roll_id = v.roll_id JOIN co_owner c ON c.party_id = r.party_id
 WHERE v.revisable AND v.last_step = 'OPENED' AND v.closes_at > ? AND c.account_id IS NOT NULL
   AND (SELECT COUNT(*) FROM co_owner o WHERE o.account_id = c.account_id) = 1
 GROUP BY v.id ORDER BY v.id
"""


async def cast(vote: int, account: int, count: int, seconds: float) -> int:
    """Changes one ballot up to `count` times within `seconds`; how often it did."""
    questions, viewer = (await questions_of([vote]))[vote], Person(account, "bench")
    end = time.monotonic() + seconds
    for number in range(count):
        if time.monotonic() > end:
            return number
        answers = []
        for question in questions:
            codes = [choice.code for choice in question.choices] * 2
            start, many = number % len(question.choices), max(1, question.min_choices)
            answers.append(Answered(question.id, tuple(codes[start : start + many])))
        await cast_ballot(viewer, datetime.now(UTC), vote, answers=answers)
    return count


async def child(url: str, vote: int, account: int, count: int, seconds: float) -> None:
    """Says that it is ready, waits for a line, casts, and says how often it did."""
    async with opened(url):
        await select("SELECT 1")
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        print(await cast(vote, account, count, seconds), flush=True)  # noqa: T201


async def started(
    url: str, vote: int, account: int, count: int, seconds: float
) -> asyncio.subprocess.Process:
    """A process that is ready to cast."""
    words = [str(word) for word in (url, vote, account, count, seconds)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.estates", *words,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout  # noqa: S101
    assert (await process.stdout.readline()).strip() == b"ready"  # noqa: S101
    return process


async def cast_by(processes: list[asyncio.subprocess.Process]) -> list[int]:
    """Lets all begin, and how many ballots each cast."""
    return [int(out) for out, _ in await asyncio.gather(*(each.communicate(b"\n") for each in processes))]


async def voters(url: str) -> list[tuple[int, int]]:
    """A vote of each of two estates, and an account that may cast in it."""
    async with opened(url):
        return [(row["vote"], row["account"]) for row in await select(_VOTERS, [datetime.now(UTC)])][:2]


async def ratio(url: str, seconds: float = SECONDS) -> float:
    """Of what two cast at once to what one casts alone, with slow commits."""
    pairs = await voters(url)
    async with opened(url):
        for statement in SLOW_COMMITS:
            await select(statement)
    alone = sum(await cast_by([await started(url, *pairs[0], 1_000_000, seconds)]))
    both = sum(await cast_by([await started(url, *pair, 1_000_000, seconds) for pair in pairs]))
    print(f"alone {alone / seconds:.0f}/s, two estates {both / seconds:.0f}/s")  # noqa: T201
    return both / alone


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(f"{asyncio.run(ratio(sys.argv[1])):.2f} times")  # noqa: T201
    else:
        url, vote, account, count, seconds = sys.argv[1:]
        asyncio.run(child(url, int(vote), int(account), int(count), float(seconds)))
