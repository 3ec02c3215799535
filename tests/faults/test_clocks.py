"""A server whose time of day is set while it runs: what it does with votes, seen from outside."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world.server import PATIENCE, served

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.timeout(120)]

SERVE = """
import sys, time
from pathlib import Path
from api import clock
off = Path(sys.argv.pop(1))
clock.clock.time_of_day = lambda: time.time() + float(off.read_text())
clock.AGREEMENT, clock.EVERY = {agreement}, 0.1
from api.cli import main
main()
"""
MONTH = 30 * 24 * 3600

STATUS = "query($vote: ID!) { vote(id: $vote) { status tally { questions { outcome } } } }"
OPEN = '{ community(slug: "spring") { votes(status: [OPEN]) { edges { node { id } } } } }'
CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { castAt } }"""


class Wrong:
    """A server of its own whose machine's clock is off by what stands in a file."""

    def __init__(self, server: Any, off: Path) -> None:
        self.server, self._off = server, off
        self.vote = server.town.id("Vote", "open")
        self.key = server.town.key("Vote", "open")

    def set(self, seconds: float) -> None:
        new = self._off.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.rename(self._off)

    def status(self) -> tuple[str, str]:
        vote = self.server.post(STATUS, vote=self.vote)["data"]["vote"]
        return vote["status"], vote["tally"]["questions"][0]["outcome"]

    def listed_open(self) -> bool:
        edges = self.server.post(OPEN)["data"]["community"]["votes"]["edges"]
        return self.vote in {edge["node"]["id"] for edge in edges}

    def cast(self, number: int) -> str:
        """The code of the refusal, or nothing."""
        answer = {"questionId": self.server.town.id("Question", "open/0"), "choices": ["FOR"]}
        who = f"spring/resident-{number}"
        said = self.server.post(CAST, who, vote=self.vote, answers=[answer])
        return "".join(error["extensions"]["code"] for error in said.get("errors", []))

    def clock(self) -> tuple[str, str]:
        ready = self.server.client.get("/health/ready").json()
        return ready["status"], ready["checks"]["clock"]

    def until(self, happens: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not happens():
            assert time.monotonic() < end, self.server.log()
            time.sleep(0.05)


@pytest.fixture
def behind() -> float:
    """What the machine's clock is off by when the server starts."""
    return 0.0


@pytest.fixture
def wrong(town: Any, town_url: str, tmp_path: Path, agreement: float, behind: float) -> Iterator[Wrong]:
    off = tmp_path / "off"
    off.write_text(str(behind), encoding="utf-8")
    program = [sys.executable, "-c", SERVE.format(agreement=agreement), str(off), "serve"]
    with served(town, town_url, tmp_path, program) as server:
        yield Wrong(server, off)


@pytest.mark.parametrize("agreement", [60.0])
def test_a_clock_that_jumps_ahead_and_back_closes_no_vote(wrong: Wrong) -> None:
    wrong.set(MONTH)
    if not wrong.server.town.engine.postgres:  # there the database's clock is ours
        wrong.until(lambda: wrong.clock() == ("degraded", "unsettled"))
    time.sleep(1.5)  # for whoever would close it: three looks of the timers
    assert (wrong.status(), wrong.listed_open()) == (("OPEN", "PENDING"), True)
    assert wrong.cast(1) == ""
    wrong.set(0)
    time.sleep(1)
    assert (wrong.status(), wrong.listed_open()) == (("OPEN", "PENDING"), True)
    assert wrong.cast(2) == ""
    told = wrong.server.log().count("openings and closings rest")
    assert told == (0 if wrong.server.town.engine.postgres else 1)


@pytest.mark.parametrize("agreement", [1.0])
def test_a_clock_that_stays_is_believed_and_what_it_counted_stays_counted(wrong: Wrong) -> None:
    wrong.set(MONTH)
    if wrong.server.town.engine.postgres:
        time.sleep(2.5)
        assert (wrong.clock(), wrong.status()) == (("ok", "ok"), ("OPEN", "PENDING"))
        return
    wrong.until(lambda: wrong.status() == ("CLOSED", "NO_QUORUM"))
    assert wrong.clock() == ("ok", "ok")
    assert wrong.server.log().count("openings and closings go on") == 1
    wrong.set(0)
    wrong.until(lambda: wrong.server.log().count("openings and closings go on") == 2)
    assert (wrong.status(), wrong.listed_open()) == (("CLOSED", "NO_QUORUM"), False)
    assert wrong.cast(1) == "VOTE_CLOSED"


@pytest.mark.parametrize(("agreement", "behind"), [(3.0, -MONTH)])
def test_a_machine_that_starts_behind_the_journal_rests_before_it_is_believed(wrong: Wrong) -> None:
    """As one whose clock begins anew at every start."""
    told = wrong.server.log()
    for line in ("rest", "go on"):
        assert told.count(f"openings and closings {line}") == (not wrong.server.town.engine.postgres)
    wrong.set(0)
    wrong.until(lambda: wrong.clock() == ("ok", "ok") and wrong.status() == ("OPEN", "PENDING"))
    assert wrong.cast(1) == ""
