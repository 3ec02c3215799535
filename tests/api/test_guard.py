"""What every answer carries, by which names we may be called, and pages elsewhere: on real servers."""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import Response
from starlette.testclient import TestClient

from api.guard import Guard
from api.representations import KEPT_BY_BROWSERS
from api.settings import Settings
from tests.engines import execute
from tests.world.server import PATIENCE, Server, served

pytestmark = pytest.mark.xdist_group("guard")

VIEWER = "{ viewer { account } }"
APP = "https://app.example"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def public(town: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As it stands behind TLS, with an application of somebody else's."""
    settings = {
        "MEILIN_PUBLIC_URL": "https://meilin.example",
        "MEILIN_ALLOWED_HOSTS": "127.0.0.1, inner.example",
        "MEILIN_ALLOWED_ORIGINS": f"{APP}, http://localhost:5173",
    }
    with (
        town.engine.lent(town.url) as url,
        served(town, url, tmp_path_factory.mktemp("public"), **settings) as server,
    ):
        yield server


def ask(server: Any, lines: bytes) -> http.client.HTTPResponse:
    """The answer to a head written by hand; whatever it leaves open is cut."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(lines)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer


def head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (*lines, "connection: close", "")).encode("latin-1")


def code(body: bytes) -> str:
    (error,) = json.loads(body)["errors"]
    assert error["extensions"]["zh"]
    assert error["extensions"]["en"]
    return str(error["extensions"]["code"])


# Hosts


def upgrade(*lines: str) -> bytes:
    return head(
        "GET /graphql HTTP/1.1", *lines, "upgrade: websocket", "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-protocol: graphql-transport-ws",
    ).replace(b"connection: close", b"connection: upgrade")  # fmt: skip


FOREIGN = [
    (), ("host: evil.example",), ("host: evil.example:8000",), ("host: localhost.evil.example",), ("host:",),
    ("host: 127.0.0.1", "host: evil.example"), ("host: evil.example", "host: 127.0.0.1"),
    ("host: 127.0.0.1", "host: 127.0.0.1"), ("host: 127.0.0.1, evil.example",), ("host: x@127.0.0.1",),
    ("host: 127.0.0.1/evil",), ("host: 127.0.0.1:port",),
    ("host: evil.example", "x-forwarded-host: 127.0.0.1"),
]  # fmt: skip


@pytest.mark.parametrize("lines", FOREIGN, ids=str)
@pytest.mark.parametrize(
    "path",
    ["/", "/graphql", "/graphql/", "/session", "/c/spring", "/nowhere", "/metrics", "/health/live/", "//x"],
)
def test_a_host_that_is_not_ours_is_refused_everywhere(
    server: Any, path: str, lines: tuple[str, ...]
) -> None:
    answer = ask(server, head(f"GET {path} HTTP/1.1", *lines))
    assert answer.status == 400
    assert answer.getheader("location") is None
    assert code(answer.body) == "INVALID_INPUT"  # type: ignore[attr-defined]
    assert answer.getheader("x-request-id")


@pytest.mark.parametrize("lines", FOREIGN, ids=str)
def test_nor_does_it_open_a_socket(server: Any, lines: tuple[str, ...]) -> None:
    assert ask(server, upgrade(*lines)).status == 400


@pytest.mark.parametrize(
    ("path", "origin", "status", "said"),
    [
        ("/graphql", "http://evil.example", 403, "FORBIDDEN"),
        ("/graphql", "null", 403, "FORBIDDEN"),
        ("/nowhere", None, 404, "NOT_FOUND"),
        ("/graphql/", None, 404, "NOT_FOUND"),
        ("/session", None, 404, "NOT_FOUND"),
    ],
)
def test_a_handshake_that_opens_no_socket_is_answered_like_a_request(
    server: Any, path: str, origin: str | None, status: int, said: str
) -> None:
    lines = upgrade("host: localhost", *([f"origin: {origin}"] if origin else [])).replace(
        b"/graphql ", f"{path} ".encode()
    )
    answer = ask(server, lines)
    assert (answer.status, code(answer.body)) == (status, said)  # type: ignore[attr-defined]
    assert answer.getheader("x-content-type-options") == "nosniff"
    if path != "/nowhere":
        assert answer.getheader("cache-control") == "private, no-store"
        assert answer.getheader("vary") == "Cookie, Authorization"


def test_a_host_in_the_line_of_the_request_counts_before_the_other(server: Any) -> None:
    """RFC 9112 §3.2.2."""
    evil = ask(server, head("GET http://evil.example/graphql/ HTTP/1.1", f"host: 127.0.0.1:{server.port}"))
    assert (evil.status, evil.getheader("location")) == (400, None)
    own = ask(server, head(f"GET http://localhost:{server.port}/health/ready HTTP/1.1", "host: evil.example"))
    assert own.status == 200
    own = ask(server, head(f"GET http://localhost:{server.port}/nowhere HTTP/1.1", "host: evil.example"))
    assert own.status == 404
    for lines in ((), ("host: 127.0.0.1", "host: 127.0.0.1")):
        assert ask(server, head("GET http://127.0.0.1/nowhere HTTP/1.1", *lines)).status == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1.:8000", "[::1]:9"])
def test_on_this_machine_all_its_names_are_ours(server: Any, host: str) -> None:
    assert ask(server, head("GET /nowhere HTTP/1.1", f"host: {host}")).status == 404
    assert ask(server, upgrade(f"host: {host}")).status == 101
    redirect = ask(server, head("GET /graphql/ HTTP/1.1", f"host: {host}"))
    assert redirect.getheader("location") == f"http://{host}/graphql"


def test_in_public_only_the_public_names_are_ours(public: Any) -> None:
    for host in ("meilin.example", "MEILIN.EXAMPLE:443", "inner.example:9"):
        assert ask(public, head("GET /nowhere HTTP/1.1", f"host: {host}")).status == 404
        assert ask(public, upgrade(f"host: {host}")).status == 101
    for host in ("localhost", "[::1]", "x.meilin.example"):
        assert ask(public, head("GET /nowhere HTTP/1.1", f"host: {host}")).status == 400
        assert ask(public, upgrade(f"host: {host}")).status == 400


@pytest.mark.parametrize("lines", [*FOREIGN, ("host: 10.1.2.3:8000",)], ids=str)
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_whoever_looks_after_us_calls_us_anything(server: Any, path: str, lines: tuple[str, ...]) -> None:
    assert ask(server, head(f"GET {path} HTTP/1.1", *lines)).status == 200
    assert ask(server, head(f"GET {path} HTTP/1.0", *lines)).status == 200


# What every answer carries


def answers(server: Any) -> dict[str, Any]:
    """One of each kind that /graphql and /session give."""
    client, query = server.client, {"query": VIEWER}
    found = {
        "200": client.post("/graphql", json=query),
        "get": client.get("/graphql", params=query),
        "gzip": client.post("/graphql", json={"query": "{ __schema { types { name description } } }"}),
        "400": client.post("/graphql", content=b"{", headers=JSON),
        "401": client.post("/graphql", json=query, headers={"authorization": "Bearer x"}),
        "403": client.post("/session", json={}, headers={"origin": "https://evil.example"}),
        "404": client.post("/session", json={"account": "nobody"}),
        "405": client.put("/graphql", json=query),
        "405 of /session": client.get("/session"),
        "413": client.post("/graphql", json={"query": "x" * 300_000}),
        "415": client.post("/graphql", content=b"{}", headers={"content-type": "text/plain"}),
        "307": client.get("/graphql/", headers={"host": "127.0.0.1"}),
        "404 below": client.get("/graphql/more"),
        "host": client.get("/graphql", headers={"host": "evil.example"}),
        "200 of /session": client.post("/session", json={"account": "quiet/resident-1"}),
        "204": client.delete("/session"),
    }
    client.cookies.clear()
    return found


def test_everything_of_graphql_and_session_is_private(server: Any, public: Any) -> None:
    for of in (server, public):
        for name, answer in answers(of).items():
            if name.split()[0].isdigit():
                assert answer.status_code == int(name.split()[0]), name
            assert answer.headers["cache-control"] == "private, no-store", name
            assert answer.headers["x-content-type-options"] == "nosniff", name
            assert {"cookie", "authorization"} <= {
                part.strip().lower() for part in answer.headers["vary"].split(",")
            }, name
            assert answer.headers["x-request-id"], name
            assert ("strict-transport-security" in answer.headers) is (of is public), name


def test_the_rest_is_not_marked_as_private_but_guarded(server: Any, public: Any) -> None:
    """What is not there may be there after the next release: that is not kept, and no more is said of it."""
    for path in ("/graphiql", "/", "/nowhere", "/health/live", "/graphqlx"):
        for of in (server, public):
            answer = of.client.get(path)
            said = answer.headers.get("cache-control", "")
            assert "private" not in said, path
            assert ("no-store" in said) is (answer.status_code == 404) is (path in ("/nowhere", "/graphqlx"))
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert ("strict-transport-security" in answer.headers) is (of is public), path


def test_a_fault_carries_it_too(serve: Any, tmp_path: Any) -> None:
    with serve(tmp_path, MEILIN_ALLOWED_ORIGINS="*") as server:
        asyncio.run(execute(server.database_url, "ALTER TABLE session RENAME TO gone"))
        headers = server.bearer("spring/tenant") | {"origin": APP}
        answer = server.client.post("/graphql", json={"query": VIEWER}, headers=headers)
        assert answer.status_code == 500
        assert answer.headers["connection"] == "close"
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-request-id"] == answer.json()["errors"][0]["extensions"]["requestId"]
        assert 'meilin_http_requests_total{status="500"} 1.0' in server.metrics()


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (KEPT_BY_BROWSERS, KEPT_BY_BROWSERS),
        ("private, no-cache, max-age=60", "private, no-store"),
        ("public", "private, no-store"),
        (None, "private, no-store"),
    ],
)
def test_only_what_browsers_may_keep_says_so_itself(said: str | None, sent: str) -> None:
    headers = {} if said is None else {"cache-control": said, "etag": '"a"'}
    settings = Settings(public_url="https://meilin.example", allowed_origins=(APP,))
    answered = TestClient(Guard(Response("{}", headers=headers), settings), base_url="https://meilin.example")
    for path in ("/graphql", "/session"):
        answer = answered.get(path, headers={"origin": APP})
        assert answer.headers["cache-control"] == sent
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" in answer.headers
        assert answer.headers["vary"].startswith("Cookie, Authorization")
        assert answer.headers.get("access-control-allow-origin") == (APP if path == "/graphql" else None)


# Pages elsewhere


def preflight(server: Any, origin: str, path: str = "/graphql") -> Any:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    return server.client.options(path, headers={"origin": origin} | asked)


def test_a_page_elsewhere_may_ask_with_a_token(public: Any) -> None:
    for origin in (APP, "http://localhost:5173"):
        allowed = preflight(public, origin)
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == origin
        assert "POST" in allowed.headers["access-control-allow-methods"]
        assert {"authorization", "content-type"} <= set(
            allowed.headers["access-control-allow-headers"].split(", ")
        )
        answer = public.client.post(
            "/graphql", json={"query": VIEWER}, headers={"origin": origin} | public.bearer("spring/tenant")
        )
        assert answer.json() == {"data": {"viewer": {"account": "spring/tenant"}}}
        assert answer.headers["access-control-allow-origin"] == origin
        assert {"x-request-id", "retry-after", "www-authenticate", "etag", "meilin-seen"} <= set(
            answer.headers["access-control-expose-headers"].split(", ")
        )
        for said in (allowed, answer):
            assert "Origin" in said.headers["vary"]
            assert "access-control-allow-credentials" not in said.headers


def test_it_may_also_read_what_went_wrong(public: Any) -> None:
    client = public.client
    for answer in (
        client.post("/graphql", content=b"{", headers=JSON | {"origin": APP}),
        client.post("/graphql", json={}, headers={"origin": APP, "authorization": "Bearer x"}),
        client.put("/graphql", json={}, headers={"origin": APP}),
        client.post("/graphql", content=b"{}", headers={"origin": APP, "content-type": "text/plain"}),
        client.get("/graphql", headers={"origin": APP, "host": "evil.example"}),
    ):
        assert 400 <= answer.status_code < 500
        assert answer.headers["access-control-allow-origin"] == APP


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example", "https://app.example.evil", "null", "", "*"]
)
def test_no_other_page_may(public: Any, origin: str) -> None:
    for answer in (
        preflight(public, origin),
        public.client.post("/graphql", json={"query": VIEWER}, headers={"origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert "Origin" in answer.headers["vary"]
    assert preflight(public, origin).status_code == 405


def test_without_the_setting_nobody_elsewhere_may(server: Any) -> None:
    assert preflight(server, APP).status_code == 405
    answer = server.client.post("/graphql", json={"query": VIEWER}, headers={"origin": APP})
    assert "access-control-allow-origin" not in answer.headers


def test_only_graphql_is_open_to_pages_elsewhere(public: Any) -> None:
    for path in ("/session", "/", "/metrics", "/graphql/"):
        answer = preflight(public, APP, path)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_the_cookie_of_a_reader_elsewhere_is_none(public: Any) -> None:
    own = {"origin": "https://meilin.example"}
    signed_in = public.client.post("/session", json={"account": "quiet/resident-1"}, headers=own)
    cookie = {"cookie": signed_in.headers["set-cookie"].split(";")[0]}
    public.client.cookies.clear()

    def viewer(**headers: str) -> Any:
        post = public.client.post("/graphql", json={"query": VIEWER}, headers=headers | cookie)
        get = public.client.get("/graphql", params={"query": VIEWER}, headers=headers | cookie)
        assert post.json() == get.json()
        return post.json()["data"]["viewer"]

    assert viewer(**own) == {"account": "quiet/resident-1"}
    assert viewer(origin=APP) is None
    bearer = public.bearer("spring/tenant")
    assert viewer(origin=APP, **bearer) == {"account": "spring/tenant"}


def test_any_page_may_where_all_are_allowed(serve: Any, tmp_path: Any) -> None:
    with serve(tmp_path, MEILIN_ALLOWED_ORIGINS="*") as server:
        own = {"origin": server.url}
        signed_in = server.client.post("/session", json={"account": "quiet/resident-1"}, headers=own)
        cookie = {"cookie": signed_in.headers["set-cookie"].split(";")[0]}
        server.client.cookies.clear()
        for origin in ("https://any.example", "null"):
            assert preflight(server, origin).headers["access-control-allow-origin"] == "*"
            answer = server.client.post(
                "/graphql", json={"query": VIEWER}, headers={"origin": origin} | cookie
            )
            assert answer.json() == {"data": {"viewer": None}}
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
        answer = server.client.post("/graphql", json={"query": VIEWER}, headers=own | cookie)
        assert answer.json() == {"data": {"viewer": {"account": "quiet/resident-1"}}}
