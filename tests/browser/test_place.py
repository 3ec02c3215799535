"""Right at the place: every address leads to its own thing, or says what is wrong with it."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.timeout(300),
    # What is drawn does not depend on where it was stored.
    pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="session"),
]

HOME, OTHER = "meizai-meicheng", "zijin-xiyuan"


@pytest.fixture(scope="module")
def there(server: Any) -> dict[str, Any]:
    """Something of each kind in 美哉美城, with both of its names."""
    query = """query($slug: String!) { community(slug: $slug) { name
      votes(first: 1) { edges { node { id number title } } }
      events(first: 1) { edges { node { id number title } } }
      notices(first: 1) { edges { node { id number title } } }
      ledger { entries(first: 1) { edges { node { number date item } } } } } }"""
    found = server.ask(query, slug=HOME)["community"]
    nodes = {kind: found[kind]["edges"][0]["node"] for kind in ("votes", "events", "notices")}
    return nodes | {"name": found["name"], "entry": found["ledger"]["entries"]["edges"][0]["node"]}


def go(page: Page, path: str) -> None:
    """As a link of the page would, so that only the page itself can put it right."""
    page.evaluate(
        "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path
    )


@pytest.mark.parametrize("kind", ["votes", "events", "notices"])
def test_a_thing_under_another_estates_address_stands_under_its_own(
    open_page: Any, there: dict[str, Any], kind: str
) -> None:
    node, own = there[kind], f"/c/{HOME}/{kind[0]}/{there[kind]['number']}"
    asked = f"/c/{OTHER}/{kind}/{node['id'].replace('=', '%3D')}"
    page = open_page(asked)
    for way in ("by the server", "by the page"):
        expect(page).to_have_url(re.compile(rf"{own}$"))
        expect(page.locator("h1", has_text=node["title"])).to_be_visible()
        expect(page.get_by_role("link", name=there["name"]).first).to_be_visible()
        assert page.locator("link[rel=canonical]").get_attribute("href") == page.url, way
        go(page, f"/c/{OTHER}/ledger")
        expect(page.locator("h1")).to_have_text("大家的钱")
        go(page, asked)


def test_a_number_is_of_the_estate_it_stands_under(open_page: Any, there: dict[str, Any]) -> None:
    """The same number leads to another vote under another estate, with that estate's name."""
    page = open_page(f"/c/{OTHER}/v/{there['votes']['number']}")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(there["name"])


def test_an_entry_is_found_in_its_month(open_page: Any, there: dict[str, Any]) -> None:
    page = open_page(f"/c/{HOME}/l/{there['entry']['number']}")
    month = there["entry"]["date"][:7]
    expect(page).to_have_url(re.compile(rf"/ledger\?month={month}#entry-{there['entry']['number']}$"))
    expect(page.locator("[data-entry][aria-current=true]")).to_contain_text(there["entry"]["item"])
    expect(page.locator("[data-entry][aria-current=true]")).to_be_in_viewport()
    go(page, f"/c/{HOME}/l/1")
    expect(page).to_have_url(re.compile(r"#entry-1$"))
    expect(page.locator("[data-entry][aria-current=true]")).to_be_in_viewport()


FACES = {
    f"/c/{HOME}/ledger?month=2026-13": "网址写得不对",
    f"/c/{HOME}/ledger?month=x": "网址写得不对",
    f"/c/{HOME}/ledger?month=2031-01": "没有这一页",
    f"/c/{HOME}/v/012": "网址写得不对",
    f"/c/{HOME}/v/999": "没有这一页",
    f"/c/{HOME}/n/99999999999": "网址写得不对",
    f"/c/{HOME}/l/999999": "没有这一页",
    f"/c/{HOME}/votes/nonsense": "网址写得不对",
    "/c/nowhere": "没有这一页",
    "/c/nowhere/v/1": "没有这一页",
    "/nowhere": "没有这一页",
}


def test_mistyped_absent_and_not_for_you_are_three_faces(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    """Also for an owner, to whom nothing says that the page was not for them."""
    page = open_page("/", account=f"{HOME}/resident-1")
    for path, face in FACES.items():
        go(page, path)
        expect(page.locator("h1")).to_have_text(face)
        expect(page.locator("body")).not_to_contain_text("这里只给本小区的人看")
    go(page, f"/c/{HOME}/v/{there['votes']['number']}")
    expect(page.locator("h1")).to_have_text(there["votes"]["title"])
    page.goto(f"{server.url}/c/%E0%A4%A")  # which is no text at all
    expect(page.locator("h1")).to_have_text("没有这一页")


def test_an_english_browser_gets_english_until_somebody_chooses(open_page: Any) -> None:
    page = open_page("/", locale="en-GB")
    expect(page.locator("h1")).to_have_text("What is being decided today")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    served = page.request.get(page.url, headers={"accept-language": "en"}).text()
    assert '<html lang="zh-CN"' in served, "the server knows what was chosen"
    page.reload()
    expect(page.locator("h1")).to_have_text("今天在商量什么")


def test_the_first_page_says_what_it_is_who_keeps_it_and_what_one_may_do(open_page: Any) -> None:
    page = open_page("/")
    expect(page.locator("main")).to_contain_text("小区的公告栏，业委会（或物管委）和物业在管：谁都能看")
    resident = open_page("/", account=f"{HOME}/resident-1")
    expect(resident.locator("main")).to_contain_text("您已登录，自家小区的表决能投票")
