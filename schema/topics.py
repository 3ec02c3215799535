"""The topics of the schema, one line each, in the order in which it is printed.

A topic says what it adds by the names of its classes: in `schema/votes.py` VotesQuery, VotesMutation and
VotesSubscription stand below the roots and VotesOfCommunity below Community; PRICES are what its reads cost.
"""

from types import ModuleType
from typing import Literal, TypeAlias

from schema import (
    bulletin,
    events,
    ledger,
    members,
    places,
    votes,
)

TOPICS = (
    places,
    members,
    votes,
    events,
    bulletin,
    ledger,
)

Whole: TypeAlias = Literal["Query", "Mutation", "Subscription", "OfCommunity"]


def part_of(topic: ModuleType, whole: Whole) -> str:
    """How the class is called by which a topic adds to this."""
    return f"{topic.__name__.rpartition('.')[2].title()}{whole}"


def parts(whole: Whole) -> list[type]:
    """What the topics add to it; not each does to each."""
    named = [(topic, part_of(topic, whole)) for topic in TOPICS]
    return [getattr(topic, name) for topic, name in named if hasattr(topic, name)]
