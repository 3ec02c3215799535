"""The kept totals of a vote: what a row of `counting` adds to them, and what all of them add up to.

Two ways lead to the same sums. `changes_by` says what new rows add, and what goes with the rows that they
replace: it is added in their transaction, so that a tally is read in a time that does not grow with the
ballots. `summed` adds up every row that counts: the closing count and `meilin verify` compare, and the rows
win.

A party weighs what it weighs on the roll of the question. An anonymous ballot is one head and no area: nobody
knows whose it is.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from community.database.sql import day_of, placeholders, select
from community.votes.rules import ZERO, Part, Weight


class TotalKey(NamedTuple):
    """`key`: the question or the building, else 0; `label`: the choice or the day, else empty."""

    part: Part
    key: int = 0
    label: str = ""


Totals = dict[TotalKey, Weight]

# Rows of `counting`, and those that they replace, which take away what they added. By ids: of a range of
# numbers PostgreSQL would expect a third of the table.
_NEW_AND_REPLACED = """
  SELECT c.vote_id, c.party_id, c.ballot_id, c.sequence, 1 AS sign
    FROM counting c WHERE c.id IN ({these})
  UNION ALL
  SELECT o.vote_id, o.party_id, o.ballot_id, o.sequence, -1
    FROM counting c JOIN counting o
      ON o.id = (SELECT b.id FROM counting b WHERE b.vote_id = c.vote_id AND b.party_id = c.party_id
                    AND b.sequence < c.sequence ORDER BY b.sequence DESC LIMIT 1)
   WHERE c.id IN ({these}) AND c.party_id IS NOT NULL
"""
# The last row of each party, and each ballot without a party.
_ALL_THAT_COUNT = """
  SELECT c.vote_id, c.party_id, c.ballot_id, c.sequence, 1 AS sign
    FROM counting c WHERE c.vote_id = ?{until}
     AND (c.party_id IS NULL OR NOT EXISTS (
       SELECT 1 FROM counting n WHERE n.vote_id = c.vote_id AND n.party_id = c.party_id
          AND n.sequence > c.sequence{until_then}))
"""

# A ballot on which nothing stands, as was taken once, is nobody's turnout: no question knows of it, and no
# day. In a survey a text is an answer. A head comes with its first ballot that says something, so that a
# changed one moves nobody.
_SAYS = """(EXISTS (SELECT 1 FROM ballot_choice c WHERE c.ballot_id = {ballot})
    OR EXISTS (SELECT 1 FROM ballot_text t JOIN question q ON q.id = t.question_id
                WHERE t.ballot_id = {ballot} AND q.kind = 'SURVEY'))"""
_CHANGES = """
WITH k AS ({rows}),
b AS (
  SELECT k.vote_id, k.party_id, k.ballot_id, k.sign, v.roll_id,
         COALESCE((SELECT MIN(f.cast_at) FROM counting e JOIN ballot f ON f.id = e.ballot_id
                    WHERE e.vote_id = k.vote_id AND e.party_id = k.party_id AND e.sequence <= k.sequence
                      AND {first_says}), o.cast_at) AS came_at,
         CASE WHEN {says} THEN 1 ELSE 0 END AS says
    FROM k JOIN vote v ON v.id = k.vote_id JOIN ballot o ON o.id = k.ballot_id
),
a AS (
  SELECT b.vote_id, b.party_id, b.sign, m.question_id, m.choice
    FROM b JOIN ballot_choice m ON m.ballot_id = b.ballot_id
),
p AS (
  SELECT b.vote_id, b.party_id, b.sign, b.ballot_id, m.question_id
    FROM b JOIN ballot_choice m ON m.ballot_id = b.ballot_id
  UNION
  SELECT b.vote_id, b.party_id, b.sign, b.ballot_id, t.question_id
    FROM b JOIN ballot_text t ON t.ballot_id = b.ballot_id
    JOIN question q ON q.id = t.question_id AND q.kind = 'SURVEY'
),
s AS (
  SELECT b.vote_id, b.party_id, b.sign, {day} AS day, COALESCE(r.heads, 1) AS heads,
         COALESCE(r.area, 0) AS area
    FROM b LEFT JOIN roll_entry r ON r.roll_id = b.roll_id AND r.party_id = b.party_id
   WHERE b.says = 1 AND (b.party_id IS NULL OR r.id IS NOT NULL)
)
SELECT 'CHOICE' AS part, a.vote_id AS vote, a.question_id AS key, a.choice AS label,
       CAST(SUM(a.sign * COALESCE(r.heads, 1)) AS BIGINT) AS heads,
       CAST(SUM(a.sign * COALESCE(r.area, 0)) AS BIGINT) AS area
  FROM a JOIN question q ON q.id = a.question_id
  LEFT JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = a.party_id
 WHERE a.party_id IS NULL OR r.id IS NOT NULL
 GROUP BY a.vote_id, a.question_id, a.choice
UNION ALL
SELECT 'QUESTION', p.vote_id, p.question_id, '', CAST(SUM(p.sign * COALESCE(r.heads, 1)) AS BIGINT),
       CAST(SUM(p.sign * COALESCE(r.area, 0)) AS BIGINT)
  FROM p JOIN question q ON q.id = p.question_id
  LEFT JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = p.party_id
 WHERE p.party_id IS NULL OR r.id IS NOT NULL
 GROUP BY p.vote_id, p.question_id
UNION ALL
SELECT 'BALLOTS', vote_id, 0, '', CAST(SUM(sign * heads) AS BIGINT), CAST(SUM(sign * area) AS BIGINT)
  FROM s GROUP BY vote_id
UNION ALL
SELECT 'DAY', vote_id, 0, day, CAST(SUM(sign * heads) AS BIGINT), 0 FROM s GROUP BY vote_id, day
UNION ALL
SELECT 'BUILDING', h.vote_id, h.building_id, '', CAST(SUM(h.sign) AS BIGINT),
       CAST(SUM(h.sign * h.area) AS BIGINT)
  FROM (SELECT b.vote_id, b.party_id, b.sign, b.ballot_id, n.building_id, SUM(u.area) AS area
          FROM b JOIN roll_unit u ON u.roll_id = b.roll_id AND u.party_id = b.party_id
          JOIN unit n ON n.id = u.unit_id
         WHERE b.says = 1
         GROUP BY b.vote_id, b.party_id, b.sign, b.ballot_id, n.building_id) h
 GROUP BY h.vote_id, h.building_id
UNION ALL
SELECT 'SILENT', b.vote_id, q.id, '', CAST(SUM(-b.sign * r.heads) AS BIGINT),
       CAST(SUM(-b.sign * r.area) AS BIGINT)
  FROM b JOIN served w ON w.vote_id = b.vote_id AND w.party_id = b.party_id
  JOIN question q ON q.vote_id = b.vote_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = b.party_id
 GROUP BY b.vote_id, q.id
"""
# Who was served and for whom nothing counts; `{among}` narrows it to some parties.
_SILENT = """
SELECT 'SILENT' AS part, s.vote_id AS vote, q.id AS key, '' AS label, COUNT(*) AS heads,
       CAST(SUM(r.area) AS BIGINT) AS area
  FROM served s JOIN question q ON q.vote_id = s.vote_id
  JOIN roll_entry r ON r.roll_id = q.roll_id AND r.party_id = s.party_id
 WHERE s.vote_id = ?{among} AND COALESCE((
         SELECT c.ballot_id FROM counting c WHERE c.vote_id = s.vote_id AND c.party_id = s.party_id
          ORDER BY c.sequence DESC LIMIT 1), 0) = 0
 GROUP BY s.vote_id, q.id
"""


def _changes(rows: str) -> str:
    return _CHANGES.format(
        rows=rows,
        says=_SAYS.format(ballot="k.ballot_id"),
        first_says=_SAYS.format(ballot="f.id"),
        day=day_of("b.came_at"),
    )


async def changes_by(counting: Sequence[int]) -> Totals:
    """What these rows of `counting` change, given by their ids."""
    rows = _NEW_AND_REPLACED.format(these=placeholders(counting))
    return _totals(await select(_changes(rows), [*counting] * 2))


async def silent_among(vote: int, parties: Collection[int] | None = None) -> Totals:
    """What those weigh that were served and for whom nothing counts, of all or of `parties`."""
    among = "" if parties is None else f" AND s.party_id IN ({placeholders(parties)})"
    return _totals(await select(_SILENT.format(among=among), [vote, *(parties or ())]))


async def summed(vote: int, until: int | None = None) -> Totals:
    """The sums of all rows that count, with the ballots and rulings up to number `until` alone.

    Service has no number, so that the silent are those of now.
    """
    query, values = _summed(vote, until)
    return _totals(await select(query, values))


def _summed(vote: int, until: int | None = None) -> tuple[str, list[int]]:
    bounds = [] if until is None else [until]
    rows = _ALL_THAT_COUNT.format(
        until=" AND c.sequence <= ?" if bounds else "",
        until_then=" AND n.sequence <= ?" if bounds else "",
    )
    query = (
        f"SELECT part, vote, key, label, heads, area FROM ({_changes(rows)}) counted WHERE part <> 'SILENT'"  # noqa: S608
        f" UNION ALL {_SILENT.format(among='')}"
    )
    return query, [vote, *bounds * 2, vote]


async def differences_of(vote: int) -> tuple[list[str], Totals]:
    """Where the kept totals are not what the rows add up to, and that sum; of one instant."""
    query, values = _summed(vote)
    rows = await select(
        f"SELECT 0 AS kept, counted.* FROM ({query}) counted"  # noqa: S608
        " UNION ALL SELECT 1, t.part, t.vote_id, t.key, t.label, t.heads, t.area FROM total t"
        " WHERE t.vote_id = ?",
        [*values, vote],
    )
    sums, kept = (_totals([row for row in rows if row["kept"] == which]) for which in (0, 1))
    found = [
        f"total of {_name(key)}: kept {_weight(kept.get(key))}, the rows say {_weight(sums.get(key))}"
        for key in sorted(sums.keys() | kept.keys())
        if sums.get(key) != kept.get(key)
    ]
    return found, sums


def _totals(rows: Collection[Mapping[str, Any]]) -> Totals:
    """What is nothing is left out: a kept row stays when nobody marks its choice any more."""
    weights = {
        TotalKey(Part(row["part"]), row["key"], row["label"]): Weight(row["heads"], row["area"])
        for row in rows
    }
    return {key: weight for key, weight in weights.items() if weight != ZERO}


def _name(key: TotalKey) -> str:
    return " ".join(str(part) for part in key if part)


def _weight(weight: Weight | None) -> str:
    return "nothing" if weight is None else f"{weight.heads} heads and {weight.area}"
