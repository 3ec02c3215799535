import asyncio
from typing import Any

import pytest

from community.database import cursors, journal
from tests.facts import written

FEED = """query($first: Int, $after: String) { community(slug: "spring") {
  bulletin(first: $first, after: $after) {
  edges { cursor node { cursor at kind subject { __typename id } } } } } }"""
WATCH = """subscription($id: ID!, $after: String) { bulletin(communityId: $id, after: $after) {
  cursor at kind subject { __typename id } } }"""
PUBLISH = """mutation($id: ID!, $notice: NoticeInput!, $key: String) {
  publishNotice(communityId: $id, notice: $notice, key: $key) {
    id title body kind organization { name } community { slug }
    publishedAt effectiveFrom effectiveUntil } }"""


def spring(house: Any) -> str:
    return str(house.town.id("Community", "spring"))


async def publish(house: Any, title: str, who: str = "spring/committee", **more: Any) -> Any:
    notice = {"title": title, "body": "第一行\n第二行"} | more
    return (await house.ask(PUBLISH, who, id=spring(house), notice=notice))["publishNotice"]


async def items_of(house: Any, **asked: Any) -> list[Any]:
    """Oldest first."""
    edges = (await house.ask(FEED, **asked))["community"]["bulletin"]["edges"]
    assert [edge["cursor"] for edge in edges] == [edge["node"]["cursor"] for edge in edges]
    return [edge["node"] for edge in edges][::-1]


async def test_everything_appears_once_with_what_it_is_about(house: Any) -> None:
    items = await items_of(house, first=100)
    assert all(item["at"].endswith("Z") for item in items)
    about = [(item["kind"], item["subject"]["__typename"], item["subject"]["id"]) for item in items]
    assert about.count(("NOTICE_PUBLISHED", "Notice", house.town.id("Notice", "water"))) == 1
    assert about.count(("VOTE_CLOSED", "Vote", house.town.id("Vote", "closed"))) == 1
    assert about.count(("EVENT_PUBLISHED", "Event", house.town.id("Event", "picnic"))) == 1
    assert ("LEDGER_PUBLISHED", "Community", spring(house)) in about
    assert len(about) == len(items)


async def test_the_newest_item_comes_first(house: Any) -> None:
    made = await publish(house, "最新")
    (newest,) = await items_of(house, first=1)
    assert newest["subject"] == {"__typename": "Notice", "id": made["id"]}


async def test_a_notice_is_put_up_in_the_name_of_an_organization(house: Any) -> None:
    made = await publish(house, " 停水 ", kind="DISPLAY", effectiveFrom="2026-01-31T19:30:00+08:00")
    assert made.pop("id")
    assert made.pop("publishedAt").endswith("Z")
    assert made == {
        "title": "停水",
        "body": "第一行\n第二行",
        "kind": "DISPLAY",
        "organization": {"name": "committee"},
        "community": {"slug": "spring"},
        "effectiveFrom": "2026-01-31T11:30:00.000Z",
        "effectiveUntil": None,
    }


@pytest.mark.parametrize(
    ("code", "who"),
    [("UNAUTHENTICATED", None), ("FORBIDDEN", "spring/resident-1"), ("FORBIDDEN", "quiet/committee")],
)
async def test_a_refused_notice_leaves_no_item_and_no_signal(house: Any, code: str, who: str | None) -> None:
    before = await written()
    notice = {"title": "停水", "body": "明天"}
    assert await house.refused(PUBLISH, who, id=spring(house), notice=notice) == code
    assert await house.refused(PUBLISH, "spring/committee", id=spring(house), notice=notice | {"title": ""})
    assert await written() == before
    assert house.told == []


async def test_a_watcher_gets_each_item_behind_the_cursor_and_then_the_new_ones(house: Any) -> None:
    whole = await items_of(house, first=100)
    async with house.watch(WATCH, id=spring(house), after=whole[1]["cursor"]) as following:
        for item in whole[2:]:
            assert (await following()).data["bulletin"] == item
        titles = [f"新 {number}" for number in range(3)]
        made = [(await publish(house, title))["id"] for title in titles]
        seen = [(await following()).data["bulletin"] for _ in made]
    assert [item["subject"]["id"] for item in seen] == made
    assert seen == await items_of(house, first=3)
    assert house.sources.watchers == 0


async def test_without_a_cursor_only_what_comes_is_told(house: Any) -> None:
    async with house.watch(WATCH, id=spring(house)) as following:
        waiting, made = asyncio.ensure_future(following()), []
        while not waiting.done():
            made.append((await publish(house, "新"))["id"])
        assert (await waiting).data["bulletin"]["subject"]["id"] in made


async def wrong_cursors(house: Any) -> list[str]:
    mark = await cursors.mark()
    head = await journal.head(house.town.key("Community", "spring"))
    good = cursors.encode(mark, head)
    return ["", "x", "票", good[:-1], f"{good}A", f"{good}=", cursors.encode(mark + 1, head),
            cursors.encode(mark, head + 1), cursors.encode(mark, -1)]  # fmt: skip


async def test_a_cursor_that_is_not_ours_or_ahead_is_refused_and_never_silence(house: Any) -> None:
    for wrong in await wrong_cursors(house):
        assert await house.refused(FEED, after=wrong) == "CURSOR_INVALID"
        async with house.watch(WATCH, id=spring(house), after=wrong) as following:
            (error,) = (await following()).errors
        assert error.extensions["code"] == "CURSOR_INVALID"


async def test_the_cursor_of_a_list_resumes_the_subscription_and_the_other_way_round(house: Any) -> None:
    (newest,) = await items_of(house, first=1)
    await publish(house, "新")
    async with house.watch(WATCH, id=spring(house), after=newest["cursor"]) as following:
        item = (await following()).data["bulletin"]
    assert (await items_of(house, first=1, after=item["cursor"])) == [newest]


@pytest.mark.parametrize(("name", "code"), [("quiet", "NOT_FOUND"), (None, "INVALID_ID")])
async def test_what_is_hidden_is_not_watched(house: Any, name: str | None, code: str) -> None:
    id_ = house.town.id("Community", name) if name else "x"
    async with house.watch(WATCH, "spring/resident-1", id=id_) as following:
        (error,) = (await following()).errors
    assert error.extensions["code"] == code


# Corrections and withdrawals

MENDED = """fragment Mended on Notice { id title body status
  correctedAt withdrawnAt withdrawnReason withdrawnBy { name }
  corrections { title body since correctedAt reason organization { name } } }"""
CORRECT = f"""{MENDED} mutation($id: ID!, $correction: NoticeCorrectionInput!, $reason: String) {{
  correctNotice(noticeId: $id, correction: $correction, reason: $reason) {{ ...Mended }} }}"""
WITHDRAW = f"""{MENDED} mutation($id: ID!, $reason: String!) {{
  withdrawNotice(noticeId: $id, reason: $reason) {{ ...Mended }} }}"""
LIST = f"""{MENDED} {{ community(slug: "spring") {{
  notices(first: 100) {{ edges {{ node {{ ...Mended }} }} }} }} }}"""


async def test_a_corrected_notice_shows_what_it_said_and_a_withdrawn_one_why(house: Any) -> None:
    water = house.town.id("Notice", "water")
    (plain,) = [one for one in await listed(house) if one["id"] == water]
    assert (plain["corrections"], plain["status"]) == ([], "PUBLISHED")
    assert (plain["correctedAt"], plain["withdrawnAt"], plain["withdrawnBy"]) == (None, None, None)
    done = {"id": water, "correction": {"title": "停电"}, "reason": "写错了"}
    mended = (await house.ask(CORRECT, "spring/committee", **done))["correctNotice"]
    (earlier,) = mended["corrections"]
    assert (mended["title"], earlier["title"], earlier["reason"]) == ("停电", plain["title"], "写错了")
    assert (earlier["body"], earlier["organization"]) == (plain["body"], {"name": "committee"})
    assert earlier["since"] < earlier["correctedAt"] == mended["correctedAt"]
    done = {"id": water, "reason": "改期"}
    taken = (await house.ask(WITHDRAW, "spring/committee", **done))["withdrawNotice"]
    assert (taken["status"], taken["withdrawnReason"]) == ("WITHDRAWN", "改期")
    assert (taken["withdrawnBy"], taken["title"]) == ({"name": "committee"}, "停电")
    assert [one for one in await listed(house) if one["id"] == water] == [taken]
    newest = [(item["kind"], item["subject"]["id"]) for item in await items_of(house, first=2)]
    assert newest == [("NOTICE_CORRECTED", water), ("NOTICE_WITHDRAWN", water)]


async def listed(house: Any) -> list[Any]:
    found = (await house.ask(LIST))["community"]["notices"]["edges"]
    return [edge["node"] for edge in found]


async def test_corrections_of_a_whole_list_are_one_statement(house: Any, statements: list[str]) -> None:
    for number in range(4):
        made = await publish(house, f"公告 {number}")
        await house.ask(CORRECT, "spring/committee", id=made["id"], correction={"title": f"更正 {number}"})
    statements.clear()
    assert sum(len(one["corrections"]) for one in await listed(house)) == 4
    assert sum("FROM notice_version" in statement for statement in statements) == 1


async def test_what_is_withdrawn_is_mended_no_more(house: Any) -> None:
    water = house.town.id("Notice", "water")
    await house.ask(WITHDRAW, "spring/committee", id=water, reason="改期")
    again = {"id": water, "correction": {"title": "停电"}}
    assert await house.refused(CORRECT, "spring/committee", **again) == "STEP_REFUSED"
    assert await house.refused(WITHDRAW, "spring/committee", id=water, reason="改期") == "STEP_REFUSED"


MAY_CORRECT = """query($id: ID!) { node(id: $id) { ... on Notice { viewerMayCorrect { allowed code } }
  ... on Event { viewerMayCorrect { allowed code } } } }"""


@pytest.mark.parametrize("who", [None, "spring/committee", "spring/manager", "spring/resident-1"])
async def test_whoever_is_told_that_a_correction_is_allowed_may_make_it(house: Any, who: str | None) -> None:
    """Before and after the withdrawal; the same of an event's words."""
    water, picnic = house.town.id("Notice", "water"), house.town.id("Event", "picnic")
    event = 'mutation($id: ID!) { correctEvent(eventId: $id, correction: {place: "南门"}) { place } }'

    async def tried(id_: str, query: str, **given: Any) -> None:
        told = (await house.ask(MAY_CORRECT, who, id=id_))["node"]["viewerMayCorrect"]
        errors = (await house.result(query, who, id=id_, **given)).errors
        code = errors[0].extensions["code"] if errors else None
        assert told == {"allowed": code is None, "code": code}

    await tried(picnic, event)
    await tried(water, CORRECT, correction={"title": "停电"})
    await house.ask(WITHDRAW, "spring/committee", id=water, reason="改期")
    await tried(water, CORRECT, correction={"title": "停气"})
