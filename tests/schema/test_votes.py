from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from community.members.actions import add_co_owners
from community.members.models import CoOwner
from community.permissions import SYSTEM
from community.signals import Signal
from community.votes.models import Ballot, BallotChoice, Counting
from schema.nodes import to_id

CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!, $party: ID, $key: String) {
  castBallot(voteId: $vote, answers: $answers, party: $party, key: $key) {
    id voteId castAt code answers { questionId choices text } } }"""

TALLY = """eligible { heads area } participating { heads area } version voteId lastBallotAt
  turnoutByDay { day heads }
  questions { questionId moment eligible { heads area } participating { heads area } agreeing { heads area }
    choices { choice weight { heads area } } leader outcome
    conditions { gate measure need clause have of missing met } }"""

ENTRIES = """query($id: ID!) { vote(id: $id) { viewerEntries {
  party units mayCast weight { heads area } ballot { id answers { choices text } } } } }"""


def answer(house: Any, question: str, *choices: str, **more: str) -> dict[str, Any]:
    return {"questionId": house.town.id("Question", question), "choices": list(choices)} | more


async def cast(house: Any, who: str, *answers: dict[str, Any], vote: str = "open", **more: Any) -> Any:
    variables = {"vote": house.town.id("Vote", vote), "answers": list(answers)} | more
    return (await house.ask(CAST, who, **variables))["castBallot"]


async def tally_of(house: Any, vote: str) -> Any:
    query = f"query($id: ID!) {{ vote(id: $id) {{ tally {{ {TALLY} }} }} }}"
    return (await house.ask(query, id=house.town.id("Vote", vote)))["vote"]["tally"]


async def test_a_vote_says_what_it_asks(house: Any) -> None:
    query = """query($id: ID!) { vote(id: $id) {
      title description form status revisable opensAt closesAt announcedAt community { slug }
      convener { kind } scope { name } rules { parkingCounts followMajority silence }
      questions { id title kind matter choices { code label } minChoices maxChoices acceptsText
        scope { name } }
    } }"""
    vote = (await house.ask(query, id=house.town.id("Vote", "open")))["vote"]
    pump, lift = vote.pop("questions")
    assert all(vote.pop(at).endswith("Z") for at in ("opensAt", "closesAt", "announcedAt"))
    assert vote == {
        "title": "表决 open",
        "description": "说明",
        "form": "STATUTORY_LOCAL",
        "status": "OPEN",
        "revisable": False,
        "community": {"slug": "spring"},
        "convener": {"kind": "OWNERS_COMMITTEE"},
        "scope": None,
        "rules": {"parkingCounts": False, "followMajority": None, "silence": "ABSENT"},
    }
    assert pump == {
        "id": house.town.id("Question", "open/0"),
        "title": "换水泵",
        "kind": "RESOLUTION",
        "matter": "USE_FUND",
        "choices": [
            {"code": "FOR", "label": "赞同"},
            {"code": "AGAINST", "label": "反对"},
            {"code": "ABSTAIN", "label": "弃权"},
        ],
        "minChoices": 1,
        "maxChoices": 1,
        "acceptsText": False,
        "scope": None,
    }
    assert lift["scope"] == {"name": "2幢"}


async def test_a_ballot_gives_a_receipt_and_moves_the_tally(house: Any) -> None:
    before = await tally_of(house, "open")
    receipt = await cast(house, "spring/resident-1", answer(house, "open/0", "FOR"))
    assert receipt["voteId"] == house.town.id("Vote", "open")
    assert receipt["castAt"].endswith("Z")
    assert receipt["answers"] == [
        {"questionId": house.town.id("Question", "open/0"), "choices": ["FOR"], "text": None}
    ]

    after = await tally_of(house, "open")
    assert after["version"] > before["version"]
    assert after["eligible"] == {"heads": 6, "area": "480.21"}
    assert after["participating"] == {"heads": 1, "area": "80.01"}
    assert after["lastBallotAt"] == receipt["castAt"]
    today = house.now.astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert after["turnoutByDay"] == [{"day": today, "heads": 1}]
    pump, lift = after["questions"]
    assert pump["eligible"] == after["eligible"]
    assert pump["agreeing"] == pump["participating"] == after["participating"]
    assert pump["choices"][0] == {"choice": "FOR", "weight": {"heads": 1, "area": "80.01"}}
    assert pump["outcome"] == "PENDING"
    seen = ("gate", "measure", "have", "of", "missing", "met")
    assert [tuple(condition[name] for name in seen) for condition in pump["conditions"]] == [
        ("PARTICIPATION", "AREA", "80.01", "480.21", "240.13", False),
        ("PARTICIPATION", "HEADS", "1.00", "6.00", "3.00", False),
        ("AGREEMENT", "AREA", "80.01", "80.01", "0.00", True),
        ("AGREEMENT", "HEADS", "1.00", "1.00", "0.00", True),
    ]
    assert lift["eligible"] == {"heads": 2, "area": "160.11"}  # its own denominator
    assert lift["participating"] == {"heads": 0, "area": "0.00"}


async def test_the_outcome_of_a_closed_vote_stands(house: Any) -> None:
    (pump,) = (await tally_of(house, "closed"))["questions"]
    assert pump["participating"] == {"heads": 4, "area": "320.10"}
    area, heads, *_ = pump["conditions"]
    assert (heads["met"], heads["missing"]) == (True, "0.00")  # exactly two thirds
    assert (area["met"], area["missing"]) == (False, "0.04")
    assert pump["outcome"] == "NO_QUORUM"


async def test_the_same_key_gives_the_first_receipt_and_a_second_ballot_is_refused(house: Any) -> None:
    first = await cast(house, "spring/resident-1", answer(house, "open/0", "FOR"), key="k")
    house.told.clear()
    assert await cast(house, "spring/resident-1", answer(house, "open/0", "FOR"), key="k") == first
    variables = {"vote": house.town.id("Vote", "open"), "answers": [answer(house, "open/0", "AGAINST")]}
    assert await house.refused(CAST, "spring/resident-1", **variables, key="k") == "KEY_REUSED"
    assert await house.refused(CAST, "spring/resident-1", **variables) == "ALREADY_CAST"
    assert house.told == []
    assert (await tally_of(house, "open"))["participating"]["heads"] == 1


REFUSED = [
    ("UNAUTHENTICATED", None, "open", [("open/0", "FOR")]),
    ("NOT_ON_ROLL", "spring/tenant", "open", [("open/0", "FOR")]),
    ("NOT_ON_ROLL", "spring/committee", "open", [("open/0", "FOR")]),
    ("NOT_ON_ROLL", "quiet/resident-1", "open", [("open/0", "FOR")]),
    ("NOT_ON_ROLL", "spring/resident-1", "open", [("open/0", "FOR"), ("open/1", "FOR")]),
    ("VOTE_CLOSED", "spring/resident-5", "closed", [("closed/0", "FOR")]),
    ("VOTE_NOT_OPEN", "spring/resident-1", "coming", [("coming/0", "FOR")]),
    ("UNKNOWN_QUESTION", "spring/resident-1", "open", [("open/0", "FOR"), ("closed/0", "FOR")]),
    ("UNKNOWN_CHOICE", "spring/resident-1", "open", [("open/0", "MAYBE")]),
    ("UNKNOWN_CHOICE", "spring/resident-1", "open", [("open/0", "FOLLOW")]),
    ("TOO_MANY_CHOICES", "spring/resident-1", "open", [("open/0", "FOR", "AGAINST")]),
    ("TOO_MANY_CHOICES", "spring/resident-1", "survey", [("survey/0", "PARK", "POOL", "GYM")]),
    ("TOO_FEW_CHOICES", "spring/resident-1", "open", []),
    ("TOO_FEW_CHOICES", "spring/resident-5", "open", [("open/0", "FOR")]),
    ("INVALID_INPUT", "spring/resident-1", "open", [("open/0", "FOR"), ("open/0", "FOR")]),
    ("INVALID_INPUT", "spring/resident-1", "survey", [("survey/0", "PARK", "PARK")]),
    ("PARTY_REQUIRED", "spring/guardian", "open", [("open/0", "FOR"), ("open/1", "FOR")]),
]


@pytest.mark.parametrize(("code", "who", "vote", "answers"), REFUSED)
async def test_a_refused_ballot_leaves_no_row_and_no_signal(
    house: Any, code: str, who: str | None, vote: str, answers: list[tuple[str, ...]]
) -> None:
    async def rows() -> list[int]:
        return [await table.all().count() for table in (Ballot, BallotChoice, Counting)]

    before = await rows()
    given = [answer(house, question, *choices) for question, *choices in answers]
    assert await house.refused(CAST, who, vote=house.town.id("Vote", vote), answers=given) == code
    assert await rows() == before
    assert house.told == []


NO_TEXT = ["\x00", "\ud800", "a\u2028b", "长" * 1001]


@pytest.mark.parametrize("text", NO_TEXT)
async def test_a_text_that_cannot_be_kept_is_refused(house: Any, text: str) -> None:
    variables = {"vote": house.town.id("Vote", "survey")}
    given = [answer(house, "survey/0", "GYM", text=text)]
    assert await house.refused(CAST, "spring/resident-1", answers=given, **variables) == "INVALID_INPUT"


@pytest.mark.parametrize("key", ["", " ", "\x00", "\ud800", "k" * 65])
async def test_a_key_that_cannot_be_kept_is_refused(house: Any, key: str) -> None:
    variables = {"vote": house.town.id("Vote", "open"), "answers": [answer(house, "open/0", "FOR")]}
    assert await house.refused(CAST, "spring/resident-1", key=key, **variables) == "INVALID_INPUT"
    assert house.told == []


async def test_wrong_ids_are_refused_in_a_mutation_too(house: Any) -> None:
    good = [answer(house, "open/0", "FOR")]
    who, vote = "spring/resident-1", house.town.id("Vote", "open")
    assert await house.refused(CAST, who, vote="42", answers=good) == "INVALID_ID"
    assert await house.refused(CAST, who, vote=to_id("Vote", 42), answers=good) == "NOT_FOUND"
    assert await house.refused(CAST, who, vote=to_id("Event", 42), answers=good) == "NOT_FOUND"
    wrong = [{"questionId": "42", "choices": ["FOR"]}]
    assert await house.refused(CAST, who, vote=vote, answers=wrong) == "INVALID_ID"
    neighbour = house.town.id("OwnerParty", "spring/resident-2")
    assert await house.refused(CAST, who, vote=vote, answers=good, party=neighbour) == "NOT_ON_ROLL"


async def test_who_acts_for_several_parties_says_for_which(house: Any) -> None:
    answers = [answer(house, "open/0", "FOR"), answer(house, "open/1", "AGAINST")]
    for number in (5, 6):
        party = house.town.id("OwnerParty", f"spring/resident-{number}")
        await cast(house, "spring/guardian", *answers, party=party)
    lift = (await tally_of(house, "open"))["questions"][1]
    assert lift["participating"] == lift["eligible"] == {"heads": 2, "area": "160.11"}


async def test_a_survey_may_be_answered_anew_and_decides_nothing(house: Any) -> None:
    who = "spring/resident-1"
    await cast(house, who, answer(house, "survey/0", "PARK", "POOL"), vote="survey")
    await cast(house, who, answer(house, "survey/0", "GYM", text="早上也开"), vote="survey")
    tally = await tally_of(house, "survey")
    assert tally["participating"] == {"heads": 1, "area": "80.01"}
    (wish,) = tally["questions"]
    assert {c["choice"]: c["weight"]["heads"] for c in wish["choices"]} == {"PARK": 0, "POOL": 0, "GYM": 1}
    assert (wish["agreeing"], wish["leader"], wish["outcome"], wish["conditions"]) == (None, None, None, [])
    (entry,) = (await house.ask(ENTRIES, who, id=house.town.id("Vote", "survey")))["vote"]["viewerEntries"]
    assert entry["ballot"]["answers"] == [{"choices": ["GYM"], "text": "早上也开"}]


async def test_only_the_own_party_sees_its_ballot(house: Any) -> None:
    vote = house.town.id("Vote", "open")
    receipt = await cast(house, "spring/resident-1", answer(house, "open/0", "FOR"))
    (own,) = (await house.ask(ENTRIES, "spring/resident-1", id=vote))["vote"]["viewerEntries"]
    assert own == {
        "party": house.town.id("OwnerParty", "spring/resident-1"),
        "units": ["001室"],
        "mayCast": True,
        "weight": {"heads": 1, "area": "80.01"},
        "ballot": {"id": receipt["id"], "answers": [{"choices": ["FOR"], "text": None}]},
    }
    (other,) = (await house.ask(ENTRIES, "spring/resident-2", id=vote))["vote"]["viewerEntries"]
    assert other["ballot"] is None
    for who in (None, "spring/tenant", "spring/committee", "city/regulator", "quiet/resident-1"):
        assert (await house.ask(ENTRIES, who, id=vote))["vote"]["viewerEntries"] == []
        node = "query($id: ID!) { node(id: $id) { id } }"
        assert await house.ask(node, who, id=receipt["id"]) == {"node": None}


async def test_an_unopened_vote_has_a_denominator_and_no_entries(house: Any) -> None:
    tally = await tally_of(house, "coming")
    assert tally["eligible"] == {"heads": 6, "area": "480.21"}
    assert tally["participating"] == {"heads": 0, "area": "0.00"}
    vote = house.town.id("Vote", "coming")
    assert (await house.ask(ENTRIES, "spring/resident-1", id=vote))["vote"]["viewerEntries"] == []


PROGRESS = f"subscription($id: ID!) {{ voteProgress(voteId: $id) {{ {TALLY} }} }}"


async def test_a_watcher_sees_the_snapshot_and_then_what_a_query_sees(house: Any) -> None:
    async with house.watch(PROGRESS, id=house.town.id("Vote", "open")) as following:
        first = (await following()).data["voteProgress"]
        assert first == await tally_of(house, "open")
        await cast(house, "spring/resident-1", answer(house, "open/0", "FOR"))
        assert Signal("tally", house.town.key("Vote", "open")) in house.told
        second = (await following()).data["voteProgress"]
        assert second == await tally_of(house, "open")
        assert second["version"] > first["version"]
    assert house.sources.watchers == 0


@pytest.mark.parametrize(
    ("code", "type_name", "name", "who"),
    [
        ("NOT_FOUND", "Vote", "quiet", None),
        ("NOT_FOUND", "Vote", "quiet", "spring/resident-1"),
        ("NOT_FOUND", "Event", "picnic", None),
    ],
)
async def test_what_is_hidden_is_not_watched(
    house: Any, code: str, type_name: str, name: str, who: str | None
) -> None:
    async with house.watch(PROGRESS, who, id=house.town.id(type_name, name)) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == code
    async with house.watch(PROGRESS, who, id="42") as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == "INVALID_ID"
    assert house.sources.watchers == 0


async def test_a_watcher_who_loses_the_right_is_told_and_ended(house: Any) -> None:
    who = "quiet/resident-1"
    context = await house.context(who)
    query = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"
    async with house.watch(query, context=context, id=house.town.id("Vote", "quiet")) as following:
        assert (await following()).data
        await CoOwner.filter(account_id=house.town.key("Account", who)).update(until=house.now)
        context.viewer = await house.viewer(who)
        await cast(house, "quiet/resident-2", answer(house, "quiet/0", "FOR"), vote="quiet")
        (error,) = (await following()).errors
        assert error.extensions["code"] == "NOT_FOUND"
        with pytest.raises(StopAsyncIteration):
            await following()
    assert house.sources.watchers == 0


RECEIPT = """query($id: ID!, $code: String) { vote(id: $id) {
  receipt(code: $code) { castAt code replacedAt replacedCodes answers { choices } }
  viewerEntries { ballot { code castAt replacedAt replacedCodes } } } }"""


async def receipt(house: Any, who: str | None, code: str | None = None, vote: str = "survey") -> Any:
    return (await house.ask(RECEIPT, who, id=house.town.id("Vote", vote), code=code))["vote"]


async def changed(house: Any, who: str, *choices: str) -> Any:
    """One ballot after the other, each a minute later."""
    made = []
    for choice in choices:
        house.now += timedelta(minutes=1)
        made.append(await cast(house, who, answer(house, "survey/0", choice), vote="survey"))
    return made


async def test_the_slip_of_a_changed_ballot_is_void_and_says_so(house: Any) -> None:
    who = "spring/resident-1"
    first, second, third = await changed(house, who, "PARK", "POOL", "GYM")
    now = (await receipt(house, who))["viewerEntries"][0]["ballot"]
    assert now == {
        "code": third["code"],
        "castAt": third["castAt"],
        "replacedAt": None,
        "replacedCodes": [second["code"], first["code"]],
    }
    for old, new, before in ((first, second, []), (second, third, [first["code"]])):
        for typed in (old["code"], old["code"].lower().replace("-", " "), f" {old['code'].replace('-', '')}"):
            found = (await receipt(house, who, typed))["receipt"]
            assert (found["code"], found["castAt"]) == (old["code"], old["castAt"])
            assert (found["replacedAt"], found["replacedCodes"]) == (new["castAt"], before)
            assert found["answers"] == [{"choices": old["answers"][0]["choices"]}]
    assert (await receipt(house, who, third["code"]))["receipt"]["replacedAt"] is None
    assert (await receipt(house, who))["receipt"]["code"] == third["code"]


async def test_a_receipt_answers_only_whoever_cast_it(house: Any) -> None:
    ((mine,),) = [await changed(house, "spring/resident-1", "PARK")]
    for code in (mine["code"][:-1], "", "7F3K-92QD-M4", "x" * 1000):
        assert (await receipt(house, "spring/resident-1", code))["receipt"] is None
    assert (await receipt(house, "spring/resident-1", mine["code"], vote="open"))["receipt"] is None
    for who in (None, "spring/resident-2", "spring/committee", "city/regulator"):
        assert (await receipt(house, who, mine["code"]))["receipt"] is None


async def test_what_a_co_owner_changed_makes_ones_own_slip_void(house: Any) -> None:
    """Each hears of its own slips only."""
    party = house.town.key("OwnerParty", "spring/resident-1")
    other = house.town.key("Account", "spring/tenant")
    await add_co_owners(SYSTEM, house.now - timedelta(days=1), party, [other])
    (mine,) = await changed(house, "spring/resident-1", "PARK")
    (theirs,) = await changed(house, "spring/tenant", "GYM")
    seen = await receipt(house, "spring/resident-1", mine["code"])
    assert seen["receipt"]["replacedAt"] == theirs["castAt"]
    assert seen["viewerEntries"][0]["ballot"] == {
        "code": None,
        "castAt": theirs["castAt"],
        "replacedAt": None,
        "replacedCodes": [mine["code"]],
    }
    own = await receipt(house, "spring/tenant", mine["code"])
    assert own["receipt"] is None
    assert own["viewerEntries"][0]["ballot"]["replacedCodes"] == []


async def test_only_the_newest_void_codes_are_told(house: Any) -> None:
    made = await changed(house, "spring/resident-1", *["PARK", "POOL"] * 6)
    codes = [each["code"] for each in reversed(made)]
    assert (await receipt(house, "spring/resident-1"))["receipt"]["replacedCodes"] == codes[1:11]
