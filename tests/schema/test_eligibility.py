"""Who may do what is known before a button is drawn, and says what the deed itself would say."""

from typing import Any

import pytest

from community.errors import ErrorCode, InvalidInput
from community.events.rules import EventOver
from schema.eligibility import Eligibility

MAY_CAST = """query($id: ID!) { vote(id: $id) { viewerMayCast { allowed code zh en } } }"""
CAST = (
    """mutation($id: ID!, $answers: [AnswerInput!]!) { castBallot(voteId: $id, answers: $answers) { id } }"""
)
MAY_SIGN_UP = """query($id: ID!) { event(id: $id) { viewerMaySignUp { allowed code zh en } } }"""
SIGN_UP = """mutation($id: ID!, $size: Int!) { signUp(eventId: $id, partySize: $size) { id } }"""
PERMISSIONS = """query($slug: String!) { community(slug: $slug) { viewerPermissions } }"""
ALLOWED = {"allowed": True, "code": None, "zh": None, "en": None}

PEOPLE = (
    None,
    "spring/resident-1",
    "spring/tenant",
    "spring/committee",
    "spring/manager",
    "quiet/resident-1",
    "city/regulator",
)


async def may_cast(house: Any, who: str | None, vote: str) -> Any:
    return (await house.ask(MAY_CAST, who, id=house.town.id("Vote", vote)))["vote"]["viewerMayCast"]


async def may_sign_up(house: Any, who: str | None, event: str = "picnic") -> Any:
    return (await house.ask(MAY_SIGN_UP, who, id=house.town.id("Event", event)))["event"]["viewerMaySignUp"]


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("vote", ["open", "survey", "coming", "closed"])
async def test_of_casting_is_told_what_casting_tells(house: Any, who: str | None, vote: str) -> None:
    told = await may_cast(house, who, vote)
    tried = await house.refused(CAST, who, id=house.town.id("Vote", vote), answers=[])
    if told == ALLOWED:
        assert tried == "TOO_FEW_CHOICES"  # nothing was answered; the door and the roll let it pass
        assert who == "spring/resident-1"
        assert vote in ("open", "survey")
    else:
        assert (told["allowed"], told["code"]) == (False, tried)
        assert told["zh"]
        assert told["en"]


async def test_who_has_cast_may_cast_anew_only_where_a_ballot_may_be_changed(house: Any) -> None:
    who = "spring/resident-1"
    for vote, choice, after in (("open", "FOR", "ALREADY_CAST"), ("survey", "PARK", None)):
        answers = [{"questionId": house.town.id("Question", f"{vote}/0"), "choices": [choice]}]
        await house.ask(CAST, who, id=house.town.id("Vote", vote), answers=answers)
        assert (await may_cast(house, who, vote))["code"] == after


@pytest.mark.parametrize("who", PEOPLE)
async def test_of_signing_up_is_told_what_signing_up_tells(house: Any, who: str | None) -> None:
    told = await may_sign_up(house, who)
    if told == ALLOWED:
        assert (await house.ask(SIGN_UP, who, id=house.town.id("Event", "picnic"), size=1))["signUp"]["id"]
        assert (await may_sign_up(house, who))["code"] == "ALREADY_SIGNED_UP"
    else:
        assert told["code"] == await house.refused(SIGN_UP, who, id=house.town.id("Event", "picnic"), size=1)
    assert (told["code"] is None) == (who is not None and who.startswith("spring/"))


async def test_a_full_event_says_so_to_whoever_might_have_come(house: Any) -> None:
    for number in (1, 2):
        await house.ask(SIGN_UP, f"spring/resident-{number}", id=house.town.id("Event", "picnic"), size=4)
    assert (await may_sign_up(house, "spring/tenant"))["code"] == "EVENT_FULL"
    assert (await may_sign_up(house, "spring/resident-1"))["code"] == "ALREADY_SIGNED_UP"
    assert (await may_sign_up(house, "quiet/resident-1"))["code"] == "FORBIDDEN"


async def test_what_one_may_do_in_a_community_is_known_without_its_id(house: Any) -> None:
    async def permissions(who: str | None) -> set[str]:
        return set((await house.ask(PERMISSIONS, who, slug="spring"))["community"]["viewerPermissions"])

    assert await permissions(None) == {"READ_BULLETIN", "READ_LEDGER"}
    assert "SIGN_UP" in await permissions("spring/tenant")
    assert not {"SIGN_UP", "PUBLISH_NOTICE"} & await permissions("quiet/resident-1")
    assert {"PUBLISH_NOTICE", "PUBLISH_EVENT", "RECORD_ENTRY"} <= await permissions("spring/manager")
    assert "RECORD_ENTRY" not in await permissions("spring/tenant")


def test_the_first_that_refuses_is_told_and_a_fault_is_not_swallowed() -> None:
    def over() -> None:
        raise EventOver

    def wrong() -> None:
        raise InvalidInput(problem_zh="错", problem_en="wrong")

    def broken() -> None:
        raise ZeroDivisionError

    assert Eligibility.after(lambda: None).allowed
    assert Eligibility.after(lambda: None, over, wrong).code is ErrorCode.EVENT_OVER
    assert Eligibility.after(wrong, over).zh == "填写有误：错"
    with pytest.raises(ZeroDivisionError):
        Eligibility.after(broken)
