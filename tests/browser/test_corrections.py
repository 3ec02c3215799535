"""A wrong notice is corrected while a neighbour reads it, withdrawn, and printed as it stands."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.paper import pages_of

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(600),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

SLUG = "zijin-xiyuan"
MANAGER, COMMITTEE = f"{SLUG}/manager", f"{SLUG}/committee"
PUBLISH = """mutation($id: ID!, $notice: NoticeInput!) {
  publishNotice(communityId: $id, notice: $notice) { number } }"""
GROUND = """query($slug: String!) { community(slug: $slug) { id
  events(coming: true) { edges { node { number title viewerMayCorrect { allowed } } } } } }"""


@pytest.fixture
def notice(server: Any) -> str:
    """The address of one that names the wrong day."""
    ground = server.ask(GROUND, slug=SLUG)["community"]
    given = {"title": "周六停水", "body": "周六九点起停水。"}
    made = server.ask(PUBLISH, server.token(MANAGER), id=ground["id"], notice=given)
    return f"/c/{SLUG}/n/{made['publishNotice']['number']}"


def look(reader: Page, said: str) -> None:
    """Nothing moves before the reader wants to see it."""
    news = reader.get_by_test_id("news")
    expect(news).to_contain_text(said)
    news.get_by_role("button", name="看看").click()


def test_a_wrong_notice_is_corrected_while_another_window_reads_it(
    server: Any, open_page: Any, notice: str
) -> None:
    reader = open_page(notice)
    expect(reader.get_by_role("heading", level=1)).to_have_text("周六停水")
    expect(reader.get_by_role("button", name="更正这张公告")).to_have_count(0)

    writer = open_page(notice, account=MANAGER, size=DESKTOP)
    writer.get_by_role("button", name="更正这张公告").click()
    writer.get_by_label("标题").fill("周日停水")
    writer.reload()  # what was begun goes on
    expect(writer.get_by_label("标题")).to_have_value("周日停水")
    writer.get_by_label("内容").fill("周日九点起停水。")
    writer.get_by_label("为什么更正").fill("日子写错了")
    writer.get_by_role("button", name="就这样更正").click()
    expect(writer.locator("*:focus")).to_have_text("更正好了。")
    expect(writer.get_by_role("heading", level=1)).to_have_text("周日停水")

    look(reader, "1 张公告更正了")
    expect(reader.get_by_role("heading", level=1)).to_have_text("周日停水")
    corrections = reader.get_by_test_id("corrections")
    expect(corrections).to_contain_text(re.compile("更正于今天.*（浙大求是物业）：日子写错了"))
    expect(reader.get_by_text("周六九点起停水。")).to_be_hidden()
    corrections.get_by_role("button", name="看原文").click()
    expect(reader.get_by_text("周六九点起停水。")).to_be_visible()


def test_a_withdrawn_notice_stays_readable_under_its_strip_and_on_paper(
    server: Any, open_page: Any, notice: str
) -> None:
    reader = open_page(notice)
    expect(reader.get_by_role("heading", level=1)).to_have_text("周六停水")
    writer = open_page(notice, account=MANAGER)
    writer.get_by_role("button", name="撤下").click()
    writer.get_by_role("button", name="就这样撤下").click()
    expect(writer.get_by_label("为什么撤下")).to_be_focused()
    writer.get_by_label("为什么撤下").fill("停水改期")
    writer.get_by_role("button", name="就这样撤下").click()
    expect(writer.get_by_test_id("withdrawn")).to_be_focused()
    expect(writer.get_by_role("button", name="更正这张公告")).to_have_count(0)

    look(reader, "1 张公告撤下了")
    expect(reader.get_by_test_id("withdrawn")).to_contain_text("停水改期")
    expect(reader.get_by_text("周六九点起停水。")).to_be_visible()
    paper = "".join(pages_of(reader.pdf()))
    assert "停水改期" in paper
    assert "周六九点起停水" in paper
    reader.emulate_media(media="print")
    expect(reader.get_by_text("已撤下")).to_be_visible()

    board = open_page(f"/c/{SLUG}", size=DESKTOP)
    card = board.get_by_test_id("notices").get_by_role("article").filter(has_text="停水改期")
    expect(card).to_contain_text("已撤下")
    expect(board.get_by_test_id("feed").get_by_role("listitem").first).to_contain_text("公告撤下")


def test_who_did_not_sign_it_is_offered_nothing(server: Any, open_page: Any, notice: str) -> None:
    page = open_page(notice, account=COMMITTEE)
    expect(page.get_by_role("heading", level=1)).to_have_text("周六停水")
    expect(page.get_by_test_id("account")).to_be_visible()
    expect(page.get_by_role("button", name="打印公告")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("更正|撤下"))).to_have_count(0)


def test_the_words_of_an_event_are_corrected_on_its_page(server: Any, open_page: Any) -> None:
    edges = server.ask(GROUND, server.token(MANAGER), slug=SLUG)["community"]["events"]["edges"]
    mine = next(edge["node"] for edge in edges if edge["node"]["viewerMayCorrect"]["allowed"])
    page = open_page(f"/c/{SLUG}/e/{mine['number']}", account=MANAGER)
    page.get_by_role("button", name="更正文字").click()
    page.get_by_label("在哪里").fill("北门岗亭")
    page.get_by_role("button", name="就这样更正").click()
    expect(page.locator("*:focus")).to_have_text("更正好了。")
    expect(page.get_by_test_id("corrections")).to_contain_text("更正于今天")
    expect(page.locator(".when").first).to_contain_text("北门岗亭")
