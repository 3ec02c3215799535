"""Events: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.database.steps import take_step
from community.events.actions import correct_event, publish_event, sign_up
from community.events.models import Event, EventStepRecord, EventVersion, SignUp
from community.events.rules import EVENT_LIFE, EventStep
from community.permissions import SYSTEM, Permission, Role
from schema.nodes import to_id
from tests.community.database.breaking import Other, Own, delete, insert, update
from tests.examples import Examples, Ground, ListExample, MutationExample, Plenty, Read, Variables
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, CURSORS, EVENTS, aliases, pages
from tests.world.estates import NOW
from tests.world.polls import Poll

DAY = timedelta(days=1)

ORGANIZERS = {
    Role.COMMITTEE,
    Role.MANAGEMENT_COMMITTEE,
    Role.PROPERTY_MANAGER,
    Role.GRID_WORKER,
    Role.PARTY_BRANCH,
}


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    said = {"title": "美邻节", "description": "", "place": "花园"}
    event = await Event.create(
        community_id=estate.community, starts_at=now, ends_at=now + 7 * DAY, sign_up_closes_at=now,
        capacity=5, max_party_size=4, published_at=now, **said,
    )  # fmt: skip
    signed = {"at": now, "organization_id": estate.committee}
    await take_step(EventStepRecord, EVENT_LIFE, event.id, EventStep.PUBLISHED, **signed)
    await EventVersion.create(subject_id=event.id, number=1, **said)
    await take_step(EventStepRecord, EVENT_LIFE, event.id, EventStep.CORRECTED, **signed)
    await Event.filter(id=event.id).update(place="北广场")
    await SignUp.create(
        event_id=event.id, account_id=estate.owner.account, party_size=2, signed_up_at=now
    )  # fmt: skip


SOMEBODY_ELSE = {"account_id": Other("account"), "household_id": None}
ALTERED = {"cancelled_at": Own("signed_up_at")}

VIOLATIONS = [
    ("event_step_numbered", insert("event_step", number=9)),
    ("event_step_numbered", insert("event_step", number=1)),
    ("event_without_steps", insert("event", steps=1)),
    ("event_without_steps", insert("event", last_step="PUBLISHED")),
    ("event_follows_steps", update("event", steps=7)),
    ("event_follows_steps", update("event", last_step="DRAFTED")),
    ("event_version_as_said", insert("event_version", number=3)),
    ("event_version_as_said", insert("event_version", number=2)),
    ("event_keeps_words", update("event", title="邻里节")),
    ("event_keeps_words", update("event", description="来")),
    ("event_keeps_words", update("event", place="南门")),
    ("event_times", insert("event", ends_at=Own("starts_at"))),
    ("event_times", update("event", starts_at=Own("ends_at"))),
    ("event_capacity", insert("event", signed_up=6)),
    ("event_capacity", insert("event", signed_up=-1)),
    ("event_capacity", update("event", capacity=1)),
    ("event_capacity", insert("sign_up", **SOMEBODY_ELSE, party_size=4)),
    ("sign_up_party_positive", insert("sign_up", **SOMEBODY_ELSE, party_size=0)),
    ("sign_up_party_positive", insert("sign_up", **SOMEBODY_ELSE, party_size=-1)),
    ("sign_up_only_cancelled", update("sign_up", party_size=1)),
    ("sign_up_only_cancelled", update("sign_up", party_size=1, **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", event_id=Other("event"), **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", account_id=Other("account"), **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", household_id=Other("household"), **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", rented=Other("rented"), **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", doubled=True, **ALTERED)),
    ("sign_up_only_cancelled", update("sign_up", dish="鱼")),
    ("sign_up_stays", delete("sign_up")),
]


# Texts


async def event(poll: Poll, **text: str) -> int:
    terms = {"title": "美邻节", "description": "", "place": "花园"} | text
    return await publish_event(
        poll.estate.chair, NOW, poll.estate.community, starts_at=NOW + timedelta(days=1),
        ends_at=NOW + timedelta(days=2), sign_up_closes_at=None, capacity=None, max_party_size=6,
        potluck=True, **terms,
    )  # fmt: skip


async def corrected(poll: Poll, reason: str | None = None, **text: str) -> None:
    await correct_event(
        poll.estate.chair, NOW, await event(poll, **text), title="邻里节", description="来", place="北广场",
        reason=reason,
    )  # fmt: skip


async def dish(poll: Poll, dish: str) -> None:
    await sign_up(poll.estate.owner, NOW, await event(poll), party_size=1, dish=dish)


# The town


async def settle(builder: Any, slug: str) -> None:
    async def publish(name: str, starts: datetime, published: datetime) -> None:
        builder.keys["Event", name] = await publish_event(
            await builder.viewer(f"{slug}/committee"), published, builder.keys["Community", slug],
            title=f"活动 {name}", description="每家一道菜", place="中心花园", starts_at=starts,
            ends_at=starts + timedelta(hours=3), sign_up_closes_at=None, capacity=8, max_party_size=4,
            potluck=True,
        )  # fmt: skip

    now = builder.now
    if slug == "spring":
        await publish("past", now - 20 * DAY, now - 30 * DAY)
        await publish("picnic", now + 2 * DAY, now - DAY)
    else:
        await publish("tea", now + 2 * DAY, now - DAY)


async def participate(house: Any) -> None:
    resident = await house.viewer("spring/resident-1")
    await sign_up(resident, house.now, house.town.key("Event", "picnic"), party_size=2)
    await correct_event(SYSTEM, house.now, house.town.key("Event", "past"), place="北广场")


async def enrich(plenty: Plenty) -> None:
    for starts in (plenty.now + DAY, plenty.now - 2 * DAY):
        made = await publish_event(
            SYSTEM, starts - 2 * DAY, plenty.community, title="百家宴", description="", place="广场",
            starts_at=starts, ends_at=starts + timedelta(hours=1), sign_up_closes_at=None, capacity=40,
            max_party_size=4, potluck=True, organizers=plenty.organizers,
        )  # fmt: skip
        await sign_up(plenty.resident, starts - 2 * DAY, made, party_size=2, dish="鱼")
        await correct_event(SYSTEM, starts - 2 * DAY, made, place="北广场")


async def ids(ground: Ground) -> Mapping[str, str]:
    to_come = ground.house.town.key("Event", {"spring": "picnic", "quiet": "tea"}[ground.slug])
    made = await sign_up(ground.owner, ground.house.now, to_come, party_size=1, dish="鱼")
    return {
        "event": to_id("Event", to_come),
        "sign_up": to_id("SignUp", made),
        "old_sign_up": to_id("SignUp", await _old_sign_up(ground)),
    }


async def _old_sign_up(ground: Ground) -> int:
    """For an event that has begun, so that it cannot be taken back."""
    now = ground.house.now
    over = await Event.create(
        community_id=ground.community, title="旧", description="", place="园", starts_at=now - 2 * DAY,
        ends_at=now - DAY, sign_up_closes_at=now - 2 * DAY, max_party_size=4, published_at=now - 3 * DAY,
    )  # fmt: skip
    made = await SignUp.create(
        event_id=over.id, account_id=ground.owner.account, party_size=1, signed_up_at=now - 3 * DAY
    )
    return int(made.id)


# The schema


async def sign_up_example(house: Any) -> MutationExample:
    return MutationExample(
        "mutation($event: ID!, $size: Int! = 1, $dish: String, $key: String)"
        " { signUp(eventId: $event, partySize: $size, dish: $dish, key: $key) { id } }",
        "spring/resident-2",
        {"event": house.town.id("Event", "picnic")},
        [{"size": 1}, {"dish": None}, {"dish": ""}, {"dish": " \t"}],
        [{"size": 2}, {"dish": "鱼"}],
        once=True,
    )


async def cancel_sign_up_example(house: Any) -> MutationExample:
    made = await house.ask(
        "mutation($e: ID!) { signUp(eventId: $e) { id } }",
        "spring/resident-3",
        e=house.town.id("Event", "picnic"),
    )
    return MutationExample(
        "mutation($id: ID!, $key: String) { cancelSignUp(signUpId: $id, key: $key) { id } }",
        "spring/resident-3",
        {"id": made["signUp"]["id"]},
        [{}],
        [],
        once=True,
    )


def at(instant: datetime, hours: int = 0) -> str:
    """As Go and Java write it, by the clock of somewhere else."""
    there = (instant + timedelta(hours=hours)).replace(tzinfo=None)
    return f"{there.isoformat()}.000000000{f'+{hours:02}:00' if hours else 'Z'}"


async def publish_event_example(house: Any) -> MutationExample:
    start = house.now + 3 * DAY
    terms = {"title": "Caf\u00e9 邻里", "place": "花园", "startsAt": at(start), "endsAt": at(start + DAY)}

    def changed(**fields: Any) -> Variables:
        return {"event": terms | fields}

    return MutationExample(
        "mutation($community: ID!, $event: EventInput!, $key: String)"
        " { publishEvent(communityId: $community, event: $event, key: $key) { id } }",
        "spring/committee",
        {"community": house.town.id("Community", "spring"), **changed()},
        [
            changed(title=" Cafe\u0301\t邻里 "), changed(startsAt=at(start, 8)), changed(description=" \n"),
            changed(signUpClosesAt=at(start, 5)), changed(maxPartySize=6, potluck=False, capacity=None),
        ],
        [
            changed(title="Cafe 邻里"), changed(place="花园里"), changed(startsAt=at(start + DAY / 2)),
            changed(endsAt=at(start + 2 * DAY)), changed(description="来"), changed(capacity=5),
            changed(signUpClosesAt=at(start - DAY)), changed(maxPartySize=5), changed(potluck=True),
        ],
    )  # fmt: skip


async def correct_event_example(house: Any) -> MutationExample:
    def changed(**fields: Any) -> Variables:
        return {"correction": {"place": "北广场", **fields}}

    return MutationExample(
        "mutation($event: ID!, $correction: EventCorrectionInput!, $reason: String, $key: String) {"
        " correctEvent(eventId: $event, correction: $correction, reason: $reason, key: $key) { id } }",
        "spring/committee",
        {"event": house.town.id("Event", "picnic"), **changed()},
        [changed(place=" 北广场"), changed(title=None), {"reason": None}, {"reason": " "}],
        [
            changed(place="南门"), changed(title="茶"), changed(description="来"),
            changed(description=""), {"reason": "下雨"},
        ],
        once=True,
    )  # fmt: skip


READS = {
    "Community.events": Read(A_COMMUNITY % "events {{ edges {{ node {{ id }} }} }}", "events.edges"),
    "Community.event": Read(A_COMMUNITY % "event(number: 1) {{ id }}", "event"),
    "event": Read('event(id: "{event}") {{ title attendance {{ version }} }}'),
    "EventAttendance.event": Read(
        'event(id: "{event}") {{ attendance {{ event {{ title }} }} }}', "attendance.event"
    ),
    "Event.community": Read('event(id: "{event}") {{ community {{ slug }} }}', "community"),
    "Event.viewerMaySignUp": Read(
        'event(id: "{event}") {{ viewerMaySignUp {{ code }} }}', "viewerMaySignUp", eligibility=True
    ),
    "Event.viewerMayCorrect": Read(
        'event(id: "{event}") {{ viewerMayCorrect {{ code }} }}', "viewerMayCorrect", eligibility=True
    ),
    "Event.viewerSignUp": Read('event(id: "{event}") {{ viewerSignUp {{ dish }} }}', "viewerSignUp"),
    "Event.table": Read(
        'event(id: "{event}") {{ table(number: 1) {{ parties {{ dish building }} }} }}', "table"
    ),
    "SignUp.event": Read('node(id: "{sign_up}") {{ ... on SignUp {{ event {{ title }} }} }}', "event"),
    "node(Event)": Read('node(id: "{event}") {{ id }}'),
    "node(SignUp)": Read('node(id: "{sign_up}") {{ ... on SignUp {{ partySize dish }} }}'),
}

DOORS = {
    "signUp": 'signUp(eventId: "{event}", partySize: 99) {{ id }}',
    "cancelSignUp": 'cancelSignUp(signUpId: "{old_sign_up}") {{ id }}',
    "correctEvent": 'correctEvent(eventId: "{event}", correction: {{}}) {{ id }}',
    "publishEvent": 'publishEvent(communityId: "{community}", event: {{title: "a", place: "b",'
    ' startsAt: "2020-01-01T00:00:00Z", endsAt: "2020-01-02T00:00:00Z"}}) {{ id }}',
}

PARTIES = "{ parties { dish building own } }"

DEAREST = {
    "dishes": COMMUNITIES % (EVENTS % aliases("dishes(first: 100)")),
    "dishes of many lengths": COMMUNITIES
    % (EVENTS % " ".join(f"a{first}: dishes(first: {first})" for first in range(20))),
    "tables of many numbers": COMMUNITIES
    % (EVENTS % " ".join(f"a{number}: table(number: {number}) {PARTIES}" for number in range(20))),
    "taken tables": COMMUNITIES % (EVENTS % aliases("attendance { tables } viewerSignUp { tables }")),
    "events of many lengths": COMMUNITIES
    % pages("events", "edges { node { organizers { name } viewerSignUp { event { community { name } } } } }"),
}

EXAMPLES = Examples(
    permissions={
        Permission.SIGN_UP: {Role.OWNER, Role.TENANT, *ORGANIZERS},
        Permission.PUBLISH_EVENT: ORGANIZERS,
    },
    furnish=furnish,
    violations=VIOLATIONS,
    others={
        "account": "SELECT id FROM account WHERE id NOT IN (SELECT account_id FROM sign_up)",
        "household": (
            "SELECT CASE WHEN household_id IS NULL THEN (SELECT MIN(id) FROM unit) END AS id FROM sign_up"
        ),
        "rented": "SELECT NOT rented AS id FROM sign_up",
    },
    fresh={"event": {"number": 0, "steps": 0, "last_step": None}},
    lives={"event": "event_step"},
    versions={"event": "event_version"},
    unindexed={"event_step.actor_id", "event_step.organization_id"},
    texts={
        "event.description": lambda poll, text: event(poll, description=text),
        "event.place": lambda poll, text: event(poll, place=text),
        "event.title": lambda poll, text: event(poll, title=text),
        "event_step.reason": corrected,
        "event_version.description": lambda poll, text: corrected(poll, description=text),
        "event_version.place": lambda poll, text: corrected(poll, place=text),
        "event_version.title": lambda poll, text: corrected(poll, title=text),
        "sign_up.dish": dish,
    },
    longest={"event.description": 10_000, "event_version.description": 10_000},
    settle=settle,
    participate=participate,
    enrich=enrich,
    nodes={"Event": ("picnic", "tea")},
    own_nodes={"SignUp"},
    mutations={
        "signUp": sign_up_example,
        "cancelSignUp": cancel_sign_up_example,
        "publishEvent": publish_event_example,
        "correctEvent": correct_event_example,
    },
    ids=ids,
    reads=READS,
    doors=DOORS,
    watches={"eventAttendance": 'eventAttendance(eventId: "{event}") {{ version }}'},
    live={"attendance"},
    by_viewer={"Event.viewerMayCorrect", "Event.viewerMaySignUp", "Event.table", "Event.viewerSignUp"},
    ways={
        "Event": EVENTS,
        "EventCorrection": EVENTS % "corrections { %s }",
        "EventAttendance": EVENTS % "attendance { %s }",
        "SignUp": EVENTS % "viewerSignUp { %s }",
    },
    arguments={
        "Query.event": lambda town: f'(id: "{town.id("Event", "picnic")}")',
        "Event.table": lambda _: "(number: 1)",
        "Community.event": lambda _: "(number: 1)",
    },
    by_key={"event": lambda town: [f'id: "{town.id("Event", name)}"' for name in ("picnic", "past", "tea")]},
    pages={"events": ("%s", CURSORS), "dishes": (EVENTS, "")},
    lists={
        "events": ListExample("events"),
        "events to come": ListExample("events", "coming: true"),
        "events that are over": ListExample("events", "coming: false"),
        "events of another": ListExample("events", slug="quiet"),
    },
    dearest=DEAREST,
)
