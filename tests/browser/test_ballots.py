"""What the page says of a ballot that was changed, of one that says nothing, and of several questions."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]

SLUG = "meizai-meicheng"
OPEN = """query($slug: String!) { community(slug: $slug) {
  votes(status: [OPEN]) { edges { node { id form } } } } }"""

Told = dict[str, Any]


def path_of(server: Any, form: str) -> str:
    votes = server.ask(OPEN, slug=SLUG)["community"]["votes"]["edges"]
    return f"/c/{SLUG}/votes/{next(edge['node']['id'] for edge in votes if edge['node']['form'] == form)}"


def vote_in(data: Told) -> Told | None:
    """That of a vote's own page."""
    vote: Told | None = (data.get("community") or {}).get("vote")
    return vote


def told_otherwise(page: Page, change: Callable[[Told], object]) -> None:
    """Every answer reaches the page changed."""

    def answer(route: Route) -> None:
        response = route.fetch()
        told = response.json()
        if told.get("data"):
            change(told["data"])
        route.fulfill(response=response, json=told)

    page.route(re.compile("/graphql"), answer)


def go_on(page: Page) -> None:
    page.locator("form .go .btn").first.click()


def test_a_changed_answer_says_whose_slip_is_void(server: Any, open_page: Any) -> None:
    path = path_of(server, "CONSULTATION")
    page = open_page(path, account=f"{SLUG}/resident-11")
    codes = []
    for choice in (0, 1, 2):
        page.get_by_test_id("take-part").get_by_role("button").first.click()
        for question in (1, 2):
            expect(page).to_have_url(re.compile(f"step=question-{question}"))
            page.locator("fieldset input").nth(choice).check(force=True)
            go_on(page)
        if codes:
            expect(page.get_by_role("main")).to_contain_text(f"原来的 {codes[-1]} 作废")
        page.get_by_role("button", name="就这样交上去").click()
        code = page.get_by_test_id("receipt-code")
        expect(code).to_be_visible()
        codes.append(code.inner_text())
        expect(page.get_by_role("main")).to_contain_text("截止前要是再改，这张就作废")
        void = page.get_by_test_id("void-codes")
        if len(codes) > 1:
            expect(void).to_contain_text(f"原来的 {'、'.join(reversed(codes[:-1]))} 作废，以这张为准")
        else:
            expect(void).to_have_count(0)
        page.goto(f"{server.url}{path}")
    page.goto(f"{server.url}{path}?step=receipt")
    page.emulate_media(media="print")
    expect(page.get_by_test_id("void-codes")).to_be_visible()
    page.emulate_media(media="screen")
    page.get_by_role("button", name=re.compile("English")).click()
    expect(page.get_by_test_id("void-codes")).to_contain_text(
        f"replaces {codes[1]}, {codes[0]}, which are void"
    )


def test_an_answer_that_says_nothing_goes_no_further(server: Any, open_page: Any) -> None:
    def optional(data: Told) -> None:
        for question in (vote_in(data) or {}).get("questions", ()):
            question["minChoices"] = 0

    page = open_page("/", account=f"{SLUG}/resident-12")
    told_otherwise(page, optional)
    page.goto(f"{server.url}{path_of(server, 'CONSULTATION')}?step=review")
    expect(page).to_have_url(re.compile("step=question-2|step=question-1|/v/[^?]*$"))
    page.goto(f"{server.url}{path_of(server, 'CONSULTATION')}?step=question-1")
    go_on(page)
    expect(page).to_have_url(re.compile("step=question-2"))
    go_on(page)
    expect(page.get_by_role("alert")).to_have_text("还什么都没选、没写。至少答一题，再往下走。")
    page.get_by_role("textbox").fill(" \n")
    go_on(page)
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox").fill("多种几棵树")
    go_on(page)
    expect(page).to_have_url(re.compile("step=review"))
    expect(page.get_by_role("main")).to_contain_text("多种几棵树")


def test_a_listener_hears_each_question_by_its_title(server: Any, open_page: Any) -> None:
    """On the board all of them in one sentence, on the page each where it stands."""

    def doubled(vote: Told) -> None:
        (question,), (result,) = vote["questions"], vote["tally"]["questions"]
        other = {**question, "id": "other", "title": "另一题"}
        against = {
            **result,
            "questionId": "other",
            "conditions": [
                {**each, "met": each["gate"] == "PARTICIPATION" and each["met"]}
                for each in result["conditions"]
            ],
        }
        vote["questions"], vote["tally"]["questions"] = [question, other], [result, against]

    def several(data: Told) -> None:
        found = [edge["node"] for edge in (data.get("community") or {}).get("open", {}).get("edges", ())]
        for vote in [*found, vote_in(data)]:
            if vote and vote["form"] == "STATUTORY_LOCAL":
                doubled(vote)

    page = open_page("/")
    told_otherwise(page, several)
    page.goto(f"{server.url}/c/{SLUG}")
    spoken = page.get_by_test_id("tally-spoken").first
    title = "用维修资金换地下车库的消防水泵"
    expect(spoken).to_have_text(
        re.compile(rf"^共 [\d,]+ 户，[\d,]+ 户投了票。{title}：.*赞同现在过半。另一题：.*赞同还没过半。$")
    )
    page.goto(f"{server.url}{path_of(server, 'STATUTORY_LOCAL')}")
    both = page.get_by_test_id("tally-spoken")
    expect(both.nth(0)).to_have_text(re.compile(rf"{title}：.*赞同现在过半。$"))
    expect(both.nth(1)).to_have_text(re.compile("另一题：.*赞同还没过半。$"))
