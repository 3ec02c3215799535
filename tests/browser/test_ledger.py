"""The book as people read it: what was taken back, what came late, who wrote it down, and years ago."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE

# They share a server and a browser with the others.
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

SLUG = "zijin-xiyuan"
RECORD = """mutation($id: ID!, $entry: EntryInput!) {
  recordEntry(communityId: $id, entry: $entry) { id number } }"""
REVERSE = 'mutation($id: ID!) { reverseEntry(entryId: $id, reason: "记错了") { number } }'
LEDGER = """query($slug: String!, $month: String!) { community(slug: $slug) { id ledger {
  month(month: $month) { opening closing } years { year firstMonth lastMonth } } } }"""


def _today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()


def _yuan(amount: str) -> str:
    return f"¥{float(amount):,.2f}"


def test_what_came_late_and_what_was_taken_back_say_so(server: Any, open_page: Any) -> None:
    then = (_today().replace(day=1) - timedelta(days=150)).replace(day=2)
    month, this = f"{then:%Y-%m}", f"{_today():%Y-%m}"
    committee = server.token(f"{SLUG}/committee")
    community = server.ask(LEDGER, slug=SLUG, month=month)["community"]["id"]
    entry = {
        "date": str(then), "direction": "EXPENSE", "category": "OTHER_RESOLVED", "item": "很久以前的一笔",
        "amount": "90000.00", "authorityClause": "议事规则第九条",
    }  # fmt: skip
    late = server.ask(RECORD, committee, id=community, entry=entry)["recordEntry"]
    kept = server.ask(RECORD, committee, id=community, entry=entry | {"item": "补记的一笔"})["recordEntry"]
    back = server.ask(REVERSE, committee, id=late["id"])["reverseEntry"]

    page = open_page(f"/c/{SLUG}/ledger?month={month}#entry-{late['number']}")
    line = page.locator(f'[data-entry="{late["number"]}"]')
    expect(line).to_be_focused()  # it stands at its day, behind a page of others
    expect(line.locator("s").first).to_have_text("很久以前的一笔")
    expect(line).to_contain_text("补记")
    expect(line).to_contain_text("物管委记账")
    expect(line.get_by_role("link", name=re.compile(f"已冲正，见第 {back['number']} 笔"))).to_be_visible()
    other = page.locator(f'[data-entry="{kept["number"]}"]')
    expect(other.locator("s")).to_have_count(0)
    expect(page.locator(".EXPENSE .undone")).to_contain_text("其中 ¥90,000.00 已冲正")

    figures = server.ask(LEDGER, slug=SLUG, month=month)["community"]["ledger"]["month"]
    dates = page.locator("[data-entry] time")
    days: list[str] = dates.evaluate_all("all => all.map(one => one.dateTime)")
    assert days == sorted(days, reverse=True)
    expect(page.locator("[data-entry]").first).to_contain_text(f"余 {_yuan(figures['closing'])}")

    line.get_by_role("link", name=re.compile("已冲正")).click()
    reversal = page.locator(f'[data-entry="{back["number"]}"]')
    expect(reversal).to_be_focused()
    assert f"month={this}" in page.url
    expect(reversal).not_to_contain_text("补记")
    reversal.get_by_role("link", name=re.compile(f"冲正第 {late['number']} 笔")).click()
    expect(line).to_be_focused()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_year_is_reached(server: Any, open_page: Any, size: dict[str, int]) -> None:
    years = server.ask(LEDGER, slug=SLUG, month="2000-01")["community"]["ledger"]["years"]
    page = open_page(f"/c/{SLUG}/ledger", size=size)
    oldest = years[-1]
    page.get_by_role("link", name=f"{oldest['year']} 年", exact=True).click()
    expect(page).to_have_url(re.compile(f"month={oldest['lastMonth']}"))
    picker = page.get_by_label("看哪个月")
    expect(picker).to_have_value(oldest["lastMonth"])
    months = picker.locator("option").evaluate_all("all => all.map(one => one.value)")
    assert (months[0], months[-1]) == (f"{_today():%Y-%m}", oldest["firstMonth"])
    picker.select_option(oldest["firstMonth"])
    year, month = oldest["firstMonth"].split("-")
    expect(page.locator("[data-entry]").first).to_contain_text(f"{year} 年 {int(month)} 月")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


def test_a_month_before_and_behind_the_book_is_said_to_be_none_of_it(open_page: Any) -> None:
    for month in ("1999-01", "2099-12"):
        page = open_page(f"/c/{SLUG}/ledger?month={month}")
        expect(page.get_by_role("main")).to_contain_text("账本里没有这个月")


def test_what_is_recorded_moves_the_balance_at_once_and_waits_in_the_list(
    server: Any, open_page: Any
) -> None:
    this = f"{_today():%Y-%m}"
    community = server.ask(LEDGER, slug=SLUG, month=this)["community"]["id"]
    entry = {
        "date": str(_today()), "direction": "INCOME", "category": "ADVERTISING", "item": "刚记的一笔",
        "amount": "12345.67", "authorityClause": "议事规则第九条",
    }  # fmt: skip
    page = open_page(f"/c/{SLUG}/ledger")
    expect(page.locator("[data-line=live]").first).to_be_visible()
    balance, before = page.get_by_test_id("balance"), page.locator("[data-entry]").first.text_content()
    stood = balance.text_content()
    made = server.ask(RECORD, server.token(f"{SLUG}/committee"), id=community, entry=entry)["recordEntry"]
    expect(balance).not_to_have_text(stood)
    news = page.get_by_test_id("news")
    expect(news).to_contain_text("账上新记了 1 笔")
    assert page.locator("[data-entry]").first.text_content() == before  # nothing moved under the eyes
    news.get_by_role("button", name="看看").click()
    expect(page.locator(f'[data-entry="{made["number"]}"]')).to_be_focused()
    expect(news).to_have_count(0)
