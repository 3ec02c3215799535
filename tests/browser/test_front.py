"""What a page holds, and lets go: sessions that end under it, lists read anew, paper that is not whole."""

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.conftest import ALONE, GRAPHQL, operation_of

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "qiantang-shanshuiwan"
COMMITTEE = f"{SLUG}/committee"
THERE = """query($slug: String!) { community(slug: $slug) {
  votes(status: [OPEN]) { edges { node { number } } }
  events(coming: true) { edges { node { number } } }
  ledger { months(first: 24) { month entryCount } } } }"""


@pytest.fixture
def there(server: Any) -> dict[str, Any]:
    return dict(server.ask(THERE, slug=SLUG)["community"])


def sign_in(page: Page, account: str) -> None:
    page.get_by_role("textbox").fill(account)
    page.get_by_role("dialog").get_by_role("button", name="登录", exact=True).click()


def hold(page: Page, operation: str) -> list[Route]:
    """Requests of this name are on their way until somebody lets them go on."""
    held: list[Route] = []

    def answer(route: Route) -> None:
        if operation_of(route.request) == f"query {operation}":
            held.append(route)
        else:
            route.continue_()

    page.route(GRAPHQL, answer)
    return held


def go_on(page: Page, held: list[Route]) -> None:
    while held:
        held.pop(0).continue_()
    page.unroute(GRAPHQL)


def test_what_is_read_is_asked_for_by_get_and_known_to_the_server(
    open_page: Any, there: dict[str, Any]
) -> None:
    page = open_page("/health/live", account=COMMITTEE, **ALONE)
    asked: list[Response] = []
    page.on("response", lambda response: asked.append(response) if GRAPHQL.search(response.url) else None)
    number = {topic: there[topic]["edges"][0]["node"]["number"] for topic in ("votes", "events")}
    for path, operation in {
        "/": "CommunitiesPage",
        f"/c/{SLUG}": "BulletinPage",
        f"/c/{SLUG}/ledger": "LedgerPage",
        f"/c/{SLUG}/v/{number['votes']}": "VotePage",
        f"/c/{SLUG}/e/{number['events']}": "EventPage",
        f"/c/{SLUG}/publish?what=entry": "PublishPage",
    }.items():
        of = f"query {operation}"
        with page.expect_response(lambda one: GRAPHQL.search(one.url) and operation_of(one.request) == of):  # noqa: B023
            page.goto(urljoin(page.url, path))
    assert {(one.request.method, one.status) for one in asked} == {("GET", 200)}


def test_who_signs_out_leaves_nothing_on_the_device(open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}/publish?what=notice", account=COMMITTEE)
    page.get_by_label("标题").fill("停水")
    expect(page.get_by_test_id("autosave")).to_contain_text("存")
    page.evaluate("sessionStorage.setItem('meilin.kept somebody ballot', '1')")
    page.get_by_test_id("account").click()
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_test_id("account")).to_have_text("登录")
    left = """async () => [
      ...Object.keys(localStorage), ...Object.keys(sessionStorage),
      ...(await caches.keys()).filter(name => !name.startsWith('meilin-shell-'))]"""
    assert set(page.evaluate(left)) <= {"meilin.elder", "meilin.language"}
    page.get_by_role("button", name="登录", exact=True).last.click()
    sign_in(page, COMMITTEE)
    expect(page.get_by_label("标题")).to_have_value("")


def test_a_session_that_ends_while_one_writes_is_said_and_what_was_written_is_there_again(
    open_page: Any,
) -> None:
    page = open_page(f"/c/{SLUG}/publish?what=notice", account=COMMITTEE, **ALONE)
    page.get_by_label("标题").fill("停水")
    page.context.clear_cookies()  # as a cookie that expired
    page.get_by_label("内容").fill("周日早上停水，有事找物业前台。")
    page.get_by_role("button", name="看一眼再贴").click()
    page.get_by_role("button", name="就这样贴上去").click()
    here = page.get_by_test_id("sign-in-here")
    expect(here).to_contain_text("登录已经到期")
    here.get_by_role("button", name="登录").click()
    sign_in(page, COMMITTEE)
    expect(page.get_by_label("标题")).to_have_value("停水")
    expect(page.get_by_label("内容")).to_have_value("周日早上停水，有事找物业前台。")


@pytest.mark.parametrize("where", ["vote", "event", "board"])
def test_an_owner_who_signs_in_is_refused_nothing_while_the_page_is_read_anew(
    open_page: Any, there: dict[str, Any], where: str
) -> None:
    vote = there["votes"]["edges"][0]["node"]["number"]
    event = there["events"]["edges"][0]["node"]["number"]
    path, operation = {
        "vote": (f"/v/{vote}", "VotePage"),
        "event": (f"/e/{event}", "EventPage"),
        "board": ("", "BulletinPage"),
    }[where]
    page = open_page(f"/c/{SLUG}{path}", **ALONE)
    expect(page.get_by_role("heading").first).to_be_visible()
    held = hold(page, operation)
    page.get_by_test_id("account").click()
    sign_in(page, f"{SLUG}/resident-3")
    expect(page.get_by_test_id("account")).not_to_have_text("登录")
    said = page.locator("main").inner_text()
    for refused in ("名册上的", "只给", "才能", "业主登录", "不在您家"):
        assert refused not in said, said
    go_on(page, held)
    red = page.locator("main .btn:not(.quiet)").first
    expect(red).to_be_visible()


def test_paper_that_lacks_entries_says_so(open_page: Any, there: dict[str, Any]) -> None:
    month = max(there["ledger"]["months"], key=lambda one: one["entryCount"])
    assert month["entryCount"] > 20
    page = open_page("/", **ALONE)
    page.route(
        GRAPHQL,
        lambda route: (
            route.abort() if operation_of(route.request) == "query MoreEntries" else route.continue_()
        ),
    )
    page.goto(page.url.rstrip("/") + f"/c/{SLUG}/ledger?month={month['month']}")
    expect(page.locator("[data-entry]").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_test_id("not-all")).to_contain_text(f"共 {month['entryCount']} 笔，这里只有 20 笔")
    page.unroute(GRAPHQL)
    page.reload()
    expect(page.locator("[data-entry]")).to_have_count(month["entryCount"])
    expect(page.get_by_test_id("not-all")).to_have_count(0)


def test_a_month_is_printed_with_its_own_address(open_page: Any, there: dict[str, Any]) -> None:
    one, other = [month["month"] for month in there["ledger"]["months"] if month["entryCount"]][:2]
    page = open_page(f"/c/{SLUG}/ledger?month={one}")
    head = page.get_by_test_id("letterhead")
    expect(head).to_contain_text(f"month={one}")
    mark = head.locator("path").get_attribute("d")
    page.locator(f'a[href*="month={other}"]').first.click()
    expect(head).to_contain_text(f"month={other}")
    expect(head.locator("path")).not_to_have_attribute("d", mark or "")


DRAWN = """() => new Promise((done) => {
  const height = document.body.scrollHeight
  setTimeout(() => done(document.body.scrollHeight === height), 300)
})"""


def test_going_back_leads_to_where_one_was(open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}")
    expect(page.get_by_test_id("feed").locator("li").first).to_be_visible()
    expect(page.get_by_test_id("letterhead")).to_be_attached()
    link = page.get_by_test_id("recent-results").get_by_role("link").first
    link.scroll_into_view_if_needed()
    page.wait_for_function(DRAWN)  # what is drawn later above a place moves it
    expect(link).to_be_in_viewport()
    link.click()
    expect(page.locator("article.vote h1")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(link).to_be_in_viewport()
    page.go_forward()
    expect(page.locator("article.vote h1")).to_be_in_viewport()
    page.get_by_role("link", name=re.compile("钱塘山水湾")).first.click()
    expect(page.get_by_test_id("board-answers")).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
