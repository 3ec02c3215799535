"""Never a dead tap, never a blank sheet: scripts that are lost, releases, no network, sessions that end."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import ALONE, GRAPHQL, PHONE, Server, operation_of

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "meizai-meicheng"
FRONTEND = Path(__file__).parents[2] / "frontend"
THERE = """query($slug: String!) { community(slug: $slug) { id name
  votes(status: [OPEN]) { edges { node { id number title form } } }
  events(coming: true) { edges { node { id number title potluck attendance { placesLeft } } } } } }"""


@pytest.fixture
def there(server: Any) -> dict[str, Any]:
    return dict(server.ask(THERE, slug=SLUG)["community"])


def vote_path(there: dict[str, Any]) -> str:
    nodes = [edge["node"] for edge in there["votes"]["edges"]]
    return f"/c/{SLUG}/v/{next(node['number'] for node in nodes if node['form'] == 'STATUTORY_LOCAL')}"


def event_path(there: dict[str, Any]) -> str:
    nodes = [edge["node"] for edge in there["events"]["edges"]]
    free = (node for node in nodes if (node["attendance"]["placesLeft"] or 0) >= 4)
    return f"/c/{SLUG}/e/{next(free)['number']}"


def focused(page: Page, selector: str) -> None:
    """Within what is meant, wherever exactly."""
    page.wait_for_function("place => document.activeElement?.closest(place) != null", arg=selector)


def until(page: Page, question: str, about: Any = None) -> None:
    """The browser takes a promise for an answer; here it is awaited."""
    for _ in range(200):
        if page.evaluate(question, about):
            return
        page.wait_for_timeout(50)
    raise AssertionError(question)


def tap(page: Page, path: str) -> None:
    page.locator(f"a[href='{path}']").first.click()


# What is fetched later


def test_a_page_whose_script_is_lost_says_so_and_opens_when_tried_again(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    page = open_page(f"/c/{SLUG}", **ALONE)
    expect(page.get_by_test_id("feed")).to_be_visible()
    for lost, path in (
        ("Vote-*.js", vote_path(there)),
        ("EventSheet-*.css", event_path(there)),
        ("Ledger-*.js", f"/c/{SLUG}/ledger"),
    ):
        page.route(f"**/assets/{lost}", lambda route: route.abort())
        tap(page, path)
        trouble = page.get_by_role("alert").filter(has_text="没能打开这一页")
        expect(trouble).to_be_visible()
        focused(page, "[role=alert]")
        page.wait_for_url(f"**{path}")
        with page.expect_event("load"):
            page.get_by_role("button", name="再试一次").click()
        expect(trouble).to_be_visible()  # still away: it says so again, and is no dead tap
        page.unroute(f"**/assets/{lost}")
        page.get_by_role("button", name="再试一次").click()
        expect(trouble).to_have_count(0)
        expect(page.locator("article, [data-testid=balance]").first).to_be_visible()
        page.go_back()
        expect(page.get_by_test_id("feed")).to_be_visible()


def test_a_page_that_is_preloaded_and_then_opened_is_not_shown_without_the_style_it_lost(
    open_page: Any, there: dict[str, Any]
) -> None:
    """One style is lost while another is still coming, and the router asks for the page between the two."""
    page = open_page("/health/live", **ALONE)
    slow: list[Route] = []
    page.route("**/assets/EventSheet-*.css", lambda route: route.abort())
    page.route("**/assets/SignUp-*.css", lambda route: slow.append(route))
    page.goto(page.url.replace("/health/live", event_path(there)), wait_until="commit")
    page.wait_for_function("() => document.documentElement.dataset.boot === 'begun'")
    assert len(slow) == 1
    slow[0].continue_()
    expect(page.get_by_role("alert")).to_contain_text("没能打开这一页")
    expect(page.locator("article.event")).to_have_count(0)
    assert len(slow) == 1, "a style is fetched once"


def test_a_part_whose_style_is_lost_is_not_shown_without_it_when_it_is_asked_for_again(
    open_page: Any, there: dict[str, Any]
) -> None:
    page = open_page(vote_path(there), account=f"{SLUG}/resident-20", **ALONE)
    page.route("**/assets/CastBallot-*.css", lambda route: route.abort())
    for _ in range(2):
        page.get_by_role("button", name="我来投票").click()
        expect(page.locator("main").get_by_role("alert")).to_contain_text("连不上服务器")
        page.go_back()
        expect(page.locator("article.vote")).to_be_visible()


def test_going_back_to_a_page_whose_script_is_lost_says_so(open_page: Any, there: dict[str, Any]) -> None:
    page = open_page(vote_path(there), **ALONE)
    page.route("**/assets/Bulletin-*.js", lambda route: route.abort())
    page.get_by_role("link", name=there["name"]).first.click()
    expect(page.get_by_role("alert")).to_contain_text("没能打开这一页")
    page.go_back()
    expect(page.locator("article.vote")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("alert")).to_contain_text("没能打开这一页")
    page.unroute("**/assets/Bulletin-*.js")
    page.evaluate("dispatchEvent(new Event('online'))")  # by itself, when the network is back
    expect(page.get_by_test_id("feed")).to_be_visible()


@pytest.mark.parametrize("lost", ["zh-*.js", "index-*.js", "shared-*.js"])
def test_without_its_words_or_scripts_the_sheet_is_not_blank(open_page: Any, lost: str) -> None:
    page = open_page("/health/live", **ALONE)
    page.route(f"**/assets/{lost}", lambda route: route.abort())
    page.goto(page.url.replace("/health/live", f"/c/{SLUG}"))
    late = page.locator("#late")
    expect(late).to_contain_text("再试一次")
    expect(late).to_have_css("visibility", "visible")
    expect(page.get_by_text("美邻", exact=True)).to_be_visible()
    focused(page, "#late")
    page.unroute(f"**/assets/{lost}")
    late.get_by_role("link", name="再试一次").click()
    expect(page.get_by_test_id("feed")).to_be_visible()


def test_another_language_that_cannot_be_had_is_told_and_tried_again(open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}", **ALONE)
    page.route("**/assets/en-*.js", lambda route: route.abort())
    page.get_by_role("button", name=re.compile("English")).click()
    expect(page.get_by_test_id("snag")).to_contain_text("没能取来英文的字")
    focused(page, "[data-testid=snag]")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_test_id("feed")).to_be_visible()


def test_a_browser_that_is_too_old_is_told_in_both_languages(open_page: Any) -> None:
    page = open_page("/health/live", **ALONE)
    page.add_init_script("delete AbortSignal.timeout")
    page.goto(page.url.replace("/health/live", f"/c/{SLUG}"))
    expect(page.get_by_text("这个浏览器太旧")).to_be_visible()
    expect(page.get_by_text("This browser is too old")).to_be_visible()
    focused(page, "#old")


def test_before_any_script_there_are_a_name_and_the_day(browser: Any, server: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto(f"{server.url}/c/{SLUG}")
    expect(page.get_by_text("美邻", exact=True)).to_be_visible()
    expect(page.locator("#today")).to_have_text(re.compile(r"^\d+ 月 \d+ 日 星期.$"))
    assert page.locator(".shell-lines i").first.bounding_box()
    context.close()


# Releases

SERVE = """
import sys
from pathlib import Path
from api import page
built = Path(sys.argv.pop(1))
_, *others = page.Pages.__init__.__defaults__
page.BUILT, page.Pages.__init__.__defaults__ = built, (built, *others)
from api.cli import app
app()
"""


class ReleasedServer(Server):
    """Serves what a link points at, so that a release is another place for the link."""

    def __init__(self, environment: dict[str, str], link: Path) -> None:
        super().__init__(environment)
        self._link = link

    def command(self) -> list[str]:
        return [sys.executable, "-c", SERVE, str(self._link), "serve", "--port", str(self.port)]

    def release(self, built: Path) -> None:
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(built)


@pytest.fixture(scope="session")
def second_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page built once more, with a sentence that the first one has not."""
    source = tmp_path_factory.mktemp("second") / "frontend"
    left_out = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(FRONTEND, source, ignore=left_out)
    (source / "node_modules").symlink_to(FRONTEND / "node_modules")
    (source.parent / "schema").symlink_to(FRONTEND.parent / "schema")
    words = source / "src/lib/words/zh.ts"
    text = words.read_text(encoding="utf-8")
    assert "这些天的动静" in text
    words.write_text(text.replace("这些天的动静", "新一版的动静"), encoding="utf-8")
    vite = ["node", "node_modules/vite/bin/vite.js", "build", "--logLevel", "error"]
    subprocess.run(vite, cwd=source, check=True, timeout=120, capture_output=True)
    return source / "dist"


@pytest.fixture
def released(server: Any, tmp_path: Path) -> Iterator[ReleasedServer]:
    other = ReleasedServer(dict(server.environment), tmp_path / "dist")
    other.release(FRONTEND / "dist")
    other.start()
    yield other
    other.stop()


def test_a_release_is_loaded_at_the_next_navigation_and_loses_nothing_typed(
    released: ReleasedServer, second_build: Path, open_page: Any, there: dict[str, Any]
) -> None:
    first, second = (
        {file.name for file in (built / "assets").iterdir()} for built in (FRONTEND / "dist", second_build)
    )
    assert first - second, "the two are the same"
    page = open_page("/health/live", **ALONE)
    page.context.request.post(f"{released.url}/session", data={"account": f"{SLUG}/resident-11"})
    page.goto(f"{released.url}{event_path(there)}")
    page.get_by_role("button", name="多一人").click()
    expect(page.get_by_test_id("sign-up").locator("output, [aria-live], input").first).to_be_visible()
    page.evaluate("window.firstRelease = true")

    released.release(second_build)
    with page.expect_response("**/release.json"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate("window.firstRelease"), "nothing is reloaded under the reader"
    page.get_by_role("link", name=there["name"]).first.click()
    expect(page.get_by_role("heading", name="新一版的动静")).to_be_visible()
    page.wait_for_url(f"**/c/{SLUG}")
    assert page.evaluate("window.firstRelease") is None

    page.goto(f"{released.url}{event_path(there)}")
    expect(page.get_by_test_id("sign-up")).to_contain_text(re.compile(r"\b2\b"))


def test_a_release_that_nobody_noticed_is_loaded_when_its_script_is_missed(
    released: ReleasedServer, second_build: Path, open_page: Any
) -> None:
    page = open_page("/health/live", **ALONE)
    page.goto(f"{released.url}/c/{SLUG}/ledger")
    expect(page.get_by_test_id("balance")).to_be_visible()
    released.release(second_build)
    missing = page.context.request.get(f"{released.url}/assets/Bulletin-gone.js")
    assert missing.status == 404
    # Also where what is gone looks the same in both: as if its name had changed.
    page.route("**/assets/Bulletin-*.js", lambda route: route.abort(), times=1)
    page.locator("header a.back").click()
    expect(page.get_by_role("heading", name="新一版的动静")).to_be_visible()


def test_the_worker_gives_each_page_the_files_of_its_own_release(
    released: ReleasedServer, second_build: Path, open_page: Any
) -> None:
    page = open_page("/health/live")
    page.goto(f"{released.url}/c/{SLUG}/ledger")
    _kept(page)
    (before,) = _shells(page)

    released.release(second_build)
    # The old page goes on with its own files, which the server has no more.
    page.locator("header a.back").click()
    expect(page.get_by_role("heading", name="这些天的动静")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="新一版的动静")).to_be_visible()
    until(
        page,
        """async before => {
          const one = await navigator.serviceWorker.getRegistration()
          const shells = (await caches.keys()).filter(name => name.startsWith('meilin-shell-'))
          return shells.at(-1) !== before && one.active && !one.installing && !one.waiting }""",
        before,
    )
    _kept(page)

    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", name="新一版的动静")).to_be_visible()
    page.context.set_offline(False)


# Without a network


def _kept(page: Page) -> None:
    """The worker has what it needs, and the page is its own."""
    page.wait_for_function("() => navigator.serviceWorker.controller?.state === 'activated'")


def _shells(page: Page) -> list[str]:
    return list(page.evaluate("async () => (await caches.keys()).filter(n => n.startsWith('meilin-shell-'))"))


def _boards(page: Page) -> list[Any]:
    read = """async () => { const store = await caches.open('meilin-boards')
      return Promise.all((await store.keys()).map(async key => (await store.match(key)).json())) }"""
    return list(page.evaluate(read))


@pytest.mark.parametrize("account", [None, f"{SLUG}/resident-12"])
def test_a_board_opens_without_a_network_and_says_how_old_it_is(
    open_page: Any, there: dict[str, Any], account: str | None
) -> None:
    page = open_page(f"/c/{SLUG}", account=account)
    expect(page.get_by_test_id("feed")).to_be_visible()
    _kept(page)
    until(page, "async () => (await (await caches.open('meilin-boards')).keys()).length > 0")
    boards = _boards(page)
    assert [board["data"]["viewer"] for board in boards] == [None]
    assert '"ballot":{' not in json.dumps(boards)

    page.context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text(there["name"])
    expect(page.get_by_test_id("stale")).to_contain_text(re.compile("没能更新，这是.*的。"))
    tap(page, f"/c/{SLUG}/ledger")
    expect(page.get_by_role("alert")).to_contain_text("连不上服务器")
    focused(page, "[role=alert]")
    page.go_back()
    expect(page.get_by_test_id("stale")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_test_id("stale")).to_have_count(0)

    if account:
        page.get_by_test_id("account").click()
        page.get_by_role("button", name="退出登录").click()
        expect(page.get_by_test_id("account")).to_have_text("登录")
        until(
            page,
            "async () => !(await caches.keys()).includes('meilin-boards') || "
            "(await (await caches.open('meilin-boards')).keys()).length <= 1",
        )


def test_a_private_community_is_never_kept(server: Any, open_page: Any) -> None:
    secret = "qiantang-shanshuiwan"
    page = open_page("/health/live")
    store = """async () => (await (await caches.open('meilin-boards')).keys()).map(k => k.url)"""

    def private(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(
            response=answer, body=answer.text().replace('"publicReading":true', '"publicReading":false')
        )

    page.route(GRAPHQL, private)
    page.goto(f"{server.url}/c/{secret}")
    expect(page.get_by_test_id("feed")).to_be_visible()
    _kept(page)
    assert page.evaluate(store) == []


# Sessions that end


def test_a_session_that_ends_on_the_way_goes_on_at_the_same_step(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    account = f"{SLUG}/resident-13"
    page = open_page(vote_path(there), account=account, **ALONE)
    page.get_by_role("button", name="我来投票").click()
    page.get_by_role("radio", name=re.compile("^赞同")).check(force=True)
    page.get_by_role("button", name=re.compile("核对")).click()
    expect(page.get_by_role("button", name="就这样投出去")).to_be_visible()
    page.context.clear_cookies()  # as a cookie that expired

    page.get_by_role("button", name="就这样投出去").click()
    here = page.get_by_test_id("sign-in-here")
    expect(here).to_contain_text("登录已经到期")
    expect(page.get_by_test_id("account")).to_have_text("登录")
    focused(page, "[data-testid=sign-in-here]")
    here.get_by_role("button", name="登录").click()
    page.get_by_role("textbox").fill(account)
    page.get_by_role("dialog").get_by_role("button", name="登录", exact=True).click()

    expect(page.get_by_test_id("picked")).to_have_text("赞同")
    expect(page.get_by_text("登录已经到期")).to_have_count(0)
    assert "step=review" in page.url
    page.get_by_role("button", name="就这样投出去").click()
    expect(page.get_by_role("heading", name=re.compile("收到了"))).to_be_visible()
    focused(page, "h1")


def test_signing_out_in_one_tab_is_seen_in_the_other(server: Any, open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}", account=f"{SLUG}/resident-14", **ALONE)
    other = page.context.new_page()
    other.goto(f"{server.url}/c/{SLUG}/ledger")
    for one in (page, other):
        expect(one.get_by_test_id("account")).to_have_text("14 号住户")
    other.get_by_test_id("account").click()
    other.get_by_role("button", name="退出登录").click()
    for one in (other, page):
        expect(one.get_by_test_id("account")).to_have_text("登录")
    focused(other, "main, [data-testid=account]")


# Sign-ups whose answer is lost


class Lossy:
    """Lets actions through to the server, and loses some of its answers."""

    def __init__(self, page: Page, *lost: str) -> None:
        self.lost, self.sent = set(lost), list[dict[str, Any]]()
        page.route(GRAPHQL, self._answer)

    def _answer(self, route: Route) -> None:
        kind, name = operation_of(route.request).split()
        if kind == "mutation":
            self.sent.append(json.loads(route.request.post_data or "")["variables"])
        if name not in self.lost:
            return route.continue_()
        if kind == "mutation":
            route.fetch()
        return route.abort()


def test_a_sign_up_whose_answer_is_lost_is_either_done_or_not_known(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    page = open_page(event_path(there), account=f"{SLUG}/resident-17", **ALONE)
    ours = page.get_by_test_id("sign-up")
    button = ours.get_by_role("button", name="报名")
    expect(button).to_be_visible()
    net = Lossy(page, "SignUp", "EventPage")
    button.click()
    expect(ours.get_by_role("alert").filter(has_text="连不上服务器")).to_contain_text("也只算报一次")
    expect(ours.get_by_text("报上名了")).to_have_count(0)
    focused(page, "[role=alert]")
    net.lost = {"EventPage"}
    button.click()
    expect(ours.get_by_text("报上名了")).to_be_visible()
    expect(ours.get_by_role("alert")).to_have_count(0)
    focused(page, ".own")
    assert len(net.sent) == 2
    assert net.sent[0]["key"] == net.sent[1]["key"] != None  # noqa: E711

    net.lost = {"CancelSignUp"}
    ours.get_by_role("button", name="不去了").click()
    focused(page, ".ask")
    ours.get_by_role("button", name="取消报名").click()
    expect(ours.get_by_text("已经取消")).to_be_visible()
    expect(ours.get_by_role("alert").filter(has_text="连不上")).to_have_count(0)
    focused(page, "[role=status]")

    net.lost = {"SignUp"}
    button.click()
    expect(ours.get_by_text("报上名了")).to_be_visible()
    expect(ours.get_by_role("alert")).to_have_count(0)
    assert net.sent[-1]["key"] != net.sent[0]["key"], "another sign-up is another action"


# What arrives moves nothing

RECTS = """() => { const seen = {}; let n = 0
  for (const one of document.querySelectorAll('.topline *, main, main *')) {
    const { x, y, width, height } = one.getBoundingClientRect()
    one.mark ??= ++n + ' ' + one.tagName + '.' + one.className
    if (!width || y + height < 0 || y > innerHeight) continue
    if (getComputedStyle(one).position === 'absolute') continue
    seen[one.mark] = [x, y, height].map(Math.round).join() }
  return seen }"""
PUBLISH = "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }"


def _unmoved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [
        f"{mark}: {place} -> {after.get(mark)}" for mark, place in before.items() if after.get(mark) != place
    ]


def whole(page: Page) -> None:
    """A board with all that is drawn and fetched after its first screen."""
    for part in ("feed", "square-plan"):
        expect(page.get_by_test_id(part).first).to_be_visible()
    expect(page.locator("main [role=status]").filter(has_text="正在取数据")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, {"width": 1280, "height": 900}], ids=["phone", "desk"])
def test_what_arrives_moves_nothing_until_it_is_asked_for(
    server: Any, open_page: Any, there: dict[str, Any], size: dict[str, int]
) -> None:
    page = open_page(f"/c/{SLUG}", size=size)
    expect(page.locator("[data-line=live]").first).to_be_visible()
    whole(page)
    notices = page.get_by_test_id("notices")
    notices.evaluate("one => scrollTo(0, scrollY + one.getBoundingClientRect().bottom - innerHeight / 2)")
    before = page.evaluate(RECTS)
    assert len(before) > 20
    title = f"今晚停水 {size['width']}"
    notice = {"title": title, "body": "21:00 到 23:00，1 到 8 幢。" * 8}
    server.ask(PUBLISH, server.token(f"{SLUG}/manager"), c=there["id"], n=notice)
    news = page.get_by_test_id("news")
    expect(news).to_contain_text("刚贴了 1 张")
    assert _unmoved(before, page.evaluate(RECTS)) == []
    expect(notices.get_by_text(title)).to_have_count(0)

    page.context.set_offline(True)
    expect(page.locator("[data-line=lost]").first).to_be_attached()
    assert _unmoved(before, page.evaluate(RECTS)) == []
    page.context.set_offline(False)

    news.get_by_role("button", name="看看").click()
    expect(notices.get_by_text(title)).to_be_in_viewport()
    focused(page, "[data-notice]")
    expect(news).to_have_count(0)


def test_more_of_a_list_goes_on_where_it_ended(server: Any, open_page: Any, there: dict[str, Any]) -> None:
    manager = server.token(f"{SLUG}/manager")
    for number in range(6):
        notice = {"title": f"第 {number + 1} 次通知", "body": "请看公告栏。"}
        server.ask(PUBLISH, manager, c=there["id"], n=notice)
    page = open_page(f"/c/{SLUG}", **ALONE)
    feed = page.get_by_test_id("feed")
    expect(feed.locator("li").first).to_be_visible()
    shown = feed.locator("li").count()
    page.route(GRAPHQL, lambda route: route.abort())
    feed.get_by_role("button", name="看更早的").click()
    focused(page, "[role=alert]")
    page.unroute(GRAPHQL)
    feed.get_by_role("button", name="看更早的").click()
    expect(feed.get_by_role("alert")).to_have_count(0)
    expect(feed.locator("li")).not_to_have_count(shown)
    focused(page, "ol")
    index = page.evaluate(
        "[...document.activeElement.closest('ol').children].indexOf(document.activeElement.closest('li'))"
    )
    assert index == shown
