"""The forms in which one answer is sent, and the tags by which browsers ask about them."""

import gzip
import re
from itertools import product
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.representations import GRAPHQL_JSON, JSON, KEPT_BY_BROWSERS, LEAST_PACKED, Text, media_type, respond
from api.trusted import Trusted
from community.permissions import SYSTEM
from community.places.actions import set_public_reading

SHORT, LONG = Text(b'{"data":null}'), Text(b'{"data":"' + b"x" * 2_000 + b'"}')

BOTH = (GRAPHQL_JSON, JSON)
CODINGS = ("", "gzip", "gzip, deflate, br")


def request(accept: str = JSON, coding: str = "", **more: str) -> Request:
    headers = {"accept": accept, "accept-encoding": coding} | more
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items() if value]
    return Request({"type": "http", "headers": raw})


def tag(text: Text, accept: str = JSON, coding: str = "") -> str:
    return respond(request(accept, coding), text, tagged=True).headers["etag"]


def test_a_text_is_packed_where_it_gains_by_that() -> None:
    assert Text(b"x" * (LEAST_PACKED - 1)).packed is None
    text = Text(b"x" * LEAST_PACKED)
    assert text.packed is text.packed
    assert gzip.decompress(text.packed or b"") == text.body
    assert text.packed == Text(text.body).packed, "or the tag would lie"


@pytest.mark.parametrize("accept", BOTH)
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("text", [SHORT, LONG], ids=["short", "long"])
def test_an_answer_is_sent_as_it_is_wanted(accept: str, coding: str, text: Text) -> None:
    response = respond(request(accept, coding), text, tagged=False)
    packed = bool(coding) and text is LONG
    assert response.status_code == 200
    assert (gzip.decompress(response.body) if packed else response.body) == text.body
    assert response.headers.get("content-encoding") == ("gzip" if packed else None)
    assert response.headers["content-type"] == f"{accept}; charset=utf-8"
    assert response.headers["content-length"] == str(len(response.body))
    assert response.headers["vary"] == ("Accept, Accept-Encoding" if packed else "Accept")
    assert "etag" not in response.headers
    assert "cache-control" not in response.headers


def test_tags_are_strong_and_those_of_other_forms_or_texts_are_others() -> None:
    tags = [tag(text, accept, coding) for text in (SHORT, LONG) for accept in BOTH for coding in ("", "gzip")]
    assert all(re.fullmatch(r'"[0-9a-z-]+"', each) for each in tags)
    assert len(set(tags)) == 6  # a short one is never packed
    assert tag(LONG) == tag(Text(LONG.body))
    assert tag(LONG) != tag(Text(LONG.body + b" "))


@pytest.mark.parametrize("accept", BOTH)
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("form", ["%s", "W/%s", '"a", %s', '"a",W/"b" , %s,"c"', "*", '%s, "a"', " %s "])
def test_what_the_browser_has_is_not_sent_again(accept: str, coding: str, form: str) -> None:
    own = tag(LONG, accept, coding)
    asked = request(accept, coding, if_none_match=form.replace("%s", own))
    response = respond(asked, LONG, tagged=True)
    assert (response.status_code, response.body) == (304, b"")
    assert response.headers["etag"] == own
    assert response.headers["cache-control"] == KEPT_BY_BROWSERS
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert set(response.headers) == {"etag", "cache-control", "vary"}


@pytest.mark.parametrize(
    "tags",
    [
        "", '""', "x", '"a", W/"b"', "W/*x", "own without quotes", "of the other media type", "of gzip",
        "of a part", "of another text",
    ],
)  # fmt: skip
def test_what_it_does_not_have_is_sent_with_a_tag(tags: str) -> None:
    own = tag(LONG)
    known = {
        "own without quotes": own.strip('"'),
        "of the other media type": tag(LONG, GRAPHQL_JSON),
        "of gzip": tag(LONG, coding="gzip"),
        "of a part": own[:-2] + '"',
        "of another text": tag(SHORT),
    }
    response = respond(request(if_none_match=known.get(tags, tags)), LONG, tagged=True)
    assert (response.status_code, response.body) == (200, LONG.body)
    assert (response.headers["etag"], response.headers["cache-control"]) == (own, KEPT_BY_BROWSERS)


def test_a_short_one_is_never_packed_and_does_not_say_that_it_might_be() -> None:
    assert respond(request(if_none_match="*", coding="gzip"), SHORT, tagged=True).headers["vary"] == "Accept"


def test_without_a_tag_nothing_is_compared() -> None:
    for tags in ("*", tag(LONG)):
        assert respond(request(if_none_match=tags), LONG, tagged=False).status_code == 200


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("text/html", JSON),
        (f"{GRAPHQL_JSON};q=0.5, {JSON};q=0.5", GRAPHQL_JSON),
        (f"{JSON};q=0.5, {GRAPHQL_JSON};q=0.5", JSON),
        (f"{GRAPHQL_JSON} ; q=0.9 ; x=y, {JSON}; q=1", JSON),
        (f"{GRAPHQL_JSON};q=", JSON),
    ],
)
def test_the_media_type_is_the_heaviest_that_comes_first(accept: str, chosen: str) -> None:
    assert media_type(accept) == chosen


# Trusted documents over HTTP (the page's, by their id)

NAME = '{ community(slug: "spring") { name households address } }'
OWN = "{ viewer { account } }"
FAILING = '{ errorCodes vote(id: "x") { id } }'
LIST = """{ community(slug: "spring") { votes { edges { node {
  id title description form opensAt closesAt questions { id title description matter choices { code label } }
} } } } }"""
DOCUMENTS = {"name": NAME, "own": OWN, "failing": FAILING, "broken": "{ nothing }", "list": LIST}


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server knows some documents by ids."""
    monkeypatch.setattr(Trusted, "built", lambda: Trusted(DOCUMENTS))


async def get(app: Any, document: str, who: str | None = None, **headers: str) -> Response:
    headers = app.bearer(who) | {name.replace("_", "-"): value for name, value in headers.items()}
    found: Response = await app.client.get("/graphql", params={"documentId": document}, headers=headers)
    return found


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("kept", [1 << 20, 0])
async def test_a_trusted_document_is_asked_about_until_its_answer_changes(inside: Any, kept: int) -> None:
    async with inside(kept_answers=kept) as app:
        for document, who in (("name", None), ("name", "spring/resident-1"), ("own", "spring/tenant")):
            first = await get(app, document, who)
            assert first.status_code == 200
            assert first.headers["cache-control"] == KEPT_BY_BROWSERS
            assert first.headers["vary"] == "Accept, Cookie, Authorization"
            again = await get(app, document, who, if_none_match=first.headers["etag"])
            assert (again.status_code, again.content) == (304, b"")  # type: ignore[attr-defined]
            for name in ("etag", "cache-control", "vary", "x-content-type-options"):
                assert again.headers[name] == first.headers[name]
            other = await get(app, document, who, if_none_match=first.headers["etag"], accept=GRAPHQL_JSON)
            assert other.status_code == 200
            assert other.headers["etag"] != first.headers["etag"]


@pytest.mark.usefixtures("trusted")
async def test_after_a_change_the_tag_is_another_one(inside: Any) -> None:

    async with inside() as app:
        first = await get(app, "name")
        await set_public_reading(SYSTEM, app.town.now, app.town.key("Community", "spring"), public=False)
        second = await get(app, "name", if_none_match=first.headers["etag"])
        assert second.status_code == 200
        assert second.json() == {"data": {"community": None}}  # type: ignore[attr-defined]
        assert second.headers["etag"] != first.headers["etag"]


@pytest.mark.usefixtures("trusted")
async def test_errors_are_never_tagged(inside: Any) -> None:
    async with inside() as app:
        for document, accept, _ in product(("failing", "broken"), BOTH, range(2)):
            response = await get(app, document, accept=accept, if_none_match="*")
            assert response.json()["errors"]  # type: ignore[attr-defined]
            assert response.status_code in (200, 400)
            assert "etag" not in response.headers
            assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.usefixtures("trusted")
async def test_what_is_no_trusted_document_is_not_kept_by_browsers(inside: Any) -> None:
    async with inside() as app:
        await get(app, "name")
        for _ in range(2):
            for response in (
                await app.client.get("/graphql", params={"query": NAME}, headers={"if-none-match": "*"}),
                await app.client.post("/graphql", json={"query": NAME}, headers={"if-none-match": "*"}),
                await app.client.post("/graphql?documentId=name", json={"query": NAME}),
            ):
                assert response.status_code == 200
                assert "etag" not in response.headers
                assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.usefixtures("trusted")
async def test_a_page_elsewhere_may_read_what_browsers_keep(inside: Any) -> None:
    app_origin = "https://app.example"
    async with inside(allowed_origins=(app_origin,)) as app:
        first = await get(app, "name", origin=app_origin)
        again = await get(app, "name", origin=app_origin, if_none_match=first.headers["etag"])
        assert (first.status_code, again.status_code) == (200, 304)
        for response in (first, again):
            assert response.headers["access-control-allow-origin"] == app_origin
            assert "Origin" in response.headers["vary"]
            readable = response.headers["access-control-expose-headers"].split(", ")
            assert {"etag", "meilin-seen"} <= set(readable)


# An answer from memory looks like any other


def sent(response: Any) -> tuple[int, bytes, dict[str, str]]:
    """All that the client gets, but for what differs with every request."""
    headers = dict(response.headers)
    del headers["x-request-id"]
    if headers.get("content-encoding") == "gzip":
        del headers["content-length"]  # packed a little otherwise
    return response.status_code, response.content, headers


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("document", ["name", "list"])
async def test_a_hit_is_what_the_ordinary_way_answers(inside: Any, document: str) -> None:
    query, ways = DOCUMENTS[document], product(BOTH, ("identity", "gzip"), (None, "spring/resident-1"))
    requests: list[tuple[str, dict[str, Any]]] = [
        ("POST", {"json": {"query": query}}),
        ("GET", {"params": {"query": query}}),
        ("GET", {"params": {"documentId": document}}),
    ]
    async with inside() as app:
        for (accept, coding, who), (method, asked) in product(ways, requests):
            headers = app.bearer(who) | {"accept": accept, "accept-encoding": coding}

            async def ask(**more: str) -> tuple[int, bytes, dict[str, str]]:
                named = headers | {name.replace("_", "-"): value for name, value in more.items()}  # noqa: B023
                return sent(await app.client.request(method, "/graphql", **asked, headers=named))  # noqa: B023

            first, hits = await ask(), app.endpoint._kept.counts["hit"]
            hit = await ask()
            assert app.endpoint._kept.counts["hit"] == hits + 1
            ordinary = await ask(meilin_seen="not from memory")
            assert app.endpoint._kept.counts["hit"] == hits + 1
            assert first == hit == ordinary
            assert (len(hit[1]) >= LEAST_PACKED) is (document == "list")
