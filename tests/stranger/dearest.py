"""Searches for the dearest document that is still accepted: changes the dearest ones known, bit by bit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.stranger.documents import Node, Request, Writer, braced
from tests.stranger.inside import Answer

Ask = Callable[[Request], Awaitable[Answer]]
REFUSED = {"TOO_COSTLY", "INVALID_INPUT", "TRY_AGAIN"}
KEPT = 12
MOST_NODES = 400


@dataclass(slots=True)
class Found:
    """`score`: the dearer the higher."""

    top: Node
    answer: Answer
    score: float

    def __str__(self) -> str:
        text = braced(self.top.below)
        figures = f"{1000 * self.answer.cpu:.0f} ms, {self.answer.statements} statements"
        return f"{figures}, {len(text)} bytes: {text[:2000]}"


class Search:
    """`score` says what is sought: of CPU, or of statements."""

    def __init__(self, writer: Writer, ask: Ask, score: Callable[[Answer], float]) -> None:
        self._writer, self._ask, self._score = writer, ask, score
        self._chance = writer.chance
        self.best: list[Found] = []
        self.asked = self.accepted = 0

    @property
    def dearest(self) -> Found:
        return self.best[0]

    async def step(self) -> None:
        fresh = len(self.best) < KEPT // 3 or self._chance.random() < 0.05
        top = self._fresh() if fresh else self._changed(self._parent())
        if sum(1 for _ in top.nodes()) > MOST_NODES or not top.below:
            return
        answer = await self._asked(top)
        if answer and self._is_dear(answer):
            again = await self._asked(top)  # something else may have run beside it
            answer = min(answer, again or answer, key=self._score)
            if self._is_dear(answer):
                found = Found(top, answer, self._score(answer))
                self.best = sorted([*self.best, found], key=lambda each: -each.score)[:KEPT]

    def _is_dear(self, answer: Answer) -> bool:
        return len(self.best) < KEPT or self._score(answer) > self.best[-1].score

    async def sure_of_dearest(self) -> Answer:
        """Its cheapest of three more times: something else may have run beside it."""
        again = [answer for _ in range(3) if (answer := await self._asked(self.dearest.top))]
        return min([self.dearest.answer, *again], key=lambda answer: answer.cpu)

    async def _asked(self, top: Node) -> Answer | None:
        """None where it is refused."""
        self.asked += 1
        answer = await self._ask(Request("dearest", braced(top.below)))
        if REFUSED & set(answer.codes):
            return None
        self.accepted += 1
        return answer

    def _parent(self) -> Node:
        """A dearer one more often."""
        return self.best[int(len(self.best) * self._chance.random() ** 2)].top

    def _fresh(self) -> Node:
        writer, chance = self._writer, self._chance
        root = writer.root()
        size = str(chance.choice((5, 20, 50, 100)))
        selected = writer.paged(root, chance.randint(1, 3), size) if chance.random() < 0.7 else []
        return Node("query", root, below=selected or writer.selection(root, 5, 3))

    def _changed(self, top: Node) -> Node:
        top = top.copy()
        for _ in range(self._chance.choice((1, 1, 2, 4))):
            places = [node for node in top.nodes() if node.kind and not node.name.startswith("__")]
            self._chance.choice((_grow, _double, _page, _drop, _graft))(self, self._chance.choice(places))
        for place in top.nodes():
            _named_apart(place)
        return top


def _grow(search: Search, place: Node) -> None:
    """Something more is selected."""
    assert place.kind
    writer, chance = search._writer, search._chance
    if chance.random() < 0.4 and writer.connections(place.kind):
        place.below += writer.paged(place.kind, 1, str(chance.choice((20, 100))))
    else:
        place.below += writer.selection(place.kind, chance.choice((1, 2, 3)), 6)


def _double(search: Search, place: Node) -> None:
    """The same again, under another name."""
    chosen = search._chance.choice(place.below)
    place.below += [chosen.copy() for _ in range(search._chance.choice((1, 2, 5)))]


def _page(search: Search, place: Node) -> None:
    """Longer or shorter pages."""
    paged = [node for node in place.nodes() if "first" in node.arguments]
    if paged:
        search._chance.choice(paged).arguments["first"] = str(
            search._chance.choice((1, 5, 20, 35, 50, 70, 100))
        )


def _drop(search: Search, place: Node) -> None:
    if len(place.below) > 1:
        place.below.remove(search._chance.choice(place.below))


def _graft(search: Search, place: Node) -> None:
    """What another one selects there."""
    others = [
        node for found in search.best for node in found.top.nodes() if node.kind is place.kind and node.below
    ]
    if others:
        place.below += [search._chance.choice(search._chance.choice(others).below).copy()]


def _named_apart(place: Node) -> None:
    """Each name in one place once, so that validation does not find two that differ."""
    taken: set[str] = set()
    for number, node in enumerate(place.below):
        if node.fragment or node.name.startswith("..."):
            continue
        if (node.alias or node.name) in taken or (node.alias or "").startswith("__"):
            node.alias = f"d{number}"
        while (node.alias or node.name) in taken:
            node.alias = f"{node.alias}x"
        taken.add(node.alias or node.name)
