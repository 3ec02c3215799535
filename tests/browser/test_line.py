"""The one socket of the page, as it is seen from outside."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocket, expect

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(300)]

SLUG = "meizai-meicheng"

THERE = """query($slug: String!) { community(slug: $slug) { id
  votes(status: [OPEN]) { edges { node { id number title tally { participating { heads } }
    form questions { id } } } }
  events(coming: true) { edges { node { id number title } } } } }"""
CAST = """mutation($vote: ID!, $answers: [AnswerInput!]!) {
  castBallot(voteId: $vote, answers: $answers) { id } }"""
HIDEABLE = "Object.defineProperty(document, 'hidden', { get: () => window.away ?? false })"
LOOK = "away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')) }"


class Line:
    """Every socket a page opened, and what it said on them."""

    def __init__(self, page: Page) -> None:
        self.sockets: list[WebSocket] = []
        self.said: list[dict[str, Any]] = []
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framesent", lambda frame: self.said.append(json.loads(frame)))

    def ids(self, kind: str) -> set[str]:
        return {message["id"] for message in self.said if message["type"] == kind}

    def until(self, kind: str, ids: set[str], page: Page) -> None:
        """Until it has said so of all these; parts of a page come one after the other."""
        for _ in range(400):
            if ids <= self.ids(kind):
                return
            page.wait_for_timeout(50)
        raise AssertionError(ids - self.ids(kind))


@pytest.fixture
def there(server: Any) -> dict[str, Any]:
    return dict(server.ask(THERE, slug=SLUG)["community"])


def _live(page: Page) -> None:
    expect(page.locator("[data-line=live]").first).to_be_visible()


def test_a_visit_needs_one_socket_and_names_the_same_things_the_same(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    vote = there["votes"]["edges"][0]["node"]
    event = there["events"]["edges"][0]["node"]
    page = open_page("/health/live")  # no page yet: its first socket is to be seen
    line = Line(page)
    page.goto(f"{server.url}/c/{SLUG}")
    _live(page)
    votes, events = (
        {f"{name}:{edge['node']['id']}" for edge in there[kind]["edges"]}
        for name, kind in (("VoteProgress", "votes"), ("EventAttendance", "events"))
    )
    names = {f"Bulletin:{there['id']}"} | votes | events
    assert votes
    assert events
    assert line.ids("subscribe") <= names
    line.until("subscribe", {f"Bulletin:{there['id']}", f"VoteProgress:{vote['id']}"}, page)
    assert line.ids("subscribe") <= names

    for thing, path in ((vote, "v"), (event, "e")):
        page.locator(f"a[href$='/{path}/{thing['number']}']").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(re.escape(thing["title"])))
        page.go_back()
        expect(page.get_by_test_id("feed")).to_be_visible()
    _live(page)

    assert f"EventAttendance:{event['id']}" in line.ids("subscribe")
    assert line.ids("subscribe") <= names
    assert len(line.sockets) == 1
    assert not line.sockets[0].is_closed()


def test_a_hidden_tab_rests_and_is_there_at_once_when_looked_at(
    server: Any, open_page: Any, there: dict[str, Any]
) -> None:
    vote = next(edge["node"] for edge in there["votes"]["edges"] if edge["node"]["form"] == "STATUTORY_LOCAL")
    heads = vote["tally"]["participating"]["heads"]
    page = open_page("/health/live")
    line = Line(page)
    page.clock.install()
    page.add_init_script(HIDEABLE)
    page.goto(f"{server.url}/c/{SLUG}")
    shown = page.get_by_text(f"投了票的 {heads:,} 户里")
    expect(shown).to_be_visible()
    _live(page)

    page.evaluate(LOOK, True)
    page.clock.fast_forward("00:31")
    with line.sockets[0].expect_event("close"):
        page.clock.fast_forward("00:21")
    assert line.ids("complete") == line.ids("subscribe")
    page.clock.fast_forward("30:00")
    expect(shown).to_be_visible()
    _live(page)

    answers = [{"questionId": question["id"], "choices": ["FOR"]} for question in vote["questions"]]
    server.ask(CAST, server.token(f"{SLUG}/resident-6"), vote=vote["id"], answers=answers)
    page.evaluate(LOOK, False)
    _live(page)
    expect(page.get_by_text(f"投了票的 {heads + 1:,} 户里")).to_be_visible()
    assert len(line.sockets) == 2
