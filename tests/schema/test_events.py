from datetime import timedelta
from typing import Any

import pytest

from community.events.models import Event
from community.members.actions import add_co_owners
from community.permissions import SYSTEM
from schema.nodes import to_id
from schema.scalars import instant_text

SIGN_UP = """mutation($event: ID!, $size: Int! = 1, $dish: String, $key: String) {
  signUp(eventId: $event, partySize: $size, dish: $dish, key: $key) {
    id partySize dish signedUpAt cancelledAt event { attendance { signedUp placesLeft } } } }"""
CANCEL = """mutation($id: ID!) { cancelSignUp(signUpId: $id) { id cancelledAt } }"""
ATTENDANCE = """subscription($id: ID!) { eventAttendance(eventId: $id) {
  eventId version capacity signedUp placesLeft tables } }"""
OWN = "query($id: ID!) { event(id: $id) { viewerSignUp { id partySize } dishes } }"


def picnic(house: Any) -> str:
    return str(house.town.id("Event", "picnic"))


async def sign_up(house: Any, who: str, **more: Any) -> Any:
    return (await house.ask(SIGN_UP, who, event=picnic(house), **more))["signUp"]


async def test_an_event_says_what_awaits(house: Any) -> None:
    query = """query($id: ID!) { event(id: $id) { title description place startsAt endsAt signUpClosesAt
      maxPartySize potluck community { slug } organizers { name } dishes
      attendance { eventId version capacity signedUp placesLeft } } }"""
    starts = house.now + timedelta(days=2)
    assert (await house.ask(query, id=picnic(house)))["event"] == {
        "title": "活动 picnic",
        "description": "每家一道菜",
        "place": "中心花园",
        "startsAt": instant_text(starts),
        "endsAt": instant_text(starts + timedelta(hours=3)),
        "signUpClosesAt": instant_text(starts),
        "maxPartySize": 4,
        "potluck": True,
        "community": {"slug": "spring"},
        "organizers": [{"name": "committee"}],
        "dishes": [],
        "attendance": {"eventId": picnic(house), "version": 0, "capacity": 8, "signedUp": 0, "placesLeft": 8},
    }


async def test_signing_up_takes_places_and_cancelling_gives_them_back(house: Any) -> None:
    made = await sign_up(house, "spring/resident-1", size=3, dish="红烧肉")
    assert (made["partySize"], made["dish"], made["cancelledAt"]) == (3, "红烧肉", None)
    assert made["event"]["attendance"] == {"signedUp": 3, "placesLeft": 5}
    own = (await house.ask(OWN, "spring/resident-1", id=picnic(house)))["event"]
    assert own == {"viewerSignUp": {"id": made["id"], "partySize": 3}, "dishes": ["红烧肉"]}

    back = (await house.ask(CANCEL, "spring/resident-1", id=made["id"]))["cancelSignUp"]
    assert back == {"id": made["id"], "cancelledAt": instant_text(house.now)}
    own = (await house.ask(OWN, "spring/resident-1", id=picnic(house)))["event"]
    assert own == {"viewerSignUp": None, "dishes": []}


TABLES = """query($id: ID!, $number: Int! = 1) { event(id: $id) {
  attendance { tables } viewerSignUp { tables }
  table(number: $number) { number seats parties { seats dish building own } } } }"""


async def test_neighbours_see_who_brings_what_to_a_table_and_nobodys_name(house: Any) -> None:
    await sign_up(house, "spring/resident-1", size=3, dish="红烧肉")
    await sign_up(house, "spring/tenant", size=2)
    await sign_up(house, "spring/committee", dish="汤圆")
    found = (await house.ask(TABLES, "spring/resident-1", id=picnic(house)))["event"]
    assert found == {
        "attendance": {"tables": [6]},
        "viewerSignUp": {"tables": [1]},
        "table": {
            "number": 1,
            "seats": 8,  # there are no more places than these
            "parties": [
                {"seats": 3, "dish": "红烧肉", "building": "1幢", "own": True},
                {"seats": 2, "dish": None, "building": "1幢", "own": False},
                {"seats": 1, "dish": "汤圆", "building": None, "own": False},
            ],
        },
    }
    for number in (0, -1, 2, 2**31 - 1):
        other = await house.ask(TABLES, "spring/resident-1", id=picnic(house), number=number)
        assert other["event"]["table"] is None


async def test_strangers_see_how_full_the_tables_are_and_not_who_sits_there(house: Any) -> None:
    await sign_up(house, "spring/resident-1", size=3, dish="红烧肉")
    for stranger in (None, "quiet/resident-1", "city/regulator"):
        found = (await house.ask(TABLES, stranger, id=picnic(house)))["event"]
        assert found == {"attendance": {"tables": [3]}, "viewerSignUp": None, "table": None}


async def test_whoever_takes_a_sign_up_back_sits_nowhere(house: Any) -> None:
    made = await sign_up(house, "spring/resident-1", size=3)
    await sign_up(house, "spring/resident-2", size=2)
    query = "mutation($id: ID!) { cancelSignUp(signUpId: $id) { tables event { attendance { tables } } } }"
    back = (await house.ask(query, "spring/resident-1", id=made["id"]))["cancelSignUp"]
    assert back == {"tables": [], "event": {"attendance": {"tables": [2]}}}


async def test_an_event_that_is_not_laid_in_tables_has_none(house: Any) -> None:
    key = house.town.key("Event", "picnic")
    for other in ({"potluck": False}, {"potluck": True, "capacity": None}, {"capacity": 1_001}):
        await Event.filter(id=key).update(**other)
        found = (await house.ask(TABLES, "spring/resident-1", id=picnic(house)))["event"]
        assert (found["attendance"]["tables"], found["table"]) == ([], None)
    await Event.filter(id=key).update(capacity=1_000)
    assert (await house.ask(TABLES, "spring/resident-1", id=picnic(house)))["event"]["table"]["parties"] == []


async def test_the_same_key_gives_the_first_sign_up(house: Any) -> None:
    first = await sign_up(house, "spring/resident-1", key="k")
    assert await sign_up(house, "spring/resident-1", key="k") == first


async def test_a_sign_up_is_seen_by_whoever_made_it_and_nobody_else(house: Any) -> None:
    made = await sign_up(house, "spring/resident-1", dish="红烧肉")
    node = "query($id: ID!) { node(id: $id) { ... on SignUp { partySize } } }"
    assert await house.ask(node, "spring/resident-1", id=made["id"]) == {"node": {"partySize": 1}}
    for other in (None, "spring/resident-2", "spring/committee", "city/regulator"):
        assert await house.ask(node, other, id=made["id"]) == {"node": None}
        assert (await house.ask(OWN, other, id=picnic(house)))["event"]["viewerSignUp"] is None
    assert await house.refused(CANCEL, "spring/resident-2", id=made["id"]) == "NOT_FOUND"
    assert (await house.ask(OWN, "spring/resident-1", id=picnic(house)))["event"]["viewerSignUp"]


@pytest.mark.parametrize(
    ("code", "who", "event", "more"),
    [
        ("UNAUTHENTICATED", None, "picnic", {}),
        ("FORBIDDEN", "quiet/resident-1", "picnic", {}),
        ("NOT_FOUND", "spring/resident-1", "tea", {}),
        ("EVENT_OVER", "spring/resident-1", "past", {}),
        ("INVALID_INPUT", "spring/resident-1", "picnic", {"size": 0}),
        ("INVALID_INPUT", "spring/resident-1", "picnic", {"size": 5}),
    ],
)
async def test_a_refused_sign_up_leaves_no_signal(
    house: Any, code: str, who: str | None, event: str, more: dict[str, Any]
) -> None:
    assert await house.refused(SIGN_UP, who, event=house.town.id("Event", event), **more) == code
    assert house.told == []


async def test_nobody_comes_twice_and_no_more_than_there_are_places(house: Any) -> None:
    await sign_up(house, "spring/resident-1", size=4)
    again = {"event": picnic(house)}
    assert await house.refused(SIGN_UP, "spring/resident-1", **again) == "ALREADY_SIGNED_UP"
    await sign_up(house, "spring/resident-2", size=4)
    assert await house.refused(SIGN_UP, "spring/resident-3", **again) == "EVENT_FULL"


async def test_wrong_ids_are_refused(house: Any) -> None:
    assert await house.refused(SIGN_UP, "spring/resident-1", event="x") == "INVALID_ID"
    assert await house.refused(SIGN_UP, "spring/resident-1", event=to_id("Vote", 1)) == "NOT_FOUND"
    assert await house.refused(CANCEL, "spring/resident-1", id=to_id("SignUp", 1)) == "NOT_FOUND"


PUBLISH = """mutation($community: ID!, $event: EventInput!) {
  publishEvent(communityId: $community, event: $event) {
    title attendance { placesLeft } organizers { name } } }"""


async def test_a_committee_invites_and_a_resident_may_not(house: Any) -> None:
    invitation = {
        "title": "百家宴",
        "place": "广场",
        "startsAt": instant_text(house.now + timedelta(days=3)),
        "endsAt": instant_text(house.now + timedelta(days=3, hours=2)),
    }
    variables = {"community": house.town.id("Community", "spring"), "event": invitation}
    assert (await house.ask(PUBLISH, "spring/committee", **variables))["publishEvent"] == {
        "title": "百家宴",
        "attendance": {"placesLeft": None},
        "organizers": [{"name": "committee"}],
    }
    assert await house.refused(PUBLISH, "spring/resident-1", **variables) == "FORBIDDEN"
    assert await house.refused(PUBLISH, "quiet/committee", **variables) == "FORBIDDEN"
    late = {**variables, "event": invitation | {"startsAt": "2020-01-01T00:00:00Z"}}
    assert await house.refused(PUBLISH, "spring/committee", **late) == "INVALID_INPUT"


async def test_a_watcher_sees_the_snapshot_and_then_each_newer_state(house: Any) -> None:
    async with house.watch(ATTENDANCE, id=picnic(house)) as following:
        first = (await following()).data["eventAttendance"]
        assert first == {
            "eventId": picnic(house), "version": 0, "capacity": 8, "signedUp": 0, "placesLeft": 8,
            "tables": [0],
        }  # fmt: skip
        await sign_up(house, "spring/resident-1", size=2)
        second = (await following()).data["eventAttendance"]
        assert (second["signedUp"], second["placesLeft"]) == (2, 6)
        assert second["version"] > first["version"]
        assert second["tables"] == [2]
    assert house.sources.watchers == 0


@pytest.mark.parametrize(("event", "code"), [("tea", "NOT_FOUND"), (None, "INVALID_ID")])
async def test_what_is_hidden_is_not_watched(house: Any, event: str | None, code: str) -> None:
    id_ = house.town.id("Event", event) if event else "x"
    async with house.watch(ATTENDANCE, "spring/resident-1", id=id_) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == code


async def test_the_sign_up_of_a_household_is_shown_to_each_of_it_and_to_nobody_else(house: Any) -> None:
    partner = "spring/manager"  # who moves in with resident-1
    party, account = house.town.key("OwnerParty", "spring/resident-1"), house.town.key("Account", partner)
    await add_co_owners(SYSTEM, house.now - timedelta(days=9), party, [account])
    query = "query($id: ID!) { event(id: $id) { viewerSignUp { partySize madeByViewer } } }"
    made = await sign_up(house, "spring/resident-1", size=4)
    assert await house.refused(SIGN_UP, partner, event=picnic(house)) == "ALREADY_SIGNED_UP"

    async def shown(who: str) -> Any:
        return (await house.ask(query, who, id=picnic(house)))["event"]["viewerSignUp"]

    assert await shown("spring/resident-1") == {"partySize": 4, "madeByViewer": True}
    assert await shown(partner) == {"partySize": 4, "madeByViewer": False}
    assert await shown("spring/resident-2") is None
    table = "query($id: ID!) { event(id: $id) { table(number: 1) { parties { own } } } }"
    for who, own in (("spring/resident-1", True), (partner, True), ("spring/resident-2", False)):
        parties = (await house.ask(table, who, id=picnic(house)))["event"]["table"]["parties"]
        assert [each["own"] for each in parties] == [own], who
    assert await house.refused(CANCEL, "spring/resident-2", id=made["id"]) == "NOT_FOUND"
    assert (await house.ask(CANCEL, partner, id=made["id"]))["cancelSignUp"]["cancelledAt"]
    assert await shown("spring/resident-1") is None
