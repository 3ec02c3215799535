"""An estate, its servers and everybody before them; after the faults all is compared.

What was acknowledged is compared one by one with what the database holds and with what every screen shows.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from community.catalogue import catalogue
from community.database.cursors import JournalCursors
from community.permissions import SYSTEM
from community.votes.actions import close_vote
from community.votes.recount import recount
from schema.nodes import to_id
from tests.faults.estate import Estate
from tests.faults.neighbours import Chair, Clients, Neighbours
from tests.faults.servers import DAY, MeilinServer, chance, log, until
from tests.faults.watchers import NEWEST, Board, Screen
from tests.services import Redis, Service

ITEMS = ", ".join(f"'{fact.name}'" for fact in catalogue().touching("bulletin"))


@dataclass
class Scene:
    """An estate, its servers, and everybody before them."""

    folder: Path
    estate: Estate
    clients: Clients
    screens: list[Screen] = field(default_factory=list)
    boards: list[Board] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    neighbours: Neighbours = field(init=False)
    chair: Chair = field(init=False)

    def __post_init__(self) -> None:
        self.neighbours = Neighbours(self.estate, self.clients)
        self.chair = Chair(self.estate, self.clients)

    @property
    def servers(self) -> list[MeilinServer]:
        return self.clients.servers

    async def serve(
        self, groups: int = 1, redis: Redis | None = None, workers: int = 1, **settings: str
    ) -> None:
        new = [
            MeilinServer(self.folder, self.estate.url, redis.url if redis else "", workers, **settings)
            for _ in range(groups)
        ]
        self.servers.extend(new)
        await asyncio.gather(*(server.up() for server in new))

    async def watch(
        self, screens: int = 2, boards: int = 2, where: Sequence[MeilinServer] = (), patience: int = 5
    ) -> None:
        """Lets them watch, from now on and wherever they find a server that answers in time."""
        start = await self.newest_cursor()
        servers = where or self.servers
        new_screens = [Screen(servers, self.estate.vote) for _ in range(screens)]
        new_boards = [Board(servers, self.estate.community, start) for _ in range(boards)]
        self.screens += new_screens
        self.boards += new_boards
        for watcher in (*new_screens, *new_boards):
            watcher.patience = patience
            self.go(watcher.watch())
        await until(lambda: all(screen.shown["version"] >= 0 for screen in new_screens), "first snapshots")

    async def newest_cursor(self) -> str:
        found = await self.clients.ask(NEWEST, id=to_id("Community", self.estate.community))
        return str(found["node"]["bulletin"]["edges"][0]["cursor"])

    until = staticmethod(until)

    def go(self, doing: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(doing)
        self.tasks.append(task)
        return task

    async def strike(
        self, victim: Service, times: int, until_done: "asyncio.Task[None]", total: int, *, gently: bool
    ) -> int:
        """Ends and starts it again at random times while the ballots come in. How often it did."""
        # Up to three quarters: of those who give up or have no key not everybody gets an answer.
        counts = sorted(chance.sample(range(total // 20 + 1, total * 3 // 4), times))
        done = 0
        for acknowledged in counts:
            while len(self.neighbours.acknowledged) < acknowledged and not until_done.done():  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            if until_done.done():
                break
            await asyncio.sleep(0.02 * chance.random())
            if gently:
                self.log(f"ended {await victim.stop():.1f} s after it was told")
            else:
                victim.kill()
            done += 1
            await victim.up()
        return done

    async def rest(self, notices: "asyncio.Task[None]") -> None:
        """Ends the notices, with one more behind everything."""
        notices.cancel()
        await asyncio.wait([notices])
        self.tasks.remove(notices)
        await self.chair.post_one()

    async def until_health(self, server: MeilinServer, status: str) -> None:
        async def is_so() -> bool:
            return await server.health() == status

        await until(is_so, f"{status}")

    def log(self, line: str) -> None:
        log.info("%s: %s", self.estate.url.split(":")[0], line)

    async def whole(self, kills: int = 0) -> float:
        """Compares everything that was acknowledged, written and shown. Seconds until it was shown."""
        back = time.monotonic()
        truth = await self.books()
        await self.screens_show(lambda shown: _summary(shown) == truth)
        seconds = time.monotonic() - back
        await self._boards_are_whole()
        for screen in self.screens:
            assert not screen.went_back
        codes = sum((watcher.codes for watcher in (*self.screens, *self.boards)), Counter[int]())
        self.log(
            f"{kills} kills, {truth['ballots']} ballots, answers {dict(self.neighbours.answers)}, "
            f"none lost, none doubled, {len(self.screens)} screens and {len(self.boards)} boards right "
            f"after {seconds:.2f} s, lines closed {dict(codes)}"
        )
        return seconds

    async def screens_show(self, true: Callable[[Any], bool]) -> float:
        """Seconds until all of them do."""
        return await until(
            lambda: self._still_watching() and all(true(screen.shown) for screen in self.screens),
            "every screen shows the truth",
        )

    def _still_watching(self) -> bool:
        given_up = [watcher.gave_up for watcher in (*self.screens, *self.boards) if watcher.gave_up]
        assert not given_up, given_up
        return True

    async def books(self) -> dict[str, Any]:
        """What must be shown. Every acknowledged ballot is there, once, and counts once."""
        vote, acknowledged = self.estate.vote, self.neighbours.acknowledged
        ballots = await self.estate.rows(
            f"SELECT sequence, party_id, id FROM ballot WHERE vote_id = {vote} ORDER BY sequence"
        )
        assert [sequence for sequence, _, _ in ballots] == list(range(1, len(ballots) + 1))
        held = {party: ballot for _, party, ballot in ballots}
        assert len(held) == len(ballots), "a party has two ballots"
        lost = {party for party, ballot in acknowledged.items() if held.get(party) != ballot}
        assert not lost
        assert self.neighbours.told_already_cast <= set(held)
        counted = await self.estate.rows(f"SELECT party_id, ballot_id FROM counting WHERE vote_id = {vote}")
        assert len(counted) == len(held)
        assert dict(counted) == held
        marks = await self.estate.rows("SELECT ballot_id, choice FROM ballot_choice")
        assert sorted(marks) == sorted(
            (ballot, self.neighbours.choice(party)) for party, ballot in held.items()
        )
        await self._journal_is_whole(len(ballots))
        weights = {
            choice: [
                area
                for party, area in self.estate.areas.items()
                if party in held and self.neighbours.choice(party) == choice
            ]
            for choice in ("FOR", "AGAINST", "ABSTAIN")
        }
        return {
            "ballots": len(held),
            "area": sum(sum(areas) for areas in weights.values()),
            "choices": {choice: (len(areas), sum(areas)) for choice, areas in weights.items()},
        }

    async def _journal_is_whole(self, ballots: int) -> None:
        rows = await self.estate.rows("SELECT community_id, number FROM journal ORDER BY number")
        for numbered in {community for community, _ in rows}:  # null where the city is
            numbers = [number for community, number in rows if community == numbered]
            assert numbers == list(range(1, len(numbers) + 1))
        changes = await self.estate.rows(
            f"SELECT count(*) FROM journal WHERE fact = 'BALLOT_CAST' AND subject = {self.estate.vote}"
        )
        assert changes == [(ballots,)]
        notices = [key for (key,) in await self.estate.rows("SELECT id FROM notice ORDER BY published_at")]
        assert set(self.chair.acknowledged) <= set(notices)
        assert len(notices) <= len(self.chair.acknowledged) + 1  # the last one may not have been answered

    async def _boards_are_whole(self) -> None:
        """Every reader saw every item behind its start once, in the order of the journal."""
        for board in self.boards:
            own, start = await self._place(board)
            behind = f"community_id = {self.estate.community} AND fact IN ({ITEMS}) AND number > {start}"
            items = await self.estate.rows(
                f"SELECT number, subject FROM journal WHERE {behind} ORDER BY number"
            )
            await until(lambda: len(board.subjects) >= len(items), "the boards are complete")  # noqa: B023
            assert board.subjects == [key for _, key in items]
            assert board.cursors == [own.cursor(number) for number, _ in items]

    async def _place(self, board: Board) -> tuple[JournalCursors, int]:
        ((mark,),) = await self.estate.rows("SELECT id FROM installation")
        own = JournalCursors(mark, self.estate.community)
        return own, own.number_of(board.variables()["after"] if not board.cursors else board._start)

    async def close_and_recount(self) -> None:
        """The closing count by another process, against every ballot read again."""
        vote = self.estate.vote
        async with self.estate.opened():
            await close_vote(SYSTEM, datetime.now(UTC) + 9 * DAY, vote)
            assert await recount(vote) == []
        await self.screens_show(lambda shown: shown["questions"][0]["outcome"] != "PENDING")

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        for server in self.servers:
            server.kill()
        for result in results:
            if isinstance(result, Exception):
                raise result


def _summary(shown: Any) -> dict[str, Any]:
    """What a screen shows, in the form of `Scene.books`."""

    def weight(value: Any) -> tuple[int, int]:
        return value["heads"], int(value["area"].replace(".", ""))

    (question,) = shown["questions"]
    heads, area = weight(shown["participating"])
    assert weight(question["participating"]) == (heads, area)
    return {
        "ballots": heads,
        "area": area,
        "choices": {mark["choice"]: weight(mark["weight"]) for mark in question["choices"]},
    }
