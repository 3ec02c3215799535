"""What stands at an address, asked of the real things; and the same over HTTP, to the letter."""

from dataclasses import replace
from typing import Any

import pytest

from api import finding
from api.addresses import parse
from api.finding import find
from community.permissions import Permission
from schema.nodes import to_id
from tests.world.town import DAY


async def found(house: Any, path: str, who: str | None = None, query: str = "") -> str | None:
    address = parse(path, query)
    assert address, path
    it = await find(await house.viewer(who), address, house.now)
    return None if it is None else it.address.whole + (f"#{it.fragment}" if it.fragment else "")


async def test_each_thing_stands_at_its_own_address(house: Any) -> None:
    ids = {name: house.town.id(name, called) for name, called in WHERE.items()}
    assert await found(house, "/c/SPRING") == "/c/spring"
    assert await found(house, "/c/spring/v/4") == "/c/spring/v/4"
    assert await found(house, f"/c/quiet/votes/{ids['Vote']}") == "/c/spring/v/4"
    assert await found(house, f"/c/nowhere/votes/{ids['Event']}") == "/c/spring/e/2"
    assert await found(house, f"/c/spring/notices/{ids['Notice']}") == "/c/spring/n/1"
    assert await found(house, "/c/spring/publish") == "/c/spring/publish"
    day = house.now - 40 * DAY
    assert await found(house, "/c/spring/l/2") == f"/c/spring/ledger?month={day:%Y-%m}#entry-2"


WHERE = {"Vote": "open", "Event": "picnic", "Notice": "water"}


async def test_what_is_hidden_is_not_there(house: Any) -> None:
    """Whatever is asked for, by its number, its id or its community; and for its own people it is."""
    ids = [house.town.id(*each) for each in (("Vote", "quiet"), ("Event", "tea"), ("Notice", "gate"))]
    paths = [f"/c/spring/votes/{id_}" for id_ in ids]
    paths += ["/c/quiet", "/c/QUIET", *(f"/c/quiet/{kind}/1" for kind in "venl"), "/c/quiet/ledger"]
    for path in [*paths, "/c/quiet/publish"]:
        for who in (None, "spring/resident-1"):
            assert await found(house, path, who) is None, path
        own = await found(house, path, "quiet/resident-1")
        assert own
        assert own.startswith("/c/quiet"), path


async def test_who_may_read_a_part_finds_that_part_only(house: Any) -> None:
    """A session that is narrowed to the book finds no vote, and one for the bulletin no book."""
    own = await house.viewer("quiet/resident-1")
    board, book = [f"/c/quiet/{kind}/1" for kind in "ven"], ["/c/quiet/l/1", "/c/quiet/ledger"]
    for scope, there, hidden in (
        (Permission.READ_LEDGER, book, board),
        (Permission.READ_BULLETIN, board, book),
    ):
        viewer = replace(own, scopes=frozenset({scope}))
        for path in [*there, *hidden, "/c/quiet"]:
            address = parse(path)
            assert address
            assert (await find(viewer, address, house.now) is None) == (path in hidden), path


async def test_what_is_closed_while_it_is_looked_for_is_not_there(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: Any) -> dict[int, Any]:
        return {}

    monkeypatch.setattr(finding, "communities_by_id", closed)
    for name, called in WHERE.items():
        assert await found(house, f"/c/spring/{name.lower()}s/{house.town.id(name, called)}") is None


@pytest.mark.parametrize(
    "path",
    ["/c/nowhere", "/c/spring/v/5", "/c/spring/e/3", "/c/spring/n/2", "/c/spring/l/5",
     "/c/spring/v/2147483647", "/c/spring/votes/" + to_id("Vote", 1),
     "/c/spring/events/" + to_id("Vote", 2**63 - 1)],
)  # fmt: skip
async def test_what_is_not_there_is_not_there(house: Any, path: str) -> None:
    assert await found(house, path) is None
    assert await found(house, path, "spring/resident-1") is None


async def test_a_book_has_months_from_its_first_entry_to_this_one(house: Any) -> None:
    async def month(at: Any) -> bool:
        return await found(house, "/c/spring/ledger", query=f"month={at:%Y-%m}") is not None

    first = house.now - 40 * DAY
    assert await month(house.now)
    assert await month(first)
    assert not await month(first - 62 * DAY)
    assert not await month(house.now + 62 * DAY)


async def test_what_stands_there_comes_with_it_and_costs_little(house: Any, statements: list[str]) -> None:
    address = parse("/c/spring/v/4")
    assert address
    viewer = await house.viewer(None)
    it = await find(viewer, address, house.now)
    statements.clear()
    assert it == await find(viewer, address, house.now)
    assert len(statements) <= 3, "the community, the vote, and whether its tally still holds"
    assert it
    assert it.progress
    assert it.progress.eligible.heads == 6


async def test_where_an_entry_stands_is_found_without_walking_the_book(
    house: Any, statements: list[str]
) -> None:
    assert await found(house, "/c/spring/l/2")
    assert not [sent for sent in statements if "SUM(" in sent], "its balance is nobody's question"


# Over HTTP


def test_the_server_says_it_of_every_page(server: Any) -> None:
    def get(path: str, **headers: str) -> Any:
        return server.client.get(path, headers=headers)

    vote = server.town.id("Vote", "open")
    assert get("/c/spring/v/4").status_code == 200
    assert get("/c/spring/v/4", accept="*/*").headers["content-type"].startswith("text/html")
    for path in ("/c/nowhere", "/c/quiet", "/c/quiet/v/1", "/c/spring/v/9", "/c/spring/ledger?month=2026-13"):
        assert get(path).status_code == 404, path
        assert server.client.head(path).status_code == 404, path
    moved = get(f"/c/quiet/votes/{vote.replace('=', '%3D')}?step=review")
    assert (moved.status_code, moved.headers["location"]) == (301, "/c/spring/v/4?step=review")
    assert get(f"/c/quiet/votes/{vote}").headers["location"] == "/c/spring/v/4"
    assert get("/C//Spring/V/4/").headers["location"] == "/c/spring/v/4"
    assert get("/c/spring/").headers["location"] == "/c/spring"


def test_its_own_people_open_a_hidden_community_with_their_cookie(server: Any) -> None:
    address = "/c/quiet/v/1"
    cookie = {"cookie": f"meilin_session={server.town.tokens['quiet/resident-1']}"}
    page = server.client.get(address, headers=cookie)
    assert page.status_code == 200
    assert "静园" not in page.text, "whoever looks over a shoulder at the head learns nothing"
    other = {"cookie": f"meilin_session={server.town.tokens['spring/resident-1']}"}
    nobody, nowhere = server.client.get(address), server.client.get("/c/nowhere/v/1")
    for page in (
        server.client.get(address, headers=other),
        server.client.get(address, headers={"cookie": "meilin_session=x"}),
    ):
        assert (page.status_code, page.content) == (404, nobody.content)
    assert nobody.content == nowhere.content
    assert {
        name: value for name, value in nobody.headers.items() if name not in ("date", "x-request-id")
    } == {name: value for name, value in nowhere.headers.items() if name not in ("date", "x-request-id")}
