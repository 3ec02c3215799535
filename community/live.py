"""What can be watched: states and journals, each declared once in the `facts.py` of its topic."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from community.catalogue import Topic
from community.permissions import Permission, Viewer

T = TypeVar("T")


class Numbered(Protocol):
    @property
    def number(self) -> int: ...


N = TypeVar("N", bound=Numbered)


class Cursors(Protocol):
    """The cursors of one journal and key, as clients keep them."""

    def cursor(self, number: int, /) -> str: ...

    def number_of(self, text: str, /) -> int:
        """Raises CursorInvalid."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Watchable(Topic):
    """Whoever has the `permission` where the subject belongs may watch it.

    `admits` narrows the right to some of them: those signed up, the owners. It is asked for each who comes,
    and again after a fact that touches RIGHTS for the account, which whatever changes it records.
    """

    permission: Permission
    admits: Callable[[Viewer, int], Awaitable[bool]] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class State(Watchable, Generic[T]):
    """Of a state the newest value wins: whoever reads slowly misses some, never the last."""

    read: Callable[[int], Awaitable[T]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Journal(Watchable, Generic[N]):
    """Of a journal every item counts, in the order of its numbers; readers go on behind their cursor.

    `items_after` reads up to so many items of a key behind a number. `head` is a number above which no item
    of a key is that was there before. `recent` is the number behind which the newest items of a key come.
    """

    items_after: Callable[[int, int, int], Awaitable[Sequence[N]]]
    head: Callable[[int], Awaitable[int]]
    recent: Callable[[int], Awaitable[int]]
    cursors: Callable[[int], Awaitable[Cursors]]


Declaration: TypeAlias = State[T] | Journal[N]
