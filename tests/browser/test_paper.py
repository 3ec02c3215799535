"""Right at the place: who is shown a button, where a receipt opens, what large text and paper keep."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.paper import pages_of

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "meizai-meicheng"
BOARD = f"/c/{SLUG}"
DESKTOP = {"width": 1280, "height": 900}
OWNER = f"{SLUG}/resident-8"

FOUND = """query($slug: String!) { community(slug: $slug) {
  open: votes(status: [OPEN]) { edges { node { id form questions { id kind choices { code } minChoices } } } }
  closed: votes(status: [CLOSED]) { edges { node { id questions { id } } } }
  events(coming: true) { edges { node { id attendance { placesLeft } } } }
  notices(first: 1) { edges { node { id } } } } }"""
CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { code } }"""


@pytest.fixture(scope="module")
def places(server: Any) -> dict[str, str]:
    """Addresses of one of each thing."""
    found = server.ask(FOUND, slug=SLUG)["community"]
    nodes = {name: [edge["node"] for edge in page["edges"]] for name, page in found.items()}
    statutory = next(vote for vote in nodes["open"] if vote["form"] == "STATUTORY_LOCAL")
    free = next(event for event in nodes["events"] if event["attendance"]["placesLeft"] != 0)
    return {
        "board": BOARD,
        "vote": f"{BOARD}/votes/{statutory['id']}",
        "closed": f"{BOARD}/votes/{nodes['closed'][0]['id']}",
        "event": f"{BOARD}/events/{free['id']}",
        "notice": f"{BOARD}/notices/{nodes['notices'][0]['id']}",
        "ledger": f"{BOARD}/ledger",
        "publish": f"{BOARD}/publish",
    }


def cast(server: Any, who: str) -> tuple[str, str]:
    """The address of the statutory vote, and the code of the receipt."""
    nodes = [edge["node"] for edge in server.ask(FOUND, slug=SLUG)["community"]["open"]["edges"]]
    vote = next(vote for vote in nodes if vote["form"] == "STATUTORY_LOCAL")
    answers = [{"questionId": question["id"], "choices": ["FOR"]} for question in vote["questions"]]
    done = server.ask(CAST, server.token(who), vote=vote["id"], answers=answers)
    return f"{BOARD}/votes/{vote['id']}", done["castBallot"]["code"]


def settled(page: Page) -> Page:
    """Everything is there: what was asked for has come, and who asks is known."""
    expect(page.get_by_role("main").locator("h1").first).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.get_by_role("main").get_by_text("正在取数据", exact=True)).to_have_count(0)
    expect(page.get_by_test_id("account")).to_be_visible()
    return page


# Who may


VOTE, SIGN_UP, PUBLISH = "我来投票", "报名", "看一眼再贴"
RED = {
    # Signed out, one may still be an owner: the way in is offered, but not in the colour of the action.
    None: set[str](),
    f"{SLUG}/resident-9": {VOTE, SIGN_UP},
    f"{SLUG}/tenant-1": {SIGN_UP},
    f"{SLUG}/committee": {SIGN_UP, PUBLISH},
    f"{SLUG}/manager": {SIGN_UP, PUBLISH},
    "qiantang-shanshuiwan/resident-1": set[str](),
    "city/regulator": set[str](),
}
WHO_MAY = {"vote": re.compile("业主"), "event": re.compile("业主|住在小区")}


@pytest.mark.parametrize("who", RED)
def test_red_is_only_what_one_may_do(open_page: Any, places: dict[str, str], who: str | None) -> None:
    shown: set[str] = set()
    page = open_page(places["board"], account=who)
    for name in ("board", "vote", "event", "publish"):
        page.goto(page.url.split("/c/")[0] + places[name])
        settled(page)
        if name == "publish" and who is None:
            continue  # a way to sign in, and nothing else
        red = page.locator("main .btn:not(.quiet)")
        shown |= {text.split(":")[0].split("：")[0].strip() for text in red.all_inner_texts()}
        if name in WHO_MAY and not red.count():
            expect(page.get_by_role("main")).to_contain_text(WHO_MAY[name])
    assert shown == RED[who]


def test_the_screens_of_casting_are_for_whoever_may_cast(open_page: Any, places: dict[str, str]) -> None:
    for step in ("question-1", "review", "receipt", "party"):
        page = settled(open_page(f"{places['vote']}?step={step}", account=f"{SLUG}/tenant-1"))
        expect(page.get_by_test_id("take-part")).to_contain_text("只有名册上的业主能投")
        assert page.locator("main .btn:not(.quiet)").count() == 0


# The receipt


def test_the_receipt_opens_itself_from_the_board_and_from_the_vote(server: Any, open_page: Any) -> None:
    address, code = cast(server, OWNER)
    page = settled(open_page(BOARD, account=OWNER))
    ways: list[Callable[[], Any]] = [
        lambda: page.locator("main a", has_text="看回执").first.click(),
        lambda: page.get_by_test_id("take-part").get_by_role("button", name="看回执").click(),
    ]
    for start, way in zip((BOARD, address), ways, strict=True):
        page.goto(f"{server.url}{start}")
        settled(page)
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        way()
        expect(page.get_by_test_id("receipt-code")).to_have_text(code)
        expect(page.get_by_role("heading", name=re.compile("收到了"))).to_be_focused()
        expect(page.get_by_role("heading", name=re.compile("收到了"))).to_be_in_viewport()
        expect(page.get_by_role("button", name="打印或保存回执")).to_be_visible()
    (sheet,) = pages_of(page.pdf(format="A4", prefer_css_page_size=True))
    assert code in sheet


# Elder mode


def test_elder_mode_hides_nothing_that_counts(open_page: Any, places: dict[str, str]) -> None:
    page = settled(open_page(places["vote"], account=f"{SLUG}/resident-10"))
    words = ["要 1,102 户", "共 1,652 户", "依据《民法典》第 278 条", "打印这次表决", "最近一票"]
    for larger in (False, True):
        if larger:
            page.get_by_role("button", name="大字").click()
        for text in words:
            expect(page.get_by_role("main").get_by_text(text).first).to_be_visible()
        expect(page.locator("main .counts")).to_be_visible()
    page.get_by_role("button", name="我来投票").click()
    page.get_by_role("radio").first.check(force=True)
    page.get_by_role("button", name=re.compile("核对")).click()
    expect(page.get_by_text("公示时写房号和面积，不写姓名。")).to_be_visible()
    for name in ("event", "notice", "ledger"):
        page.goto(page.url.split("/c/")[0] + places[name])
        expect(page.get_by_role("button", name=re.compile("^打印"))).to_be_visible()


# Paper

FILL = """(text) => { const all = document.querySelectorAll('main .prose');
  all[all.length - 1].innerHTML = text }"""


def printed(page: Page) -> list[str]:
    """As Ctrl+P prints, without our button."""
    return pages_of(page.pdf(format="A4", prefer_css_page_size=True))


@pytest.mark.parametrize("name", ["board", "vote", "closed", "event", "notice", "ledger"])
def test_paper_says_where_the_live_page_is_however_one_prints(
    open_page: Any, places: dict[str, str], name: str
) -> None:
    page = settled(open_page(places[name], size=DESKTOP))
    expect(page.locator(".letterhead path")).to_have_count(1)
    sheets = printed(page)
    assert "实时数字见" in sheets[0]
    assert "实时数字见" not in "".join(sheets[1:])
    assert not re.search("今天|明天|后天|昨天|还有 [0-9]+ [天小分]", "".join(sheets)), "paper hangs for weeks"
    assert all(len(sheet) > 40 for sheet in sheets)
    page.evaluate(
        "window.print = () => (window.printed = document.querySelectorAll('.letterhead path').length)"
    )
    if name != "board":
        page.get_by_role("button", name=re.compile("^打印")).click()
        page.wait_for_function("window.printed === 1")


@pytest.mark.parametrize("name", ["vote", "notice"])
def test_no_sheet_holds_only_what_ends_the_text(open_page: Any, places: dict[str, str], name: str) -> None:
    page = settled(open_page(places[name], size=DESKTOP))
    expect(page.locator(".letterhead path")).to_have_count(1)
    several = 0
    for lines in range(14, 50, 4):
        for text in (
            "".join(f"<p>第{n}行</p>" for n in range(lines)),
            f"<p>{'很长的一段，' * lines * 4}</p>",
        ):
            page.evaluate(FILL, text)
            sheets = printed(page)
            several += len(sheets) > 1
            assert re.search("行|很长", sheets[-1]), (lines, sheets[-1])
    assert several > 5


def test_the_whole_month_is_on_paper(server: Any, open_page: Any, places: dict[str, str]) -> None:
    month = """query($slug: String!) { community(slug: $slug) { ledger {
      months(first: 24) { month entryCount } } } }"""
    months = server.ask(month, slug=SLUG)["community"]["ledger"]["months"]
    fullest = max(months, key=lambda one: int(one["entryCount"]))
    assert fullest["entryCount"] > 20
    page = settled(open_page(f"{places['ledger']}?month={fullest['month']}"))
    expect(page.locator("main [data-entry]")).to_have_count(fullest["entryCount"])
    assert page.locator("main [data-entry]:visible").count() == 20
    assert "".join(printed(page)).count("余 ¥") == fullest["entryCount"]
    page.get_by_role("button", name="再看几笔").click()
    assert page.locator("main [data-entry]:visible").count() == min(70, fullest["entryCount"])


# Large text, and the system's colours

TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
COVERED = """() => { const shown = (e) => e.getBoundingClientRect(), covered = []
  const bars = [...document.querySelectorAll('body *')].filter((e) =>
    ['fixed', 'sticky'].includes(getComputedStyle(e).position) && shown(e).height && !e.closest('dialog'))
  const meets = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo(0, y)
    for (const bar of bars)
      for (const text of document.querySelectorAll('main :is(p, b, a, button, td, h1, h2, h3)'))
      if (!bar.contains(text) && !text.contains(bar) && !text.closest('.vh') && shown(text).width
          && meets(shown(bar), shown(text))) covered.push(text.textContent.trim().slice(0, 30)) }
  return covered }"""


@pytest.mark.parametrize("size", [{"width": 390, "height": 844}, DESKTOP], ids=["390", "1280"])
def test_large_text_runs_over_no_edge_and_under_no_bar(
    open_page: Any, places: dict[str, str], size: dict[str, int]
) -> None:
    page = open_page(places["board"], account=f"{SLUG}/resident-11", size=size)
    for address in (*places.values(), f"{places['vote']}?step=question-1"):
        page.goto(page.url.split("/c/")[0] + address)
        settled(page)
        for root in ("131.25%", "200%"):
            page.evaluate(f"document.documentElement.style.fontSize = '{root}'")
            assert page.evaluate(TOO_WIDE) <= 0, (address, root)
            assert page.evaluate(COVERED) == [], (address, root)


def test_the_bar_is_at_hand_where_the_text_leaves_room(open_page: Any, places: dict[str, str]) -> None:
    page = settled(open_page(places["vote"], account=f"{SLUG}/resident-11"))
    join = page.get_by_role("button", name="我来投票")
    expect(join).to_be_in_viewport()
    page.get_by_role("button", name="大字").click()
    expect(join).to_be_in_viewport()
    assert page.evaluate(COVERED) == []


def test_the_systems_colours_leave_buttons_bars_and_marks(open_page: Any, places: dict[str, str]) -> None:
    look = """(e) => { const s = getComputedStyle(e);
      return [parseFloat(s.borderTopWidth), s.borderTopStyle] }"""
    colour = "(e) => getComputedStyle(e).backgroundColor"
    page = settled(
        open_page(places["vote"], account=f"{SLUG}/resident-11", forced_colors="active", color_scheme="dark")
    )
    for button in page.locator("button:visible, .btn:visible").all():
        width, style = button.evaluate(look)
        assert (width >= 1, style) == (True, "solid"), button.inner_text()
    paper = page.locator("body").evaluate(colour)
    for mark in ("main .pole", "main .fill"):
        assert page.locator(mark).first.evaluate(colour) != paper
    page.get_by_role("button", name="大字").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
