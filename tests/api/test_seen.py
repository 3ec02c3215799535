"""Whoever wrote reads the own write: what an answer says, and what a request brings back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.seen import COOKIE, HEADER, LIFETIME, say, seen_by


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    ("text", "heads"),
    [
        ("7.3", {7: 3}),
        ("city.12", {None: 12}),
        ("7.3,city.12,8.1", {7: 3, None: 12, 8: 1}),
        ("7.3,7.5,7.4", {7: 5}),
        ("7.0", {7: 0}),
        (f"{2**63 - 1}.{2**63 - 1}", {2**63 - 1: 2**63 - 1}),
        (",".join(f"{number}.1" for number in range(64)), dict.fromkeys(range(64), 1)),
    ],
)
def test_what_was_said_is_read(text: str, heads: dict[int | None, int]) -> None:
    assert seen_by(request(meilin_seen=text)) == heads
    assert seen_by(request(cookie=f"{COOKIE}={text}")) == heads


def test_without_either_nothing_was_seen() -> None:
    assert seen_by(request()) == {}
    assert seen_by(request(cookie="other=1.2")) == {}


def test_of_both_the_newer_counts() -> None:
    assert seen_by(request(meilin_seen="7.3,8.9", cookie=f"{COOKIE}=7.5,8.2,9.1")) == {7: 5, 8: 9, 9: 1}


@pytest.mark.parametrize(
    "text",
    [
        "x", ".", "7", "7.", ".3", "-7.3", "7.-3", "7.3,", ",7.3", "7.3;8.1", "7.3 8.1", " 7.3x", "7.3,,8.1",
        "CITY.3", "City.3", "None.3", "7.3.1", "7,3", "1e3.1", "0x7.1", "٧.٣", "7.3\u00a0", "9" * 20 + ".1",
        "1." + "9" * 20, "9" * 5_000, ",".join(["7.1"] * 65), "7.3\n",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_from_memory(text: str) -> None:
    for name in ("meilin_seen", "cookie"):
        raw = text.encode() if name == "meilin_seen" else f"{COOKIE}={text}".encode()
        found = seen_by(Request({"type": "http", "headers": [(name.replace("_", "-").encode(), raw)]}))
        if name == "cookie" and (";" in text or text != text.strip()):
            continue  # another cookie, and spaces around it
        assert found is None, (name, text)


@pytest.mark.parametrize("good", ["meilin_seen", "cookie"])
def test_one_that_cannot_be_read_spoils_the_other(good: str) -> None:
    texts = {"meilin_seen": "x", "cookie": f"{COOKIE}=x"} | {
        good: "7.3" if good == "meilin_seen" else f"{COOKIE}=7.3"
    }
    assert seen_by(request(**texts)) is None


def test_what_is_said_can_be_read() -> None:
    heads: dict[int | None, int] = {7: 3, None: 12}
    response = Response()
    say(response, heads, cookie=False, secure=False)
    assert "set-cookie" not in response.headers
    assert response.headers[HEADER] == "7.3,city.12"
    assert seen_by(request(meilin_seen=response.headers[HEADER])) == heads


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_reads_of_this_site_and_for_a_short_while(secure: bool) -> None:
    response = Response()
    say(response, {7: 3, None: 1}, cookie=True, secure=secure)
    name, *attributes = (part.strip() for part in response.headers["set-cookie"].lower().split(";"))
    assert re.fullmatch(rf"{COOKIE}_[0-9a-f]{{8}}=7.3,city.1", name.replace('"', "").replace("\\054", ","))
    expected = {"httponly", f"max-age={LIFETIME}", "path=/graphql", "samesite=lax"}
    assert set(attributes) == expected | ({"secure"} if secure else set())
    cookie = response.headers["set-cookie"].split(";")[0]
    assert seen_by(request(cookie=cookie)) == {7: 3, None: 1}


def test_of_two_answers_that_come_at_once_both_are_brought_back() -> None:
    first, second = Response(), Response()
    say(first, {7: 11, 5: 2}, cookie=True, secure=False)
    say(second, {7: 10, 8: 1}, cookie=True, secure=False)
    cookies = "; ".join(each.headers["set-cookie"].split(";")[0] for each in (first, second))
    assert seen_by(request(cookie=cookies)) == {7: 11, 5: 2, 8: 1}


def test_it_lives_longer_than_a_process_may_be_behind() -> None:
    assert LIFETIME > 2


# Over HTTP

PUBLISH = (
    "mutation($c: ID!, $n: NoticeInput!, $key: String)"
    " { publishNotice(communityId: $c, notice: $n, key: $key) { id } }"
)
NOTICES = '{ community(slug: "spring") { notices { edges { node { title } } } } }'


async def published(app: Any, title: str = "今晚停水", **given: Any) -> Any:
    community = app.town.id("Community", "spring")
    notice = {"title": title, "body": "请存水"}
    return await app.post(PUBLISH, "spring/manager", c=community, n=notice, **given)


@contextmanager
def elsewhere(app: Any) -> Iterator[None]:
    """As if another process wrote, just after this one looked at the journals."""
    with pytest.MonkeyPatch.context() as unaware:
        unaware.setattr(app.endpoint._kept.versions, "saw", lambda heads: None)
        yield


async def test_an_own_write_is_read_back_whichever_process_answers(inside: Any) -> None:
    async with inside() as app:
        before = (await app.post(NOTICES)).text
        with elsewhere(app):
            wrote = await published(app)
            assert (await app.post(NOTICES)).text == before, "nobody else has to know it yet"
            seen = wrote.headers[HEADER]
            assert "今晚停水" in (await app.post(NOTICES, seen=seen)).text
            cookie = {"cookie": f"{COOKIE}={seen}"}
            assert (
                "今晚停水"
                in (await app.client.post("/graphql", json={"query": NOTICES}, headers=cookie)).text
            )
            assert (await app.post(NOTICES)).text == before
        town = app.town
        assert seen.startswith(f"{town.key('Community', 'spring')}.")


async def test_so_is_one_that_was_done_before_under_the_same_key(inside: Any) -> None:
    async with inside() as app:
        before = (await app.post(NOTICES)).text
        with elsewhere(app):
            await published(app, key="once")
            again = await published(app, key="once")
            assert (await app.post(NOTICES)).text == before
            assert "今晚停水" in (await app.post(NOTICES, seen=again.headers[HEADER])).text


async def test_what_cannot_be_read_is_answered_by_the_database(inside: Any, statements: list[str]) -> None:
    async with inside() as app:
        first = await app.post(NOTICES)
        for seen in ("x", "7", "9" * 3_000, "city.1;"):
            statements.clear()
            again = await app.post(NOTICES, seen=seen)
            assert (again.status_code, again.text) == (200, first.text)
            assert [each for each in statements if "FROM community" in each]


async def test_what_is_known_here_is_answered_from_memory(inside: Any, statements: list[str]) -> None:
    async with inside() as app:
        wrote = await published(app)
        await app.post(NOTICES)
        statements.clear()
        assert "今晚停水" in (await app.post(NOTICES, seen=wrote.headers[HEADER])).text
        assert [each for each in statements if "FROM notice" in each or "FROM community" in each] == []


async def test_browsers_are_given_a_cookie_and_who_brings_a_token_is_not(inside: Any) -> None:
    async with inside() as app:
        signed_in = await app.client.post("/session", json={"account": "spring/manager"})
        assert signed_in.status_code == 200
        session = signed_in.headers["set-cookie"].split(";")[0]
        app.client.cookies.clear()
        variables = {"c": app.town.id("Community", "spring"), "n": {"title": "停水", "body": "请存水"}}
        asked = {"json": {"query": PUBLISH, "variables": variables}}
        own = {"origin": "http://127.0.0.1"}
        wrote = await app.client.post("/graphql", **asked, headers=own | {"cookie": session})
        app.client.cookies.clear()
        assert "errors" not in wrote.json()
        cookie = wrote.headers["set-cookie"]
        assert cookie.startswith(COOKIE)
        assert wrote.headers[HEADER]
        more = {"cookie": f"{session}; {cookie.split(';')[0]}"}
        more = await app.client.post("/graphql", **asked, headers=own | more)
        assert int(more.headers[HEADER].split(".")[-1]) == int(wrote.headers[HEADER].split(".")[-1]) + 1
        app.client.cookies.clear()
        by_token = await published(app)
        assert HEADER in by_token.headers
        assert "set-cookie" not in by_token.headers


async def test_what_was_seen_before_is_said_again(inside: Any) -> None:
    """The answer to a second mutation takes the place of the first one's cookie."""
    async with inside() as app:
        wrote = await published(app, seen="city.1,12.7")
        number = app.town.key("Community", "spring")
        parts = dict(part.split(".") for part in wrote.headers[HEADER].split(","))
        assert parts.keys() == {"city", "12", str(number)}
        assert (parts["city"], parts["12"]) == ("1", "7")


async def test_what_writes_nothing_says_nothing(inside: Any) -> None:
    async with inside() as app:
        refused = await app.post(
            PUBLISH, "spring/tenant", c=app.town.id("Community", "spring"), n={"title": "x", "body": "x"}
        )
        assert refused.json()["errors"]
        for response in (
            refused,
            await app.post(NOTICES),
            await app.post("{ viewer { account } }", "spring/tenant"),
        ):
            assert HEADER not in response.headers
            assert "set-cookie" not in response.headers
