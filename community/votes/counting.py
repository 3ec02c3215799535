"""The box of a vote: which ballots count, now and as of any number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from community.database.sql import placeholders, select


class Step(NamedTuple):
    """A ballot or a ruling, in the order of their numbers: from here on `ballot` counts for `party`.

    `counts`: False where it is ruled void, and then nothing counts for the party.
    """

    ballot: int
    party: int | None
    counts: bool = True


@dataclass(slots=True)
class Box:
    """The ballots that count: one of each party, and each that has none."""

    of_parties: dict[int, int] = field(default_factory=dict)
    anonymous: set[int] = field(default_factory=set)

    @property
    def ballots(self) -> set[int]:
        return self.anonymous | set(self.of_parties.values())

    def take(self, step: Step) -> None:
        if step.party is None:
            self.anonymous.add(step.ballot)
        elif step.counts:
            self.of_parties[step.party] = step.ballot
        else:
            self.of_parties.pop(step.party, None)


def recounted(steps: Iterable[Step]) -> Box:
    """What valid ballots and rulings come to, taken one after the other."""
    box = Box()
    for step in steps:
        box.take(step)
    return box


_BOX = """
SELECT c.party_id AS party, c.ballot_id AS ballot FROM counting c
 WHERE c.vote_id = ? AND c.sequence <= ? AND c.ballot_id IS NOT NULL AND (c.party_id IS NULL OR NOT EXISTS (
   SELECT 1 FROM counting n WHERE n.vote_id = c.vote_id AND n.party_id = c.party_id
      AND n.sequence > c.sequence AND n.sequence <= ?))
"""


async def box_as_of(vote: int, sequence: int) -> Box:
    """With the first `sequence` ballots and rulings alone."""
    rows = await select(_BOX, [vote, sequence, sequence])
    return Box(
        {row["party"]: row["ballot"] for row in rows if row["party"] is not None},
        {row["ballot"] for row in rows if row["party"] is None},
    )


_COUNTED = """
SELECT c.party_id AS party, c.ballot_id AS ballot FROM counting c
 WHERE c.vote_id = ? AND c.party_id IN ({parties}) AND c.ballot_id IS NOT NULL AND NOT EXISTS (
   SELECT 1 FROM counting n
    WHERE n.vote_id = c.vote_id AND n.party_id = c.party_id AND n.sequence > c.sequence)
"""


async def counted_ballots(vote: int, parties: Sequence[int]) -> dict[int, int]:
    """The ballot that counts for each of `parties`, where there is one."""
    rows = await select(_COUNTED.format(parties=placeholders(parties)), [vote, *parties])
    return {row["party"]: row["ballot"] for row in rows}


NEWEST = """(SELECT MAX(n.number) FROM (
  SELECT MAX(sequence) AS number FROM ballot WHERE vote_id = {vote}
  UNION ALL SELECT MAX(sequence) FROM ruling WHERE vote_id = {vote}) n)"""
"""SQL for the number of the newest ballot or ruling of a vote; null where there is none."""

_NEWEST_OF = f"""
SELECT {NEWEST.format(vote="v.id")} AS sequence,
       (SELECT c.ballot_id FROM counting c WHERE c.vote_id = v.id AND c.party_id = ?
         ORDER BY c.sequence DESC LIMIT 1) AS counted
  FROM vote v WHERE v.id = ?
"""  # noqa: S608 - our own text


_NEWEST = f"SELECT {NEWEST.format(vote='v.id')} AS sequence FROM vote v WHERE v.id = ?"  # noqa: S608 - our own


async def newest_of(vote: int, party: int) -> tuple[int, int | None]:
    """The number of the newest ballot or ruling, 0 where there is none, and the ballot that counts for
    `party`.
    """
    (row,) = await select(_NEWEST_OF, [party, vote])
    return row["sequence"] or 0, row["counted"]


async def newest_sequence(vote: int) -> int:
    """The number of the newest ballot or ruling; 0 where there is none."""
    (row,) = await select(_NEWEST, [vote])
    return row["sequence"] or 0
