"""Tallies that were read before and still hold: a vote of which nothing changed is not summed again.

A tally follows from the roll and from the ballots, the rulings on them and the steps of the vote, which are
only ever added. So the newest ballot, the newest ruling and the number of steps say whether it is still the
one that was read, unless its totals were mended. Until the roll is frozen it is what the register would make
of it, and the newest change of that says whether it still is. A count and `meilin verify` never ask here.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from community.database.remembered import Remembered
from community.database.sql import placeholders, select
from community.places.facts import REGISTER_CHANGED
from community.votes.progress import Progress, progress_of_many
from community.votes.rules import Silence

_STATES = """
SELECT v.id AS vote, v.silence AS silence, v.steps AS steps,
       (SELECT MAX(t.id) FROM total t WHERE t.vote_id = v.id) AS totals,
       CASE WHEN v.roll_id IS NULL THEN (
         SELECT j.id FROM journal j WHERE j.community_id = v.community_id AND j.fact = ?
          ORDER BY j.number DESC LIMIT 1) END AS register,
       b.id AS ballot, r.id AS ruling, COALESCE(b.sequence, 0) AS ballots, COALESCE(r.sequence, 0) AS rulings
  FROM vote v LEFT JOIN ballot b ON b.vote_id = v.id
       AND b.sequence = (SELECT MAX(n.sequence) FROM ballot n WHERE n.vote_id = v.id)
  LEFT JOIN ruling r ON r.vote_id = v.id
       AND r.sequence = (SELECT MAX(n.sequence) FROM ruling n WHERE n.vote_id = v.id)
 WHERE v.id IN ({votes})
"""


class State(NamedTuple):
    """`ballot`, `ruling`: the ids of the newest, which no other history has; a number could be given twice
    after a database was put back. `totals`: that of their newest row; mended ones are all new. `register`:
    that of its newest change, None where the roll is frozen.
    """

    ballot: int | None
    ruling: int | None
    totals: int | None
    register: int | None
    steps: int
    sequence: int

    @property
    def version(self) -> int:
        return self.sequence + self.steps - 1


TALLIES = Remembered[int, State, Progress](1_000)


async def tallies_of(votes: Collection[int]) -> dict[int, Progress]:
    """Like `progress_of_many`, each exact at one instant during the call."""
    states = await _states(votes)
    known = {vote: TALLIES.get(vote, state) for vote, state in states.items()}
    found = {vote: progress for vote, progress in known.items() if progress is not None}
    if missing := [vote for vote in votes if vote not in found]:
        read = await progress_of_many(missing)
        for vote, progress in read.items():
            # What was read later than its state may be a newer one.
            if (state := states.get(vote)) and state.version == progress.version:
                TALLIES.put(vote, state, progress)
        found |= read
    return found


async def _states(votes: Collection[int]) -> dict[int, State]:
    """Of those whose tally follows from them: silence counts for nothing."""
    rows: list[dict[str, Any]] = await select(
        _STATES.format(votes=placeholders(votes)), [REGISTER_CHANGED.name, *votes]
    )
    return {
        row["vote"]: State(
            row["ballot"],
            row["ruling"],
            row["totals"],
            row["register"],
            row["steps"],
            max(row["ballots"], row["rulings"]),
        )
        for row in rows
        if row["silence"] == Silence.ABSENT
    }
