from datetime import timedelta
from typing import Any

import pytest

from community.errors import NotFound
from community.events.actions import sign_up
from community.members.actions import add_co_owners, end_session, open_session
from community.members.models import Account, CoOwner, RoleGrant
from community.members.rules import SessionKind
from community.permissions import GRANTS, READING, SYSTEM, Permission, Role
from community.places.models import Community
from community.votes.actions import RecordedBallot, cast_ballot, record_ballots
from community.votes.casting import Answered, Channel
from community.votes.models import Vote
from schema.nodes import to_id
from tests.examples import permissions_of

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
        ("spring/resident-1", permissions_of(Role.OWNER)),
        ("spring/tenant", permissions_of(Role.TENANT)),
        ("quiet/resident-1", {*READING, Permission.READ_OWN, Permission.CAST_BALLOT}),
        ("spring/manager", permissions_of(Role.PROPERTY_MANAGER)),
    ],
)
async def test_permissions_are_those_of_a_community(house: Any, who: str, may: set[Permission]) -> None:
    id_ = house.town.id("Community", "spring")
    viewer = (await house.ask(PERMISSIONS, who, id=id_))["viewer"]
    assert set(viewer["permissions"]) == {one for one in may if not GRANTS[one].inherent}


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
    ("who", "scope", "mutation", "subject"),
    [
        ("quiet/manager", Permission.PUBLISH_NOTICE, PUBLISH, ("Community", "quiet")),
        ("quiet/manager", Permission.RECORD_ENTRY, RECORD, ("Community", "quiet")),
        ("quiet/resident-1", Permission.SIGN_UP, SIGN_UP, ("Event", "tea")),
    ],
)
async def test_a_narrowed_token_does_its_one_action_and_is_told_so(
    house: Any, who: str, scope: Permission, mutation: str, subject: tuple[str, str]
) -> None:
    token = await narrowed(house, who, scope)
    assert all((await house.ask(mutation, token, id=house.town.id(*subject))).values())
    for other in {PUBLISH, RECORD, SIGN_UP} - {mutation}:
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


async def test_a_token_for_the_ledger_reaches_it_and_nothing_else(house: Any) -> None:
    token = await narrowed(house, "quiet/resident-1", Permission.READ_LEDGER)
    query = """query($id: ID!) {
      viewer { account communities { slug } permissions(communityId: $id) }
      communities { edges { node { slug } } }
      community(slug: "quiet") {
        name ledger { balance entries { edges { node { item authorityVote { id } } } } }
        votes { edges { node { id } } } events { edges { node { id } } }
        notices { edges { node { id } } } bulletin { edges { cursor } pageInfo { hasNextPage } }
      } }"""
    found = await house.ask(query, token, id=house.town.id("Community", "quiet"))
    assert found["viewer"] == {
        "account": "quiet/resident-1",
        "communities": [{"slug": "quiet"}],
        "permissions": [Permission.READ_LEDGER],
    }
    assert [edge["node"]["slug"] for edge in found["communities"]["edges"]] == ["spring", "quiet"]
    quiet = found["community"]
    assert (quiet["name"], quiet["ledger"]["balance"]) == ("静园", "1.00")
    assert len(quiet["ledger"]["entries"]["edges"]) == 1
    for name in ("votes", "events", "notices", "bulletin"):
        assert quiet[name]["edges"] == []
    assert not quiet["bulletin"]["pageInfo"]["hasNextPage"]
    for type_name, name in (("Vote", "quiet"), ("Event", "tea"), ("Notice", "gate")):
        node = "query($id: ID!) { node(id: $id) { id } }"
        assert await house.ask(node, token, id=house.town.id(type_name, name)) == {"node": None}


MINE = """query($vote: ID!, $event: ID!) {
  vote(id: $vote) { viewerEntries { units ballot { castAt code answers { choices } } } }
  event(id: $event) { viewerSignUp { dish } } }"""


@pytest.mark.parametrize("scope", Permission)
async def test_a_token_sees_its_holders_own_only_with_a_scope_for_it(house: Any, scope: Permission) -> None:
    """In a public community, where the vote and the event are there for everybody."""
    who, town = "spring/resident-1", house.town
    ids = {"vote": town.id("Vote", "open"), "event": town.id("Event", "picnic")}
    answers = [Answered(town.key("Question", "open/0"), ("AGAINST",))]
    await cast_ballot(await house.viewer(who), house.now, town.key("Vote", "open"), answers=answers)
    await sign_up(await house.viewer(who), house.now, town.key("Event", "picnic"), party_size=1, dish="鱼")
    whole = await house.ask(MINE, who, **ids)
    (entry,) = whole["vote"]["viewerEntries"]
    assert entry["ballot"]["answers"] == [{"choices": ["AGAINST"]}]
    assert whole["event"]["viewerSignUp"] == {"dish": "鱼"}

    found = await house.ask(MINE, await narrowed(house, who, scope), **ids)
    votes, events = {Permission.CAST_BALLOT, Permission.READ_OWN}, {Permission.SIGN_UP, Permission.READ_OWN}
    assert found["vote"]["viewerEntries"] == ([entry] if scope in votes else [])
    assert found["event"]["viewerSignUp"] == ({"dish": "鱼"} if scope in events else None)


async def test_a_token_without_any_scope_sees_what_strangers_see(house: Any) -> None:
    token = await narrowed(house, "spring/resident-1")
    ids = {"vote": house.town.id("Vote", "open"), "event": house.town.id("Event", "picnic")}
    assert await house.ask(MINE, token, **ids) == await house.ask(MINE, None, **ids)
    query = "{ viewer { communities { slug } } }"
    assert await house.ask(query, token) == {"viewer": {"communities": []}}


WHO_VOTED = """query($id: ID!) { vote(id: $id) { viewerEntries {
  party mayCast ballot { id voteId castAt code answers { choices text } } } } }"""


async def test_a_co_owner_sees_that_a_ballot_counts_and_not_how_it_was_marked(house: Any) -> None:
    """5 and 6 of spring own their flats together with a guardian; in the survey a ballot may be changed."""
    town = house.town
    survey, question = town.key("Vote", "survey"), town.key("Question", "survey/0")
    party, id_ = town.key("OwnerParty", "spring/resident-5"), town.id("Vote", "survey")

    async def cast(who: str, choice: str) -> None:
        answers = [Answered(question, (choice,), "因为孩子")]
        await cast_ballot(await house.viewer(who), house.now, survey, answers=answers, party=party)

    async def seen(who: str) -> Any:
        entries = (await house.ask(WHO_VOTED, who, id=id_))["vote"]["viewerEntries"]
        return next(
            one["ballot"] for one in entries if one["party"] == town.id("OwnerParty", "spring/resident-5")
        )

    assert await seen("spring/guardian") is None
    for caster, other, choice in [
        ("spring/resident-5", "spring/guardian", "PARK"),
        ("spring/guardian", "spring/resident-5", "POOL"),
        ("spring/resident-5", "spring/guardian", "GYM"),
    ]:
        await cast(caster, choice)
        own, theirs = await seen(caster), await seen(other)
        assert own["answers"] == [{"choices": [choice], "text": "因为孩子"}]
        assert own["code"]
        assert (theirs["code"], theirs["answers"]) == (None, None)
        for name in ("id", "voteId", "castAt"):
            assert theirs[name] == own[name]
    assert await seen_by_neighbour(house, id_) == []


async def seen_by_neighbour(house: Any, id_: str) -> list[Any]:
    entries = (await house.ask(WHO_VOTED, "spring/resident-1", id=id_))["vote"]["viewerEntries"]
    return [one["ballot"] for one in entries if one["ballot"]]


async def test_a_ballot_on_paper_is_shown_to_nobody(house: Any) -> None:
    town, party = house.town, house.town.key("OwnerParty", "spring/resident-2")
    answers = [Answered(town.key("Question", "open/0"), ("FOR",))]
    paper = RecordedBallot(party, house.now, answers, Channel.PAPER, "第 7 号")
    await record_ballots(SYSTEM, house.now, town.key("Vote", "open"), [paper])
    found = await house.ask(WHO_VOTED, "spring/resident-2", id=town.id("Vote", "open"))
    (entry,) = found["vote"]["viewerEntries"]
    assert entry["ballot"]["castAt"]
    assert (entry["ballot"]["code"], entry["ballot"]["answers"]) == (None, None)


# Demonstration accounts


EVERYWHERE = """query($id: ID!, $vote: ID!, $event: ID!, $entry: ID!) {
  communities { edges { node { slug } } } community(slug: "quiet") { slug }
  node(id: $id) { id } vote(id: $vote) { id } event(id: $event) { id } entry: node(id: $entry) { id }
  viewer { communities { slug } } }"""


async def make_real(house: Any, *slugs: str) -> None:
    await Community.filter(slug__in=slugs).update(demonstration=False)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", [SessionKind.COOKIE, SessionKind.TOKEN])
async def test_a_demonstration_session_reads_nothing_of_a_real_community(
    house: Any, role: Role, kind: SessionKind
) -> None:
    """Whatever role it was given there or in the whole city, with a flat and a ballot of its own."""
    await make_real(house, "quiet")
    town, who = house.town, "city/regulator"
    account, quiet = town.key("Account", who), town.key("Community", "quiet")
    for community in (None, quiet):
        await RoleGrant.create(account_id=account, community_id=community, role=role, since=house.now)
    party = town.key("OwnerParty", "quiet/resident-1")
    await add_co_owners(SYSTEM, house.now, party, [account])
    town.tokens[who] = await open_session(SYSTEM, house.now, who, kind, timedelta(hours=1))
    ids = {"id": town.id("Community", "quiet"), "vote": town.id("Vote", "quiet")}
    ids |= {"event": town.id("Event", "tea"), "entry": town.id("Entry", "quiet")}
    found = await house.ask(EVERYWHERE, who, **ids)
    assert found == {
        "communities": {"edges": [{"node": {"slug": "spring"}}]},
        "viewer": {"communities": []},
    } | dict.fromkeys(["community", "node", "vote", "event", "entry"])
    assert await house.refused(PERMISSIONS, who, id=ids["id"]) == "NOT_FOUND"
    for mutation, subject in ((PUBLISH, "id"), (RECORD, "id"), (SIGN_UP, "event"), (CAST, "vote")):
        assert await house.refused(mutation, who, id=ids[subject]) == "NOT_FOUND"
    async with house.watch(
        "subscription($id: ID!) { voteProgress(voteId: $id) { version } }", who, id=ids["vote"]
    ) as next_:
        assert (await next_()).errors[0].extensions["code"] == "NOT_FOUND"


CAST = "mutation($id: ID!) { castBallot(voteId: $id, answers: []) { id } }"


async def test_a_demonstration_session_reads_a_real_public_community_as_a_stranger(house: Any) -> None:
    await make_real(house, "spring")
    town, id_ = house.town, house.town.id("Vote", "open")
    assert (await house.ask(WHO_VOTED, "spring/resident-1", id=id_))["vote"] == {"viewerEntries": []}
    found = await house.ask(PERMISSIONS, "spring/manager", id=town.id("Community", "spring"))
    assert set(found["viewer"]["permissions"]) == {Permission.READ_BULLETIN, Permission.READ_LEDGER}
    assert await house.refused(PUBLISH, "spring/manager", id=town.id("Community", "spring")) == "FORBIDDEN"
    assert await house.refused(CAST, "spring/resident-1", id=id_) == "FORBIDDEN"


async def test_an_account_of_its_own_has_its_rights_in_a_real_community(house: Any) -> None:
    await make_real(house, "quiet")
    await Account.filter(name="quiet/manager").update(demonstration=False)
    assert await house.ask('{ community(slug: "quiet") { slug } }', "quiet/manager") == {
        "community": {"slug": "quiet"}
    }


# What may not be known of


async def test_a_hidden_thing_and_one_that_is_not_there_are_refused_alike(house: Any) -> None:
    """In every mutation, for whoever is signed in; and strangers are asked to sign in before anything."""
    town, who = house.town, "spring/manager"
    unknown = {kind: to_id(kind, 2**40 + 1) for kind in ("Community", "Vote", "Event", "Entry", "SignUp")}
    made = await sign_up(
        await house.viewer("quiet/resident-1"), house.now, town.key("Event", "tea"), party_size=1
    )
    hidden = {
        "Community": town.id("Community", "quiet"),
        "Vote": town.id("Vote", "quiet"),
        "Event": town.id("Event", "tea"),
        "Entry": town.id("Entry", "quiet"),
        "SignUp": to_id("SignUp", made),
    }
    await Vote.filter(id=town.key("Vote", "quiet")).update(closes_at=house.now - timedelta(hours=1))
    reverse = 'mutation($id: ID!) { reverseEntry(entryId: $id, reason: "a") { id } }'
    cancel = "mutation($id: ID!) { cancelSignUp(signUpId: $id) { id } }"
    settle = "mutation($id: ID!) { setPublicReading(communityId: $id, public: true) { id } }"
    event = """mutation($id: ID!) { publishEvent(communityId: $id, event: {title: "a", place: "b",
      startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z"}) { id } }"""
    mutations = [
        (CAST, "Vote"), (SIGN_UP, "Event"), (cancel, "SignUp"), (reverse, "Entry"), (PUBLISH, "Community"),
        (RECORD, "Community"), (settle, "Community"), (event, "Community"),
    ]  # fmt: skip
    for mutation, kind in mutations:
        of_another_type = unknown["Vote" if kind == "Event" else "Event"]
        for id_ in (hidden[kind], unknown[kind], of_another_type):
            said = await house.result(mutation, who, id=id_)
            assert [error.extensions["code"] for error in said.errors] == ["NOT_FOUND"], (mutation, id_)
            assert {error.message for error in said.errors} == {NotFound.en}
            assert await house.refused(mutation, None, id=id_) == "UNAUTHENTICATED"


async def test_hidden_ids_within_what_one_says_are_as_unknown_ones(house: Any) -> None:
    town, who = house.town, "spring/resident-1"
    cast = """mutation($id: ID!, $question: ID!, $party: ID) {
      castBallot(voteId: $id, party: $party, answers: [{questionId: $question, choices: ["FOR"]}]) { id } }"""
    record = """mutation($id: ID!, $vote: ID) { recordEntry(communityId: $id, entry: {
      date: "2026-01-31", direction: INCOME, category: INTEREST, item: "利息", amount: "0.07",
      authorityVoteId: $vote}) { id } }"""
    own = {"id": town.id("Vote", "open"), "question": town.id("Question", "open/0")}
    for name, hidden, refusal in [
        ("question", town.id("Question", "quiet/0"), "UNKNOWN_QUESTION"),
        ("party", town.id("OwnerParty", "quiet/resident-1"), "NOT_ON_ROLL"),
    ]:
        kind = "Question" if name == "question" else "OwnerParty"
        for id_ in (hidden, to_id(kind, 2**40 + 1), to_id("Notice", 5)):
            assert await house.refused(cast, who, **own | {name: id_}) == refusal
    spring = town.id("Community", "spring")
    for vote in (town.id("Vote", "quiet"), to_id("Vote", 2**40 + 1), to_id("Notice", 5)):
        assert await house.refused(record, "spring/manager", id=spring, vote=vote) == "INVALID_INPUT"


async def test_public_reading_is_settled_by_the_committee(house: Any) -> None:
    settle = """mutation($id: ID!, $public: Boolean!) {
      setPublicReading(communityId: $id, public: $public) { slug publicReading } }"""
    spring, look = house.town.id("Community", "spring"), '{ community(slug: "spring") { publicReading } }'
    for public in (False, True):
        done = await house.ask(settle, "spring/committee", id=spring, public=public)
        assert done["setPublicReading"] == {"slug": "spring", "publicReading": public}
        assert (await house.ask(look))["community"] == ({"publicReading": True} if public else None)
        assert (await house.ask(look, "spring/resident-1"))["community"] == {"publicReading": public}
    assert [signal.topic for signal in house.told].count("reading") == 2
    assert await house.refused(settle, "spring/manager", id=spring, public=False) == "FORBIDDEN"


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
