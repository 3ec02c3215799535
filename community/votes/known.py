"""Tallies that were read before and still hold: a vote of which nothing changed is not summed again.

A tally follows from the frozen roll, from the ballots and the rulings on them, which are only ever added,
and from the stages that the vote has behind it. So the newest ballot, the newest ruling and the stages say
whether it is still the one that was read. The closing count and `meilin verify` never ask here.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from tortoise import connections

from community.database.sql import placeholders, select
from community.votes.progress import Progress, progress_of_many
from community.votes.rules import Silence

MOST = 1_000
"""Votes whose tallies are remembered of one database, those that were asked for last."""

_STATES = """
SELECT v.id AS vote, v.silence AS silence, v.opened_at AS opened_at, v.counted_at AS counted_at,
       v.annulled_at AS annulled_at, b.id AS ballot, r.id AS ruling,
       COALESCE(b.sequence, 0) AS ballots, COALESCE(r.sequence, 0) AS rulings
  FROM vote v LEFT JOIN ballot b ON b.vote_id = v.id
       AND b.sequence = (SELECT MAX(n.sequence) FROM ballot n WHERE n.vote_id = v.id)
  LEFT JOIN ruling r ON r.vote_id = v.id
       AND r.sequence = (SELECT MAX(n.sequence) FROM ruling n WHERE n.vote_id = v.id)
 WHERE v.id IN ({votes})
"""


class State(NamedTuple):
    """`ballot`, `ruling`: the ids of the newest, which no other history has; a number could be given twice
    after a database was put back.
    """

    ballot: int | None
    ruling: int | None
    opened_at: object
    counted_at: object
    annulled_at: object
    sequence: int

    @property
    def version(self) -> int:
        stages = (self.opened_at, self.counted_at, self.annulled_at)
        return self.sequence + sum(stage is not None for stage in stages)


_known: WeakKeyDictionary[object, OrderedDict[int, tuple[State, Progress]]] = WeakKeyDictionary()
"""By the open database, so that they go with it."""


async def tallies_of(votes: Collection[int]) -> dict[int, Progress]:
    """Like `progress_of_many`, each exact at one instant during the call."""
    known = _known.setdefault(connections.get("default"), OrderedDict())
    states = await _states(votes)
    found = {
        vote: known[vote][1] for vote, state in states.items() if vote in known and known[vote][0] == state
    }
    for vote in found:
        known.move_to_end(vote)
    if missing := [vote for vote in votes if vote not in found]:
        read = await progress_of_many(missing)
        for vote, progress in read.items():
            # What was read later than its state may be a newer one.
            if (state := states.get(vote)) and state.version == progress.version:
                known[vote] = state, progress
        while len(known) > MOST:
            known.popitem(last=False)
        found |= read
    return found


async def _states(votes: Collection[int]) -> dict[int, State]:
    """Of those whose tally follows from them: the roll is frozen, and silence counts for nothing."""
    rows: list[dict[str, Any]] = await select(_STATES.format(votes=placeholders(votes)), [*votes])
    return {
        row["vote"]: State(
            row["ballot"],
            row["ruling"],
            row["opened_at"],
            row["counted_at"],
            row["annulled_at"],
            max(row["ballots"], row["rulings"]),
        )
        for row in rows
        if row["opened_at"] is not None and row["silence"] == Silence.ABSENT
    }
