"""The one catalogue: what there is (subjects), what happens to it (facts), who hears of it (topics).

Each is declared once, in the `facts.py` of its topic; all else reads it off here.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from community.permissions import CITY, Permission, Scope, Viewer
from community.signals import Signal

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Fetch: TypeAlias = Callable[[Viewer, Collection[int], datetime], Awaitable[Mapping[int, R]]]


def timeless(read: Callable[[Viewer, Collection[int]], Awaitable[Mapping[int, R]]]) -> Fetch[R]:
    """Makes a read that does not depend on the time one of a subject."""

    async def rows(viewer: Viewer, ids: Collection[int], now: datetime) -> Mapping[int, R]:
        return await read(viewer, ids)

    return rows


async def of_the_city(key: int) -> Scope:
    """The scope of what belongs to no single community."""
    return Scope(CITY, public_reading=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject(Generic[R_co]):
    """A kind of thing that has an id. `kind` stands in its ids outside, and so it stays for ever.

    `scope_of` finds the community of one of them, and raises NotFound.
    `rows` fetches those that the viewer may see; None: nobody is shown one by its id. `seen_by`: whoever has
    none of these permissions in the community sees no row; `rows` may hide more.
    """

    kind: str
    scope_of: Callable[[int], Awaitable[Scope]] = of_the_city
    rows: Fetch[R_co] | None = None
    seen_by: Collection[Permission] = ()

    @property
    def of_city(self) -> bool:
        """Whether it belongs to the city itself."""
        return self.scope_of is of_the_city


@dataclass(frozen=True, kw_only=True, eq=False)
class Topic:
    """Who hears of a change: those who look at one `subject`, by its id.

    `everywhere`: every process hears of it, also one that registered no interest in the id.
    """

    topic: str
    subject: Subject[Any]
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Fact:
    """What happened to one `subject`, as the journal names it: such a `name` stays for ever.

    `touches`: the topics that hear of it. A topic of the fact's own subjects hears the id; a topic of
    communities hears the one in which it happened. One that touches the bulletin is an item there, for
    whoever may read the bulletin; one that touches the board, for whoever has the permission `known_by`.
    `meaning`: a sentence in English and one in Chinese.
    """

    name: str
    subject: Subject[Any]
    touches: Sequence[Topic]
    meaning: str
    known_by: Permission = Permission.READ_BULLETIN

    def signals(self, subject: int, community: int | None) -> list[Signal]:
        """What is to be told of it; `community` is None for what happened in the city itself."""
        keys = [(each, subject if each.subject is self.subject else community) for each in self.touches]
        return [Signal(each.topic, key) for each, key in keys if key is not None]


class Catalogue(NamedTuple):
    """Subjects by kind, facts by name, topics by their word."""

    subjects: Mapping[str, Subject[Any]]
    facts: Mapping[str, Fact]
    topics: Mapping[str, Topic]

    def touching(self, topic: str) -> list[Fact]:
        """The facts of which a topic hears."""
        return [fact for fact in self.facts.values() if any(each.topic == topic for each in fact.touches)]


def modules(name: str) -> list[str]:
    """The modules of this name, one of each topic that has it."""
    topics = sorted(path.parent.name for path in Path(__file__).parent.glob(f"*/{name}.py"))
    return [f"{__package__}.{topic}.{name}" for topic in topics]


@cache
def catalogue() -> Catalogue:
    """All that the topics declare. Raises ValueError where two are called the same."""
    return gathered(value for name in modules("facts") for value in vars(import_module(name)).values())


def gathered(values: Any) -> Catalogue:
    subjects: dict[str, Subject[Any]] = {}
    facts: dict[str, Fact] = {}
    topics: dict[str, Topic] = {}
    for value in values:
        match value:
            case Subject():
                _keep(subjects, value.kind, value)
            case Fact():
                _keep(facts, value.name, value)
            case Topic():
                _keep(topics, value.topic, value)
    return Catalogue(subjects, facts, topics)


def _keep(known: dict[str, Any], name: str, value: object) -> None:
    """One module may import what another one declares: that is the same."""
    if known.setdefault(name, value) is not value:
        raise ValueError(f"{name} is declared twice")
