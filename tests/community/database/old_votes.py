"""Votes as version 0006 kept them, in every state that it knew, as INSERTs for both engines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

ANNOUNCED = datetime(2026, 1, 1, tzinfo=UTC)
OPENS, CLOSES = ANNOUNCED + timedelta(days=16), ANNOUNCED + timedelta(days=23)
CAST, COUNTED = OPENS + timedelta(days=1), CLOSES + timedelta(seconds=12)
ANNULLED = CLOSES + timedelta(days=9)
SINCE = ANNOUNCED - timedelta(days=900)
COMMUNITY, COMMITTEE, TOWER, PARTY, ACCOUNT, UNIT = 1, 5, 11, 21, 31, 41
AREA = 10_000
FOR = f'{{"ABSTAIN": [0, 0], "AGAINST": [0, 0], "FOR": [1, {AREA}]}}'

Row = tuple[str, dict[str, Any]]


def insert(table: str, row: dict[str, Any]) -> str:
    def said(value: Any) -> str:
        if value is None or isinstance(value, bool):
            return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
        return str(value) if isinstance(value, int) else f"'{value}'"

    columns = ", ".join(f'"{name}"' for name in row)
    return f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join(map(said, row.values()))});\n'


def estate() -> Iterator[Row]:
    """Two flats in two buildings; whoever owns the one in the tower votes."""
    here, since = {"community_id": COMMUNITY}, {"since": SINCE}
    yield "account", {"id": ACCOUNT, "name": "resident", "demonstration": False, "created_at": SINCE}
    about = {"name": "老园", "address": "", "households": 2, "profile_version": 1, "demonstration": False}
    yield "community", {"id": COMMUNITY, "slug": "old", "created_at": SINCE} | about
    yield "organization", {"id": COMMITTEE, "kind": "OWNERS_COMMITTEE", "name": "业委会"} | here | since
    for at in (0, 1):
        unit = {"name": "101", "area": AREA, "kind": "DWELLING", "status": "DELIVERED"}
        yield "building", {"id": TOWER + at, "name": f"{at}幢", "position": at} | here
        yield "unit", {"id": UNIT + at, "building_id": TOWER + at} | unit | here
        yield "owner_party", {"id": PARTY + at, "kind": "OWNERS"} | here
        held = {"unit_id": UNIT + at, "party_id": PARTY + at, "share": 1, "share_of": 1}
        yield "ownership", {"id": 51 + at} | held | since
    yield "co_owner", {"id": 61, "party_id": PARTY, "account_id": ACCOUNT} | since


@dataclass(frozen=True)
class OldVote:
    """`building` has the vote, `asked` its questions, None for all; opened ones have one ballot, all FOR."""

    id: int
    matters: tuple[str, ...] = ("USE_FUND",)
    building: int | None = None
    asked: int | None = None
    opened: datetime | None = None
    counted: datetime | None = None
    annulled: datetime | None = None

    @property
    def number(self) -> int:
        return self.id - 100

    @property
    def of_question(self) -> int | None:
        return self.asked or self.building

    def roll(self, building: int | None) -> int | None:
        return self.id * 10 + (building != self.building) if self.opened else None

    def rows(self) -> Iterator[Row]:
        terms = {"title": f"表决{self.number}", "description": "", "form": "STATUTORY_LOCAL"}
        counting = {"parking_counts": False, "silence": "ABSENT", "silence_floor": False, "revisable": False}
        window = {"announced_at": ANNOUNCED, "opens_at": OPENS, "closes_at": CLOSES}
        stages = {"opened_at": self.opened, "counted_at": self.counted, "annulled_at": self.annulled}
        of = {"community_id": COMMUNITY, "convener_id": COMMITTEE, "profile_version": 1}
        own = {"id": self.id, "number": self.number, "building_id": self.building}
        yield "vote", own | of | terms | counting | window | stages | {"roll_id": self.roll(self.building)}
        if self.opened:
            for building in dict.fromkeys([self.building, self.of_question]):
                yield from self.roll_rows(building)
            cast = {"channel": "ONLINE", "recorded_by_id": ACCOUNT, "cast_at": CAST, "validity": "VALID"}
            ballot = {"id": self.id * 10, "vote_id": self.id, "party_id": PARTY, "sequence": 1}
            yield "ballot", ballot | cast
            counts = {"vote_id": self.id, "party_id": PARTY, "ballot_id": self.id * 10}
            yield "counted_ballot", {"id": self.id} | counts
        for position, matter in enumerate(self.matters):
            yield from self.question_rows(position, matter)

    def roll_rows(self, building: int | None) -> Iterator[Row]:
        roll, homes = self.roll(building), (0,) if building else (0, 1)
        assert roll
        weight = {"heads": len(homes), "area": AREA * len(homes), "frozen_at": OPENS}
        yield "roll", {"id": roll, "vote": self.id, "building_id": building} | weight
        for at in homes:
            entry = {"id": roll * 10 + at, "roll_id": roll, "party_id": PARTY + at, "area": AREA}
            yield "roll_entry", entry | {"heads": 1}
            yield "roll_unit", entry | {"unit_id": UNIT + at}

    def question_rows(self, position: int, matter: str) -> Iterator[Row]:
        key = self.id * 100 + position
        terms = {"title": "议题", "description": "", "kind": "RESOLUTION", "matter": matter}
        takes = {"min_choices": 1, "max_choices": 1, "accepts_text": False}
        of = {"vote_id": self.id, "building_id": self.of_question, "roll_id": self.roll(self.of_question)}
        yield "question", {"id": key, "position": position} | terms | takes | of
        for at, code in enumerate(("FOR", "AGAINST", "ABSTAIN")):
            offered = {"question_id": key, "position": at, "code": code, "label": code}
            yield "choice", {"id": key * 10 + at} | offered
        if self.opened:
            yield "ballot_choice", {"id": key, "ballot_id": self.id * 10, "question_id": key, "choice": "FOR"}
        if self.counted:
            outcome = "ADOPTED" if self.of_question else "NO_QUORUM"
            took_part = {"participating_heads": 1, "participating_area": AREA}
            agreed = {"agreeing_heads": 1, "agreeing_area": AREA, "choices": FOR}
            result = {"id": key, "question_id": key, "sequence": 1, "outcome": outcome}
            yield "question_result", result | took_part | agreed | {"counted_at": self.counted}


COMING, OPEN, OVER, LIFT, ELECTION, UNDONE, LATE = range(101, 108)
OPENED, COUNTED_TOO = {"opened": OPENS}, {"opened": OPENS, "counted": COUNTED}
VOTES = [
    OldVote(COMING, ("USE_FUND", "USE_FUND")),
    OldVote(OPEN, **OPENED),
    OldVote(OVER, **COUNTED_TOO),
    OldVote(LIFT, asked=TOWER, **COUNTED_TOO),
    OldVote(
        ELECTION, ("ELECT_COMMITTEE", "USE_FUND", "ELECT_COMMITTEE", "ELECT_COMMITTEE"), TOWER, **COUNTED_TOO
    ),
    OldVote(UNDONE, annulled=ANNULLED, **COUNTED_TOO),
    OldVote(LATE, annulled=CAST),
]

POPULATION = "".join(
    insert(table, row) for rows in (estate(), *(vote.rows() for vote in VOTES)) for table, row in rows
)
