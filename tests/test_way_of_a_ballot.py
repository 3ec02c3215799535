"""The way of a ballot: in by one POST, out on every screen, and the same number wherever it is counted."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engines import rows
from tests.world.server import served

pytestmark = pytest.mark.xdist_group("way_of_a_ballot")

CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!, $party: ID, $key: String) {
  castBallot(voteId: $vote, answers: $answers, party: $party, key: $key) { id voteId castAt } }"""

WEIGHT = "{ heads area }"
PROGRESS = f"""subscription($id: ID!) {{ voteProgress(voteId: $id) {{
  version eligible {WEIGHT} participating {WEIGHT}
  questions {{ questionId eligible {WEIGHT} participating {WEIGHT} agreeing {WEIGHT} outcome
    choices {{ choice weight {WEIGHT} }}
    conditions {{ gate measure need clause have of missing met }} }} }} }}"""

BALLOTS = {1: "FOR", 2: "FOR", 3: "AGAINST", 4: "ABSTAIN", 5: "FOR"}
"""By resident, in the order of casting; residents 5 and 6 live in the second building."""


def answers(server: Any, number: int, choice: str) -> list[dict[str, Any]]:
    """The whole estate answers the first question, the second building both."""
    places = (0, 1) if number in (5, 6) else (0,)
    return [
        {"questionId": server.town.id("Question", f"open/{index}"), "choices": [choice]} for index in places
    ]


def vote_file(folder: Path, residents: list[int]) -> Path:
    """The same roll and the same ballots, as somebody would write them down."""
    names = {number: f"resident-{number}" for number in residents}
    vote = {
        "title": "换水泵",
        "matter": "USE_FUND",
        "units": [
            {"unit": f"{number:03}室", "owners": [name], "area": f"80.0{number}"}
            for number, name in names.items()
        ],
        "ballots": [
            {"by": names[number], "choice": choice} for number, choice in BALLOTS.items() if number in names
        ],
    }
    path = folder / f"{len(residents)}.json"
    path.write_text(json.dumps(vote, ensure_ascii=False), encoding="utf-8")
    return path


def shown(question: dict[str, Any]) -> dict[str, Any]:
    """A question's tally, as a counted file says it."""
    return {name: question[name] for name in ("eligible", "participating", "agreeing", "conditions")} | {
        "choices": {choice["choice"]: choice["weight"] for choice in question["choices"]}
    }


def counted(line: str) -> dict[str, Any]:
    result = json.loads(line)
    choices = {code: weight for code, weight in result["choices"].items() if code != "FOLLOW"}  # not offered
    return {name: result[name] for name in ("eligible", "participating", "agreeing", "conditions")} | {
        "choices": choices
    }


async def written(server: Any) -> list[tuple[int, ...]]:
    """How many rows there are of what a ballot writes, and the journal's head."""
    tables = ("ballot", "ballot_choice", "ballot_text", "counting", "total", "keyed_deed", "journal")
    counts = ", ".join(f"(SELECT COUNT(*) FROM {table})" for table in tables)
    return await rows(server.database_url, f"SELECT {counts}")


@pytest.fixture
def elsewhere(server: Any, tmp_path: Path) -> Iterator[Any]:
    """The process of the second screen: another one where Redis lets there be several."""
    if server.town.engine.redis:
        with served(server.town, server.database_url, tmp_path) as another:
            yield another
    else:
        yield server


REFUSED = [
    ("ALREADY_CAST", "spring/resident-1", "open", [("open/0", ["AGAINST"])]),
    ("ALREADY_CAST", "spring/resident-1", "open", [("open/0", ["FOR"])]),
    ("VOTE_CLOSED", "spring/resident-5", "closed", [("closed/0", ["FOR"])]),
    ("VOTE_NOT_OPEN", "spring/resident-6", "coming", [("coming/0", ["FOR"])]),
    ("NOT_ON_ROLL", "quiet/resident-1", "open", [("open/0", ["FOR"])]),
    ("NOT_ON_ROLL", "spring/tenant", "open", [("open/0", ["FOR"])]),
    ("NOT_ON_ROLL", "spring/committee", "open", [("open/0", ["FOR"])]),
    ("UNKNOWN_CHOICE", "spring/resident-6", "open", [("open/0", ["YES"]), ("open/1", ["FOR"])]),
    ("UNKNOWN_QUESTION", "spring/resident-6", "open", [("closed/0", ["FOR"])]),
    ("TOO_MANY_CHOICES", "spring/resident-6", "open", [("open/0", ["FOR", "AGAINST"]), ("open/1", ["FOR"])]),
    ("TOO_FEW_CHOICES", "spring/resident-6", "open", [("open/0", ["FOR"])]),
    ("UNAUTHENTICATED", None, "open", [("open/0", ["FOR"])]),
]


async def test_ballots_reach_every_screen_and_count_as_in_a_file(
    server: Any, elsewhere: Any, command: Any, tmp_path: Path
) -> None:
    vote = server.town.id("Vote", "open")
    async with server.socket() as stranger, elsewhere.socket("spring/resident-6") as neighbour:
        latest: list[Any] = []
        for socket in (stranger, neighbour):
            await socket.subscribe("a", PROGRESS, id=vote)
            latest.append((await socket.receive())["payload"]["data"]["voteProgress"])
        assert latest[0] == latest[1]
        assert latest[0]["participating"] == {"heads": 0, "area": "0.00"}

        for index, (number, choice) in enumerate(BALLOTS.items(), start=1):
            body = {"vote": vote, "answers": answers(server, number, choice), "key": f"key-{number}"}
            first = server.post(CAST, f"spring/resident-{number}", **body)
            assert first["data"]["castBallot"]["voteId"] == vote
            assert (
                server.post(CAST, f"spring/resident-{number}", **body) == first
            )  # a retry is the same ballot
            for which, socket in enumerate((stranger, neighbour)):
                before = latest[which]["version"]
                latest[which] = (await socket.receive())["payload"]["data"]["voteProgress"]
                assert latest[which]["version"] == before + 1
                assert latest[which]["participating"]["heads"] == index
            assert latest[0] == latest[1]

        whole, second = latest[0]["questions"]
        files = [vote_file(tmp_path, [1, 2, 3, 4, 5, 6]), vote_file(tmp_path, [5, 6])]
        lines = command("count", "--json", *map(str, files)).stdout.splitlines()
        assert [shown(whole), shown(second)] == [counted(line) for line in lines]
        assert latest[0]["participating"] == whole["participating"] == {"heads": 5, "area": "400.15"}
        assert whole["outcome"] == "PENDING"

        before = await written(server)
        for code, who, name, given in REFUSED:
            asked = [
                {"questionId": server.town.id("Question", question), "choices": choices}
                for question, choices in given
            ]
            (error,) = server.post(CAST, who, vote=server.town.id("Vote", name), answers=asked, key="k")[
                "errors"
            ]
            assert error["extensions"]["code"] == code
        assert await written(server) == before

        # The next thing that anybody hears is the next ballot.
        last = {"vote": vote, "answers": answers(server, 6, "FOR")}
        assert "errors" not in server.post(CAST, "spring/resident-6", **last)
        for which, socket in enumerate((stranger, neighbour)):
            message = (await socket.receive())["payload"]["data"]["voteProgress"]
            assert message["version"] == latest[which]["version"] + 1
            assert message["participating"] == message["eligible"] == {"heads": 6, "area": "480.21"}


async def test_a_ballot_counts_from_the_opening_to_the_close_to_the_second(house: Any) -> None:
    """By the one clock of a request, whatever the timers do meanwhile."""
    times = "query($id: ID!) { vote(id: $id) { opensAt closesAt } }"
    survey = house.town.id("Vote", "survey")
    question = {"questionId": house.town.id("Question", "survey/0"), "choices": ["GYM"]}
    ballot = {"vote": survey, "answers": [question]}
    closes = house.town.now + timedelta(days=7)
    found = (await house.ask(times, id=survey))["vote"]
    assert found["closesAt"] == closes.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    house.now = closes - timedelta(microseconds=1)
    await house.ask(CAST, "spring/resident-1", **ballot)
    heard = list(house.told)
    for late in (timedelta(0), timedelta(seconds=1), timedelta(days=1)):
        house.now = closes + late
        assert await house.refused(CAST, "spring/resident-2", **ballot) == "VOTE_CLOSED"

    coming = house.town.id("Vote", "coming")
    opens = house.town.now + timedelta(days=10)
    asked = [{"questionId": house.town.id("Question", "coming/0"), "choices": ["FOR"]}]
    house.now = opens - timedelta(microseconds=1)
    early = {"vote": coming, "answers": asked}
    assert await house.refused(CAST, "spring/resident-1", **early) == "VOTE_NOT_OPEN"
    assert house.told == heard
    house.now = opens  # nobody opened it yet: the ballot does
    await house.ask(CAST, "spring/resident-1", **early)
