"""Who may do what is known before a button is drawn, and says what the action itself would say."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from community.database import due
from community.errors import ErrorCode, InvalidInput
from community.events.actions import publish_event, sign_up
from community.events.rules import EventOver
from community.members.actions import add_co_owners, name_representative, open_accounts, open_session
from community.members.models import OwnerParty, Ownership
from community.members.rules import PartyKind, SessionKind
from community.permissions import SYSTEM, Permission
from community.places.actions import NewUnit, enter_units
from community.places.rules import DeliveryStatus, UnitKind
from community.votes.actions import NewQuestion, announce_vote, close_vote, open_vote
from community.votes.casting import QuestionKind, VoteForm
from community.votes.models import Vote
from community.votes.rules import Matter
from schema.eligibility import Eligibility
from tests.world.town import DAY

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


# Whatever state a vote is in, and whoever asks


async def announced(house: Any, name: str, opens: datetime, *asked: NewQuestion, **terms: Any) -> None:
    town = house.town
    town.keys["Vote", name] = await announce_vote(
        SYSTEM, opens - 20 * DAY, town.key("Community", "spring"), title=name, description="",
        convener=town.key("Organization", "spring/committee"),
        form=VoteForm.CONSULTATION if asked[0].matter is Matter.CONSULTATION else VoteForm.STATUTORY_LOCAL,
        opens_at=opens, closes_at=opens + 10 * DAY, questions=asked, **terms,
    )  # fmt: skip


PUMP = NewQuestion("换水泵", "", QuestionKind.RESOLUTION, Matter.USE_FUND)
WISH = NewQuestion("想要什么", "", QuestionKind.SURVEY, Matter.CONSULTATION, [("A", "好"), ("B", "坏")])


async def votes_in_every_state(house: Any) -> list[str]:
    """Opened in time, opened late by nobody yet, over, counted, annulled, before: and asked of whom."""
    now, tower = house.now, house.town.key("Building", "spring/2幢")
    lift = replace(PUMP, building=tower)
    asked: dict[str, tuple[tuple[NewQuestion, ...], dict[str, Any]]] = {
        "all": ((PUMP,), {}),
        "lift": ((lift,), {}),
        "both": ((PUMP, lift), {}),
        "tower": ((PUMP,), {"building": tower}),
        "cars": ((PUMP,), {"parking_counts": True}),
        "wish": ((WISH,), {"revisable": True}),
    }
    for name, (questions, terms) in asked.items():
        for late in ("", "late "):
            await announced(house, late + name, now - 2 * DAY, *questions, **terms)
        await open_vote(SYSTEM, now - 2 * DAY, house.town.key("Vote", name))
    for name, opens in (("coming", now + DAY), ("over", now - 11 * DAY), ("never opened", now - 11 * DAY)):
        await announced(house, f"{name} all", opens, PUMP)
    for name in ("counted", "annulled"):
        await announced(house, f"{name} all", now - 12 * DAY, PUMP)
        await close_vote(SYSTEM, now - DAY, house.town.key("Vote", f"{name} all"))
    await open_vote(SYSTEM, now - 11 * DAY, house.town.key("Vote", "over all"))
    await Vote.filter(id=house.town.key("Vote", "annulled all")).update(annulled_at=now)
    return [name for kind, name in house.town.keys if kind == "Vote" and (" " in name or name in asked)]


async def people_of_every_kind(house: Any) -> list[str | None]:
    """Besides those of the town: who sold and who bought, before and after the opening; the developer, whose
    own are unsold; who owns a parking space only; whom the co-owners named, and whom they did not.
    """
    now, spring = house.now, house.town.key("Community", "spring")
    first, tower = (house.town.key("Building", f"spring/{name}") for name in ("1幢", "2幢"))

    async def account(name: str) -> int:
        (made,) = await open_accounts(SYSTEM, now - 400 * DAY, [name], demonstration=True)
        house.town.tokens[name] = await open_session(
            SYSTEM, now, name, kind=SessionKind.TOKEN, lifetime=30 * DAY
        )
        return made

    async def party(*names: str, kind: PartyKind = PartyKind.OWNERS) -> tuple[int, list[int]]:
        made = int((await OwnerParty.create(community_id=spring, kind=kind)).id)
        accounts = [await account(name) for name in names]
        return made, await add_co_owners(SYSTEM, now - 400 * DAY, made, accounts)

    async def unit(name: str, building: int = first, **terms: Any) -> int:
        usual = {"kind": UnitKind.DWELLING, "area": 9_000, "status": DeliveryStatus.DELIVERED} | terms
        (made,) = await enter_units(SYSTEM, now - 400 * DAY, spring, [NewUnit(building, name, **usual)])
        return made

    async def holds(owner: int, unit: int, since: int = -400, until: int | None = None) -> None:
        end = None if until is None else now + until * DAY
        await Ownership.create(unit_id=unit, party_id=owner, since=now + since * DAY, until=end)

    for when in (-5, -1):
        (seller, _), (buyer, _) = await party(f"spring/sold{when}"), await party(f"spring/bought{when}")
        sold = await unit(f"卖{when}")
        await holds(seller, sold, until=when)
        await holds(buyer, sold, since=when)
    developer = await OwnerParty.filter(community_id=spring, kind=PartyKind.DEVELOPER).first()
    assert developer
    seat = await account("spring/developer")
    await add_co_owners(SYSTEM, now - 400 * DAY, developer.id, [seat])
    await party(
        "spring/another-developer", kind=PartyKind.DEVELOPER
    )  # the first of them holds what is unsold
    await unit("未售", tower, status=DeliveryStatus.UNSOLD)
    waiting, _ = await party("spring/waiting")
    await holds(waiting, await unit("未交", status=DeliveryStatus.UNDELIVERED))
    driver, _ = await party("spring/driver")
    await holds(driver, await unit("车1", kind=UnitKind.PARKING))
    pair, seats = await party("spring/silent", "spring/named")
    await holds(pair, await unit("共1"))
    await name_representative(SYSTEM, now - 300 * DAY, pair, seats[1])
    return [None, *(name for name in house.town.tokens if name not in SAME_AS_ANOTHER)]


SAME_AS_ANOTHER = {f"{slug}/{name}" for slug in ("spring", "quiet") for name in ("manager", "committee")} | {
    "spring/resident-2", "spring/resident-3", "spring/resident-4", "spring/resident-6", "quiet/resident-2",
}  # fmt: skip


async def own_view(house: Any, who: str | None, vote: str) -> Any:
    return (await house.ask(OWN, who, id=house.town.id("Vote", vote)))["vote"]


async def outcomes_of_casting(house: Any, who: str | None, vote: str, shown: Any) -> set[str | None]:
    """What `castBallot` says to everything that one may try: None where a ballot is taken."""
    id_, questions, said = house.town.id("Vote", vote), shown["questions"], set()
    tries = [questions, *([one] for one in questions)] if len(questions) > 1 else [questions]
    for party in [entry["party"] for entry in shown["viewerEntries"]] or [None]:
        for asked in tries:
            answers = [{"questionId": one["id"], "choices": [one["choices"][0]["code"]]} for one in asked]
            result = await house.result(CAST_FOR, who, id=id_, answers=answers, party=party)
            said.add(result.errors[0].extensions["code"] if result.errors else None)
            if None in said:
                return {None}
    return said


OWN = """query($id: ID!) { vote(id: $id) { viewerMayCast { code }
  questions { id choices { code } } viewerEntries { party units weight { heads area } } } }"""
CAST_FOR = """mutation($id: ID!, $answers: [AnswerInput!]!, $party: ID) {
  castBallot(voteId: $id, answers: $answers, party: $party) { id } }"""


async def test_whoever_is_told_that_casting_is_allowed_may_cast_and_nobody_else(house: Any) -> None:
    """Also while the timer of the opening is late: what is told then is what the roll says later."""
    people, votes = await people_of_every_kind(house), await votes_in_every_state(house)

    before = {(who, vote): await own_view(house, who, vote) for who in people for vote in votes}
    for vote in votes:
        for who in people:
            shown, at_first = await own_view(house, who, vote), before[who, vote]
            told = shown["viewerMayCast"]["code"]
            assert shown["viewerEntries"] == at_first["viewerEntries"], (who, vote)
            assert told in {at_first["viewerMayCast"]["code"], "ALREADY_CAST"}, (who, vote)
            tried = await outcomes_of_casting(house, who, vote, shown)
            assert told in tried, (who, vote, told, tried)
            assert (told is None) == (None in tried), (who, vote)
            in_time = before[who, vote.removeprefix("late ")]
            for name in ("viewerMayCast", "viewerEntries"):
                assert at_first[name] == in_time[name], (who, vote)
    late = [shown["viewerMayCast"]["code"] for (_, vote), shown in before.items() if vote.startswith("late")]
    assert set(late) == {None, "UNAUTHENTICATED", "NOT_ON_ROLL", "NOT_REPRESENTATIVE"}


async def test_while_nobody_knows_what_time_it_is_a_late_vote_is_not_opened(house: Any) -> None:
    await announced(house, "late", house.now - DAY, PUMP)
    stop = due.pause_while(lambda: True)
    try:
        for vote, code in (("late", "TRY_AGAIN"), ("open", None)):
            shown = await own_view(house, "spring/resident-1", vote)
            assert shown["viewerMayCast"]["code"] == code
            assert await outcomes_of_casting(house, "spring/resident-1", vote, shown) == {code}
    finally:
        stop()
    assert (await may_cast(house, "spring/resident-1", "late"))["code"] is None


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


# Of every action, whoever asks and with whatever token

NARROWED = ("SIGN_UP", "READ_OWN", "CAST_BALLOT", "READ_LEDGER", "PUBLISH_NOTICE", "RECORD_ENTRY")


async def everybody(house: Any) -> list[str | None]:
    """Those of the town, and some of them with tokens narrowed to one permission."""
    people: list[str | None] = [None, *(name for name in house.town.tokens if name not in SAME_AS_ANOTHER)]
    for who in ("spring/committee", "quiet/committee"):
        for scope in NARROWED:
            secret = await open_session(
                SYSTEM, house.now, who, kind=SessionKind.TOKEN, lifetime=DAY, scopes={Permission(scope)}
            )
            house.town.tokens[f"{who} {scope}"] = secret
            people.append(f"{who} {scope}")
    return [*people, "spring/committee", "spring/manager", "quiet/committee"]


STATES: dict[str, dict[str, Any]] = {
    "open": {},
    "unlimited": {"capacity": None},
    "full": {"capacity": 3},
    "one left": {"capacity": 4},
    "alone": {"max_party_size": 1, "capacity": None},
    "closed": {"sign_up_closes_at": DAY},
    "this moment": {"sign_up_closes_at": 2 * DAY},
    "begun": {"starts_at": 1.5 * DAY},
    "over": {"starts_at": DAY, "ends_at": 1.5 * DAY},
}


async def feasts(house: Any) -> list[str]:
    """One in each state, and some in the hidden community, two days after their publishing."""
    made: list[str] = []
    for slug, guest, states in (("spring", "resident-6", STATES), ("quiet", "resident-2", ("open", "full"))):
        for name in states:
            changed = STATES[name]
            terms: dict[str, Any] = {
                "starts_at": 3 * DAY, "ends_at": 4 * DAY, "sign_up_closes_at": None, "capacity": 9,
                "max_party_size": 4,
            } | changed  # fmt: skip
            times = {
                key: house.now - 2 * DAY + value if isinstance(value, timedelta) else value
                for key, value in terms.items()
            }
            event = await publish_event(
                await house.viewer(f"{slug}/committee"),
                house.now - 2 * DAY,
                house.town.key("Community", slug),
                title=name, description="", place="园", potluck=False, **times,
            )  # fmt: skip
            size = min(3, terms["max_party_size"])
            await sign_up(
                await house.viewer(f"{slug}/{guest}"), house.now - 1.9 * DAY, event, party_size=size
            )
            house.town.keys["Event", f"{slug} {name}"] = event
            made.append(f"{slug} {name}")
    return made


async def test_whoever_is_told_that_signing_up_is_allowed_may_and_nobody_else(house: Any) -> None:
    people, allowed = await everybody(house), 0
    for name in await feasts(house):
        id_ = house.town.id("Event", name)
        for who in people:
            seen = (await house.ask(MAY_SIGN_UP, who, id=id_))["event"]
            result = await house.result(SIGN_UP, who, id=id_, size=1)
            tried = result.errors[0].extensions["code"] if result.errors else None
            if seen is None:
                assert tried in {"NOT_FOUND", "UNAUTHENTICATED"}, (name, who)
                continue
            assert seen["viewerMaySignUp"]["code"] == tried, (name, who)
            assert seen["viewerMaySignUp"]["allowed"] == (tried is None), (name, who)
            allowed += tried is None
            if tried is None:  # and makes room for the next
                made = result.data["signUp"]["id"]
                assert (await may_sign_up(house, who, name))["code"] == "ALREADY_SIGNED_UP"
                await house.ask("mutation($id: ID!) { cancelSignUp(signUpId: $id) { id } }", who, id=made)
    assert allowed > len(STATES)


MUTATIONS = {  # each is refused by a rule behind the door, or changes nothing
    "CAST_BALLOT": 'castBallot(voteId: "{vote}", answers: []) {{ id }}',
    "SIGN_UP": 'signUp(eventId: "{event}", partySize: 99) {{ id }}',
    "PUBLISH_EVENT": 'publishEvent(communityId: "{community}", event: {{title: "", place: "b",'
    ' startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z"}}) {{ id }}',
    "PUBLISH_NOTICE": 'publishNotice(communityId: "{community}", notice: {{title: "", body: "b"}}) {{ id }}',
    "RECORD_ENTRY": 'recordEntry(communityId: "{community}", entry: {{date: "2020-01-01", direction: INCOME,'
    ' category: INTEREST, item: "", amount: "1.00"}}) {{ id }}',
    "SETTLE_PROFILE": 'setPublicReading(communityId: "{community}", public: {public}) {{ id }}',
}


async def test_what_the_viewer_may_do_is_what_passes_the_door(house: Any) -> None:
    people, town = await everybody(house), house.town
    for slug, vote, event in (("spring", "open", "picnic"), ("quiet", "quiet", "tea")):
        ids = {
            "vote": town.id("Vote", vote),
            "event": town.id("Event", event),
            "public": str(slug == "spring").lower(),
        }
        for who in people:
            known = (await house.ask(PERMISSIONS, who, slug=slug))["community"]
            told = set(known["viewerPermissions"]) if known else set()
            for permission, mutation in MUTATIONS.items():
                text = mutation.format(community=town.id("Community", slug), **ids)
                errors = (await house.result(f"mutation {{ {text} }}", who)).errors or []
                codes = {error.extensions["code"] for error in errors}
                passes = not codes & {"NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"}
                assert passes == (permission in told), (slug, who, permission, codes)
