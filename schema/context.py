"""What every resolver is given: who asks, when, and where live values come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from strawberry.types import Info as StrawberryInfo

from community.errors import Unauthenticated
from community.permissions import NOBODY, Person, Viewer
from realtime.sources import LiveSources
from schema.cost import MOST_COST
from schema.loaders import Loaders


@dataclass
class Context:
    """One for each request, and for each round of a subscription.

    `clock` is read once an answer; that of an HTTP request stands still at the instant when it was complete,
    so that one request has one time. `sources` is where Strawberry's own subscriptions read from.
    """

    clock: Callable[[], datetime]
    sources: LiveSources
    viewer: Viewer = NOBODY
    request: Any = None
    response: Any = None
    most_cost: float = MOST_COST
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Before each mutation: what was read before may be no longer true."""
        self.loaders = Loaders(self.viewer, self.clock)

    @property
    def person(self) -> Person:
        """Who acts. Raises Unauthenticated if nobody is signed in."""
        if not isinstance(self.viewer, Person):
            raise Unauthenticated
        return self.viewer

    @property
    def now(self) -> datetime:
        """One for a whole answer, which is not kept: `loaders` has the same for what holds for a while."""
        return self.loaders.now


Info: TypeAlias = StrawberryInfo[Context, None]
