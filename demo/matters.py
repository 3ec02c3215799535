"""What is put to the vote: motions with their questions, and how an estate leans."""

from dataclasses import dataclass
from typing import NamedTuple

from community.ledger.rules import Category
from community.votes.casting import QuestionKind, VoteForm
from community.votes.rules import FollowMajority, Matter

Leaning = tuple[tuple[str, float], ...]
"""How many of a hundred mark which choice."""

CLEARLY_FOR: Leaning = (("FOR", 79), ("AGAINST", 13), ("ABSTAIN", 8))
OVERWHELMINGLY_FOR: Leaning = (("FOR", 88), ("AGAINST", 7), ("ABSTAIN", 5))
NARROWLY_FOR: Leaning = (("FOR", 59), ("AGAINST", 27), ("ABSTAIN", 14))
TORN: Leaning = (("FOR", 44), ("AGAINST", 38), ("ABSTAIN", 18))
SHORT_OF_THREE_QUARTERS: Leaning = (("FOR", 66), ("AGAINST", 24), ("ABSTAIN", 10))
WITH_THE_OTHERS: Leaning = (("FOR", 58), ("FOLLOW", 22), ("AGAINST", 13), ("ABSTAIN", 7))


@dataclass(frozen=True, slots=True)
class Ask:
    """A question of a motion. `choices` and `remarks` are for surveys, `building` narrows who decides."""

    title: str
    description: str
    matter: Matter
    leaning: Leaning = CLEARLY_FOR
    building: str | None = None
    choices: tuple[tuple[str, str], ...] = ()
    most: int = 1
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> QuestionKind:
        return QuestionKind.SURVEY if self.choices else QuestionKind.RESOLUTION


class Contract(NamedTuple):
    """What an adopted motion pays out of the common income."""

    company: str
    work: str
    price: int


@dataclass(frozen=True, slots=True)
class Motion:
    """What is put to the vote. `allows` names the income that an adopted one is the authority for."""

    title: str
    description: str
    asks: tuple[Ask, ...]
    building: str | None = None
    follow: FollowMajority | None = None
    revisable: bool = False
    form: VoteForm = VoteForm.STATUTORY_LOCAL
    contract: Contract | None = None
    allows: Category | None = None


def resolution(
    title: str,
    description: str,
    matter: Matter,
    decision: str,
    leaning: Leaning = CLEARLY_FOR,
    *,
    building: str | None = None,
    follow: FollowMajority | None = None,
    contract: Contract | None = None,
    allows: Category | None = None,
) -> Motion:
    """A motion with the one question `decision`; `building` makes its owners the whole electorate."""
    ask = Ask(title, decision, matter, leaning)
    return Motion(
        title, description, (ask,), building=building, follow=follow, contract=contract, allows=allows
    )
