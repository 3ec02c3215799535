from datetime import timedelta
from typing import Any

import pytest

from community.members.actions import end_session, open_session
from community.members.models import CoOwner, RoleGrant
from community.members.rules import SessionKind
from community.permissions import SYSTEM, Permission

VIEWER = "{ viewer { account communities { slug } } }"
PERMISSIONS = "query($id: ID!) { viewer { permissions(communityId: $id) } }"


async def test_whoever_has_not_signed_in_is_null(house: Any) -> None:
    assert await house.ask(VIEWER) == {"viewer": None}


@pytest.mark.parametrize(
    ("who", "own"), [("spring/resident-1", ["spring"]), ("quiet/manager", ["quiet"]), ("city/regulator", [])]
)
async def test_the_viewer_has_a_handle_and_own_communities(house: Any, who: str, own: list[str]) -> None:
    viewer = (await house.ask(VIEWER, who))["viewer"]
    assert viewer == {"account": who, "communities": [{"slug": slug} for slug in own]}


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("spring/resident-1", {"READ_BULLETIN", "READ_LEDGER", "READ_OWN", "CAST_BALLOT", "SIGN_UP"}),
        ("spring/tenant", {"READ_BULLETIN", "READ_LEDGER", "READ_OWN", "CAST_BALLOT", "SIGN_UP"}),
        ("quiet/resident-1", {"READ_BULLETIN", "READ_LEDGER", "READ_OWN", "CAST_BALLOT"}),
        (
            "spring/manager",
            {
                "READ_BULLETIN",
                "READ_LEDGER",
                "READ_OWN",
                "CAST_BALLOT",
                "SIGN_UP",
                "PUBLISH_EVENT",
                "PUBLISH_NOTICE",
                "RECORD_ENTRY",
            },
        ),
    ],
)
async def test_permissions_are_those_of_a_community(house: Any, who: str, may: set[str]) -> None:
    id_ = house.town.id("Community", "spring")
    viewer = (await house.ask(PERMISSIONS, who, id=id_))["viewer"]
    assert {str(permission) for permission in viewer["permissions"]} == may


async def test_permissions_in_a_hidden_community_are_not_found(house: Any) -> None:
    hidden = house.town.id("Community", "quiet")
    assert await house.refused(PERMISSIONS, "spring/resident-1", id=hidden) == "NOT_FOUND"
    assert await house.refused(PERMISSIONS, "spring/resident-1", id="x") == "INVALID_ID"


async def narrowed(house: Any, who: str, *scopes: Permission) -> str:
    """The name by which the town knows a new token of `who` for `scopes` only."""
    name = f"{who}, narrowed"
    house.town.tokens[name] = await open_session(
        SYSTEM, house.now, who, kind=SessionKind.TOKEN, lifetime=timedelta(hours=1), scopes=scopes
    )
    return name


PUBLISH = """mutation($id: ID!) { publishNotice(communityId: $id, notice: {title: "停水", body: "明天"}) {
  title community { slug } organization { name } } }"""
SIGN_UP = "mutation($id: ID!) { signUp(eventId: $id) { partySize event { title } } }"
RECORD = """mutation($id: ID!) { recordEntry(communityId: $id, entry: {date: "2026-01-31", direction: INCOME,
  category: INTEREST, item: "利息", amount: "0.07"}) { amount } }"""


@pytest.mark.parametrize(
    ("who", "scope", "deed", "subject"),
    [
        ("quiet/manager", Permission.PUBLISH_NOTICE, PUBLISH, ("Community", "quiet")),
        ("quiet/manager", Permission.RECORD_ENTRY, RECORD, ("Community", "quiet")),
        ("quiet/resident-1", Permission.SIGN_UP, SIGN_UP, ("Event", "tea")),
    ],
)
async def test_a_narrowed_token_does_its_one_deed_and_is_told_so(
    house: Any, who: str, scope: Permission, deed: str, subject: tuple[str, str]
) -> None:
    token = await narrowed(house, who, scope)
    assert all((await house.ask(deed, token, id=house.town.id(*subject))).values())
    for other in {PUBLISH, RECORD, SIGN_UP} - {deed}:
        other_subject = ("Event", "tea") if other is SIGN_UP else ("Community", "quiet")
        unknown = (
            other is SIGN_UP and scope is Permission.RECORD_ENTRY
        )  # whoever keeps the book sees no events
        refusal = "NOT_FOUND" if unknown else "FORBIDDEN"
        assert await house.refused(other, token, id=house.town.id(*other_subject)) == refusal


async def test_a_narrowed_token_reads_no_more_than_it_was_given(house: Any) -> None:
    token = await narrowed(house, "quiet/resident-1", Permission.READ_BULLETIN)
    query = '{ community(slug: "quiet") { ledger { balance } } }'
    assert await house.ask(query, token) == {"community": {"ledger": None}}
    assert (await house.ask(query, "quiet/resident-1"))["community"]["ledger"] == {"balance": "1.00"}


async def test_an_ended_session_is_nobody(house: Any) -> None:
    assert (await house.ask(VIEWER, "quiet/resident-1"))["viewer"]
    await end_session(SYSTEM, house.now, house.town.tokens["quiet/resident-1"])
    assert await house.ask(VIEWER, "quiet/resident-1") == {"viewer": None}


async def test_a_role_that_has_ended_gives_nothing(house: Any) -> None:
    await RoleGrant.filter(account_id=house.town.key("Account", "quiet/manager")).update(until=house.now)
    assert await house.ask('{ community(slug: "quiet") { id } }', "quiet/manager") == {"community": None}


async def test_who_moved_away_keeps_the_sign_up_but_not_the_sight_of_the_event(house: Any) -> None:
    who = "quiet/resident-1"
    query = "mutation($id: ID!) { signUp(eventId: $id) { id } }"
    made = (await house.ask(query, who, id=house.town.id("Event", "tea")))["signUp"]["id"]
    await CoOwner.filter(account_id=house.town.key("Account", who)).update(until=house.now)
    node = "query($id: ID!) { node(id: $id) { ... on SignUp { partySize event { title } } } }"
    assert await house.refused(node, who, id=made) == "NOT_FOUND"
