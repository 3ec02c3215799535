"""Signing in and out, and what a request may do that relies on the cookie."""

import json
import re
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from api.answers import STATUS
from api.clock import utc_now
from api.sessions import COOKIE, LIFETIME, bearer
from community.errors import Unauthenticated
from community.members.actions import open_session
from community.members.rules import SessionKind
from community.permissions import SYSTEM
from tests.engines import opened_alone

pytestmark = pytest.mark.xdist_group("sessions")

VIEWER = "{ viewer { account } }"
PROGRESS = "subscription($id: ID!) { voteProgress(voteId: $id) { version } }"


@pytest.fixture
def browser(server: Any) -> Any:
    """A client with a cookie jar of its own, that says where its page comes from."""
    with httpx2.Client(base_url=server.url, timeout=20, headers={"origin": server.url}) as client:
        yield client


def sign_in(client: Any, account: str = "quiet/resident-1") -> Any:
    response = client.post("/session", json={"account": account})
    assert (response.status_code, response.json()) == (200, {"account": account})
    return response


def viewer(client: Any, **headers: str) -> Any:
    answer = client.post("/graphql", json={"query": VIEWER}, headers=headers)
    assert answer.status_code == 200
    return answer.json()["data"]["viewer"]


def refused(response: Any) -> tuple[int, str]:
    (error,) = response.json()["errors"]
    assert error["message"] == error["extensions"]["en"]
    assert error["extensions"]["zh"]
    return response.status_code, error["extensions"]["code"]


def test_a_demonstration_account_gets_a_cookie_that_scripts_cannot_read(browser: Any) -> None:
    response = sign_in(browser)
    (header,) = response.headers.get_list("set-cookie")
    cookie = SimpleCookie(header)[COOKIE]
    assert len(cookie.value) >= 43  # 256 bits
    assert cookie["httponly"] is True
    assert cookie["samesite"].lower() == "lax"
    assert cookie["path"] == "/"
    assert int(cookie["max-age"]) == LIFETIME.total_seconds()
    assert not cookie["secure"]
    assert viewer(browser) == {"account": "quiet/resident-1"}


def test_behind_tls_the_cookie_insists_on_it(serve: Any, tmp_path: Path) -> None:
    settings = {"MEILIN_PUBLIC_URL": "https://meilin.example/", "MEILIN_ALLOWED_HOSTS": "127.0.0.1"}
    with serve(tmp_path, **settings) as server:
        own = {"origin": "https://meilin.example"}
        response = server.client.post("/session", json={"account": "quiet/resident-1"}, headers=own)
        assert response.status_code == 200
        cookie = SimpleCookie(response.headers["set-cookie"])[COOKIE]
        assert cookie["secure"] is True


@pytest.mark.parametrize(
    "account", ["quiet/resident-99", "spring/registered", "", "quiet/resident-*", "%", "x" * 1000]
)
def test_who_is_no_demonstration_account_cannot_sign_in_so(browser: Any, account: str) -> None:
    response = browser.post("/session", json={"account": account})
    assert refused(response) == (404, "NOT_FOUND")
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"42", b"[]", b"{}", b'{"account": 42}', b'{"account": null}', b"\xff"]
)
def test_a_body_that_names_no_account_is_refused(browser: Any, body: bytes) -> None:
    response = browser.post("/session", content=body, headers={"content-type": "application/json"})
    assert refused(response) == (400, "INVALID_INPUT")


def test_a_body_that_is_too_large_is_not_taken_in(browser: Any) -> None:
    response = browser.post("/session", json={"account": "x" * 300 * 1024})
    assert refused(response) == (413, "INVALID_INPUT")


def test_a_foreign_page_cannot_sign_its_reader_in(browser: Any) -> None:
    body = {"account": "quiet/resident-1"}
    foreign = browser.post("/session", json=body, headers={"origin": "https://elsewhere.example"})
    assert refused(foreign) == (403, "FORBIDDEN")
    form = browser.post("/session", content=json.dumps(body), headers={"content-type": "text/plain"})
    assert refused(form) == (415, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"origin": "https://elsewhere.example"}, (403, "FORBIDDEN")),
        ({"origin": "https://elsewhere.example", "content-type": "text/plain"}, (403, "FORBIDDEN")),
        ({"origin": "null"}, (403, "FORBIDDEN")),
        ({"origin": ""}, (403, "FORBIDDEN")),
        ({"content-type": "text/plain"}, (415, "INVALID_INPUT")),
        ({"content-type": "text/plain; application/json"}, (415, "INVALID_INPUT")),
    ],
)
def test_a_post_that_relies_on_the_cookie_comes_from_our_own_page_as_json(
    browser: Any, headers: dict[str, str], said: tuple[int, str]
) -> None:
    sign_in(browser)
    body = json.dumps({"query": VIEWER})
    sent = {"content-type": "application/json"} | headers
    assert refused(browser.post("/graphql", content=body, headers=sent)) == said


def test_a_post_without_an_origin_cannot_rely_on_the_cookie(browser: Any) -> None:
    sign_in(browser)
    del browser.headers["origin"]
    assert refused(browser.post("/graphql", json={"query": VIEWER})) == (403, "FORBIDDEN")
    assert browser.get("/graphql", params={"query": VIEWER}).json()["data"]["viewer"]  # which only reads


def test_a_token_goes_before_the_cookie_and_needs_no_origin(server: Any, browser: Any) -> None:
    sign_in(browser)
    del browser.headers["origin"]
    assert viewer(browser, **server.bearer("spring/tenant")) == {"account": "spring/tenant"}


def test_signing_out_ends_the_session_itself(server: Any, browser: Any) -> None:
    sign_in(browser)
    secret = browser.cookies[COOKIE]
    response = browser.delete("/session")
    assert response.headers["clear-site-data"] == '"cache"'  # own answers that it kept with their tags
    assert response.status_code == 204
    assert COOKIE not in browser.cookies
    assert viewer(browser) is None
    browser.cookies.set(COOKIE, secret, domain="127.0.0.1")
    assert viewer(browser) is None
    assert browser.delete("/session").status_code == 204


def test_signing_out_without_a_session_is_nothing(browser: Any) -> None:
    assert browser.delete("/session").status_code == 204


def test_two_sessions_of_an_account_end_apart(server: Any) -> None:
    own = {"origin": server.url}
    with (
        httpx2.Client(base_url=server.url, headers=own) as first,
        httpx2.Client(base_url=server.url, headers=own) as second,
    ):
        sign_in(first)
        sign_in(second)
        first.delete("/session")
        assert viewer(first) is None
        assert viewer(second) == {"account": "quiet/resident-1"}


async def test_the_socket_of_an_ended_session_closes_and_no_other(server: Any, browser: Any) -> None:
    sign_in(browser)
    cookie = {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}", "origin": server.url}
    async with server.socket(**cookie) as socket, server.socket("quiet/resident-1") as other:
        await socket.subscribe("closed", PROGRESS, id=server.town.id("Vote", "quiet"))
        assert (await socket.receive())["type"] == "next"
        await socket.subscribe("public", PROGRESS, id=server.town.id("Vote", "open"))
        assert (await socket.receive())["type"] == "next"
        await other.subscribe("closed", PROGRESS, id=server.town.id("Vote", "quiet"))
        assert (await other.receive())["type"] == "next"

        assert browser.delete("/session").status_code == 204
        assert await socket.until_closed() == 4401  # nothing becomes anonymous in silence

        cast = "mutation($v: ID!, $a: [AnswerInput!]!) { castBallot(voteId: $v, answers: $a) { id } }"
        for vote in ("open", "quiet"):
            community = "spring" if vote == "open" else "quiet"
            question = {"questionId": server.town.id("Question", f"{vote}/0"), "choices": ["FOR"]}
            answer = server.post(
                cast, f"{community}/resident-2", v=server.town.id("Vote", vote), a=[question]
            )
            assert "errors" not in answer
        message = await other.receive()  # another session of the same account is as it was
        assert (message["id"], message["type"]) == ("closed", "next")


async def test_a_foreign_page_opens_no_socket(server: Any, browser: Any) -> None:
    sign_in(browser)
    cookie = f"{COOKIE}={browser.cookies[COOKIE]}"
    for origin in ("https://elsewhere.example", "null", server.url.replace("http://", "https://") + "1"):
        with pytest.raises(InvalidStatus) as caught:
            async with server.connection(origin=origin, cookie=cookie):
                pass
        assert caught.value.response.status_code == 403


async def test_our_own_page_opens_a_socket_also_under_its_public_address(serve: Any, tmp_path: Path) -> None:
    settings = {"MEILIN_PUBLIC_URL": "https://meilin.example", "MEILIN_ALLOWED_HOSTS": "127.0.0.1"}
    with serve(tmp_path, **settings) as server:
        for origin in (server.url, "https://meilin.example"):
            async with server.socket(origin=origin):
                pass


async def test_an_unknown_cookie_is_told_so_and_opens_no_socket_of_nobody(server: Any) -> None:
    async with server.connection(cookie=f"{COOKIE}=nothing", origin=server.url) as socket:
        await socket.send(type="connection_init")
        assert await socket.until_closed() == 4401


async def ended(server: Any, who: str, lifetime: timedelta) -> str:
    """A token of its own for an account."""
    async with opened_alone(server.database_url):
        return await open_session(SYSTEM, utc_now(), who, kind=SessionKind.TOKEN, lifetime=lifetime)


async def test_whoever_brings_a_bad_token_is_told_what_is_wrong_with_it(server: Any) -> None:
    expired = await ended(server, "spring/tenant", timedelta(seconds=-1))
    revoked = await ended(server, "spring/tenant", timedelta(days=1))
    gone = server.client.delete("/session", headers={"authorization": f"Bearer {revoked}"})
    assert gone.status_code == 204
    for authorization, said in {
        f"Bearer {expired}": "expired",
        f"bearer  {expired}": "expired",
        f"Bearer {revoked}": "revoked",
        "Bearer made-up": "unknown",
        f"Bearer {'x' * 20_000}": "unknown",
        server.town.tokens["spring/tenant"]: "Bearer",
        f"Token {server.town.tokens['spring/tenant']}": "Bearer",
        "Bearer": "Bearer",
        "Basic dTpw": "Bearer",
        "": "Bearer",
    }.items():
        headers = {"authorization": authorization}
        for answer in (
            server.client.post("/graphql", json={"query": VIEWER}, headers=headers),
            server.client.get("/graphql", params={"query": VIEWER}, headers=headers),
            server.client.delete("/session", headers=headers),
        ):
            assert refused(answer) == (401, "UNAUTHENTICATED"), authorization
            (error,) = answer.json()["errors"]
            assert said in error["message"]
            challenge = answer.headers["www-authenticate"]
            assert re.fullmatch(
                'Bearer realm="meilin", error="invalid_token", error_description="[ -!#-~]*"', challenge
            )
            assert said in challenge


async def test_a_token_ends_itself_and_only_itself(server: Any, browser: Any) -> None:
    first, second = [await ended(server, "spring/tenant", timedelta(days=1)) for _ in range(2)]
    response = server.client.delete("/session", headers={"authorization": f"Bearer {first}"})
    assert response.status_code == 204
    assert f'{COOKIE}=""' in response.headers["set-cookie"]  # whatever was there
    again = server.client.delete("/session", headers={"authorization": f"Bearer {first}"})
    assert refused(again) == (401, "UNAUTHENTICATED")
    assert f'{COOKIE}=""' in again.headers["set-cookie"]
    assert viewer(server.client, authorization=f"Bearer {second}") == {"account": "spring/tenant"}

    sign_in(browser)
    secret = browser.cookies[COOKIE]
    browser.delete("/session", headers={"authorization": f"Bearer {second}"})
    for ended_too in (secret, second):  # who names both means both
        answer = server.client.get(
            "/graphql", params={"query": VIEWER}, headers={"authorization": f"Bearer {ended_too}"}
        )
        assert answer.status_code == 401


def test_signing_in_again_ends_the_session_it_replaces(server: Any, browser: Any) -> None:
    sign_in(browser)
    first = browser.cookies[COOKIE]
    assert browser.post("/session", json={"account": "nobody"}).status_code == 404
    assert viewer(browser) == {"account": "quiet/resident-1"}  # a failed one replaces nothing
    sign_in(browser, "spring/tenant")
    assert viewer(browser) == {"account": "spring/tenant"}
    with httpx2.Client(base_url=server.url, headers={"origin": server.url}) as other:
        other.cookies.set(COOKIE, first, domain="127.0.0.1")
        assert viewer(other) is None


def test_sign_ins_of_one_network_are_limited(serve: Any, tmp_path: Path) -> None:
    with serve(tmp_path, MEILIN_SIGN_INS_PER_ADDRESS="3") as server:

        def attempt(address: str, account: str = "quiet/resident-1") -> Any:
            return server.client.post(
                "/session", json={"account": account}, headers={"x-forwarded-for": address}
            )

        accounts = ["quiet/resident-1", "nobody", "quiet/resident-2"]  # those that fail count, too
        assert [attempt("192.0.2.1", name).status_code for name in accounts] == [200, 404, 200]
        limited = attempt("192.0.2.1")
        assert refused(limited) == (429, "TRY_AGAIN")
        wait = int(limited.headers["retry-after"])
        assert 1 <= wait <= 20
        assert limited.json()["errors"][0]["extensions"]["retryAfter"] == wait
        assert "set-cookie" not in limited.headers
        assert attempt("192.0.2.2").status_code == 200
        assert server.post(VIEWER, "spring/tenant") == {"data": {"viewer": {"account": "spring/tenant"}}}


@pytest.mark.parametrize(("given", "secret"), [("Bearer x", "x"), ("bearer  x ", "x"), ("BEARER x", "x")])
def test_a_bearer_token_is_read(given: str, secret: str) -> None:
    assert bearer(given) == secret


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer ", "Basic x", "x"])
def test_no_other_scheme_is_taken(given: str) -> None:
    with pytest.raises(Unauthenticated):
        bearer(given)


def test_every_status_of_a_refusal_is_a_refusal() -> None:
    assert all(400 <= status < 600 for status in STATUS.values())
