from dataclasses import replace
from typing import Any

import pytest

from community.database import journal
from community.database.cursors import journal_cursors
from community.ledger.actions import record_entry
from community.ledger.rules import Category, Direction
from community.permissions import SYSTEM, Permission
from community.places.actions import enter_buildings
from community.places.facts import COMMUNITY
from schema.context import Context


async def test_a_community_says_what_it_is(house: Any) -> None:
    query = """{ community(slug: "spring") {
      id slug name address households residents ownerCards publicReading
      buildings { name units } organizations { kind name } } }"""
    assert (await house.ask(query))["community"] == {
        "id": house.town.id("Community", "spring"),
        "slug": "spring",
        "name": "春风里",
        "address": "杭州市萧山区",
        "households": 6,
        "residents": None,
        "ownerCards": None,
        "publicReading": True,
        "buildings": [{"name": "1幢", "units": 4}, {"name": "2幢", "units": 2}],
        "organizations": [
            {"kind": "OWNERS_COMMITTEE", "name": "committee"},
            {"kind": "PROPERTY_SERVICE", "name": "manager"},
        ],
    }


async def nothing(*_: Any) -> dict[int, Any]:
    return {}


@pytest.mark.parametrize(
    ("kind", "name", "field"),
    [
        ("vote", "open", "community { slug }"),
        ("vote", "open", "viewerMayCast { allowed }"),
        ("event", "picnic", "community { slug }"),
        ("event", "picnic", "viewerMaySignUp { allowed }"),
        ("node", "water", "... on Notice { community { slug } }"),
    ],
)
async def test_what_is_closed_to_the_viewer_between_two_reads_is_not_found(
    house: Any, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, field: str
) -> None:
    """The thing was seen a moment ago; its community no longer is."""
    monkeypatch.setitem(vars(COMMUNITY), "rows", nothing)
    id_ = house.town.id({"node": "Notice"}.get(kind, kind.title()), name)
    assert await house.refused(f'{{ {kind}(id: "{id_}") {{ __typename {field} }} }}') == "NOT_FOUND"


# The board

BOARD = """subscription($id: ID!, $after: String) { board(communityId: $id, after: $after) {
  cursor change { at fact subjectId subject { __typename id } } } }"""
SIGN_UP = "mutation($id: ID!) { signUp(eventId: $id) { id } }"
CAST = "mutation($id: ID!, $answers: [AnswerInput!]!) { castBallot(voteId: $id, answers: $answers) { code } }"
REVERSE = 'mutation($id: ID!) { reverseEntry(entryId: $id, reason: "记错了") { id } }'
OLDEST = '{ community(slug: "spring") { bulletin(first: 100) { edges { cursor } } } }'


async def test_all_that_happens_is_shown_in_order_with_what_it_happened_to(house: Any) -> None:
    town, spring = house.town, house.town.id("Community", "spring")
    event, vote = town.id("Event", "picnic"), town.id("Vote", "open")
    ballot = [{"questionId": town.id("Question", "open/0"), "choices": ["FOR"]}]
    async with house.watch(BOARD, id=spring, after=await head_of(house)) as following:
        await house.ask(SIGN_UP, "spring/resident-1", id=event)
        await house.ask(CAST, "spring/resident-1", id=vote, answers=ballot)
        await enter_buildings(SYSTEM, house.now, town.key("Community", "spring"), ["9幢"])
        await house.ask(REVERSE, "spring/manager", id=town.id("Entry", "audit"))
        seen = [(await following()).data["board"]["change"] for _ in range(3)]
    assert [(each["fact"], each["subject"]["__typename"], each["subjectId"]) for each in seen] == [
        ("SIGNED_UP", "Event", event),
        ("BALLOT_CAST", "Vote", vote),
        ("ENTRIES_RECORDED", "Community", spring),
    ]
    assert all(each["subject"]["id"] == each["subjectId"] for each in seen)


async def test_the_cursor_of_the_bulletin_is_one_of_the_board(house: Any) -> None:
    *_, second, first = (await house.ask(OLDEST))["community"]["bulletin"]["edges"]
    async with house.watch(
        BOARD, id=house.town.id("Community", "spring"), after=first["cursor"]
    ) as following:
        while (await following()).data["board"]["cursor"] != second["cursor"]:
            pass


async def head_of(house: Any) -> str:
    community = house.town.key("Community", "spring")
    return (await journal_cursors(community)).cursor(await journal.head(community))


@pytest.mark.parametrize(
    ("scopes", "facts"),
    [
        (None, ["ENTRIES_RECORDED", "LEDGER_PUBLISHED"]),
        ({"READ_BULLETIN"}, [None, "LEDGER_PUBLISHED"]),
        ({"READ_BULLETIN", "READ_LEDGER"}, ["ENTRIES_RECORDED", "LEDGER_PUBLISHED"]),
        ({"READ_BULLETIN", "RECORD_ENTRY"}, ["ENTRIES_RECORDED", "LEDGER_PUBLISHED"]),
        ({"READ_LEDGER"}, None),
    ],
)
async def test_what_is_of_the_ledger_is_for_those_who_may_read_it_and_cursors_go_on(
    house: Any, scopes: set[str] | None, facts: list[str | None] | None
) -> None:
    """In quiet, where nothing is public."""
    quiet = house.town.key("Community", "quiet")
    start = (await journal_cursors(quiet)).cursor(await journal.head(quiet))
    await record_entry(
        SYSTEM, house.now, quiet, date=house.now.date(), item="利息", amount=1,
        direction=Direction.INCOME, category=Category.INTEREST,
    )  # fmt: skip
    person = await house.viewer("quiet/resident-1")
    narrowed = None if scopes is None else frozenset(map(Permission, scopes))
    context = Context(lambda: house.now, house.sources, replace(person, scopes=narrowed))
    id_ = house.town.id("Community", "quiet")
    async with house.watch(BOARD, context=context, id=id_, after=start) as following:
        if facts is None:
            (error,) = (await following()).errors
            assert error.extensions["code"] == "NOT_FOUND"
            return
        seen = [(await following()).data["board"] for _ in facts]
    assert [each["change"] and each["change"]["fact"] for each in seen] == facts
    cursors = await journal_cursors(quiet)
    (before, *numbers) = [cursors.number_of(each) for each in (start, *(each["cursor"] for each in seen))]
    assert numbers == [before + 1, before + 2]
