"""The page in a real Chromium: what one neighbour does, the others see."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from community.votes.rules import TWO_THIRDS  # the page's figures follow from the same rule

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

SLUG = "meizai-meicheng"
DESKTOP = {"width": 1280, "height": 900}

OPEN = """query($slug: String!) { community(slug: $slug) { id
  votes(status: [OPEN]) { edges { node { id title form questions { id kind choices { code } minChoices }
    tally { participating { heads } eligible { heads } } } } }
  events(coming: true) { edges { node { id title potluck attendance { signedUp placesLeft } } } } } }"""
CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { id } }"""


def _open(server: Any) -> dict[str, Any]:
    return dict(server.ask(OPEN, slug=SLUG)["community"])


def _vote(server: Any, form: str) -> dict[str, Any]:
    nodes = [edge["node"] for edge in _open(server)["votes"]["edges"]]
    return next(dict(node) for node in nodes if node["form"] == form)


def _events(server: Any) -> list[dict[str, Any]]:
    return [dict(edge["node"]) for edge in _open(server)["events"]["edges"]]


def _path(vote: dict[str, Any]) -> str:
    return f"/c/{SLUG}/votes/{vote['id']}"


def _heads(page: Page) -> int:
    """How many took part, as the bar's caption says."""
    caption = re.compile(r"人数\s*([\d,]+)\s*户")
    expect(page.get_by_role("main")).to_contain_text(caption)
    found = caption.search(page.get_by_role("main").inner_text())
    return int(found[1].replace(",", "")) if found else 0


def _expect_heads(page: Page, heads: int) -> None:
    expect(page.get_by_role("main")).to_contain_text(re.compile(rf"人数\s*{heads:,}\s*户"))


def _cast(page: Page, choice: str) -> None:
    page.get_by_role("button", name="我来投票").click()
    page.get_by_role("radio", name=re.compile(f"^{choice}")).check(force=True)
    page.get_by_role("button", name=re.compile("核对")).click()
    page.get_by_role("button", name="就这样投出去").click()
    expect(page.get_by_role("heading", name=re.compile("收到了"))).to_be_visible()


def test_a_ballot_cast_in_one_window_moves_the_bars_in_another(server: Any, open_page: Any) -> None:
    vote = _vote(server, "STATUTORY_LOCAL")
    watching = open_page(_path(vote), size=DESKTOP)
    before = _heads(watching)
    assert before == vote["tally"]["participating"]["heads"]
    voting = open_page(_path(vote), account=f"{SLUG}/resident-1")
    expect(voting.get_by_role("button", name="我来投票")).to_be_visible()

    _cast(voting, "赞同")

    _expect_heads(watching, before + 1)
    after = _vote(server, "STATUTORY_LOCAL")["tally"]
    assert after["participating"]["heads"] == before + 1
    missing = TWO_THIRDS.missing(before + 1, after["eligible"]["heads"], newcomers_enlarge=False)
    expect(watching.get_by_role("main")).to_contain_text(re.compile(rf"还差\s*{missing:,}\s*户"))


def test_a_ballot_cast_through_the_api_moves_the_bulletin(server: Any, open_page: Any) -> None:
    vote = _vote(server, "STATUTORY_LOCAL")
    page = open_page(f"/c/{SLUG}")
    heads = vote["tally"]["participating"]["heads"]
    expect(page.get_by_text(f"投了票的 {heads:,} 户里")).to_be_visible()

    answers = [{"questionId": question["id"], "choices": ["AGAINST"]} for question in vote["questions"]]
    server.ask(CAST, server.token(f"{SLUG}/resident-2"), vote=vote["id"], answers=answers)

    expect(page.get_by_text(f"投了票的 {heads + 1:,} 户里")).to_be_visible()


def test_whoever_has_cast_sees_the_receipt_and_cannot_cast_again(server: Any, open_page: Any) -> None:
    vote = _vote(server, "STATUTORY_LOCAL")
    page = open_page(_path(vote), account=f"{SLUG}/resident-3")
    _cast(page, "弃权")
    page.goto(f"{server.url}{_path(vote)}")
    expect(page.get_by_text("您家已投").first).to_be_visible()
    expect(page.get_by_role("button", name="我来投票")).to_have_count(0)


def test_a_tenant_is_told_who_votes(server: Any, open_page: Any) -> None:
    page = open_page(_path(_vote(server, "STATUTORY_LOCAL")), account=f"{SLUG}/tenant-1")
    expect(page.get_by_role("main")).to_contain_text("业主")
    expect(page.get_by_role("button", name="我来投票")).to_have_count(0)


def test_signing_up_takes_places_for_everybody_to_see(server: Any, open_page: Any) -> None:
    # Which one is the first depends on the day, and not every event has a capacity.
    event = next(event for event in _events(server) if (event["attendance"]["placesLeft"] or 0) >= 2)
    left = event["attendance"]["placesLeft"]
    address = f"/c/{SLUG}/events/{event['id']}"
    watching = open_page(address)
    expect(watching.get_by_role("main")).to_contain_text(re.compile(rf"还有\s*{left}\s*个位子"))
    coming = open_page(address, account=f"{SLUG}/resident-4")
    coming.get_by_role("button", name="多一人").click()
    if event["potluck"]:
        coming.get_by_role("textbox").first.fill("龙井虾仁")

    coming.get_by_role("button", name=re.compile("^报名")).click()

    expect(watching.get_by_role("main")).not_to_contain_text(re.compile(rf"还有\s*{left}\s*个位子"))
    (now,) = (found["attendance"] for found in _events(server) if found["id"] == event["id"])
    assert now["placesLeft"] < left
    expect(watching.get_by_role("main")).to_contain_text(re.compile(rf"还有\s*{now['placesLeft']}\s*个位子"))


def test_a_notice_arrives_without_reload(server: Any, open_page: Any) -> None:
    page = open_page(f"/c/{SLUG}")
    expect(page.get_by_text("实时更新中")).to_be_visible()
    community = _open(server)["id"]
    notice = {"title": "今晚电梯检修", "body": "2 号电梯 22:00 到 23:00 停用。"}
    server.ask(
        "mutation($c: ID!, $n: NoticeInput!) { publishNotice(communityId: $c, notice: $n) { id } }",
        server.token(f"{SLUG}/manager"),
        c=community,
        n=notice,
    )
    expect(page.get_by_text("今晚电梯检修").first).to_be_visible()


def test_the_line_is_cut_and_comes_back_with_what_was_missed(server: Any, open_page: Any) -> None:
    vote = _vote(server, "STATUTORY_LOCAL")
    page = open_page(_path(vote), size=DESKTOP)
    expect(page.get_by_text("实时更新中").first).to_be_visible()
    before = _heads(page)

    server.stop()
    try:
        expect(page.get_by_text(re.compile("断线了|停在")).first).to_be_visible()
    finally:
        server.start()
    answers = [{"questionId": question["id"], "choices": ["FOR"]} for question in vote["questions"]]
    server.ask(CAST, server.token(f"{SLUG}/resident-5"), vote=vote["id"], answers=answers)

    expect(page.get_by_text("实时更新中").first).to_be_visible(timeout=60_000)
    _expect_heads(page, before + 1)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(server: Any, open_page: Any, width: int) -> None:
    vote, survey = _vote(server, "STATUTORY_LOCAL"), _vote(server, "CONSULTATION")
    event = _open(server)["events"]["edges"][0]["node"]
    page = open_page("/", size={"width": width, "height": 900})
    for path in (
        "/",
        f"/c/{SLUG}",
        _path(vote),
        _path(survey),
        f"/c/{SLUG}/events/{event['id']}",
        f"/c/{SLUG}/ledger",
    ):
        page.goto(f"{server.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path


def test_the_page_is_complete_in_english(server: Any, open_page: Any) -> None:
    page = open_page(_path(_vote(server, "STATUTORY_LOCAL")), locale="en-GB")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("main")).to_contain_text(re.compile("to go|more|took part", re.IGNORECASE))
