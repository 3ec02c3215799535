"""Documents that are asked for by their ids: the page's own, and what is refused."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from api.sessions import COOKIE
from api.trusted import DOCUMENTS, Trusted
from community.errors import DocumentUnknown, InvalidInput
from schema.schema import graphql_schema

pytestmark = pytest.mark.xdist_group("graphql")

GRAPHQL_JSON = "application/graphql-response+json"
RESIDENT = "spring/resident-1"
ID = f"sha256:{'0' * 64}"
TEXT = "query Own{viewer{account}}"


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """The documents of the page by their ids."""
    if not DOCUMENTS.exists():
        pytest.skip("the page is not built")
    return dict(json.loads(DOCUMENTS.read_text(encoding="utf-8")))


def id_of(documents: dict[str, str], operation: str) -> str:
    (found,) = [key for key, text in documents.items() if re.match(rf"\w+ {operation}\b", text)]
    return found


def by_id(server: Any, document_id: str, variables: Any = None, **headers: str) -> Any:
    params = {"documentId": document_id} | ({} if variables is None else {"variables": json.dumps(variables)})
    return server.client.get("/graphql", params=params, headers=headers)


def said(response: Any) -> tuple[int, str, Any]:
    """What is the same of two answers to the same question."""
    body = response.json()
    for error in body.get("errors", []):
        error["extensions"].pop("requestId")
    return response.status_code, response.headers["content-type"], body


def code(response: Any) -> tuple[int, str]:
    body = response.json()
    (error,) = body["errors"]
    assert "data" not in body
    assert error["extensions"]["zh"]
    return response.status_code, error["extensions"]["code"]


def test_an_id_stands_for_its_text() -> None:
    trusted = Trusted({ID: TEXT})
    assert (trusted.text_of(ID), trusted.text_of("")) == (TEXT, None)
    assert trusted.with_text({"documentId": ID, "variables": "{}"}) == {"query": TEXT, "variables": "{}"}
    assert trusted.with_text({"query": TEXT}) == {"query": TEXT}
    for unknown in ("", ID.upper(), f"{ID} ", ID.removeprefix("sha256:")):
        with pytest.raises(DocumentUnknown):
            trusted.with_text({"documentId": unknown})
    with pytest.raises(InvalidInput):
        trusted.with_text({"documentId": ID, "query": TEXT})


def test_before_the_page_is_built_there_are_none(tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    assert Trusted.built(file).text_of(ID) is None
    file.write_text(json.dumps({ID: TEXT}), encoding="utf-8")
    assert Trusted.built(file).text_of(ID) == TEXT


def test_the_page_was_built_of_documents_that_this_schema_runs(built: dict[str, str]) -> None:
    for key, text in built.items():
        assert key == f"sha256:{sha256(text.encode()).hexdigest()}"
        assert graphql_schema.prepared.of(text).errors == ()


VARIABLES: dict[str, dict[str, Any]] = {
    "BulletinPage": {"slug": "spring"},
    "LedgerPage": {"slug": "spring", "month": "2026-05", "before": None},
    "VotePage": {"slug": "spring", "number": 1},
    "EventPage": {"slug": "spring", "number": 1},
    "CommunitiesPage": {},
    "Table": {"eventId": "not an id", "number": 1},
    "FeedPage": {"slug": "quiet", "after": "no cursor"},
    "NoticePage": {"slug": "spring", "number": "first"},
}
"""Questions that are answered, refused in a field, and refused as a whole."""


@pytest.mark.parametrize("operation", VARIABLES)
def test_a_get_by_id_is_answered_as_the_post_of_the_text(
    server: Any, built: dict[str, str], operation: str
) -> None:
    document_id, variables = id_of(built, operation), VARIABLES[operation]
    body = {"query": built[document_id], "variables": variables}
    token = server.town.tokens[RESIDENT]
    own = {"authorization": f"Bearer {token}"}, {"cookie": f"{COOKIE}={token}", "origin": server.url}
    for who in ({}, *own, {"authorization": "Bearer nobody"}):
        for accept in (GRAPHQL_JSON, "application/json"):
            posted = server.client.post("/graphql", json=body, headers=who | {"accept": accept})
            got = by_id(server, document_id, variables, accept=accept, **who)
            assert said(got) == said(posted)
            assert got.headers["x-request-id"]


def test_somebody_by_get_is_the_same_as_by_post(server: Any, built: dict[str, str]) -> None:
    got = by_id(server, id_of(built, "Who"), **server.bearer(RESIDENT)).json()
    assert got["data"]["viewer"]["account"] == RESIDENT


def test_an_unknown_id_is_one_error(server: Any) -> None:
    for unknown in (ID, "", "sha256:", "x-ours:1"):
        for accept in (GRAPHQL_JSON, "application/json", "text/html"):
            assert code(by_id(server, unknown, accept=accept)) == (404, "DOCUMENT_UNKNOWN")
    assert code(by_id(server, ID, authorization="Bearer nobody")) == (401, "UNAUTHENTICATED")


def test_nothing_is_done_by_get(server: Any, built: dict[str, str]) -> None:
    variables = {"eventId": server.town.id("Event", "picnic"), "partySize": 1, "dish": None, "key": "a" * 20}
    response = by_id(server, id_of(built, "SignUp"), variables, **server.bearer("spring/resident-6"))
    assert code(response) == (400, "INVALID_INPUT")
    assert "POST" in response.json()["errors"][0]["message"]
    response = by_id(server, id_of(built, "EventAttendance"), {"eventId": variables["eventId"]})
    assert code(response) == (400, "INVALID_INPUT")


def test_a_request_names_a_document_or_writes_one(server: Any, built: dict[str, str]) -> None:
    params = {"documentId": id_of(built, "Who"), "query": TEXT}
    assert code(server.client.get("/graphql", params=params)) == (400, "INVALID_INPUT")
