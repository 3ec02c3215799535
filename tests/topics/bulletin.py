"""The bulletin: what the tests that ask the same of every topic take as examples."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from community.bulletin.actions import correct_notice, publish_notice, withdraw_notice
from community.bulletin.models import Notice, NoticeStepRecord, NoticeVersion
from community.bulletin.rules import NOTICE_LIFE, NoticeKind, NoticeStep
from community.database import cursors
from community.database.steps import take_step
from community.permissions import SYSTEM, Permission, Role
from tests.community.database.breaking import Own, insert, update
from tests.examples import Examples, Ground, ListExample, MutationExample, Plenty, Read, Variables
from tests.schema.documents import A_COMMUNITY, COMMUNITIES, CURSORS, aliases, pages
from tests.topics.events import ORGANIZERS, at
from tests.world.estates import NOW
from tests.world.polls import Poll

DAY = timedelta(days=1)


async def furnish(estate: Any, build: Any, now: datetime) -> None:
    said = {"title": "停水'通知'", "body": '第一行；\n第二行; "水"'}
    notice = await Notice.create(
        community_id=estate.community, organization_id=estate.committee, kind=NoticeKind.NOTICE,
        published_at=now, **said,
    )  # fmt: skip
    signed = {"at": now, "organization_id": estate.committee}
    await take_step(NoticeStepRecord, NOTICE_LIFE, notice.id, NoticeStep.PUBLISHED, **signed)
    await NoticeVersion.create(subject_id=notice.id, number=1, **said)
    await take_step(NoticeStepRecord, NOTICE_LIFE, notice.id, NoticeStep.CORRECTED, **signed)
    await Notice.filter(id=notice.id).update(title="停电通知")


VIOLATIONS = [
    ("notice_step_numbered", insert("notice_step", number=9)),
    ("notice_step_numbered", insert("notice_step", number=1)),
    ("notice_without_steps", insert("notice", steps=1)),
    ("notice_without_steps", insert("notice", last_step="PUBLISHED")),
    ("notice_follows_steps", update("notice", steps=7)),
    ("notice_follows_steps", update("notice", last_step="WITHDRAWN")),
    ("notice_version_as_said", insert("notice_version", number=3)),
    ("notice_version_as_said", insert("notice_version", number=2)),
    ("notice_keeps_words", update("notice", title="停气通知")),
    ("notice_keeps_words", update("notice", body="")),
    ("notice_keeps_words", update("notice", effective_from=Own("published_at"))),
    ("notice_keeps_words", update("notice", effective_until=Own("published_at"))),
]


async def notice(poll: Poll, **text: str) -> int:
    terms = {"title": "停水", "body": "明天"} | text
    return await publish_notice(
        poll.estate.chair, NOW, poll.estate.community, kind=NoticeKind.NOTICE, **terms
    )


async def corrected(poll: Poll, **text: str) -> None:
    await correct_notice(poll.estate.chair, NOW, await notice(poll, **text), title="停电", body="后天")


async def withdrawn(poll: Poll, reason: str) -> None:
    await withdraw_notice(poll.estate.chair, NOW, await notice(poll), reason=reason)


async def settle(builder: Any, slug: str) -> None:
    name = {"spring": "water", "quiet": "gate"}[slug]
    builder.keys["Notice", name] = await publish_notice(
        await builder.viewer(f"{slug}/committee"), builder.now - DAY, builder.keys["Community", slug],
        kind=NoticeKind.NOTICE, title=f"公告 {name}", body="第一行\n第二行",
    )  # fmt: skip


async def participate(house: Any) -> None:
    await correct_notice(SYSTEM, house.now, house.town.key("Notice", "water"), title="停电")


async def enrich(plenty: Plenty) -> None:
    made = await publish_notice(
        SYSTEM, plenty.now, plenty.community, kind=NoticeKind.NOTICE, title="停水", body="。",
        organization=plenty.committee,
    )  # fmt: skip
    await correct_notice(SYSTEM, plenty.now, made, title="停电")
    await withdraw_notice(SYSTEM, plenty.now, made, reason="改期")


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


async def correct_notice_example(house: Any) -> MutationExample:
    def changed(**fields: Any) -> Variables:
        return {"correction": {"title": "停电", **fields}}

    return MutationExample(
        "mutation($notice: ID!, $correction: NoticeCorrectionInput!, $reason: String, $key: String) {"
        " correctNotice(noticeId: $notice, correction: $correction, reason: $reason, key: $key) { id } }",
        "spring/committee",
        {"notice": house.town.id("Notice", "water"), **changed()},
        [changed(title="停电 "), changed(body=None), {"reason": None}, {"reason": " "}],
        [
            changed(title="停气"), changed(body="明天"), {"reason": "写错了"}, changed(times={}),
            changed(times={"effectiveFrom": at(house.now)}),
        ],
        once=True,
    )  # fmt: skip


async def withdraw_notice_example(house: Any) -> MutationExample:
    return MutationExample(
        "mutation($notice: ID!, $reason: String!, $key: String) {"
        " withdrawNotice(noticeId: $notice, reason: $reason, key: $key) { id } }",
        "spring/committee",
        {"notice": house.town.id("Notice", "water"), "reason": "改期"},
        [{"reason": " 改期"}],
        [{"reason": "不对"}],
        once=True,
    )


SUBJECT = "edges { node { subject { __typename id ... on Vote { tally { version } } } } }"

EXAMPLES = Examples(
    permissions={
        Permission.READ_BULLETIN: frozenset(Role),
        Permission.PUBLISH_NOTICE: ORGANIZERS,
    },
    furnish=furnish,
    violations=VIOLATIONS,
    fresh={"notice": {"number": 0, "steps": 0, "last_step": None}},
    lives={"notice": "notice_step"},
    versions={"notice": "notice_version"},
    unindexed={"notice_step.actor_id", "notice_step.organization_id"},
    texts={
        "notice.body": lambda poll, text: notice(poll, body=text),
        "notice.title": lambda poll, text: notice(poll, title=text),
        "notice_step.reason": withdrawn,
        "notice_version.body": lambda poll, text: corrected(poll, body=text),
        "notice_version.title": lambda poll, text: corrected(poll, title=text),
    },
    longest={"notice.body": 20_000, "notice_version.body": 20_000},
    settle=settle,
    participate=participate,
    enrich=enrich,
    nodes={"Notice": ("water", "gate")},
    mutations={
        "publishNotice": publish_notice_example,
        "correctNotice": correct_notice_example,
        "withdrawNotice": withdraw_notice_example,
    },
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
        "Notice.viewerMayCorrect": Read(
            'node(id: "{notice}") {{ ... on Notice {{ viewerMayCorrect {{ code }} }} }}',
            "viewerMayCorrect",
            eligibility=True,
        ),
        "node(Notice)": Read('node(id: "{notice}") {{ id }}'),
    },
    doors={
        "publishNotice": 'publishNotice(communityId: "{community}", notice: {{title: "a", body: "b",'
        ' effectiveFrom: "2020-01-02T00:00:00Z", effectiveUntil: "2020-01-01T00:00:00Z"}}) {{ id }}',
        "correctNotice": 'correctNotice(noticeId: "{notice}", correction: {{}}) {{ id }}',
        "withdrawNotice": 'withdrawNotice(noticeId: "{notice}", reason: "") {{ id }}',
    },
    watches={"bulletin": 'bulletin(communityId: "{community}", after: "{start}") {{ cursor }}'},
    live={"bulletin"},
    by_viewer={"Notice.viewerMayCorrect"},
    ways={
        "NoticeCorrection": "notices(first: 100) { edges { node { corrections { %s } } } }",
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
