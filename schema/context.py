"""What every resolver is given: who asks, the moment, and where live states come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from strawberry.types import Info as StrawberryInfo

from community.permissions import NOBODY, Viewer
from realtime.standing import Standing
from realtime.tempo import Tempo
from schema.cost import MOST_COST
from schema.loaders import Loaders
from schema.watching import Watching

if TYPE_CHECKING:
    from schema.shared import Shared


@dataclass
class Context:
    """One for each HTTP request; one for the whole life of a socket, whose viewer may change; one for all
    who share a subscription (`shared`), whose viewer is nobody in particular. What runs for one viewer has
    its turns in the lane of `tempo` as well.

    `clock` is read once an answer; that of an HTTP request stands still at the moment when it was complete,
    so that one request has one time.
    """

    clock: Callable[[], datetime]
    watching: Watching
    standing: Standing
    viewer: Viewer = NOBODY
    secret: str | None = None
    request: Any = None
    response: Any = None
    shared: "Shared | None" = None
    most_cost: float = MOST_COST
    tempo: Tempo = field(default_factory=Tempo)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Before each answer on a socket and each mutation: what was read before may be no longer true."""
        self.loaders = Loaders(lambda: self.viewer, self.clock)

    @property
    def now(self) -> datetime:
        """One for a whole answer."""
        return self.loaders.now


Info: TypeAlias = StrawberryInfo[Context, None]
