"""The bulletin: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.bulletin.actions import publish_notice
from community.bulletin.models import Notice
from community.bulletin.rules import NoticeKind
from community.database import cursors
from community.permissions import SYSTEM, Permission, Role
from tests.examples import Examples, Ground, ListExample, MutationExample, Plenty, Read, Variables
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, CURSORS, aliases, pages
from tests.topics.events import ORGANIZERS, at
from tests.world.estates import NOW
from tests.world.polls import Poll

DAY = timedelta(days=1)


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    await Notice.create(
        community_id=estate.community, organization_id=estate.committee, kind=NoticeKind.NOTICE,
        title="停水'通知'", body="第一行；\n第二行; \"水\"", published_at=now,
    )  # fmt: skip


async def notice(poll: Poll, **text: str) -> None:
    terms = {"title": "停水", "body": "明天"} | text
    await publish_notice(poll.estate.chair, NOW, poll.estate.community, kind=NoticeKind.NOTICE, **terms)


async def settle(builder: Any, slug: str) -> None:
    name = {"spring": "water", "quiet": "gate"}[slug]
    builder.keys["Notice", name] = await publish_notice(
        await builder.viewer(f"{slug}/committee"), builder.now - DAY, builder.keys["Community", slug],
        kind=NoticeKind.NOTICE, title=f"公告 {name}", body="第一行\n第二行",
    )  # fmt: skip


async def enrich(plenty: Plenty) -> None:
    await publish_notice(
        SYSTEM, plenty.now, plenty.community, kind=NoticeKind.NOTICE, title="停水", body="。",
        organization=plenty.committee,
    )  # fmt: skip


async def ids(ground: Ground) -> Mapping[str, str]:
    """`start`: a cursor before everything."""
    name = {"spring": "water", "quiet": "gate"}[ground.slug]
    return {
        "notice": ground.house.town.id("Notice", name),
        "start": cursors.encode(await cursors.mark(), 0),
    }


async def publish_notice_example(house: Any) -> MutationExample:
    terms = {"title": "停水", "body": "明天\n停水"}

    def changed(**fields: Any) -> Variables:
        return {"notice": terms | fields}

    return MutationExample(
        "mutation($community: ID!, $notice: NoticeInput!, $key: String)"
        " { publishNotice(communityId: $community, notice: $notice, key: $key) { id } }",
        "spring/committee",
        {"community": house.town.id("Community", "spring"), **changed()},
        [changed(title="停水 "), changed(body="明天\r\n停水\n"), changed(kind="NOTICE", effectiveFrom=None)],
        [
            changed(title="停电"), changed(body="明天停水"), changed(kind="DISPLAY"),
            changed(effectiveFrom=at(house.now)), changed(effectiveUntil=at(house.now)),
        ],
    )  # fmt: skip


SUBJECT = "edges { node { subject { __typename id ... on Vote { tally { version } } } } }"

EXAMPLES = Examples(
    permissions={
        Permission.READ_BULLETIN: frozenset(Role),
        Permission.PUBLISH_NOTICE: ORGANIZERS,
    },
    furnish=furnish,
    fresh={"notice": {"number": 0}},
    texts={
        "notice.body": lambda poll, text: notice(poll, body=text),
        "notice.title": lambda poll, text: notice(poll, title=text),
    },
    longest={"notice.body": 20_000},
    settle=settle,
    enrich=enrich,
    nodes={"Notice": ("water", "gate")},
    mutations={"publishNotice": publish_notice_example},
    ids=ids,
    reads={
        "Community.notices": Read(A_COMMUNITY % "notices {{ edges {{ node {{ id }} }} }}", "notices.edges"),
        "Community.bulletin": Read(A_COMMUNITY % "bulletin {{ edges {{ cursor }} }}", "bulletin.edges"),
        "Community.notice": Read(A_COMMUNITY % "notice(number: 1) {{ id }}", "notice"),
        "BulletinItem.subject": Read(
            A_COMMUNITY % "bulletin(first: 1) {{ edges {{ node {{ subject {{ id }} }} }} }}",
            "bulletin.edges.node.subject",
        ),
        "Notice.community": Read(
            'node(id: "{notice}") {{ ... on Notice {{ community {{ slug }} }} }}', "community"
        ),
        "node(Notice)": Read('node(id: "{notice}") {{ id }}'),
    },
    doors={
        "publishNotice": 'publishNotice(communityId: "{community}", notice: {{title: "a", body: "b",'
        ' effectiveFrom: "2020-01-02T00:00:00Z", effectiveUntil: "2020-01-01T00:00:00Z"}}) {{ id }}',
    },
    watches={"bulletin": 'bulletin(communityId: "{community}", after: "{start}") {{ cursor }}'},
    live={"bulletin"},
    ways={
        "Notice": "notices(first: 100) { edges { node { %s } } }",
        "BulletinItem": "bulletin(first: 100) { edges { node { %s } } }",
    },
    arguments={"Community.notice": lambda _: "(number: 1)"},
    pages={"notices": ("%s", CURSORS), "bulletin": ("%s", CURSORS)},
    lists={
        "notices": ListExample("notices"),
        "notices of another": ListExample("notices", slug="quiet"),
        "bulletin": ListExample("bulletin"),
        "bulletin of another": ListExample("bulletin", slug="quiet"),
    },
    dearest={
        "bulletins": COMMUNITIES % aliases(f"bulletin(first: 100) {{ {SUBJECT} }}"),
        "bulletins of many lengths": COMMUNITIES % pages("bulletin", SUBJECT),
    },
)
