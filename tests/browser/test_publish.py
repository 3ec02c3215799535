"""The secretary publishes, and loses nothing: what was typed, where it went wrong, what came of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import GRAPHQL, operation_of

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "zijin-xiyuan"
COMMITTEE, MANAGER = f"{SLUG}/committee", f"{SLUG}/manager"
DESKTOP = {"width": 1280, "height": 900}
BODY = "\n".join(f"{line}. 二次供水水箱清洗，请提前存水；有事打物业前台。" for line in range(1, 301))

NOTICES = """query($slug: String!) { community(slug: $slug) {
  notices(first: 20) { edges { node { title body } } } } }"""
OPEN = """query($slug: String!) { community(slug: $slug) {
  votes(status: [OPEN]) { edges { node { id form } } }
  events(coming: true) { edges { node { id potluck } } } } }"""
LEDGER = """query($slug: String!) { community(slug: $slug) { ledger { balance
  old: entries(first: 9, month: "2020-01") { edges { node { ...E } } }
  entries(first: 30) { edges { node { ...E } } } } } }
  fragment E on Entry { number amount item authorityVote { title } reverses { number } }"""


def newest_of(book: Any) -> Any:
    """The entry written down last, whatever its day."""
    nodes = [edge["node"] for part in ("old", "entries") for edge in book[part]["edges"]]
    return max(nodes, key=lambda node: node["number"])


def notices(server: Any, title: str) -> list[str]:
    edges = server.ask(NOTICES, slug=SLUG)["community"]["notices"]["edges"]
    return [edge["node"]["body"] for edge in edges if edge["node"]["title"] == title]


def become(page: Page, server: Any, account: str | None) -> None:
    """In the same browser, on the same device."""
    if account:
        assert page.context.request.post(f"{server.url}/session", data={"account": account}).ok
    else:
        page.context.request.delete(f"{server.url}/session", headers={"origin": server.url})
    page.reload()


def focused(page: Page) -> Any:
    return page.locator("*:focus")


def lose(page: Page, operation: str) -> None:
    """The server does it, and its answer is lost on the way."""

    lost: list[bool] = []

    def once(route: Route) -> None:
        if lost or operation_of(route.request) != f"mutation {operation}":
            route.continue_()
            return
        lost.append(route.fetch().ok)
        route.abort()

    page.route(GRAPHQL, once)


def test_a_notice_is_kept_counted_looked_at_and_put_up_once(server: Any, open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}/publish?what=notice", account=COMMITTEE)
    title, body = page.get_by_label("标题"), page.get_by_label("内容")
    title.fill("字" * 200)
    expect(page.get_by_text("多了 80 字")).to_be_visible()
    body.fill(BODY)
    page.get_by_role("button", name="看一眼再贴").click()
    expect(title).to_be_focused()
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text(re.compile("^最多 120 字"))).to_be_visible()

    page.reload()
    expect(title).to_have_value("字" * 200)
    page.get_by_role("link", name="办活动").click()
    page.get_by_role("link", name="发公告").click()
    expect(body).to_have_value(BODY)

    become(page, server, None)
    expect(page.get_by_role("main").get_by_role("button", name="登录")).to_be_visible()
    become(page, server, MANAGER)
    expect(title).to_have_value("")
    become(page, server, COMMITTEE)
    expect(title).to_have_value("字" * 200)
    expect(page.get_by_test_id("autosave")).to_contain_text(re.compile(r"\d+:\d\d 自动存好了"))

    title.fill("周日\u202e停水")
    page.get_by_role("button", name="看一眼再贴").click()
    expect(page.get_by_test_id("slip")).to_contain_text("300. 二次供水")
    expect(focused(page)).to_have_text("贴出来是这样，看清楚了再贴")
    page.get_by_role("button", name="就这样贴上去").click()
    expect(title).to_be_focused()
    expect(page.get_by_text(re.compile("标题里有看不见"))).to_be_visible()
    title.fill("周日清洗水箱")
    expect(page.get_by_text(re.compile("标题里有看不见"))).to_have_count(0)

    page.get_by_role("button", name="看一眼再贴").click()
    assert notices(server, "周日清洗水箱") == []
    lose(page, "PublishNotice")
    page.get_by_role("button", name="就这样贴上去").click()
    expect(focused(page)).to_contain_text("再按一次也只会有一份")
    page.reload()
    expect(page.get_by_text("可能已经贴出去了")).to_be_visible()
    page.get_by_role("button", name="看一眼再贴").click()
    page.get_by_role("button", name="就这样贴上去").click()
    expect(page.get_by_role("heading", level=1, name="周日清洗水箱")).to_be_visible()
    assert notices(server, "周日清洗水箱") == [BODY]
    page.goto(f"{server.url}/c/{SLUG}/publish?what=notice")
    expect(title).to_have_value("")


def test_a_day_that_has_passed_is_told_beside_its_field(open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}/publish?what=event", account=COMMITTEE, size=DESKTOP)
    starts = (
        page.get_by_role("textbox", name="开始", exact=True).or_(page.get_by_label("开始", exact=True)).first
    )
    starts.fill("2020-10-31T16:00")
    expect(starts).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("这个时间已经过去了。")).to_be_visible()
    page.get_by_label("一共多少个位子").fill("1000000")
    expect(page.get_by_text("最多 100,000 个。")).to_be_visible()
    expect(page.get_by_label("一共多少个位子")).to_have_value("1000000")

    page.get_by_role("button", name="扔掉重写").click()
    expect(starts).to_have_value("")
    page.get_by_role("button", name="找回来").click()
    expect(starts).to_have_value("2020-10-31T16:00")
    page.get_by_role("button", name="扔掉重写").click()
    page.reload()
    expect(starts).to_have_value("")

    page.get_by_role("link", name="发公告").click()
    page.get_by_label("到", exact=True).fill("2020-10-31T16:00")
    expect(page.get_by_text(re.compile("^这个时间已经过去了"))).to_be_visible()


def test_an_entry_is_recorded_and_taken_back(server: Any, open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}/publish?what=entry", account=COMMITTEE)
    before = server.ask(LEDGER, slug=SLUG)["community"]["ledger"]
    page.get_by_label("事由").fill("北门伸缩门维修")
    page.get_by_label("金额").fill("1,280.5")
    page.get_by_label("日期").fill("2020-01-31")
    page.get_by_label("类别").select_option(label="维修改造")
    vote = page.get_by_label("哪一次表决")
    expect(vote.get_by_role("option")).not_to_have_count(1)
    vote.select_option(index=1)
    page.get_by_role("button", name="看一眼再记").click()
    expect(page.get_by_test_id("slip")).to_contain_text("−¥1,280.50")
    page.get_by_role("button", name="就这样记上").click()
    expect(focused(page)).to_contain_text("记上了")
    after = server.ask(LEDGER, slug=SLUG)["community"]["ledger"]
    newest = newest_of(after)
    assert (newest["item"], newest["amount"]) == ("北门伸缩门维修", "1280.50")
    assert newest["authorityVote"]
    assert cents(before["balance"]) - cents(after["balance"]) == 128050

    page.get_by_role("link", name=re.compile("2020 年 1 月的账")).click()
    page.get_by_role("button", name=re.compile("^冲正这一笔")).click()
    reason = page.get_by_label("为什么冲正")
    expect(reason).to_be_focused()
    page.get_by_role("button", name="就这样冲正").click()
    expect(reason).to_be_focused()
    expect(page.get_by_text("这里要填。")).to_be_visible()
    reason.fill("记错了月份")
    page.reload()
    page.get_by_role("button", name=re.compile("^冲正这一笔")).click()
    expect(reason).to_have_value("记错了月份")
    lose(page, "ReverseEntry")
    page.get_by_role("button", name="就这样冲正").click()
    expect(focused(page)).to_contain_text("再按一次也只会冲一次")
    page.get_by_role("button", name="就这样冲正").click()
    expect(focused(page)).to_contain_text("冲正好了")
    book = server.ask(LEDGER, slug=SLUG)["community"]["ledger"]
    assert book["balance"] == before["balance"]
    back = newest_of(book)
    assert (back["item"], back["reverses"]) == ("冲正：记错了月份", {"number": newest["number"]})


def test_a_dish_and_a_remark_on_a_ballot_are_not_cut_either(server: Any, open_page: Any) -> None:
    slug = "meizai-meicheng"
    community = server.ask(OPEN, slug=slug)["community"]
    event = next(edge["node"] for edge in community["events"]["edges"] if edge["node"]["potluck"])
    page = open_page(f"/c/{slug}/events/{event['id']}", account=f"{slug}/resident-16")
    dish = page.get_by_label("带什么菜")
    dish.fill("鱼" * 41)
    page.get_by_test_id("sign-up").get_by_role("button", name=re.compile("^报名")).click()
    expect(dish).to_be_focused()
    expect(dish).to_have_value("鱼" * 41)
    expect(page.get_by_text(re.compile("^最多 40 字"))).to_be_visible()

    survey = next(
        edge["node"] for edge in community["votes"]["edges"] if edge["node"]["form"] == "CONSULTATION"
    )
    page.goto(f"{server.url}/c/{slug}/votes/{survey['id']}?step=question-1")
    page.get_by_role("radio").or_(page.get_by_role("checkbox")).first.check(force=True)
    page.get_by_role("button", name="下一题").click()
    remark = page.get_by_role("textbox", name=re.compile("想说的话"))
    page.get_by_role("radio").or_(page.get_by_role("checkbox")).first.check(force=True)
    remark.fill("好" * 1001)
    page.get_by_role("button", name=re.compile("核对")).click()
    expect(remark).to_be_focused()
    expect(remark).to_have_value("好" * 1001)
    expect(page.get_by_text("多了 1 字")).to_be_visible()


def cents(amount: str) -> int:
    return int(amount.replace(".", ""))
