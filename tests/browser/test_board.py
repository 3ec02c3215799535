"""The board of a phone, answered on one screen, and what happens on it before everybody's eyes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.conftest import ALONE, DESKTOP, PHONE

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "meizai-meicheng"
BOARD = f"/c/{SLUG}"

OPEN = """query($slug: String!) { community(slug: $slug) {
  votes(status: [OPEN]) { edges { node { id form questions { id } tally {
    participating { heads } turnoutByDay { day heads }
    questions { conditions { gate measure missing } } } } } }
  events(coming: true) { edges { node { id potluck attendance { signedUp placesLeft tables } } } } } }"""
CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { id } }"""
SIGN_UP = """mutation($event: ID!, $size: Int!, $dish: String) {
  signUp(eventId: $event, partySize: $size, dish: $dish) { id } }"""


def _vote(server: Any) -> dict[str, Any]:
    edges = server.ask(OPEN, slug=SLUG)["community"]["votes"]["edges"]
    return next(dict(edge["node"]) for edge in edges if edge["node"]["form"] != "CONSULTATION")


def _feast(server: Any) -> dict[str, Any]:
    edges = server.ask(OPEN, slug=SLUG)["community"]["events"]["edges"]
    return next(dict(edge["node"]) for edge in edges if edge["node"]["potluck"])


def _cast(server: Any, account: str, vote: dict[str, Any]) -> None:
    answers = [{"questionId": question["id"], "choices": ["FOR"]} for question in vote["questions"]]
    server.ask(CAST, server.token(f"{SLUG}/{account}"), vote=vote["id"], answers=answers)


def _missing(vote: dict[str, Any]) -> int:
    (question, *_) = vote["tally"]["questions"]
    return next(
        int(float(one["missing"]))
        for one in question["conditions"]
        if (one["gate"], one["measure"]) == ("PARTICIPATION", "HEADS")
    )


def _answers(page: Page) -> Any:
    return page.get_by_test_id("board-answers")


def _in_the_first_screen(page: Page, element: Any) -> bool:
    box = element.bounding_box()
    return bool(box) and box["y"] >= 0 and box["y"] + box["height"] <= PHONE["height"]


def test_the_first_screen_of_a_phone_says_what_is_missing_and_what_to_do(server: Any, open_page: Any) -> None:
    vote, feast = _vote(server), _feast(server)
    page = open_page(BOARD, account=f"{SLUG}/resident-11")
    expect(_answers(page)).to_contain_text(re.compile(rf"投票还差\s*{_missing(vote):,}\s*户"))
    expect(_answers(page)).to_contain_text(re.compile(r"您家的票\s*还没投"))
    expect(_answers(page)).to_contain_text(re.compile(rf"还有\s*{feast['attendance']['placesLeft']}\s*位"))
    actions = (
        page.get_by_role("link", name="我来投票").first,
        page.get_by_role("button", name=re.compile("^报名")),
    )
    for action in actions:
        expect(action).to_be_visible()
        assert _in_the_first_screen(page, action)


def test_each_answer_leads_to_where_it_stands(server: Any, open_page: Any) -> None:
    vote, feast = _vote(server), _feast(server)
    page = open_page(BOARD, account=f"{SLUG}/resident-12")
    for name, focused in (
        ("投票还差", f"vote-{vote['id']}"),
        ("美邻节还有", f"event-{feast['id']}"),
        ("动静", "feed"),
    ):
        link = _answers(page).get_by_role("link", name=re.compile(name))
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator(":focus")).to_have_attribute("id", focused)
        assert page.url.endswith(BOARD)
    _answers(page).get_by_role("link", name=re.compile("您家的票")).click()
    expect(page).to_have_url(re.compile(f"{BOARD}/v/"))


def _with_a_slow_feed(open_page: Any) -> tuple[Page, list[Route]]:
    page, slow = open_page("/health/live", **ALONE), list[Route]()
    page.route("**/assets/Feed-*.js", lambda route: slow.append(route))
    page.goto(page.url.replace("/health/live", BOARD))
    _answers(page).get_by_role("link", name="动静").click()
    page.wait_for_function("() => document.querySelector('.part.feed [role=status]')")
    return page, slow


def test_an_answer_leads_to_a_part_that_is_still_on_its_way(open_page: Any) -> None:
    page, slow = _with_a_slow_feed(open_page)
    expect(page.locator("#feed")).to_have_count(0)
    slow[0].continue_()
    expect(page.locator(":focus")).to_have_attribute("id", "feed")
    assert page.url.endswith(BOARD)


def test_whoever_does_something_else_is_not_led_to_a_part_that_comes_late(open_page: Any) -> None:
    page, slow = _with_a_slow_feed(open_page)
    page.keyboard.press("Shift+Tab")
    slow[0].continue_()
    expect(page.get_by_test_id("feed")).to_be_visible()
    expect(page.locator("#feed:focus")).to_have_count(0)


def test_what_is_missing_moves_while_one_looks(server: Any, open_page: Any) -> None:
    vote = _vote(server)
    page = open_page(BOARD)
    before = _missing(vote)
    expect(_answers(page)).to_contain_text(re.compile(rf"{before:,}\s*户"))
    _cast(server, "resident-7", vote)
    expect(_answers(page)).to_contain_text(re.compile(rf"{before - 1:,}\s*户"))


def test_a_sign_up_takes_three_taps_and_one_sees_where_one_sits(server: Any, open_page: Any) -> None:
    feast = _feast(server)
    watching = open_page(BOARD)
    left = feast["attendance"]["placesLeft"]
    expect(_answers(watching)).to_contain_text(re.compile(rf"{left}\s*位"))
    page = open_page(BOARD, account=f"{SLUG}/resident-14")

    page.get_by_role("button", name="多一人").click()
    page.get_by_role("button", name="多一人").click()
    page.get_by_role("button", name=re.compile("^报名")).click()

    expect(page.get_by_test_id("sign-up")).to_contain_text(re.compile(r"您家来\s*3\s*人"))
    expect(_answers(page)).to_contain_text(re.compile(r"您家\S*\s*3\s*人"))
    expect(_answers(watching)).to_contain_text(re.compile(rf"{left - 3}\s*位"))
    own = page.get_by_test_id("square-plan").get_by_role("button", name=re.compile("您家在这桌"))
    expect(own).to_have_count(1)
    own.focus()
    page.keyboard.press("Enter")
    table = page.get_by_test_id("round-table")
    expect(table).to_contain_text("您家")
    expect(page.locator(":focus")).to_have_text(re.compile(r"\d+ 桌"))
    table.get_by_role("button", name="收起桌子").click()
    expect(table).to_have_count(0)
    expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("您家在这桌"))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_household_signs_up_once_and_each_of_it_may_take_it_back(
    server: Any, open_page: Any, size: dict[str, int]
) -> None:
    feast, first, second = _feast(server), f"{SLUG}/resident-21", f"{SLUG}/resident-21-b"
    left = feast["attendance"]["placesLeft"]
    page = open_page(BOARD, account=second, size=size)
    sign_up = page.get_by_test_id("sign-up")
    button = sign_up.get_by_role("button", name=re.compile("^报名"))
    expect(button).to_be_visible()
    server.ask(SIGN_UP, server.token(first), event=feast["id"], size=2, dish="鱼")

    button.click()
    for board in (page, open_page(BOARD, account=second, size=size)):
        theirs = board.get_by_test_id("sign-up")
        expect(theirs).to_contain_text("您家已经报上名了")
        expect(theirs).to_contain_text(re.compile(r"您家来\s*2\s*人，带鱼"))
        expect(theirs).to_contain_text("同户的人替全家报的")
        expect(_answers(board)).to_contain_text(re.compile(r"您家\S*\s*2\s*人"))
        assert theirs.evaluate("element => element.scrollWidth <= element.clientWidth")
    expect(page.locator(":focus")).to_contain_text("您家已经报上名了")
    expect(open_page(BOARD, account=first).get_by_test_id("sign-up")).not_to_contain_text("同户的人")

    sign_up.get_by_role("button", name="不去了").click()
    sign_up.get_by_role("button", name="取消报名").click()
    expect(page.locator(":focus")).to_have_text(re.compile("已经取消"))
    assert _feast(server)["attendance"]["placesLeft"] == left


def test_neighbours_see_who_brings_what_and_strangers_only_how_full_it_is(
    server: Any, open_page: Any
) -> None:
    feast = _feast(server)
    dish = "第一百零一道菜"
    token = server.token(f"{SLUG}/resident-15")
    server.ask(SIGN_UP, token, event=feast["id"], size=1, dish=dish)
    own = server.ask("query($id: ID!) { event(id: $id) { viewerSignUp { tables } } }", token, id=feast["id"])
    (number,) = own["event"]["viewerSignUp"]["tables"]
    neighbour, stranger = open_page(BOARD, account=f"{SLUG}/tenant-1"), open_page(BOARD)
    for page in (neighbour, stranger):
        page.locator(f'[data-table="{number}"]').click()
    expect(neighbour.get_by_test_id("round-table")).to_contain_text(dish)
    expect(stranger.get_by_test_id("round-table")).to_contain_text("登录的邻居看得到")
    expect(stranger.get_by_role("main")).not_to_contain_text(dish)


def test_the_days_of_a_vote_add_up_and_today_grows(server: Any, open_page: Any) -> None:
    vote = _vote(server)
    page = open_page(f"{BOARD}/votes/{vote['id']}")
    days = page.get_by_test_id("turnout-by-day")
    expect(days).to_contain_text(re.compile(r"每天 [\d,]+ 户就够"))

    def came() -> int:
        said = days.locator("li:not(.coming) .vh").all_inner_texts()
        return sum(
            int(found[1].replace(",", "")) for text in said if (found := re.search(r"，([\d,]+) 户", text))
        )

    heads = vote["tally"]["participating"]["heads"]
    assert came() == heads == sum(day["heads"] for day in vote["tally"]["turnoutByDay"])
    _cast(server, "resident-16", vote)
    expect(page.get_by_role("main")).to_contain_text(re.compile(rf"人数\s*{heads + 1:,}\s*户"))
    assert came() == heads + 1


def test_the_article_is_said_on_a_tap(server: Any, open_page: Any) -> None:
    page = open_page(f"{BOARD}/votes/{_vote(server)['id']}")
    ask = page.get_by_role("button", name=re.compile("第 278 条怎么说")).first
    expect(ask).to_have_attribute("aria-expanded", "false")
    ask.focus()
    page.keyboard.press("Enter")
    expect(ask).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_test_id("article").first).to_contain_text("三分之二以上的业主参与表决")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("article").first).to_be_hidden()


def _enough(progress: dict[str, Any]) -> None:
    for question in progress["questions"]:
        for condition in question["conditions"]:
            if condition["gate"] == "PARTICIPATION":
                condition |= {"missing": "0.00", "met": True}


def _as_if(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    """What the line says of tallies, changed on its way to the page."""

    def between(line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            said = json.loads(text)
            progress = ((said.get("payload") or {}).get("data") or {}).get("voteProgress")
            if progress:
                change(progress)
                text = json.dumps(said)
            line.send(text)

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/graphql"), between)


def test_the_seal_is_pressed_once_for_those_who_look_on_and_stays(server: Any, open_page: Any) -> None:
    vote = _vote(server)
    path = f"{BOARD}/votes/{vote['id']}"
    crossed: set[int] = set()

    def change(progress: dict[str, Any]) -> None:
        crossed.add(progress["version"])
        if progress["version"] > min(crossed):
            _enough(progress)

    page = open_page("/health/live")
    _as_if(page, change)
    page.goto(f"{server.url}{path}")
    seal = page.get_by_role("main").locator(".lead .seal .seal")
    expect(page.locator("[data-line=live]")).to_be_visible()
    page.wait_for_timeout(500)
    expect(seal).to_have_count(0)
    _cast(server, "resident-17", vote)
    expect(seal).to_have_class(re.compile("pressed"))
    assert seal.evaluate("seal => getComputedStyle(seal).animationIterationCount") == "1"
    _cast(server, "resident-18", vote)
    page.wait_for_timeout(1_200)
    expect(seal).to_have_count(1)
    still = "seal => seal.getAnimations().every(one => one.playState === 'finished')"
    page.wait_for_function(still, arg=seal.element_handle())


def test_whoever_comes_later_finds_the_seal_still(server: Any, open_page: Any) -> None:
    page = open_page("/health/live")
    _as_if(page, lambda progress: (progress.update(version=progress["version"] + 1), _enough(progress))[0])
    page.goto(f"{server.url}{BOARD}/votes/{_vote(server)['id']}")
    seal = page.get_by_role("main").locator(".lead .seal .seal")
    expect(seal).to_be_visible()
    expect(seal).not_to_have_class(re.compile("pressed"))
